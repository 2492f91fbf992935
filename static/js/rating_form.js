/**
 * The questions of a trial: closed until the clip was heard, complete when every scale has an answer.
 *
 * The form knows scales only by key and kind ("category": one integer, "labels": one or more names), so that a new rating task needs a
 * template and no script. Events: "change", "submit".
 */

import { announce } from "./announce.js";
import { say } from "./messages.js";

const list = new Intl.ListFormat(document.documentElement.lang);

export class RatingForm extends EventTarget {
  #form;
  #lock = document.getElementById("lock");
  #lockNote = document.getElementById("lock-note");
  #leftNote = document.getElementById("left-note");
  #questions;

  constructor(form, scales) {
    super();
    this.#form = form;
    this.#questions = scales.map((scale) => ({ ...scale, field: form.querySelector(`[data-scale="${CSS.escape(scale.key)}"]`) }));
    form.addEventListener("change", () => this.#changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  get isLocked() {
    return this.#lock.disabled;
  }

  /** Close the form and say what opens it. */
  lock(sentence) {
    this.#form.reset();
    this.#lock.disabled = true;
    this.#lockNote.textContent = sentence;
    this.#changed();
  }

  open(sentence) {
    if (!this.isLocked) return;
    this.#lock.disabled = false;
    this.#lockNote.textContent = sentence;
    announce(say("opened"));
    this.#changed();
  }

  /** {scale key: integer or list of names}, unanswered scales left out. */
  get answers() {
    const answered = this.#questions.filter((question) => this.#chosen(question).length);
    return Object.fromEntries(
      answered.map((question) => {
        const values = this.#chosen(question).map((input) => input.value);
        return [question.key, question.kind === "category" ? Number(values[0]) : values];
      }),
    );
  }

  set answers(answers) {
    for (const { key, field } of this.#questions) {
      const values = [answers[key] ?? []].flat().map(String);
      for (const input of field.querySelectorAll("input")) input.checked = values.includes(input.value);
    }
    this.#changed();
  }

  /** Ask for the next step: told to the page when complete, to the rater when not. */
  submit() {
    if (this.isLocked) return this.explainLock();
    const missing = this.#missing;
    if (!missing.length) return this.dispatchEvent(new Event("submit"));
    this.#leftNote.textContent = say("missing", { titles: list.format(missing.map(({ title }) => title)) });
    announce(this.#leftNote.textContent);
    missing[0].field.focus();
  }

  explainLock() {
    announce(this.#lockNote.textContent);
    this.#lockNote.classList.remove("is-nudged");
    // Reading a size makes the browser notice the removal, so that the movement can run again.
    void this.#lockNote.offsetWidth;
    this.#lockNote.classList.add("is-nudged");
  }

  /** Rate the category question that has the focus, else the next unanswered one. */
  rate(value) {
    const focused = this.#questions.find(({ field }) => field.contains(document.activeElement));
    const categories = this.#questions.filter(({ kind }) => kind === "category");
    const question = focused?.kind === "category" ? focused : categories.find((candidate) => !this.#chosen(candidate).length);
    const input = [...(question?.field.querySelectorAll("input") ?? [])].find((candidate) => candidate.value === value);
    if (input) this.#choose(question, input, true);
  }

  /** Choose or drop the option of a labels question that has this letter. */
  toggle(letter) {
    for (const question of this.#questions) {
      const input = question.field.querySelector(`[aria-keyshortcuts="${CSS.escape(letter.toUpperCase())}"]`);
      if (input) this.#choose(question, input, !input.checked);
    }
  }

  #choose(question, input, on) {
    input.checked = on;
    this.#changed();
    const label = [...input.closest("label").querySelectorAll("span")].map((part) => part.textContent).join(" ");
    const said = question.kind === "category" ? say("rated", { title: question.title, label }) : say(on ? "chosen" : "dropped", { label });
    const next = question.kind === "category" ? this.#missing[0] : question;
    // The question takes the focus, not a radio button in it: the space bar must play the clip and never choose a value.
    (next ?? question).field.focus();
    announce(this.#missing.length ? said : `${said} ${say("enter")}`);
  }

  get #missing() {
    return this.#questions.filter((question) => question.required && !this.#chosen(question).length);
  }

  #chosen({ field }) {
    return [...field.querySelectorAll("input:checked")];
  }

  #changed() {
    const left = this.#missing.length;
    this.#form.dataset.state = this.isLocked ? "locked" : left ? "open" : "complete";
    this.#leftNote.textContent = this.isLocked ? "" : left ? say("left", { count: left }) : say("complete");
    this.dispatchEvent(new Event("change"));
  }
}
