// Tags as bars and events as a table; everything that a card or a file says is text, never markup.
import { MARK, isOther } from "./kinds.js";
import { clock } from "./pictures.js";

export const element = (name, text, properties = {}) => Object.assign(document.createElement(name), { textContent: text }, properties);

export function showTags(list, tags) {
  list.replaceChildren(
    ...tags.map(({ label, score }) => {
      const item = document.createElement("li");
      const bar = element("span", "", { className: "bar" });
      bar.style.width = `${100 * Math.min(Math.max(score ?? 0, 0), 1)}%`;
      item.append(bar, element("span", label), element("span", score === null ? "?" : score.toFixed(2)));
      return item;
    }),
  );
}

export function showEvents(body, events, most = 500) {
  const rows = events.slice(-most).map((event) => {
    const { start_s, end_s, label, peak } = event;
    const row = document.createElement("tr");
    row.append(
      element("td", clock(start_s)),
      element("td", end_s === null ? "still on" : clock(end_s)),
      element("td", isOther(event) ? `${MARK} ${label}` : label),
      element("td", peak === null ? "" : peak.toFixed(2)),
    );
    return row;
  });
  body.replaceChildren(...rows);
}

const LINE_ENDS = /[\t\r\n]+/g;

// A label track of Audacity, a selection table of Raven, or all as JSON.
export function textOf(form, found) {
  if (form === "json") return JSON.stringify(found, null, 1);
  const events = found.events.map((event, i) => ({ ...event, id: i + 1, label: `${isOther(event) ? `${MARK} ` : ""}${event.label}`.replace(LINE_ENDS, " ") }));
  if (form === "audacity") {
    return events.map(({ start_s, end_s, label }) => `${start_s.toFixed(6)}\t${end_s.toFixed(6)}\t${label}\n`).join("");
  }
  const head = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Annotation", "Peak Score", "Mean Score", "Begin File"];
  const rows = events.map(({ id, start_s, end_s, label, peak, mean }) => [id, "Spectrogram 1", 1, start_s.toFixed(6), end_s.toFixed(6), 0, 20000, label, peak, mean, (found.file ?? "").replace(LINE_ENDS, " ")]);
  return [head, ...rows].map((row) => `${row.join("\t")}\n`).join("");
}
