// The page: chooses the model, listens or opens a file, and shows what the server hears.
import { showEvents, showTags, textOf } from "./lists.js";
import { startArchive } from "./archive.js";
import { onDrop, taken } from "./dropping.js";
import { isOther, kindText } from "./kinds.js";
import { capture } from "./microphone.js";
import { Columns, bytesOf, clock, drawAxis, drawRibbon, drawSpectrogram, drawWave } from "./pictures.js";
import { NeedsToken, live, models, setToken, tagFile } from "./server.js";

const SHOWN_S = 30;
const KEPT_EVENTS = 5000;
const MOST_DECODED = 50e6; // bytes of a file whose waveform is drawn
const $ = (id) => document.getElementById(id);
let known = [];
let running = null; // what ends the microphone or the upload
let shown = null; // what is drawn: { columns, centres_hz, windows, events, from_s, to_s, now_s, peaks }
let found = null; // what can be saved
let name = "sound";
let lastFile = null; // heard again when the model or the score changes

const say = (text, bad = false) => {
  $("state").textContent = text;
  $("state").classList.toggle("bad", bad);
};

function draw() {
  if (!shown) return;
  const { columns, centres_hz, windows, events, from_s, to_s, now_s, peaks } = shown;
  if (columns) drawSpectrogram($("spectrogram"), columns, centres_hz, from_s, to_s);
  if (peaks) drawWave($("wave"), peaks);
  drawRibbon($("ribbon"), windows, events, from_s, to_s, now_s);
  drawAxis($("axis"), from_s, to_s);
}

function open(isLive) {
  for (const id of ["seen", "found", "spectrogram"]) $(id).hidden = false;
  $("live").hidden = !isLive;
  $("save").hidden = true;
  for (const id of ["wave", "player", "no-events", "other"]) $(id).hidden = true;
  showTags($("tags"), []);
  listEvents([]);
  $("when").textContent = "";
  $("tags").classList.remove("other");
}

// Says of what time the tags are, and marks those of sound that the model doesn't hear.
function showWhen(text, heard) {
  $("when").textContent = [text, kindText(heard, hears())].filter(Boolean).join(": ");
  $("tags").classList.toggle("other", isOther(heard));
  $("other").hidden = !isOther(heard);
}

const chosen = () => known.find(({ name }) => name === $("model").value);
const hears = () => [chosen()?.hears ?? []].flat()[0];

// Ends what runs, and waits until it has ended; who started it clears `running`.
const stop = async () => running?.();

function describe() {
  const model = chosen();
  const what = model?.hears ? ` It hears ${[model.hears].flat().join(", ")}.` : "";
  const title = (model?.title || model?.name)?.replace(/\.$/, "");
  $("about").textContent = model ? `${title}. ${model.labels} label${model.labels === 1 ? "" : "s"}, windows of ${model.window_s} s.${what}` : "";
}

function askForToken() {
  $("access").hidden = false;
  $("token").focus();
}

async function start() {
  try {
    known = await models();
    $("access").hidden = true;
  } catch (error) {
    $("access").hidden = true;
    if (error instanceof NeedsToken) askForToken();
    if (error.given || $("access").hidden) say(error.message, true);
    return;
  }
  $("model").replaceChildren(...known.map(({ name }) => new Option(name, name)));
  for (const id of ["model", "listen", "file"]) $(id).disabled = false;
  describe();
  await startArchive().catch((error) => say(error.message, true));
}

