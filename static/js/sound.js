/**
 * The one way sound leaves the page: Web Audio at 48 kHz, the rate of every clip, so that nothing is resampled on the way in.
 *
 * Browsers keep a page silent until its first gesture; `play` is called from one and wakes the audio context. Time is read from the
 * audio clock, which stands still when the device does (a call comes in, headphones are pulled), so only sound that came out counts.
 */

const RATE = 48_000;
/** Silence between a first clip and a second. */
export const GAP_S = 0.5;
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

/** Length of clips played one after the other, in seconds. */
export function durationOf(clips) {
  return clips.reduce((sum, clip) => sum + clip.duration, GAP_S * (clips.length - 1));
}

/**
 * Play decoded clips one after the other, each from its start, on the audio clock: to the sample, whatever else the page does.
 * Resolves to null if the browser stayed silent, else to {elapsed(), heard(), stop()}: seconds since the start, and how many seconds
 * of each clip were played. `onEnd` is called once with "ended", "stopped" or "interrupted".
 */
export async function play(clips, onEnd) {
  if (!(await wake())) return null;
  const sources = clips.map((clip) => new AudioBufferSourceNode(context, { buffer: clip }));
  const offsets = clips.map((_, index) => durationOf(clips.slice(0, index + 1)) - clips[index].duration);
  const startedAt = context.currentTime;
  const elapsed = () => Math.min(context.currentTime - startedAt, durationOf(clips));
  let running = true;
  const finish = (why) => {
    if (!running) return;
    running = false;
    context.removeEventListener("statechange", watch);
    for (const source of sources) {
      source.stop();
      source.disconnect();
    }
    onEnd(why);
  };
  const watch = () => context.state !== "running" && finish("interrupted");
  context.addEventListener("statechange", watch);
  sources.at(-1).onended = () => finish("ended");
  sources.forEach((source, index) => {
    source.connect(context.destination);
    source.start(startedAt + offsets[index]);
  });
  return {
    elapsed,
    heard: () => clips.map(({ duration }, index) => Math.max(0, Math.min(elapsed() - offsets[index], duration))),
    stop: () => finish("stopped"),
  };
}
