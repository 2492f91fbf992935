/**
 * Clips fetched whole and ahead of time: the current one and the next two.
 *
 * A clip is trusted when its SHA-256 is the one the server announced and it decodes. Anything else is fetched again with growing
 * pauses, past every cache, before it is reported as a ClipError.
 */

import { sha256 } from "./sha256.js";
import { decode } from "./sound.js";

const PAUSES_MS = [300, 900, 2_000];
const TIMEOUT_MS = 60_000;
const LOOK_AHEAD = 2;

/** `reason` is "network" or "clip". */
export class ClipError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function fetchOnce(url, expected, cache) {
  const response = await fetch(url, { cache, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  const bytes = response?.ok ? await response.arrayBuffer().catch(() => null) : null;
  if (!bytes) throw new ClipError("network");
  if (expected && (await sha256(bytes)) !== expected) throw new ClipError("clip");
  return decode(bytes).catch(() => {
    throw new ClipError("clip");
  });
}

/** The decoded clip behind a URL; `expected` is its SHA-256 where the server announced one. */
export async function fetchClip(url, expected = "") {
  for (const pause of PAUSES_MS) {
    try {
      return await fetchOnce(url, expected, pause === PAUSES_MS[0] ? "default" : "reload");
    } catch {
      await sleep(pause * (0.5 + Math.random()));
    }
  }
  return fetchOnce(url, expected, "reload");
}

export class ClipShelf {
  #trials;
  #clips = new Map();

  constructor(trials) {
    this.#trials = trials;
  }

  /** The clips of the trial at this index, in the order they are heard. The next ones follow when it is there: until then it has the line to itself. */
  get(index) {
    const wanted = this.#trials.slice(index, index + 1 + LOOK_AHEAD);
    for (const url of this.#clips.keys()) if (!wanted.some((trial) => trial.audio_url === url)) this.#clips.delete(url);
    const [current, ...next] = wanted;
    const clip = this.#load(current);
    clip.then(() => next.forEach((trial) => this.#load(trial))).catch(() => {});
    return clip;
  }

  #load({ audio_url: url, sha256: expected, second }) {
    if (!this.#clips.has(url)) {
      const loading = Promise.all([{ audio_url: url, sha256: expected }, second].filter(Boolean).map((clip) => fetchClip(clip.audio_url, clip.sha256)));
      // A failure is not remembered, so that asking again tries again.
      loading.catch(() => this.#clips.delete(url));
      this.#clips.set(url, loading);
    }
    return this.#clips.get(url);
  }
}