async function listen() {
  if (running?.file) {
    running(); // an upload, which this takes the place of
    running = null;
  } else if (running) return stop();
  lastFile = null;
  open(true);
  $("listen").textContent = "Stop";
  $("listen").setAttribute("aria-pressed", "true");
  $("model").disabled = true;
  say("Waiting for the microphone ...");
  const blocked = (is) => ["listen", "file"].forEach((id) => ($(id).disabled = is));
  blocked(true); // until the microphone is there, or is refused
  const events = new Map();
  let [socket, off, mine, done, isOver] = [null, null, null, null, false];
  const ended = new Promise((resolve) => (done = resolve));
  const over = (message, needsToken = false) => {
    isOver = true;
    if (needsToken) askForToken();
    off?.();
    if (running === mine) running = null;
    blocked(false);
    done();
    $("listen").textContent = "Listen to the microphone";
    $("listen").setAttribute("aria-pressed", "false");
    $("model").disabled = false;
    found = { model: $("model").value, events: [...events.values()].filter(({ end_s }) => end_s !== null) };
    $("save").hidden = !found.events.length;
    say(message ?? "Stopped.", message !== null && message !== undefined);
  };
  try {
    name = "microphone";
    off = await capture(
      (rate) => {
        socket = live($("model").value, $("onset").value, rate, (message) => heard(message, events), over);
      },
      (samples) => socket.push(samples),
    );
    if (isOver) return await off(); // the server refused it before the microphone was there
    running = mine = async () => {
      await off();
      say("Waiting for the last results ...");
      socket.end();
      await ended;
    };
    blocked(false);
  } catch (error) {
    socket?.end();
    over(error.name === "NotAllowedError" ? "The browser was told not to give the microphone." : error.message);
  }
}

function listEvents(events) {
  showEvents($("events"), events);
  $("events-title").textContent = events.length ? `Events (${events.length})` : "Events";
}

let frame = null; // until what changed is drawn
let eventsOf = null; // events that aren't shown yet

function redraw() {
  frame = null;
  if (eventsOf) {
    shown.events = [...eventsOf.values()];
    listEvents(shown.events);
    eventsOf = null;
  }
  draw();
}

export function heard(message, events) {
  if (message.type === "ready") {
    say(`Listening at ${message.rate} Hz.`);
    $("delay").textContent = `${message.latency_s.toFixed(2)} s until a window is whole`;
    const { n_bands, hop_s, centres_hz } = message.mel;
    shown = { columns: new Columns(n_bands, Math.ceil(SHOWN_S / hop_s), hop_s), centres_hz, windows: [], events: [], from_s: -SHOWN_S, to_s: 0, now_s: 0 };
  } else if (message.type === "mel") {
    shown.columns.add(bytesOf(message.rows), message.start_s);
    const now_s = shown.columns.end_s;
    Object.assign(shown, { now_s, from_s: now_s - SHOWN_S, to_s: now_s });
    frame ??= requestAnimationFrame(redraw);
  } else if (message.type === "window") {
    showWhen(message.silent ? "silence" : `${clock(message.start_s)} to ${clock(message.end_s)}`, message);
    showTags($("tags"), message.tags);
    if (!message.provisional) shown.windows = [...shown.windows, message].filter(({ end_s }) => end_s > shown.now_s - SHOWN_S);
  } else if (message.type === "event") {
    events.set(message.id, message);
    if (events.size > KEPT_EVENTS) events.delete(events.keys().next().value);
    eventsOf = events;
    frame ??= requestAnimationFrame(redraw); // many may begin at once
  } else if (message.type === "level") {
    $("level").value = message.peak_dbfs;
    $("level-db").textContent = `${message.peak_dbfs.toFixed(0)} dB`;
  } else if (message.type === "stats" || message.type === "end") {
    $("heard").textContent = clock(message.captured_s);
    $("lost").textContent = `${message.dropped_s.toFixed(2)} s${message.behind_s > 1 ? `, ${message.behind_s.toFixed(1)} s behind` : ""}`;
  }
}

async function waveOf(file, nColumns) {
  if (file.size > MOST_DECODED) return null;
  const context = new OfflineAudioContext(1, 1, 16000);
  const sound = await context.decodeAudioData(await file.arrayBuffer()).catch(() => null);
  if (!sound) return null;
  const samples = sound.getChannelData(0);
  return Array.from({ length: nColumns }, (_, i) => {
    let [low, high] = [0, 0];
    for (let k = Math.floor((i * samples.length) / nColumns); k < Math.floor(((i + 1) * samples.length) / nColumns); k++) {
      low = Math.min(low, samples[k]);
      high = Math.max(high, samples[k]);
    }
    return [low, high];
  });
}

