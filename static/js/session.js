/**
 * The page of a rating session: walks through the trials, keeps every answer, and knows where to go on after anything that interrupts.
 *
 * A trial counts as answered when the server says so or the outbox holds its answer. Where the test goes on follows from that alone,
 * so a reload, the back button and another tab all end up at the same trial.
 */

import { fetchSession } from "./api.js";
import { DeliveryStatus } from "./delivery_status.js";
import { downloadAnswers } from "./download.js";
import { say } from "./messages.js";
import { newKey } from "./new_key.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { singleTab } from "./single_tab.js";
import { TrialView } from "./trial.js";
import { show } from "./views.js";

const CHECK_PAUSE_MS = 2_000;
/** Failures of a row before the last page speaks of a problem rather than of a moment. */
const PATIENCE = 2;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class SessionPage {
  #session = JSON.parse(document.getElementById("session-data").textContent);
  #outbox = new Outbox(this.#session.token);
  #notices = new Notices();
  #delivery = new DeliveryStatus(this.#outbox);
  #tab = singleTab(`session:${this.#session.token}`, () => this.#lose());
  #trialView = new TrialView(document.querySelector("[data-view=trial]"), this.#session);
  #askedAgain = new Set();
  /** Grows with every start; a walk through the trials that belongs to an earlier one ends itself. */
  #walk = 0;

  constructor() {
    this.#outbox.addEventListener("change", () => this.#outbox.durable || this.#notices.add(say("memoryOnly")));
    this.#outbox.addEventListener("stored", ({ detail }) => detail.skipped && this.#notices.add(say("skipped", detail)));
    this.#outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    this.#outbox.addEventListener("held", ({ detail }) => this.#notices.add(say("alreadyHeld", detail)));
    document.getElementById("continue-here").addEventListener("click", () => this.#tab.takeOver().then(() => this.start()));
    document.getElementById("send-again").addEventListener("click", () => this.#outbox.retryRefused());
    document.getElementById("download-answers").addEventListener("click", () => downloadAnswers(this.#outbox.unsent));
    // A page that comes out of the back/forward cache is as old as when it was left.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    addEventListener("beforeunload", (event) => this.#outbox.unsent.length && !this.#outbox.durable && event.preventDefault());
    this.#tab.acquire().then((mine) => (mine ? this.start() : show("elsewhere")));
  }

  /** Walk from the first unanswered trial to the last page. */
  async start() {
    const walk = ++this.#walk;
    await this.#outbox.open();
    for (const { position } of this.#outbox.unsent) this.#trial(position).answered = true;
    const known = await fetchSession(this.#session.api_url);
    for (const { position, answered } of known?.trials ?? []) this.#trial(position).answered ||= answered;

    while (walk === this.#walk) {
      const index = this.#session.trials.findIndex(({ answered }) => !answered);
      if (index >= 0) await this.#rate(index, walk);
      else if (await this.#handIn(walk)) return location.replace(this.#session.done_url);
    }
  }

  async #rate(index, walk) {
    show("trial");
    const trial = this.#session.trials[index];
    const { answers, skipped, listening } = await this.#trialView.run(index);
    if (walk !== this.#walk) return;
    const key = newKey();
    const said = skipped ? { reason: skipped } : { answers };
    const payload = { idempotency_key: key, ...said, listening, client_time: new Date().toISOString() };
    const url = `${this.#session.api_url}trials/${trial.position}/${skipped ? "skip" : "ratings"}/`;
    await this.#outbox.keep({ key, position: trial.position, url, payload });
    trial.answered = true;
    await this.#between(trial);
    // Elsewhere on this server something is due again; nothing may wait to be sent, for the page ends here.
    if (walk === this.#walk && this.#recheckDue && navigator.onLine && !this.#outbox.unsent.length) {
      location.assign(this.#session.enter_url);
      await new Promise(() => {});
    }
  }

  get #recheckDue() {
    const { recheck_in_s: seconds } = this.#session;
    return typeof seconds === "number" && performance.now() / 1000 > seconds;
  }

  /** What is shown between two clips: a word about a practice clip, or a break. */
  async #between({ practice, feedback, number, of }) {
    const next = this.#session.trials.find(({ answered }) => !answered);
    if (!next) return;
    if (practice) await this.#pause("feedback", feedback, next.practice ? "" : say("practiceOver"));
    else if (this.#session.break_every && number % this.#session.break_every === 0) {
      await this.#pause("break", say("breakProgress", { position: number, total: of }));
    }
  }

  /** Show a quiet page until its button is pressed. */
  #pause(name, ...sentences) {
    this.#trialView.stop();
    show(name);
    const view = document.querySelector(`[data-view=${name}]`);
    view.querySelectorAll("[data-said]").forEach((line, index) => (line.textContent = sentences[index] ?? ""));
    const progress = view.querySelector("progress");
    const rated = this.#session.trials.filter(({ practice, answered }) => !practice && answered).length;
    if (progress) Object.assign(progress, { max: this.#session.n_trials, value: rated });
    return new Promise((resolve) => view.querySelector("[data-go-on]").addEventListener("click", resolve, { once: true }));
  }

  /** Wait until nothing is left to send, then ask the server whether it misses anything. True when the session is complete. */
  async #handIn(walk) {
    this.#trialView.stop();
    show("sending");
    while (walk === this.#walk && this.#session.trials.every(({ answered }) => answered)) {
      this.#delivery.showLast(this.#outbox.failures >= PATIENCE);
      if (this.#outbox.unsent.length) {
        await new Promise((resolve) => this.#outbox.addEventListener("change", resolve, { once: true }));
        continue;
      }
      const known = await fetchSession(this.#session.api_url);
      if (!known) {
        await sleep(CHECK_PAUSE_MS);
        continue;
      }
      const missing = known.trials.filter(({ answered }) => !answered);
      if (this.#session.preview || !missing.length) return true;
      for (const { position } of missing) this.#trial(position).answered = false;
      return false;
    }
    return false;
  }

  /** What is wrong with an answer can be put right by giving it once more; anything else is for people to sort out. */
  #refused({ position, status, detail, skipped }) {
    if (skipped) {
      this.#trial(position).answered = false;
      return this.#notices.add(detail);
    }
    const again = status !== 404 && !this.#askedAgain.has(position);
    this.#askedAgain.add(position);
    if (again) this.#trial(position).answered = false;
    this.#notices.add(`${say("refused", { position, detail })} ${again ? say("rateAgain") : ""}`);
  }

  /** Another tab has taken over. */
  #lose() {
    this.#walk += 1;
    this.#trialView.stop();
    show("elsewhere");
  }

  #trial(position) {
    return this.#session.trials.find((trial) => trial.position === position);
  }
}

new SessionPage();
