/** The sound check plays its tones the way the test plays its clips, so that it checks just that. */

import { fetchClip } from "./clips.js";
import { say } from "./messages.js";
import { Player } from "./player.js";

const check = document.querySelector("[data-check]");
const player = new Player(check, { ready: say("checkReady"), again: say("checkAgain") });

async function load() {
  player.loading();
  try {
    player.ready(await fetchClip(check.dataset.audioUrl));
  } catch (error) {
    player.failed(error.reason);
  }
}

check.querySelector("[data-check-plain]").remove();
check.querySelector("[data-check-dial]").hidden = false;
player.addEventListener("retry", load);
load();

// A page that came as the answer to a form would ask, on the way back, to send the form again.
history.replaceState(null, "", location.href);
