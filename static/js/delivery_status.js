/** Tells the rater, quietly, where the answers are: a line below the trial, and a sentence on the last view. */

import { announce } from "./announce.js";
import { say } from "./messages.js";

export class DeliveryStatus {
  #outbox;
  #line = document.getElementById("sync");
  #started = false;
  #troubled = false;

  constructor(outbox) {
    this.#outbox = outbox;
    const update = () => this.#update();
    outbox.addEventListener("change", update);
    addEventListener("online", update);
    addEventListener("offline", update);
  }

  /** On the last view: a moment's wait, or a problem with ways out of it. */
  showLast(isStuck) {
    const problem = isStuck || this.#outbox.unsent.some((row) => row.refused);
    document.getElementById("sending-status").textContent = problem ? say("sendingFails") : say("sending");
    document.getElementById("sending-help").hidden = !problem;
  }

  #update() {
    const refused = this.#outbox.unsent.filter((row) => row.refused).length;
    const waiting = this.#outbox.unsent.length - refused;
    this.#started ||= waiting > 0;
    const isCut = this.#outbox.failures > 0 || !navigator.onLine;
    if (waiting && isCut) this.#say("waiting", say("waiting", { count: waiting }));
    else if (waiting) this.#say("saving", say("saving"));
    else if (refused) this.#say("refused", say("notSaved", { count: refused }));
    else this.#say("saved", this.#started ? say("saved") : say("nothingYet"));
  }

  #say(state, sentence) {
    // "Saved" after every trial would only tire a listener's ears; trouble is worth a word, and so is its end.
    const isTrouble = state === "waiting" || state === "refused";
    const isOver = this.#troubled && state === "saved";
    if (state !== this.#line.dataset.state && (isTrouble || isOver)) announce(sentence);
    this.#troubled = isTrouble || (this.#troubled && !isOver);
    this.#line.dataset.state = state;
    this.#line.textContent = sentence;
  }
}
