/**
 * Single keys: the space bar plays, digits rate, letters choose, Enter goes on.
 *
 * They can be switched off on the page (WCAG 2.1.4), and a key that already means something to the focused control keeps that meaning.
 */

import { recall, remember } from "./page_memory.js";

const SETTING = "single-keys";

/** Give every option of the labels questions its own letter, printed on it: the first of its name that is free. */
function assignLetters(form) {
  const taken = new Set();
  for (const input of form.querySelectorAll("[data-kind=labels] input[type=checkbox]")) {
    const label = input.closest("label");
    const letter = [...label.textContent.trim().toUpperCase()].find((sign) => /[A-Z]/.test(sign) && !taken.has(sign));
    if (!letter) continue;
    taken.add(letter);
    input.setAttribute("aria-keyshortcuts", letter);
    const hint = Object.assign(document.createElement("kbd"), { textContent: letter, className: "chip-key" });
    hint.setAttribute("aria-hidden", "true");
    label.append(hint);
  }
}

/** True where the browser itself does something with this key on the focused control. */
function hasOwnMeaning(key, target) {
  if (target.matches("input[type=text]")) return true;
  if (target.matches("button, a, summary")) return key === " " || key === "Enter";
  // On a radio button that is already chosen the space bar does nothing, so it may play.
  if (target.matches("input[type=radio]:checked")) return key === "Enter";
  return target.matches("input") && (key === " " || key === "Enter");
}

export function installShortcuts({ form, player, ratingForm, isActive }) {
  assignLetters(form);
  const toggle = document.getElementById("use-shortcuts");
  toggle.checked = recall("localStorage", SETTING) ?? true;
  const apply = () => (document.body.dataset.keys = toggle.checked ? "on" : "off");
  apply();
  toggle.addEventListener("change", () => {
    remember("localStorage", SETTING, toggle.checked);
    apply();
  });

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (!toggle.checked || !isActive() || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (hasOwnMeaning(key, target)) return;
    const isRating = /^[1-9a-zA-Z]$/.test(key);
    if (!isRating && key !== " " && key !== "Enter") return;
    event.preventDefault();
    if (key === " ") player.toggle();
    else if (key === "Enter") ratingForm.submit();
    else if (ratingForm.isLocked) ratingForm.explainLock();
    else if (/\d/.test(key)) ratingForm.rate(key);
    else ratingForm.toggle(key);
  });
}
