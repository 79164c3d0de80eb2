// What is drawn over time: waveform, mel-spectrogram, events and the axis, all from `from_s` to `to_s`.
const STOPS = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]];
const COLOURS = Array.from({ length: 256 }, (_, i) => {
  const at = (i / 255) * (STOPS.length - 1);
  const low = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[low].map((value, k) => value + (STOPS[low + 1][k] - value) * (at - low));
});
const HUES = [210, 25, 140, 330, 265, 60, 180, 0];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Fits a canvas to its place and the screen's pixels, and clears it.
function begun(canvas) {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  return { pen, width, height };
}

export const clock = (seconds) => {
  const s = Math.round(seconds * 10) / 10;
  const [hours, minutes, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const text = `${minutes}:${rest < 9.95 ? "0" : ""}${rest.toFixed(1)}`;
  return hours ? `${hours}:${text.padStart(6, "0")}` : text;
};

export function bytesOf(text) {
  const raw = atob(text);
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

// Rows of a mel-spectrogram, kept as a picture of a column for each row; old columns are written over.
export class Columns {
  constructor(nBands, nColumns, hop_s) {
    Object.assign(this, { nBands, nColumns, hop_s, begin_s: null, n: 0 });
    this.canvas = new OffscreenCanvas(nColumns, nBands);
    this.pen = this.canvas.getContext("2d");
    this.pixels = this.pen.createImageData(1, nBands);
  }

  add(rows, start_s) {
    this.begin_s ??= start_s;
    const want = Math.round((start_s - this.begin_s) / this.hop_s);
    for (; this.n < want; this.n++) this.pen.clearRect(this.n % this.nColumns, 0, 1, this.nBands); // a gap
    for (let i = 0; i + this.nBands <= rows.length; i += this.nBands, this.n++) {
      for (let band = 0; band < this.nBands; band++) {
        const at = 4 * (this.nBands - 1 - band);
        this.pixels.data.set([...COLOURS[rows[i + band]], 255], at);
      }
      this.pen.putImageData(this.pixels, this.n % this.nColumns, 0);
    }
  }

  get end_s() {
    return (this.begin_s ?? 0) + this.n * this.hop_s;
  }

  // Calls with each stretch of columns that are in a row in the picture: its first column, their number, its time.
  stretches(call) {
    const first = Math.max(0, this.n - this.nColumns);
    const cut = first + this.nColumns - (first % this.nColumns);
    for (const [from, to] of [[first, Math.min(cut, this.n)], [cut, this.n]]) {
      if (to > from) call(from % this.nColumns, to - from, this.begin_s + from * this.hop_s);
    }
  }
}

const LINE = 14; // labels that lie closer touch

export function drawSpectrogram(canvas, columns, centres_hz, from_s, to_s) {
  const { pen, width, height } = begun(canvas);
  pen.fillStyle = "#000004";
  pen.fillRect(0, 0, width, height);
  const per_s = width / (to_s - from_s);
  pen.imageSmoothingEnabled = false;
  columns.stretches((first, n, start_s) => {
    pen.drawImage(columns.canvas, first, 0, n, columns.nBands, (start_s - from_s) * per_s, 0, n * columns.hop_s * per_s, height);
  });
  pen.fillStyle = "#ffffff";
  pen.shadowColor = "#000000";
  pen.shadowBlur = 3;
  let above = Infinity; // the place of the label below
  for (const hz of [200, 500, 1000, 2000, 4000, 8000]) {
    const band = centres_hz.findIndex((centre) => centre >= hz);
    const y = height * (1 - band / centres_hz.length) + 4;
    if (band <= 0 || above - y < LINE) continue;
    pen.fillText(hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`, 4, y);
    above = y;
  }
  pen.shadowBlur = 0;
}

export function drawWave(canvas, peaks) {
  const { pen, width, height } = begun(canvas);
  const most = Math.max(...peaks.map(([low, high]) => Math.max(-low, high)), 1e-6);
  pen.fillStyle = style("--wave");
  peaks.forEach(([low, high], i) => {
    const top = (height / 2) * (1 - high / most);
    pen.fillRect((i / peaks.length) * width, top, Math.max(1, width / peaks.length), Math.max(1, (height / 2) * ((high - low) / most)));
  });
}

const ROW = 19;

// A row for each label: its scores as shades, its events as lines below. Labels with events come first, then
// those with the highest scores. Sound of a kind that the model doesn't hear is paler, with a line at the top.
export function drawRibbon(canvas, windows, events, from_s, to_s, now_s) {
  const { pen, width, height } = begun(canvas);
  const seen = events.filter(({ start_s, end_s }) => (end_s ?? now_s) > from_s && start_s < to_s);
  const weights = new Map();
  const add = (label, weight) => weights.set(label, (weights.get(label) ?? 0) + weight);
  for (const window of windows) {
    if (window.end_s > from_s && window.start_s < to_s) for (const { label, score } of window.tags) add(label, (score ?? 0) * 1e-6);
  }
  for (const { label, start_s, end_s } of seen) add(label, Math.max((end_s ?? now_s) - start_s, 1e-3));
  const labels = [...weights].sort((a, b) => b[1] - a[1]).slice(0, Math.floor(height / ROW)).map(([label]) => label);
  const per_s = width / (to_s - from_s);
  Object.assign(pen, { strokeStyle: style("--ground"), lineWidth: 3, lineJoin: "round" });
  const box = (start_s, end_s, top, high) => pen.fillRect((start_s - from_s) * per_s, top, Math.max(1, (end_s - start_s) * per_s), high);
  labels.forEach((label, row) => {
    const hue = HUES[[...label].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % HUES.length];
    windows.forEach(({ start_s, end_s, tags, fits }, i) => {
      const score = tags.find((tag) => tag.label === label)?.score ?? 0;
      pen.fillStyle = `hsl(${hue} 75% 50% / ${(fits === false ? 0.2 : 0.75) * Math.min(Math.max(score, 0), 1)})`;
      if (score > 0.02) box(start_s, Math.min(end_s, windows[i + 1]?.start_s ?? end_s), row * ROW + 1, ROW - 4);
    });
    pen.fillStyle = style("--text");
    for (const event of seen) if (event.label === label) box(event.start_s, event.end_s ?? now_s, row * ROW + ROW - 3, 2);
    pen.strokeText(label, 4, row * ROW + 14); // apart from the shade beneath it
    pen.fillText(label, 4, row * ROW + 14);
  });
  pen.fillStyle = style("--bad");
  const others = windows.filter(({ fits, end_s, start_s }) => fits === false && end_s > from_s && start_s < to_s);
  for (const { start_s, end_s } of others) box(start_s, end_s, 0, 2);
  const told = labels.length ? `scores over time of ${labels.join(", ")}` : "no scores";
  canvas.setAttribute("aria-label", others.length ? `${told}; some of it is no sound that the model hears` : told);
}

export function drawAxis(canvas, from_s, to_s) {
  const { pen, width } = begun(canvas);
  const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200].find((s) => ((to_s - from_s) / s) * 70 < width) ?? 14400;
  pen.fillStyle = style("--faint");
  pen.textAlign = "center";
  for (let s = Math.ceil(from_s / step) * step; s <= to_s; s += step) {
    const x = ((s - from_s) / (to_s - from_s)) * width;
    pen.fillRect(x, 0, 1, 4);
    if (s >= 0 && x > 18 && x < width - 18) pen.fillText(step < 1 ? clock(s) : clock(s).replace(/\.0$/, ""), x, 17);
  }
}
