// Labelling by ear: a stretch at a time, keys 1 to 9 give labels, u takes the last one back, s skips.
import { element } from "./lists.js";
import { clock } from "./pictures.js";
import { Refused, giveLabel, soundOf, takeBack, unsure } from "./server.js";

const MOST_KEYS = 9;
const MOST_ASKED = 500;
const $ = (id) => document.getElementById(id);
let queue = []; // what is to be labelled, the first is shown
let unsureAsked = false; // whether more of it is to be had
let names = [];
let nLabels = 0;
const done = new Set(); // ids that were labelled or skipped
const given = []; // labels of this visit, and what they were given to
let busy = false; // while a label is on its way

const say = (text, bad = false) => {
  $("review-state").textContent = text;
  $("review-state").classList.toggle("bad", bad);
};

const by = () => $("by").value.trim();

// Removes the sound too: without this, an element plays what it had before.
function hush() {
  $("excerpt").pause();
  URL.revokeObjectURL($("excerpt").src);
  $("excerpt").removeAttribute("src");
  $("excerpt").load();
}

function showNames() {
  const focused = [...$("names").children].findIndex((item) => item.contains(document.activeElement));
  const items = names.slice(0, MOST_KEYS).map((name, i) => {
    const item = document.createElement("li");
    const button = element("button", "", { type: "button" });
    button.append(element("kbd", `${i + 1}`), element("span", name));
    button.onclick = () => label(name);
    item.append(button);
    return item;
  });
  $("names").replaceChildren(...items);
  items[focused]?.firstChild.focus();
}

async function showFirst() {
  const one = queue[0];
  $("candidate").hidden = !one;
  hush();
  if (!one) return;
  const guess = one.guess ? ` The model says ${one.guess} ${one.guess_score.toFixed(2)}.` : "";
  $("place").textContent = `${one.path}, ${clock(one.start_s)} to ${clock(one.end_s)}.${guess}`;
  try {
    const sound = await soundOf(one.id);
    if (queue[0] !== one) return;
    $("excerpt").src = URL.createObjectURL(sound);
    if (!$("review").hidden) await $("excerpt").play().catch(() => null); // a browser may want a click first
  } catch (error) {
    if (queue[0] === one) say(`${one.path}: ${error.message}`, true);
  }
}

const told = () => `Labels so far: ${nLabels}; stretches to hear: ${queue.length}.`;

async function next() {
  done.add(queue.shift()?.id);
  if (!queue.length && unsureAsked) return askUnsure();
  say(queue.length ? told() : `Labels so far: ${nLabels}; all of these were heard.`);
  showFirst();
}

// Those that have a label are left out by the server, those that were skipped here, however many they are.
async function askUnsure() {
  unsureAsked = true;
  const top = Math.min(50 + done.size, MOST_ASKED);
  let found = [];
  queue = [];
  try {
    for (let after = 0; !queue.length && (after === 0 || found.length === top); after += top) {
      ({ found } = await unsure({ top, after }));
      queue = found.filter(({ id }) => !done.has(id)).slice(0, 50);
    }
  } finally {
    showFirst();
  }
  say(queue.length ? told() : `Labels so far: ${nLabels}; nothing is left to hear.`);
}

// Does one thing at a time, and plays meanwhile, so that two fast keys give no label twice.
async function alone(act) {
  if (busy) return;
  busy = true;
  $("review").ariaBusy = "true";
  try {
    await act();
  } catch (error) {
    say(error.message, true);
  } finally {
    busy = false;
    $("review").ariaBusy = "false";
  }
}

const label = (name) =>
  alone(async () => {
    if (!queue.length) return;
    given.push({ one: queue[0], label: await giveLabel(queue[0].id, name, by()) });
    nLabels++;
    if (!names.includes(name)) names.push(name);
    showNames();
    await next();
  });

const undo = () =>
  alone(async () => {
    if (!given.length) return say("There is no label of this visit to take back.");
    const { one, label } = given.at(-1);
    const { undone } = await takeBack(label).catch((error) => {
      if (error instanceof Refused) given.pop(); // it would be refused again
      throw error;
    });
    given.pop();
    if (undone) nLabels = Math.max(nLabels - 1, 0);
    done.delete(one.id);
    queue = [one, ...queue.filter(({ id }) => id !== one.id)];
    showFirst();
    say(undone ? `Took back ${label.label}. ${told()}` : `${label.label} isn't in the file any more, as somebody has changed it.`, !undone);
  });

const play = () => ($("excerpt").paused ? $("excerpt").play().catch(() => null) : $("excerpt").pause());

function key(event) {
  const isText = event.target.matches("input, select, audio");
  if ($("review").hidden || !$("keys").checked || isText || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "u") undo();
  else if ($("candidate").hidden) return;
  else if (/^[1-9]$/.test(event.key) && names[event.key - 1]) label(names[event.key - 1]);
  else if (event.key === "s") alone(next);
  else if (event.key === " " && !event.target.matches("button")) play();
  else return;
  event.preventDefault();
}

export function startReview(about) {
  if (!about.labels) return;
  names = [...new Set([...about.labels.names, ...(about.scores?.labels ?? [])])];
  nLabels = about.labels.n;
  $("least-sure").hidden = !about.scores;
  $("by").value = localStorage.getItem("by") ?? "";
  $("keys").checked = localStorage.getItem("keys") !== "off";
  showNames();
  say(about.scores ? told() : "Search first, then review what was found.");
}

document.addEventListener("review", ({ detail }) => {
  unsureAsked = false;
  queue = detail.filter(({ id }) => !done.has(id));
  say(queue.length ? told() : `Labels so far: ${nLabels}; all of these were heard.`);
  showFirst();
});
document.addEventListener("shown", ({ detail }) => {
  $("excerpt").pause();
  if (detail === "review" && !queue.length && !$("least-sure").hidden && !unsureAsked) $("least-sure").click();
});
document.addEventListener("keydown", key);
$("least-sure").addEventListener("click", () => alone(askUnsure));
$("play").addEventListener("click", play);
$("skip").addEventListener("click", () => alone(next));
$("undo").addEventListener("click", undo);
$("by").addEventListener("change", () => localStorage.setItem("by", by()));
$("keys").addEventListener("change", () => localStorage.setItem("keys", $("keys").checked ? "on" : "off"));
$("new-name").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  $("name").value = "";
  if (name) label(name);
});
