/**
 * The dial: one round button that plays a clip from its start or stops it, with a ring for how far it has come.
 *
 * There is nothing to drag: a clip is heard in order, and of two clips the first before the second.
 * States: loading, ready, playing, spent, failed. Events: "started", "progress" (detail: the share heard of each clip),
 * "finished" (detail: "ended", "stopped" or "interrupted"), "retry".
 */

import { say } from "./messages.js";
import { durationOf, play } from "./sound.js";

const byTouch = matchMedia("(pointer: coarse)").matches;

export class Player extends EventTarget {
  #dial;
  #button;
  #name;
  #ring;
  #status;
  #hints;
  #clips = null;
  #parts;
  #playing = null;
  #starting = false;

  /** `hints` are the sentences shown before the first play and after it. */
  constructor(root, hints = { ready: say(byTouch ? "readyByTouch" : "ready"), again: say("readyAgain") }) {
    super();
    this.#dial = root.querySelector("[data-dial]");
    this.#button = root.querySelector("[data-dial-button]");
    this.#name = root.querySelector("[data-dial-name]");
    this.#ring = root.querySelector("[data-dial-ring]");
    this.#status = root.querySelector("[data-dial-status]");
    this.#hints = hints;
    this.#parts = [...root.querySelectorAll("[data-part-name]")];
    this.#button.addEventListener("click", () => this.toggle());
    addEventListener("online", () => this.hasFailed && this.toggle());
  }

  loading() {
    const handle = this.#playing;
    this.#clips = this.#playing = null;
    handle?.stop();
    this.#draw(0);
    this.#show("loading", say("buttonLoading"), say("loading"));
  }

  /** One clip, or two to be played one after the other. */
  ready(...clips) {
    this.#clips = clips;
    this.#show("ready", say("buttonPlay"), this.#hints.ready);
  }

  /** The clip was played as often as the study lets it be. */
  spent() {
    this.#show("spent", say("buttonSpent"), say("spent"));
  }

  failed(reason) {
    this.#show("failed", say("buttonRetry"), ["network", "busy"].includes(reason) ? say("failedNetwork") : say("failedClip"));
  }

  get hasFailed() {
    return this.#dial.dataset.state === "failed";
  }

  /** Play, stop or load again: whatever the button shows. */
  toggle() {
    const { state } = this.#dial.dataset;
    if (state === "failed") this.dispatchEvent(new Event("retry"));
    if (state === "playing") this.stop();
    if (state === "ready" && !this.#starting) this.#start();
  }

  stop() {
    this.#playing?.stop();
  }

  async #start() {
    const clips = this.#clips;
    const isCurrent = () => clips === this.#clips;
    this.#starting = true;
    const handle = await play(clips, (why) => isCurrent() && this.#finish(why));
    this.#starting = false;
    if (!isCurrent()) return handle?.stop();
    if (!handle) return this.#show("ready", say("buttonPlay"), say("noSound"));
    this.#playing = handle;
    this.#show("playing", say("buttonStop"), say("playing"));
    this.dispatchEvent(new Event("started"));
    this.#follow();
  }

  #follow() {
    if (!this.#playing) return;
    this.#report();
    requestAnimationFrame(() => this.#follow());
  }

  #report() {
    const seconds = this.#playing.heard();
    this.#draw(this.#playing.elapsed() / durationOf(this.#clips));
    // The second clip is the one that sounds from its first sample on.
    this.#mark(seconds.findLastIndex((heard) => heard > 0));
    this.dispatchEvent(new CustomEvent("progress", { detail: seconds.map((heard, index) => heard / this.#clips[index].duration) }));
  }

  #finish(why) {
    if (why !== "ended") this.#report();
    this.#playing = null;
    this.#mark(-1);
    const sentence = { ended: this.#hints.again, stopped: say("stopped"), interrupted: say("interrupted") }[why];
    this.#show("ready", say("buttonAgain"), sentence);
    this.#draw(why === "ended" ? 1 : 0);
    this.dispatchEvent(new CustomEvent("finished", { detail: why }));
  }

  /** Show which of two clips sounds. */
  #mark(index) {
    this.#parts.forEach((part, place) => part.classList.toggle("is-playing", place === index));
    if (this.#parts[index]) this.#status.textContent = this.#parts[index].textContent;
  }

  #draw(share) {
    this.#ring.style.strokeDashoffset = String(1 - share);
  }

  #show(state, name, sentence) {
    this.#dial.dataset.state = state;
    this.#button.setAttribute("aria-disabled", String(state === "spent"));
    this.#name.textContent = name;
    this.#status.textContent = sentence;
  }
}
