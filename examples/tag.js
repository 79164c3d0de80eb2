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

/** Returns a function from Float32Array samples, at `sampleRate`, to [[label, score], ...], the highest first. */
export async function tagger(ort, url) {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const labels = metadata(bytes, "fastaudio.labels");
  const tags = async (samples) => {
    const { clip } = await session.run({ samples: new ort.Tensor("float32", samples, [samples.length]) });
    return labels.map((label, i) => [label, clip.data[i]]).sort((a, b) => b[1] - a[1]);
  };
  return { tags, session, about: metadata(bytes, "fastaudio.export"), sampleRate: metadata(bytes, "fastaudio.sample_rate") };
}
