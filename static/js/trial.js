/**
 * One trial on the screen: its clip on the dial, its questions below, its listening log beside them.
 *
 * `run(index)` resolves with {answers, listening} when the rater has answered. What was chosen and heard so far is remembered within the
 * tab, so that a reload in mid-trial costs nobody a second listening.
 */

import { announce } from "./announce.js";
import { ClipShelf } from "./clips.js";
import { ListeningLog } from "./listening_log.js";
import { say } from "./messages.js";
import { recall, remember } from "./page_memory.js";
import { Player } from "./player.js";
import { RatingForm } from "./rating_form.js";
import { installShortcuts } from "./shortcuts.js";

/** Audio clocks and durations disagree in the last digits. */
const ROUNDING = 0.001;

export class TrialView {
  #session;
  #clips;
  #player;
  #form;
  #trial = null;
  #log = null;
  #draftKey;

  constructor(view, session) {
    this.#session = session;
    this.#clips = new ClipShelf(session.trials);
    this.#draftKey = `draft:${session.token}`;
    const form = view.querySelector("#rating-form");
    this.#player = new Player(view);
    this.#form = new RatingForm(form, session.scales);
    installShortcuts({ form, player: this.#player, ratingForm: this.#form, isActive: () => !view.hidden });

    this.#player.addEventListener("started", () => {
      this.#log.started();
      this.#form.listening();
    });
    this.#player.addEventListener("progress", ({ detail: shares }) => this.#heard(shares));
    this.#player.addEventListener("ended", () => {
      this.#log.ended();
      this.#enough();
    });
    this.#player.addEventListener("retry", () => this.#load());
    this.#form.addEventListener("change", () => this.#rememberDraft());
    document.addEventListener("visibilitychange", () => this.#log?.visibilityChanged());
  }

  run(index) {
    this.#trial = null;
    this.#form.lock(this.#lockNote);
    this.#trial = this.#session.trials[index];
    const { position } = this.#trial;
    const draft = recall("sessionStorage", this.#draftKey);
    const resumed = draft?.position === position ? draft : null;
    this.#log = new ListeningLog(resumed?.listening);
    if (resumed) {
      if (this.#isEnough(this.#log.heardShare)) this.#form.open(resumed.opened);
      this.#form.answers = resumed.answers;
    }
    this.#title(position);
    this.#load();
    return new Promise((resolve) => {
      const finish = () => resolve({ answers: this.#form.answers, listening: this.#log.snapshot() });
      this.#form.addEventListener("submit", finish, { once: true });
    });
  }

  get #lockNote() {
    const share = this.#session.minimum_heard_share;
    return share < 1 ? say("lockedShare", { percent: Math.round(share * 100) }) : say("lockedWhole");
  }

  /** Silence, for when the page shows something else. */
  stop() {
    this.#player.loading();
  }

  async #load() {
    const trial = this.#trial;
    this.#player.loading();
    try {
      const clips = await this.#clips.get(this.#session.trials.indexOf(trial));
      if (trial !== this.#trial) return;
      this.#log.verified();
      this.#player.ready(...clips);
    } catch (error) {
      if (trial !== this.#trial) return;
      this.#player.failed(error.reason);
      announce(error.reason === "network" ? say("failedNetwork") : say("failedClip"));
    }
  }

  /** How much of each clip this play has come to. */
  #heard(shares) {
    this.#log.heard(shares);
    if (this.#isEnough(Math.min(...shares))) this.#enough();
    else this.#rememberDraft();
  }

  #enough() {
    this.#form.heard();
    this.#rememberDraft();
  }

  #isEnough(share) {
    return share >= this.#session.minimum_heard_share - ROUNDING;
  }

  #rememberDraft() {
    if (!this.#trial) return;
    const { position } = this.#trial;
    remember("sessionStorage", this.#draftKey, {
      position,
      answers: this.#form.answers,
      opened: this.#form.opened,
      listening: this.#log.snapshot(),
    });
  }

  #title(position) {
    const title = document.getElementById("trial-title");
    const progress = document.getElementById("trial-progress");
    title.textContent = say("clipOf", { position, total: this.#session.n_trials });
    progress.max = this.#session.n_trials;
    progress.value = position - 1;
    // Announces the new trial, and leaves the space bar free to play.
    title.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
}
