// The archive: searched by a sound or by a label; what is found is played, looked around, and reviewed.
import { taken } from "./dropping.js";
import { element } from "./lists.js";
import { clock } from "./pictures.js";
import { startReview } from "./review.js";
import { archive, likeFile, likeStretch, ofLabel, soundOf } from "./server.js";

const $ = (id) => document.getElementById(id);
let playing = null; // { id, audio, row }
let again = null; // asks again for what is shown, without what has a label
let turn = 0; // of searches; only the last is shown

const say = (text, bad = false) => {
  $("archive-state").textContent = text;
  $("archive-state").classList.toggle("bad", bad);
};

export function show(view) {
  for (const button of $("views").children) {
    if (button.dataset.view === view) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
    $(button.dataset.view).hidden = button.dataset.view !== view;
  }
  stop();
  document.dispatchEvent(new CustomEvent("shown", { detail: view }));
}

function stop() {
  if (!playing) return;
  playing.audio.pause();
  URL.revokeObjectURL(playing.audio.src);
  playing.row.classList.remove("heard");
  playing.button.textContent = "Play";
  playing = null;
}

async function play(one, row, button) {
  const again = playing?.button === button;
  stop();
  if (again) return;
  const mine = { id: one.id, audio: new Audio(), row, button };
  playing = mine;
  button.textContent = "Stop";
  row.classList.add("heard");
  try {
    const sound = await soundOf(one.id);
    if (playing !== mine) return;
    mine.audio.src = URL.createObjectURL(sound);
    mine.audio.onended = () => playing === mine && stop();
    await mine.audio.play();
  } catch (error) {
    if (playing !== mine) return;
    stop();
    say(`${one.path}: ${error.message}`, true);
  }
}

async function save(one) {
  try {
    const link = element("a", "", { href: URL.createObjectURL(await soundOf(one.id)) });
    link.download = `${one.path.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "")}-${one.start_s.toFixed(2)}.wav`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch (error) {
    say(`${one.path}: ${error.message}`, true);
  }
}

function rowOf(one, hasLike) {
  const row = document.createElement("tr");
  const cell = document.createElement("td");
  const button = element("button", "Play", { type: "button", className: "play" });
  button.setAttribute("aria-label", `Play ${one.path} at ${clock(one.start_s)}`);
  button.onclick = () => play(one, row, button);
  cell.append(button);
  if (hasLike) {
    const likes = element("button", "Like this", { type: "button", className: "likes" });
    likes.setAttribute("aria-label", `Search what is like ${one.path} at ${clock(one.start_s)}`);
    likes.onclick = () => search(`like ${one.path} at ${clock(one.start_s)}`, (how) => likeStretch({ id: one.id, ...how }));
    cell.append(likes);
  }
  const link = element("a", one.path, { href: "#", title: "Save this stretch as WAV" });
  link.onclick = (event) => {
    event.preventDefault();
    save(one);
  };
  const file = document.createElement("td");
  file.append(link);
  row.append(cell, element("td", one.score.toFixed(3)), element("td", clock(one.start_s)), element("td", clock(one.end_s)), file);
  return row;
}

// Shows what a search gives; `ask` is told whether only the best of each file is wanted.
async function search(what, ask) {
  const mine = ++turn;
  stop();
  const how = { per_file: $("per-file").checked ? 1 : 0, top: 50 };
  say(`Searching ${what} ...`);
  try {
    const answer = await ask(how);
    if (mine !== turn) return;
    const { found } = answer;
    again = async () => (await ask({ ...how, new: 1 })).found;
    const hadFocus = $("results").contains(document.activeElement);
    $("results").tBodies[0].replaceChildren(...found.map((one) => rowOf(one, $("results").dataset.like)));
    if (hadFocus) $("results").querySelector("button")?.focus();
    $("results-scroll").hidden = !found.length;
    $("review-these").hidden = !found.length || !$("results").dataset.review;
    say(`${found.length} found: ${what}, the best first.`);
  } catch (error) {
    if (mine !== turn) return;
    for (const id of ["results-scroll", "review-these"]) $(id).hidden = true; // they are another search's
    say(error.message, true);
  }
}

const byFile = (file) => {
  if (!file.size) return say(`${file.name}: there is nothing in it.`, true);
  return search(`like ${file.name}`, (how) => likeFile(file, how));
};

// Shows the views of the archive if the server has one.
export async function startArchive() {
  const about = await archive();
  if (!about.embeddings && !about.scores) return;
  $("views").hidden = false;
  $("by-sound").hidden = !about.embeddings?.takes_sound;
  $("by-label").hidden = !about.scores;
  $("results").dataset.like = about.embeddings ? "1" : "";
  $("results").dataset.review = about.labels ? "1" : "";
  $("labels").replaceChildren(...(about.scores?.labels ?? []).map((label) => new Option(label)));
  $("views").querySelector("[data-view=review]").hidden = !about.labels;
  const { stretches, files, takes_sound: takesSound } = about.embeddings ?? {};
  const drop = takesSound ? " Drop a sound here to find what is like it." : "";
  say(about.embeddings ? `${stretches} stretches of ${files} files.${drop}` : "");
  startReview(about);
}

for (const button of $("views").children) button.addEventListener("click", () => show(button.dataset.view));
$("query").addEventListener("change", () => taken($("query"), byFile));
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const label = $("label").value.trim();
  if (label) search(`by ${label}`, (how) => ofLabel({ label, ...how }));
});
document.addEventListener("query", ({ detail }) => !$("by-sound").hidden && byFile(detail));
$("review-these").firstElementChild.addEventListener("click", async () => {
  const mine = turn;
  try {
    const detail = await again();
    if (mine !== turn) return;
    document.dispatchEvent(new CustomEvent("review", { detail }));
    show("review");
  } catch (error) {
    if (mine === turn) say(error.message, true);
  }
});
