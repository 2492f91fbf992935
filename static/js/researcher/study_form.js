// The form of a study: tells what the design adds up to while it is written, and lets rating tasks change places.

const sums = document.getElementById("arithmetic");
const WAIT_MS = 250;

if (sums) {
  const form = sums.closest("form");
  const fields = ["corpus", "clip_selection", "n_clips", "seed", "conditions", "rating_tasks", "emotions", "strata", "votes_per_stratum", "trials_per_session"];
  let waiting = 0;
  let asked = 0;

  const tell = async () => {
    const data = new FormData(form);
    const query = new URLSearchParams(fields.flatMap((name) => data.getAll(name).map((value) => [name, value])));
    const mine = ++asked;
    try {
      const response = await fetch(`${sums.dataset.url}?${query}`);
      const text = await response.text();
      if (response.ok && mine === asked) sums.innerHTML = text;
    } catch {
      // Saving checks the same things; without a connection there is only no preview of them.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(tell, WAIT_MS);
  });
  tell();
}

for (const list of document.querySelectorAll("[data-ordered]")) {
  for (const moves of list.querySelectorAll(".r-task-moves")) moves.hidden = false;
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    const row = button.closest("li");
    if (button.dataset.move === "-1") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    button.focus();
    row.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// Only a step that is chosen shows its numbers; what is folded away and wrong opens when the browser complains of it.
for (const row of document.querySelectorAll(".r-screening")) {
  const [box, more] = [row.querySelector('input[type="checkbox"]'), row.querySelector("[data-more]")];
  const fit = () => {
    more.hidden = !box.checked;
    for (const field of more.querySelectorAll("input, select")) field.disabled = !box.checked;
  };
  box.addEventListener("change", fit);
  more.addEventListener("invalid", () => (more.open = true), true);
  fit();
}