// At most a thousand windows, each with its best tags.
function windowsOf({ labels, times_s, windows, silent_windows }) {
  const step = Math.ceil(windows.length / 1000);
  return times_s.filter((_, i) => i % step === 0).map(([start_s, end_s], i) => {
    const scores = silent_windows[i * step] ? [] : windows[i * step];
    const tags = scores.map((score, k) => ({ label: labels[k], score })).sort((a, b) => b.score - a.score);
    return { start_s, end_s, tags: tags.slice(0, 12) };
  });
}

async function openFile(file) {
  await stop();
  if (!file.size) return say(`${file.name}: there is nothing in it.`, true);
  const ending = new AbortController();
  const mine = Object.assign(() => ending.abort(), { file });
  running = mine;
  say(`${file.name}: sending ${(file.size / 1e6).toFixed(1)} MB ...`);
  try {
    const model = $("model").value;
    const [answer, peaks] = await Promise.all([
      tagFile(file, model, $("onset").value, ending.signal, chosen()?.spectrogram),
      waveOf(file, 1000),
    ]);
    if (running !== mine) return; // another file was opened meanwhile
    open(false);
    lastFile = file;
    name = file.name.replace(/\.[^.]*$/, "") || "sound"; // what is shown and saved stays another's until now
    const { spectrogram, ...rest } = answer;
    found = { file: file.name, ...rest };
    const columns = spectrogram && new Columns(spectrogram.n_bands, Math.max(spectrogram.n_rows, 1), spectrogram.hop_s);
    columns?.add(bytesOf(spectrogram.rows), 0);
    $("spectrogram").hidden = !columns; // a server that isolates files draws none
    const windows = windowsOf(answer);
    shown = { columns, centres_hz: spectrogram?.centres_hz, windows, events: answer.events, from_s: 0, to_s: Math.max(answer.duration_s, 0.1), now_s: answer.duration_s, peaks };
    $("wave").hidden = !peaks;
    URL.revokeObjectURL($("player").src);
    $("player").src = URL.createObjectURL(file);
    $("player").hidden = false;
    showWhen(answer.silent ? "silence" : `mean over ${clock(answer.duration_s)}`, answer);
    showTags($("tags"), answer.tags);
    listEvents(answer.events);
    $("no-events").textContent = answer.why_no_events ?? "";
    $("no-events").hidden = !answer.why_no_events;
    $("save").hidden = false;
    say([`${file.name}: ${clock(answer.duration_s)} of sound, by ${answer.model}.`, ...answer.warnings].join(" "));
    draw();
  } catch (error) {
    if (error instanceof NeedsToken) askForToken();
    if (error.name !== "AbortError") say(`${file.name}: ${error.name === "NotFoundError" ? "it can't be read; is it a folder?" : error.message}`, true);
  } finally {
    if (running === mine) running = null;
  }
}

function save(form) {
  const suffix = { audacity: ".txt", raven: ".Table.1.selections.txt", json: ".json" }[form];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([textOf(form, found)], { type: "text/plain" }));
  link.download = name + suffix;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

$("access").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!setToken($("token").value)) return say("A token has letters, digits and signs of ASCII only; copy it again.", true);
  say("");
  start();
});
for (const id of ["model", "onset"]) {
  $(id).addEventListener("change", () => {
    describe();
    const again = running ? running.file : lastFile; // an upload by the model before ends
    if (again) openFile(again);
  });
}
$("listen").addEventListener("click", listen);
$("file").addEventListener("change", () => taken($("file"), openFile));
$("save").addEventListener("click", ({ target }) => target.dataset.form && save(target.dataset.form));
onDrop((file) => {
  if (!$("archive").hidden) document.dispatchEvent(new CustomEvent("query", { detail: file }));
  else if (!$("file").disabled) openFile(file);
});
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
start();
