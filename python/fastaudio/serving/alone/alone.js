// The page without a server: the model runs here, over a file or the microphone.
import * as ort from "../ort/ort.wasm.min.mjs";
import { onDrop, taken } from "./dropping.js";
import { showTags } from "./lists.js";
import { capture } from "./microphone.js";
import { Columns, clock, drawAxis, drawRibbon, drawSpectrogram, drawWave } from "./pictures.js";
import { clips, stream } from "./tagger.js";

const SHOWN_S = 30;
const MOST_S = 1800; // of a file, which is run at once
const MOST_BEHIND_S = 5;
const MOST_COLUMNS = 1200; // of a picture; canvases of browsers have an end
const TOP = 12;
const $ = (id) => document.getElementById(id);
ort.env.wasm.numThreads = 1; // more need headers that not every host sends

export let about = null;
export let last = null; // what was found: { samples, scores, times }, for whoever wants the numbers
let clip = null;
let live = null; // what gives scores of live sound, and what gives its picture
let ending = null; // what ends the microphone
let shown = null;

const say = (text, bad = false) => {
  $("state").textContent = text;
  $("state").classList.toggle("bad", bad);
};

function draw() {
  if (!shown) return;
  const { columns, windows, from_s, to_s, now_s, peaks } = shown;
  drawSpectrogram($("spectrogram"), columns, about.mel.centres_hz, from_s, to_s);
  if (peaks) drawWave($("wave"), peaks);
  drawRibbon($("ribbon"), windows, [], from_s, to_s, now_s);
  drawAxis($("axis"), from_s, to_s);
}

// Power as bytes, on the scale of dB that the picture has.
function bytesOf(rows) {
  const { db_min, db_max, full_scale } = about.mel;
  return Uint8Array.from(rows, (power) => {
    const level_db = 10 * Math.log10(power / full_scale);
    return Math.round(255 * Math.min(Math.max((level_db - db_min) / (db_max - db_min), 0), 1)) || 0;
  });
}

const tagsOf = (scores) => {
  const tags = [...scores].map((score, i) => ({ label: about.labels[i], score }));
  return tags.sort((a, b) => b.score - a.score).slice(0, TOP);
};

function windowOf(scores, k, first_s = 0) {
  const start_s = first_s + k * about.hop_s;
  const own = scores.subarray(k * about.labels.length, (k + 1) * about.labels.length);
  return { start_s, end_s: start_s + about.window_s, tags: tagsOf(own) };
}

function open(isLive) {
  for (const id of ["seen", "found"]) $(id).hidden = false;
  $("live").hidden = !isLive;
  for (const id of ["wave", "player"]) $(id).hidden = true;
  showTags($("tags"), []);
  $("when").textContent = "";
}

async function monoOf(file) {
  const context = new OfflineAudioContext(1, 1, about.sample_rate);
  const sound = await context.decodeAudioData(await file.arrayBuffer()).catch(() => null);
  if (!sound) throw new Error("expected a sound that this browser decodes, got another file");
  if (sound.duration > MOST_S) throw new Error(`expected at most ${clock(MOST_S)} of sound, got ${clock(sound.duration)}`);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  if (about.channel !== null) return channels[Math.min(about.channel, channels.length - 1)];
  return channels[0].map((_, t) => channels.reduce((sum, channel) => sum + channel[t], 0) / channels.length);
}

function peaksOf(samples, nColumns = 1000) {
  return Array.from({ length: nColumns }, (_, i) => {
    const part = samples.subarray(Math.floor((i * samples.length) / nColumns), Math.floor(((i + 1) * samples.length) / nColumns));
    return part.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [0, 0]);
  });
}

// The highest value of each `step` rows.
export function thinned(rows, nBands, step) {
  if (step === 1) return rows;
  const out = new Float32Array(Math.ceil(rows.length / nBands / step) * nBands);
  rows.forEach((value, i) => {
    const at = Math.floor(i / nBands / step) * nBands + (i % nBands);
    out[at] = Math.max(out[at], value);
  });
  return out;
}

async function openFile(file) {
  await stop();
  blocked(true);
  say(`${file.name}: running ...`);
  try {
    const samples = await monoOf(file);
    await new Promise((done) => setTimeout(done, 20)); // so that the line above is seen
    const { tags, mel, "clip.tags": mean } = await clip.run(samples);
    open(false);
    const seconds = samples.length / about.sample_rate;
    const step = Math.ceil(Math.max(mel.n, 1) / MOST_COLUMNS);
    const columns = new Columns(about.mel.n_bands, Math.ceil(Math.max(mel.n, 1) / step), about.mel.hop_s * step);
    columns.add(bytesOf(thinned(mel.rows, about.mel.n_bands, step)), 0);
    const windows = Array.from({ length: tags.n }, (_, k) => windowOf(tags.rows, k));
    last = { samples, scores: tags.rows, mean: mean.rows };
    shown = { columns, windows, from_s: 0, to_s: Math.max(seconds, 0.1), now_s: seconds, peaks: peaksOf(samples) };
    $("wave").hidden = false;
    URL.revokeObjectURL($("player").src);
    $("player").src = URL.createObjectURL(file);
    $("player").hidden = false;
    $("when").textContent = tags.n ? `mean over ${clock(seconds)}` : `shorter than a window of ${about.window_s} s`;
    showTags($("tags"), tags.n ? tagsOf(mean.rows) : []);
    say(`${file.name}: ${clock(seconds)} of sound.`);
    draw();
  } catch (error) {
    say(`${file.name}: ${error.message}`, true);
  } finally {
    blocked(false);
  }
}

