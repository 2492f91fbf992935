/**
 * The outbox: an answer goes in before the page moves on, and leaves only when the server has said that it holds one.
 *
 * Delivery is tried at once, then with growing, jittered pauses, and again whenever the connection comes back and whenever the page is
 * shown or left, but not before a server that has too much to do wants to hear again. Posting twice is harmless: every row carries the idempotency key under which the server stores it once.
 * The rows are mirrored in memory, because a page that is being closed has no time to read a database.
 *
 * Events: "change" (the state may differ); "stored", "held" and "refused" (detail: {position, skipped, status, detail}).
 */

import { postAnswer, verdict } from "./api.js";
import { AnswerStore } from "./answer_store.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export class Outbox extends EventTarget {
  /** False when answers could only be kept in memory, so that the page must stay open. */
  durable = true;
  /** Passes in a row that left something undelivered. */
  failures = 0;

  #store = new AnswerStore();
  #rows = new Map();
  #inFlight = new Set();
  #token;
  #wanted = false;
  #busy = false;
  #timer = 0;
  /** Until then the server wants to be left alone, on the clock of performance.now(). */
  #notBefore = 0;

  constructor(token) {
    super();
    this.#token = token;
    addEventListener("online", () => this.flush());
    addEventListener("pagehide", () => this.#sendAllNow());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#sendAllNow() : this.flush()));
  }

  /** Read what earlier visits left behind, and start to deliver it. */
  async open() {
    this.durable = await this.#store.open();
    for (const row of await this.#store.all()) this.#rows.set(row.key, row);
    this.#changed();
    this.retryRefused();
  }

  /** Answers of this session that the server has not confirmed. */
  get unsent() {
    return [...this.#rows.values()].filter((row) => row.token === this.#token);
  }

  /** Keep an answer; resolves when it is safe to move on. */
  async keep(answer) {
    const row = { ...answer, token: this.#token, keptAt: new Date().toISOString() };
    this.#rows.set(row.key, row);
    if (!(await this.#store.put(row))) this.durable = false;
    this.#changed();
    this.flush();
  }

  /** Offer again what the server refused: the reason may be gone. */
  retryRefused() {
    for (const { refused, ...row } of this.#rows.values()) if (refused) this.#rows.set(row.key, row);
    return this.flush();
  }

  /** Deliver everything, also what an earlier session in this browser left behind. */
  async flush() {
    clearTimeout(this.#timer);
    const waitMs = this.#notBefore - performance.now();
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.flush(), waitMs);
      return;
    }
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#wanted) {
      this.#wanted = false;
      await this.#deliverAll();
    }
    this.#busy = false;
  }

  async #deliverAll() {
    let delayed = false;
    for (const row of [...this.#rows.values()].filter((row) => !row.refused)) {
      this.#inFlight.add(row.key);
      const reply = await postAnswer(row);
      this.#inFlight.delete(row.key);
      const outcome = verdict(reply, row.position);
      if (outcome !== "later") await this.#settle(row, outcome, reply);
      else delayed = true;
      if (reply.waitMs) this.#notBefore = performance.now() + reply.waitMs;
      // Without a connection, or asked to wait, the other rows would fare no better; after a server error one of them may.
      if (reply.status === 0 || reply.waitMs) break;
    }
    this.failures = delayed ? this.failures + 1 : 0;
    if (delayed) this.#tryLater();
    this.#changed();
  }

  async #settle(row, outcome, { status, body }) {
    if (outcome === "refused") {
      const kept = { ...row, refused: { status, detail: body.detail } };
      this.#rows.set(row.key, kept);
      await this.#store.put(kept);
    } else {
      await this.#drop(row);
    }
    if (row.token === this.#token) {
      const detail = { position: row.position, skipped: Boolean(row.payload.reason), status, detail: body.detail };
      this.dispatchEvent(new CustomEvent(outcome, { detail }));
    }
    this.#changed();
  }

  /** Forget a row, and any refused answer to the same trial, which it replaces. */
  async #drop({ key, token, position }) {
    const isReplaced = (row) => row.refused && row.token === token && row.position === position;
    for (const row of [...this.#rows.values()].filter((row) => row.key === key || isReplaced(row))) {
      this.#rows.delete(row.key);
      await this.#store.remove(row.key);
    }
  }

  #tryLater() {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.failures - 1));
    this.#timer = setTimeout(() => this.flush(), pause * (0.5 + Math.random()));
  }

  /** The page may be going: hand everything to the browser without waiting. Rows stay until a receipt is heard. */
  #sendAllNow() {
    for (const row of this.#rows.values()) if (!row.refused && !this.#inFlight.has(row.key)) postAnswer(row);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
