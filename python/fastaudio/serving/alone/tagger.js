// Runs a file that `fastaudio export` wrote, in a browser: samples in, tags out, and nothing else is fetched.
// Needs onnxruntime-web, whose ort.wasm.min.mjs the page gives as `ort`.

/** Reads what the file says of itself under a key: "fastaudio.labels", "fastaudio.export" and others. */
export function metadata(bytes, key) {
  const text = new TextDecoder("latin1").decode(bytes);
  let at = text.lastIndexOf(key + "\x12") + key.length + 1; // after it stand the value's length and the value
  let length = 0;
  for (let shift = 0, more = true; more; shift += 7, at++) {
    length += (bytes[at] & 127) * 2 ** shift;
    more = bytes[at] > 127;
  }
  return JSON.parse(new TextDecoder().decode(bytes.slice(at, at + length)));
}

async function opened(ort, url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: expected the model, got the status ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return { ort, session, about: metadata(bytes, "fastaudio.export"), bytes };
}

/** Returns a function from Float32Array samples, at `sampleRate`, to [[label, score], ...], the highest first. */
export async function tagger(ort, url) {
  const { bytes, ...model } = await opened(ort, url);
  const labels = metadata(bytes, "fastaudio.labels");
  const tags = async (samples) => {
    const { clip } = await model.session.run({ samples: new ort.Tensor("float32", samples, [samples.length]) });
    return labels.map((label, i) => [label, clip.data[i]]).sort((a, b) => b[1] - a[1]);
  };
  return { ...model, tags, sampleRate: model.about.sample_rate };
}

/** Opens a graph of whole clips: `run` gives { NAME: { rows, n } } for samples, and the means "clip.NAME". */
export async function clips(ort, url) {
  const { bytes, ...model } = await opened(ort, url);
  const run = async (samples) => {
    const found = await model.session.run({ samples: new ort.Tensor("float32", samples, [samples.length]) });
    return Object.fromEntries(Object.entries(found).map(([name, { data, dims }]) => [name, { rows: data, n: dims[0] }]));
  };
  return { ...model, run, labels: metadata(bytes, "fastaudio.labels"), sampleRate: model.about.sample_rate };
}

/** Opens a graph of blocks, `--streaming`: `push` takes samples as they come, and gives the rows that are due. */
export async function stream(ort, url) {
  const { bytes, ...model } = await opened(ort, url);
  const { block, outputs, sample_rate } = model.about;
  const zeros = ({ name, shape }) => [name, new ort.Tensor("float32", new Float32Array(shape.reduce((n, size) => n * size, 1)), shape)];
  const begin = () => Object.fromEntries(model.session.inputMetadata.filter(({ name }) => name !== "samples").map(zeros));
  let [states, waiting] = [begin(), new Float32Array(0)];
  let left = Object.fromEntries(Object.entries(outputs).map(([name, { skip }]) => [name, skip ?? 0]));
  const push = async (samples) => {
    const all = new Float32Array(waiting.length + samples.length);
    all.set(waiting);
    all.set(samples, waiting.length);
    const parts = Object.fromEntries(Object.keys(outputs).map((name) => [name, []]));
    let at = 0;
    for (; at + block <= all.length; at += block) {
      const found = await model.session.run({ samples: new ort.Tensor("float32", all.slice(at, at + block), [block]), ...states });
      states = Object.fromEntries(Object.keys(states).map((name) => [name, found[`next_${name}`]]));
      for (const [name, { shape }] of Object.entries(outputs)) {
        const [width, n] = [shape.reduce((product, size) => product * size, 1), found[name].dims[0]];
        const skipped = Math.min(left[name], n); // the first rows of a graph that is behind mean nothing
        left[name] -= skipped;
        parts[name].push(found[name].data.slice(skipped * width));
      }
    }
    waiting = all.slice(at);
    return Object.fromEntries(Object.entries(parts).map(([name, some]) => [name, joined(some)]));
  };
  const again = () => {
    [states, waiting] = [begin(), new Float32Array(0)];
    left = Object.fromEntries(Object.entries(outputs).map(([name, { skip }]) => [name, skip ?? 0]));
  };
  return { ...model, push, again, labels: metadata(bytes, "fastaudio.labels"), sampleRate: sample_rate };
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
