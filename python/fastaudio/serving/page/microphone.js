// The microphone as it is: no echo cancelled, no noise suppressed, no gain.
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

// Calls `push` with blocks of samples until what it returns is called. `begin` is told the rate first, which is
// `rate`, or else the sound card's own.
export async function capture(begin, push, rate = undefined) {
  if (!navigator.mediaDevices) throw new Error("a browser gives the microphone to pages on localhost or over https only");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
  const context = new AudioContext(rate ? { sampleRate: rate } : {});
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    return context.state === "closed" ? undefined : context.close();
  };
  try {
    await context.audioWorklet.addModule("static/capture.js");
    const capturing = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    begin(context.sampleRate);
    capturing.port.onmessage = ({ data }) => push(data);
    context.createMediaStreamSource(stream).connect(capturing);
    await context.resume();
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
