/**
 * One trial on the screen: its clip on the dial, its questions below, its listening log beside them.
 *
 * `run(index)` resolves with {answers, listening} when the rater has answered, or with {skipped, listening} when the clip could not be
 * had although the server can be reached; without a connection it keeps trying. What was chosen and heard so far is remembered within the
 * tab, so that a reload in mid-trial costs nobody a second listening.
 */

import { announce } from "./announce.js";
import { fetchSession } from "./api.js";
import { ClipShelf } from "./clips.js";
import { ListeningLog } from "./listening_log.js";
import { say } from "./messages.js";
import { recall, remember } from "./page_memory.js";
import { Player } from "./player.js";
import { RatingForm } from "./rating_form.js";
import { installShortcuts } from "./shortcuts.js";

/** Audio clocks and durations disagree in the last digits. */
const ROUNDING = 0.001;
/** Why a clip is not there yet, when it may well come: nothing came, or the server asked to wait. */
const WAITED_OUT = ["network", "busy"];
const RETRY_PAUSES_MS = [5_000, 10_000, 20_000, 30_000];

export class TrialView {
  #session;
  #clips;
  #player;
  #form;
  #trial = null;
  #log = null;
  #draftKey;
  #giveUp = null;
  /** The questions have opened, and a screen reader has not said so yet: it would talk over the clip. */
  #openedUnsaid = false;
  /** Trials that were reported as skipped once. Where the server did not accept that, the clip is tried again instead. */
  #reported = new Set();

  constructor(view, session) {
    this.#session = session;
    this.#clips = new ClipShelf(session.trials, () => this.#renewAddresses());
    this.#draftKey = `draft:${session.token}`;
    const form = view.querySelector("#rating-form");
    this.#player = new Player(view);
    this.#form = new RatingForm(form, session.scales, say(session.max_plays ? "openLimited" : "open"));
    installShortcuts({ form, player: this.#player, ratingForm: this.#form, isActive: () => !view.hidden });

    this.#player.addEventListener("started", () => {
      this.#log.started();
      this.#form.listening();
    });
    this.#player.addEventListener("progress", ({ detail: shares }) => this.#heard(shares));
    this.#player.addEventListener("finished", ({ detail: why }) => this.#finished(why));
    this.#player.addEventListener("retry", () => this.#load());
    this.#form.addEventListener("change", () => this.#rememberDraft());
    this.#form.addEventListener("opened", () => (this.#openedUnsaid = true));
    document.addEventListener("visibilitychange", () => this.#log?.attentionChanged());
    for (const kind of ["focus", "blur"]) addEventListener(kind, () => this.#log?.attentionChanged());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#log?.deviceChanged());
  }

  run(index) {
    this.#trial = null;
    this.#openedUnsaid = false;
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
    this.#tell();
    this.#title(position);
    this.#load();
    return new Promise((resolve) => {
      const finish = () => resolve({ answers: this.#form.answers, listening: this.#log.snapshot() });
      this.#form.addEventListener("submit", finish, { once: true });
      this.#giveUp = (reason) => {
        this.#form.removeEventListener("submit", finish);
        this.#reported.add(position);
        resolve({ skipped: reason, listening: this.#log.snapshot() });
      };
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

  async #load(round = 0) {
    const trial = this.#trial;
    this.#player.loading();
    try {
      const clips = await this.#clips.get(this.#session.trials.indexOf(trial));
      if (trial !== this.#trial) return;
      this.#log.verified();
      this.#player.ready(...clips);
      this.#limit();
    } catch ({ reason }) {
      if (trial === this.#trial) await this.#failed(trial, reason, round);
    }
  }

  /** A clip that does not come while the server answers is left out; while it does not answer, the clip waits with everything else. */
  async #failed(trial, reason, round) {
    this.#player.failed(reason);
    announce(WAITED_OUT.includes(reason) ? say("failedNetwork") : say("failedClip"));
    const isHopeless = !WAITED_OUT.includes(reason) || (reason === "network" && round > 0);
    const isReachable = isHopeless && (await fetchSession(this.#session.api_url)) !== null;
    if (trial !== this.#trial) return;
    if (isReachable && !this.#reported.has(trial.position)) return this.#giveUp(reason === "expired" ? "missing" : reason);
    const pause = RETRY_PAUSES_MS[Math.min(round, RETRY_PAUSES_MS.length - 1)];
    setTimeout(() => trial === this.#trial && this.#player.hasFailed && this.#load(round + 1), pause);
  }

  async #renewAddresses() {
    const known = await fetchSession(this.#session.api_url);
    for (const { position, audio_url, second } of known?.trials ?? []) {
      Object.assign(this.#session.trials.find((trial) => trial.position === position) ?? {}, { audio_url, second });
    }
  }

  #finished(why) {
    if (why === "interrupted") this.#log.interrupted();
    if (why === "ended") {
      this.#log.ended();
      this.#enough();
    }
    this.#tell({ ended: say("ended"), stopped: say("stopped"), interrupted: say("interrupted") }[why]);
    this.#limit();
  }

  /** Tell a screen reader how a play ended, and that the questions have opened. */
  #tell(...said) {
    if (this.#openedUnsaid) said.push(say("opened"));
    this.#openedUnsaid = false;
    if (said.length) announce(said.join(" "));
  }

  /** Take the dial away after the last play, unless the clip was not heard enough yet. */
  #limit() {
    if (this.#session.max_plays && this.#log.plays >= this.#session.max_plays && this.#heardEnough && !this.#form.waits) this.#player.spent();
  }

  get #heardEnough() {
    return this.#isEnough(this.#log.heardShare);
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
    const { practice, number = position, of = this.#session.n_trials } = this.#trial;
    title.textContent = say(practice ? "practiceOf" : "clipOf", { position: number, total: of });
    progress.max = of;
    progress.value = number - 1;
    // Announces the new trial, and leaves the space bar free to play.
    title.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
}
