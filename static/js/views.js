import { announce } from "./announce.js";

/** The trial page holds several views and shows one. What was said of the view before is not left for a screen reader to find. */
export function show(name) {
  for (const view of document.querySelectorAll("[data-view]")) {
    if (view.dataset.view === name && view.hidden) announce("");
    view.hidden = view.dataset.view !== name;
  }
  document.querySelector(`[data-view="${name}"] h1`)?.focus({ preventScroll: true });
}
