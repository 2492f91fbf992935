// The top of a study's page: refreshes its numbers while something moves, copies the rater link, keeps slow buttons honest.

const board = document.getElementById("board");
const STIMULI_MS = 2000;
const RATERS_MS = 15000;
const SANDBOX_MS = 3000;

const put = (root, name, value) => {
  const place = root?.querySelector(`[data-row="${name}"]`);
  if (place) place.textContent = value;
};

function show(live) {
  board.querySelector('[data-live="ready"]').textContent = live.ready;
  board.querySelector('[data-live="ratings"]').textContent = live.progress.ratings;
  for (const row of live.conditions) {
    const item = board.querySelector(`[data-condition="${CSS.escape(row.condition)}"]`);
    if (!item) continue;
    item.querySelector("progress").value = row.ready;
    for (const name of ["ready", "failed", "error"]) put(item, name, row[name]);
    item.querySelector('[data-row="problem"]').hidden = !row.failed;
  }
  for (const [stratum, plan] of Object.entries(live.progress.plans)) {
    const item = board.querySelector(`[data-stratum="${CSS.escape(stratum)}"]`);
    if (!item) continue;
    item.querySelector("progress").value = plan.completed;
    for (const name of ["completed", "active", "free"]) put(item, name, plan[name]);
  }
  document.getElementById("notice").hidden = !live.notice;
  board.querySelector("[data-notice]").textContent = live.notice;
}

async function refresh() {
  let live;
  try {
    const response = await fetch(board.dataset.url, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    live = await response.json();
  } catch {
    return; // The server is away for a moment; the next round asks again.
  }
  // What can be done next has changed; half-written fields are not thrown away for it.
  const over = live.sandbox !== (board.dataset.sandbox ?? "") || live.status !== board.dataset.status || (Number(board.dataset.pending) && !live.pending);
  if (over && !formIsDirty) location.reload();
  else show(live);
}

// The live figures come as a piece of page; tables that somebody has scrolled or focused stay so.
async function refreshFieldwork() {
  const place = document.getElementById("fieldwork");
  if (!place) return;
  let text;
  try {
    const response = await fetch(place.dataset.url);
    if (!response.ok) return;
    text = await response.text();
  } catch {
    return;
  }
  if (text === shown) return;
  shown = text;
  const boxes = () => [...place.querySelectorAll("[tabindex]")];
  const before = boxes().map((box) => [box.getAttribute("aria-label"), box.scrollTop, box === document.activeElement]);
  place.innerHTML = text;
  for (const box of boxes()) {
    const [, top, focused] = before.find(([label]) => label === box.getAttribute("aria-label")) ?? [];
    if (top) box.scrollTop = top;
    if (focused) box.focus({ preventScroll: true });
  }
}

let shown = "";
let formIsDirty = false;
document.querySelector("form[id$=_form]")?.addEventListener("input", () => (formIsDirty = true));

const ratersMs = "sandbox" in board.dataset ? SANDBOX_MS : RATERS_MS;
// A sandbox is closed while its report is still being written.
const moves = board.dataset.status === "open" || ["queued", "running"].includes(board.dataset.sandbox);
const every = Number(board.dataset.pending) ? STIMULI_MS : moves ? ratersMs : 0;
const look = () => Promise.all([refresh(), refreshFieldwork()]);
if (every) setInterval(() => document.hidden || look(), every);

for (const button of board.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    const label = button.querySelector("[data-label]");
    try {
      await navigator.clipboard.writeText(field.value);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Press Ctrl+C"; // The browser gives the clipboard to secure pages only; the text is selected.
    }
    setTimeout(() => (label.textContent = "Copy"), 2500);
  });
}

for (const form of board.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.disabled = true;
    if (form.dataset.busy) button.querySelector("[data-label]").textContent = form.dataset.busy;
  });
}
