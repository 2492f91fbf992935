/**
 * Clips fetched whole and ahead of time: the current one and the next two.
 *
 * A clip is trusted when its SHA-256 is the one the server announced and it decodes. Anything else is fetched again with growing
 * pauses, past every cache, before it is reported as a ClipError.
 */

import { waitMsOf } from "./api.js";
import { sha256 } from "./sha256.js";
import { decode } from "./sound.js";

const PAUSES_MS = [300, 900, 2_000];
const TIMEOUT_MS = 60_000;
const LOOK_AHEAD = 2;

/** `reason`: "network" (nothing came), "busy" (the server asks to wait `waitMs` first), "expired", "missing" (the server has none to give), "damaged" or "undecodable". */
export class ClipError extends Error {
  constructor(reason, waitMs = 0) {
    super(reason);
    this.reason = reason;
    this.waitMs = waitMs;
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function fetchOnce(url, expected, cache) {
  const response = await fetch(url, { cache, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  if (response?.status === 410) throw new ClipError("expired");
  if (response?.status === 429) throw new ClipError("busy", waitMsOf(response));
  if (response && response.status >= 400 && response.status < 500) throw new ClipError("missing");
  const bytes = response?.ok ? await response.arrayBuffer().catch(() => null) : null;
  if (!bytes) throw new ClipError("network");
  if (expected && (await sha256(bytes)) !== expected) throw new ClipError("damaged");
  return decode(bytes).catch(() => {
    throw new ClipError("undecodable");
  });
}

/** The decoded clip behind a URL; `expected` is its SHA-256 where the server announced one. */
export async function fetchClip(url, expected = "") {
  for (const pause of PAUSES_MS) {
    try {
      return await fetchOnce(url, expected, pause === PAUSES_MS[0] ? "default" : "reload");
    } catch (error) {
      if (error.reason === "expired") throw error;
      await sleep(Math.max(error.waitMs ?? 0, pause * (0.5 + Math.random())));
    }
  }
  return fetchOnce(url, expected, "reload");
}

export class ClipShelf {
  #trials;
  #renew;
  #clips = new Map();

  /** `renew` asks the server for the trials' new addresses, when old ones are over. */
  constructor(trials, renew) {
    this.#trials = trials;
    this.#renew = renew;
  }

  /** The clips of the trial at this index, as they are heard. The next ones follow when they are there: until then they have the line. */
  get(index) {
    const wanted = this.#trials.slice(index, index + 1 + LOOK_AHEAD);
    for (const trial of this.#clips.keys()) if (!wanted.includes(trial)) this.#clips.delete(trial);
    const [current, ...next] = wanted;
    const clip = this.#load(current);
    clip.then(() => next.forEach((trial) => this.#load(trial))).catch(() => {});
    return clip;
  }

  #load(trial) {
    if (!this.#clips.has(trial)) {
      const loading = this.#fetch(trial);
      // A failure is not remembered, so that asking again tries again.
      loading.catch(() => this.#clips.delete(trial));
      this.#clips.set(trial, loading);
    }
    return this.#clips.get(trial);
  }

  async #fetch(trial) {
    const fetchAll = () => Promise.all([trial, trial.second].filter(Boolean).map((clip) => fetchClip(clip.audio_url, clip.sha256)));
    try {
      return await fetchAll();
    } catch (error) {
      if (error.reason !== "expired") throw error;
      await this.#renew();
      return fetchAll();
    }
  }
}
