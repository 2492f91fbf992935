/**
 * What was heard in one trial: how often, how far and when; and what else went on: the page out of sight, another window in front,
 * audio devices that came or went. All of it is stored with the rating and judged by nobody here: people answer their door.
 */

import { outputSampleRate } from "./sound.js";

/** Times and counts how long something was so: of the page being hidden, or without the focus. */
class Absence {
  #entry;
  #name;
  #since = null;

  constructor(entry, name) {
    this.#entry = entry;
    this.#name = name;
  }

  note(isAway) {
    const now = performance.now();
    if (this.#since !== null) this.#entry[`${this.#name}_ms`] += Math.round(now - this.#since);
    else if (isAway) this.#entry[`${this.#name}_count`] += 1;
    this.#since = isAway ? now : null;
  }
}

export class ListeningLog {
  #entry = {
    plays: 0,
    heard_share: 0,
    heard_shares: [],
    first_play_at: null,
    ended_at: null,
    hidden_ms: 0,
    hidden_count: 0,
    unfocused_ms: 0,
    unfocused_count: 0,
    device_changes: 0,
    interruptions: 0,
    sha256_ok: false,
    output_sample_rate: null,
  };
  #hidden = new Absence(this.#entry, "hidden");
  #unfocused = new Absence(this.#entry, "unfocused");

  constructor(earlier = {}) {
    Object.assign(this.#entry, earlier);
    this.attentionChanged();
  }

  get plays() {
    return this.#entry.plays;
  }

  /** Share of the clip that was heard, of two clips the smaller. Every play starts at the beginning, so the longest is their union. */
  get heardShare() {
    return this.#entry.heard_share;
  }

  verified() {
    this.#entry.sha256_ok = true;
  }

  started() {
    this.#entry.plays += 1;
    this.#entry.output_sample_rate = outputSampleRate();
    this.#entry.first_play_at ??= new Date().toISOString();
  }

  /** `shares`: how much of each clip this play has come to. */
  heard(shares) {
    this.#entry.heard_shares = shares.map((share, index) => Math.max(this.#entry.heard_shares[index] ?? 0, Math.min(1, share)));
    this.#entry.heard_share = Math.min(...this.#entry.heard_shares);
  }

  ended() {
    this.#entry.heard_shares = this.#entry.heard_shares.map(() => 1);
    this.#entry.heard_share = 1;
    this.#entry.ended_at ??= new Date().toISOString();
  }

  /** A call came in, headphones were pulled: the device broke the play off. */
  interrupted() {
    this.#entry.interruptions += 1;
  }

  deviceChanged() {
    this.#entry.device_changes += 1;
  }

  attentionChanged() {
    this.#hidden.note(document.hidden);
    this.#unfocused.note(!document.hasFocus());
  }

  snapshot() {
    this.attentionChanged();
    return { ...this.#entry };
  }
}
