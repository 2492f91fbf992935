/** Copy buttons, shown where the browser lets a page write to the clipboard. */

import { say } from "./messages.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.querySelector(button.dataset.copy);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent.trim());
    button.textContent = say("copied");
  });
}
