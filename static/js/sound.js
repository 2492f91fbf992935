/**
 * The one way sound leaves the page: Web Audio at 48 kHz, the rate of every clip, so that nothing is resampled on the way in.
 *
 * Browsers keep a page silent until its first gesture; `play` is called from one and wakes the audio context. Time is read from the
 * audio clock, which stands still when the device does (a call comes in, headphones are pulled), so only sound that came out counts.
 */

const RATE = 48_000;
/** A context that has not woken by then will not without another gesture. */
const WAKE_TIMEOUT_MS = 2_000;

let context = null;
let deviceRate = null;

/** Decode an encoded clip, before any gesture. */
export function decode(bytes) {
  return new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
}

/** The rate the device itself runs at, known from the first play on: the browser resamples to it behind our back. */
export function outputSampleRate() {
  return deviceRate;
}

async function wake() {
  if (!context) {
    const probe = new AudioContext();
    deviceRate = probe.sampleRate;
    probe.close();
    context = new AudioContext({ sampleRate: RATE });
  }
  if (context.state !== "running") {
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, WAKE_TIMEOUT_MS))]);
  }
  return context.state === "running";
}

/**
 * Play a decoded clip from its start. Resolves to null if the browser stayed silent, else to {elapsed(), stop()}.
 * `onEnd` is called once with "ended", "stopped" or "interrupted".
 */
export async function play(clip, onEnd) {
  if (!(await wake())) return null;
  const source = new AudioBufferSourceNode(context, { buffer: clip });
  const startedAt = context.currentTime;
  let running = true;
  const finish = (why) => {
    if (!running) return;
    running = false;
    context.removeEventListener("statechange", watch);
    source.stop();
    source.disconnect();
    onEnd(why);
  };
  const watch = () => context.state !== "running" && finish("interrupted");
  context.addEventListener("statechange", watch);
  source.onended = () => finish("ended");
  source.connect(context.destination);
  source.start();
  return {
    elapsed: () => Math.min(context.currentTime - startedAt, clip.duration),
    stop: () => finish("stopped"),
  };
}
