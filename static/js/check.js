/** The screening plays its sounds the way the test plays its clips, so that it checks just that. */

import { fetchClip } from "./clips.js";
import { say } from "./messages.js";
import { Player } from "./player.js";
import { reportCapability } from "./capability.js";

const players = [];

function install(root) {
  const player = new Player(root, { ready: say("checkReady"), again: say("checkAgain") });
  const load = async () => {
    player.loading();
    try {
      player.ready(await fetchClip(root.dataset.audioUrl));
    } catch (error) {
      player.failed(error.reason);
    }
  };
  root.querySelector("[data-check-plain]").remove();
  root.querySelector("[data-check-dial]").hidden = false;
  player.addEventListener("retry", load);
  // One sound at a time.
  player.addEventListener("started", () => players.forEach((other) => other === player || other.stop()));
  players.push(player);
  return load;
}

const loads = [...document.querySelectorAll("[data-check]")].map(install);
// One after the other: the first sound has the line to itself.
for (const load of loads) await load();

for (const root of document.querySelectorAll("[data-capability]")) await reportCapability(root);

// A page that came as the answer to a form would ask, on the way back, to send the form again.
history.replaceState(null, "", location.href);