const blocked = (is) => {
  $("listen").disabled = is || !live;
  $("file").disabled = is;
};

const stop = async () => ending?.();

async function listen() {
  if (ending) return stop();
  open(true);
  blocked(true);
  say("Waiting for the microphone ...");
  $("listen").textContent = "Stop";
  $("listen").setAttribute("aria-pressed", "true");
  live.tags.again();
  live.mel.again();
  const { n_bands, hop_s } = about.mel;
  shown = { columns: new Columns(n_bands, Math.ceil(SHOWN_S / hop_s), hop_s), windows: [], from_s: -SHOWN_S, to_s: 0, now_s: 0 };
  const kept = []; // what was run, at most a minute
  last = { kept, scores: [] };
  const queue = [];
  let [waiting, lost, heard, running, nMel, nTags] = [0, 0, 0, null, 0, 0];

  async function pump() {
    while (queue.length) {
      const samples = queue.shift();
      waiting -= samples.length;
      const [mel] = Object.values(await live.mel.push(samples));
      if (kept.length < 1200) kept.push(samples);
      if (mel.length) {
        shown.columns.add(bytesOf(mel), nMel * hop_s);
        nMel += mel.length / n_bands;
        const now_s = shown.columns.end_s;
        Object.assign(shown, { now_s, from_s: now_s - SHOWN_S, to_s: now_s });
        requestAnimationFrame(draw);
      }
      const [tags] = Object.values(await live.tags.push(samples));
      for (let k = 0; k < tags.length / about.labels.length; k++, nTags++) {
        const window = windowOf(tags, k, (nTags - k) * about.hop_s);
        if (last.scores.length < 1e6) last.scores.push(...tags.subarray(k * about.labels.length, (k + 1) * about.labels.length));
        shown.windows = [...shown.windows, window].filter(({ end_s }) => end_s > shown.now_s - SHOWN_S);
        $("when").textContent = `${clock(window.start_s)} to ${clock(window.end_s)}`;
        showTags($("tags"), window.tags);
      }
      await new Promise((done) => setTimeout(done, 0)); // the page goes on meanwhile
    }
    running = null;
  }

  function take(samples) {
    heard += samples.length;
    if (waiting + samples.length > MOST_BEHIND_S * about.live_rate) lost += samples.length;
    else {
      queue.push(samples);
      waiting += samples.length;
      running ??= pump().catch((error) => say(error.message, true));
    }
    const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    $("level").value = 20 * Math.log10(peak);
    $("level-db").textContent = `${(20 * Math.log10(peak)).toFixed(0)} dB`;
    $("heard").textContent = clock(heard / about.live_rate);
    $("lost").textContent = `${(lost / about.live_rate).toFixed(2)} s${waiting > about.live_rate ? `, ${(waiting / about.live_rate).toFixed(1)} s behind` : ""}`;
  }

  try {
    const off = await capture((rate) => say(`Listening at ${rate} Hz.`), take, about.live_rate);
    let ended = null;
    const end = async () => {
      blocked(true); // what waits is run first
      say("Waiting for the last results ...");
      await off();
      await running;
      ending = null;
      over("Stopped.");
    };
    ending = () => (ended ??= end());
    blocked(false);
  } catch (error) {
    over(error.name === "NotAllowedError" ? "The browser was told not to give the microphone." : error.message, true);
  }
}

function over(text, bad = false) {
  $("listen").textContent = "Listen to the microphone";
  $("listen").setAttribute("aria-pressed", "false");
  blocked(false);
  say(text, bad);
}

// A host may have a part of one page and a part of another, whose labels would name the wrong sounds.
function fitting(name, { labels }) {
  if (JSON.stringify(labels) === JSON.stringify(about.labels)) return;
  clip = live = null;
  throw new Error(`${name}: expected the labels of about.json, got another model's; copy the whole folder to the host again`);
}

async function start() {
  about = await (await fetch("about.json")).json();
  const what = about.hears ? ` It hears ${about.hears}.` : "";
  document.title = `${about.name}: what is heard`;
  $("about").textContent = `${(about.title || about.name).replace(/\.$/, "")}. ${about.labels.length} label${about.labels.length === 1 ? "" : "s"}, windows of ${about.window_s} s.${what}`;
  $("delay").textContent = `${about.latency_s.toFixed(2)} s until a window is whole`;
  $("licence").textContent = about.licence ? `The model's licence: ${about.licence}.` : "";
  say("Loading the model ...");
  clip = await clips(ort, "tags.onnx");
  fitting("tags.onnx", clip);
  live = about.live ? { tags: await stream(ort, "live.onnx"), mel: await stream(ort, "mel.onnx") } : null;
  if (live) fitting("live.onnx", live.tags);
  if (!live) $("drop").textContent = `or drop one here; the microphone needs a model that runs in blocks: ${about.why_not_live}`;
  say("Nothing leaves this page: the model runs in your browser.");
  blocked(false);
}

$("listen").addEventListener("click", listen);
$("file").addEventListener("change", () => taken($("file"), openFile));
onDrop((file) => !$("file").disabled && openFile(file));
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
start().catch((error) => say(error.message, true));
