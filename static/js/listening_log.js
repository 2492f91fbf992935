/** What was heard in one trial: how often, how far, when, and how long the page was out of sight. */

import { outputSampleRate } from "./sound.js";

export class ListeningLog {
  #entry = { plays: 0, heard_share: 0, heard_shares: [], first_play_at: null, ended_at: null, hidden_ms: 0, sha256_ok: false, output_sample_rate: null };
  #hiddenSince = document.hidden ? performance.now() : null;

  constructor(earlier = {}) {
    Object.assign(this.#entry, earlier);
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

  /** Recorded with the rating and judged by nobody here: people answer their door. */
  visibilityChanged() {
    if (this.#hiddenSince !== null) this.#entry.hidden_ms += Math.round(performance.now() - this.#hiddenSince);
    this.#hiddenSince = document.hidden ? performance.now() : null;
  }

  snapshot() {
    return { ...this.#entry };
  }
}
