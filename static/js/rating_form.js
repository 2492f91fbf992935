/**
 * The questions of a trial: closed until the clip was heard, complete when every scale has an answer.
 *
 * The form knows scales only by key and kind ("category": one integer, "labels": one or more names), so that a new rating task needs a
 * template and no script. Questions with `own_listening` open one after the other, each by a play that began when the one before it was
 * answered. An option with a field for the rater's own word is answered as "option:word". Events: "change", "opened", "submit".
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
  #sequence;
  #openNote;
  #mayOpenNext = true;
  /** How many questions with a listening of their own are open. */
  opened = 0;

  constructor(form, scales, openNote) {
    super();
    this.#openNote = openNote;
    this.#form = form;
    this.#questions = scales.map((scale) => ({ ...scale, field: form.querySelector(`[data-scale="${CSS.escape(scale.key)}"]`) }));
    this.#sequence = this.#questions.filter((question) => question.own_listening);
    form.addEventListener("change", () => this.#changed());
    form.addEventListener("input", ({ target }) => target.matches("[data-own-word]") && this.#changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** Whether a question still waits for a play of its own. */
  get waits() {
    return this.opened < this.#sequence.length;
  }

  get isLocked() {
    return this.#lock.disabled;
  }

  /** Close the form and say what opens it. */
  lock(sentence) {
    this.#form.reset();
    this.#lock.disabled = true;
    this.#lockNote.textContent = sentence;
    this.opened = 0;
    this.#changed();
  }

  /** A play begins. */
  listening() {
    this.#mayOpenNext = this.#sequence.slice(0, this.opened).every((question) => this.#isAnswered(question));
  }

  /** A play has come far enough. */
  heard() {
    if (this.#mayOpenNext) this.open(Math.min(this.opened + 1, this.#sequence.length));
    this.#mayOpenNext = false;
  }

  /** Open the form, and so many of the questions that have a listening of their own. */
  open(count = 0) {
    const isNew = this.isLocked || count > this.opened;
    this.#lock.disabled = false;
    this.opened = count;
    if (isNew) this.dispatchEvent(new Event("opened"));
    this.#changed();
    // A digit rates the question with the focus: after another listening that is the one it was for.
    const asked = this.#sequence[count - 1];
    if (isNew && asked && count > 1 && this.#form.contains(document.activeElement)) asked.field.focus();
  }

  /** {scale key: integer or list of names}, unanswered scales left out. */
  get answers() {
    const answered = this.#questions.filter((question) => this.#isAnswered(question));
    return Object.fromEntries(
      answered.map((question) => {
        const values = this.#chosen(question).map((input) => this.#valueOf(input));
        return [question.key, question.kind === "category" ? Number(values[0]) : values];
      }),
    );
  }

  set answers(answers) {
    for (const { key, field } of this.#questions) {
      const values = [answers[key] ?? []].flat().map(String);
      for (const input of field.querySelectorAll("input[value]")) {
        const given = values.find((value) => value === input.value || (this.#ownWord(input) && value.startsWith(`${input.value}:`)));
        input.checked = given !== undefined;
        if (given && this.#ownWord(input)) this.#ownWord(input).value = given.slice(input.value.length + 1);
      }
    }
    this.#changed();
  }

  /** Ask for the next step: told to the page when complete, to the rater when not. */
  submit() {
    if (this.isLocked) return this.explainLock();
    const missing = this.#missing;
    if (!missing.length) return this.dispatchEvent(new Event("submit"));
    if (missing[0].field.disabled) return this.explainLock();
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

  /** Rate the category question that has the focus, else the next unanswered one, by the key of one of its options. */
  rate(key) {
    const focused = this.#questions.find(({ field }) => field.contains(document.activeElement));
    const open = this.#questions.filter(({ kind, field }) => kind === "category" && !field.disabled);
    const question = focused?.kind === "category" ? focused : open.find((candidate) => !this.#isAnswered(candidate));
    const input = question?.field.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (input) this.#choose(question, input, true);
    else if (!open.some((candidate) => !this.#isAnswered(candidate)) && this.#missing.some(({ field }) => field.disabled)) this.explainLock();
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
    const next = question.kind === "category" ? this.#missing.find(({ field }) => !field.disabled) : question;
    // The question takes the focus, not a radio button in it: the space bar must play the clip and never choose a value.
    const target = (on && this.#ownWord(input)) || (next ?? question).field;
    target.focus();
    announce(this.#missing.length ? said : `${said} ${say("enter")}`);
  }

  get #missing() {
    return this.#questions.filter((question) => question.required && !this.#isAnswered(question));
  }

  #chosen({ field }) {
    return [...field.querySelectorAll("input:checked")];
  }

  #isAnswered(question) {
    const chosen = this.#chosen(question);
    return chosen.length > 0 && chosen.every((input) => this.#ownWord(input)?.value.trim() !== "");
  }

  /** The field for the rater's own word that belongs to an option. */
  #ownWord(input) {
    return input.closest("fieldset").querySelector(`[data-own-word="${CSS.escape(input.value)}"]`);
  }

  #valueOf(input) {
    const word = this.#ownWord(input);
    return word ? `${input.value}:${word.value.trim()}` : input.value;
  }

  #changed() {
    this.#sequence.forEach(({ field }, index) => (field.disabled = index >= this.opened));
    for (const word of this.#form.querySelectorAll("[data-own-word]")) {
      word.hidden = !word.closest("fieldset").querySelector(`[value="${CSS.escape(word.dataset.ownWord)}"]`).checked;
    }
    const missing = this.#missing;
    const wantsPlay = missing.length > 0 && missing.every(({ field }) => field.disabled);
    if (!this.isLocked) this.#lockNote.textContent = wantsPlay ? say("listenAgain") : this.#openNote;
    this.#form.dataset.state = this.isLocked ? "locked" : missing.length ? "open" : "complete";
    this.#leftNote.textContent = this.isLocked ? "" : missing.length ? say("left", { count: missing.length }) : say("complete");
    this.dispatchEvent(new Event("change"));
  }
}
