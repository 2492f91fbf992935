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

    this.#player.addEventListener("started", () => this.#log.started());
    this.#player.addEventListener("progress", ({ detail: share }) => this.#heard(() => this.#log.heard(share)));
    this.#player.addEventListener("ended", () => this.#heard(() => this.#log.ended()));
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
      this.#heard(() => {});
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
      const clip = await this.#clips.get(this.#session.trials.indexOf(trial));
      if (trial !== this.#trial) return;
      this.#log.verified();
      this.#player.ready(clip);
    } catch (error) {
      if (trial !== this.#trial) return;
      this.#player.failed(error.reason);
      announce(error.reason === "network" ? say("failedNetwork") : say("failedClip"));
    }
  }

  #heard(update) {
    update();
    if (this.#log.heardShare >= this.#session.minimum_heard_share - ROUNDING) this.#form.open();
    this.#rememberDraft();
  }

  #rememberDraft() {
    if (!this.#trial) return;
    const { position } = this.#trial;
    remember("sessionStorage", this.#draftKey, { position, answers: this.#form.answers, listening: this.#log.snapshot() });
  }

  #title(position) {
    const title = document.getElementById("trial-title");
    const progress = document.getElementById("trial-progress");
    const { practice, number = position, of = this.#session.n_trials } = this.#trial;
    title.textContent = say(practice ? "practiceOf" : "clipOf", { position: number, total: of });
    progress.max = of;
    progress.value = number - 1;
    // Announces the new trial, and leaves the space bar free to play.
    title.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
}
