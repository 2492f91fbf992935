/** The trial page holds several views and shows one. */
export function show(name) {
  for (const view of document.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== name;
  document.querySelector(`[data-view="${name}"] h1`)?.focus({ preventScroll: true });
}
