// In the audio thread: hands the microphone's samples on, a twentieth of a second at once, as they are.
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate / 20));
    this.n = 0;
  }

  process([[samples]]) {
    for (let start = 0; samples && start < samples.length; ) {
      const n = Math.min(samples.length - start, this.block.length - this.n);
      this.block.set(samples.subarray(start, start + n), this.n);
      this.n += n;
      start += n;
      if (this.n === this.block.length) {
        this.port.postMessage(this.block.slice());
        this.n = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
