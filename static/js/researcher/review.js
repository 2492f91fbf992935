/* The review table: choose many at once. Without scripts each is chosen by itself. */

const boxes = [...document.querySelectorAll('input[name="submission"]')];
const all = document.querySelector("[data-choose-all]");
const advised = document.querySelector("[data-choose-advised]");

if (all && boxes.length) {
  all.hidden = false;
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.checked)));
}

if (advised && boxes.some((box) => "advised" in box.dataset)) {
  advised.hidden = false;
  advised.addEventListener("click", () => boxes.forEach((box) => (box.checked = "advised" in box.dataset)));
}
