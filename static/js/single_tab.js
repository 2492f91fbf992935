/**
 * One tab per session. Two tabs rating the same trial would each believe to be right.
 *
 * Web Locks do this well but exist on secure pages only; elsewhere the tabs talk over a BroadcastChannel.
 * `acquire()` resolves to whether this tab may go on; `takeOver()` makes it the one; `onLost` is called when another tab did that.
 */

/** A page that is being reloaded holds its lock for a moment longer, and a slow phone takes its time to say whose it is. */
const PATIENCE_MS = 2_000;
/** Another tab answers within a few milliseconds. */
const REPLY_MS = 200;

class LockedTab {
  constructor(name, onLost) {
    this.name = name;
    this.onLost = onLost;
  }

  async acquire() {
    // A lock that is free is taken at once: on a slow machine even that may take longer than the patience for one that is not.
    return (await this.#request({ ifAvailable: true })) || this.#request({ signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  takeOver() {
    return this.#request({ steal: true });
  }

  #request(options) {
    return new Promise((resolve) => {
      let held = false;
      const keep = (lock) => {
        if (!lock) return resolve(false);
        held = true;
        resolve(true);
        return new Promise(() => {});
      };
      navigator.locks.request(this.name, options, keep).catch(() => (held ? this.onLost() : resolve(false)));
    });
  }
}

class TalkingTab {
  #channel;
  #held = false;
  #occupied = false;

  constructor(name, onLost) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener("message", ({ data }) => {
      if (data === "occupied") this.#occupied = true;
      if (!this.#held) return;
      if (data === "anyone?") this.#channel.postMessage("occupied");
      if (data === "mine") {
        this.#held = false;
        onLost();
      }
    });
  }

  async acquire() {
    this.#channel.postMessage("anyone?");
    await new Promise((resolve) => setTimeout(resolve, REPLY_MS));
    this.#held = !this.#occupied;
    return this.#held;
  }

  async takeOver() {
    this.#channel.postMessage("mine");
    this.#held = true;
    return true;
  }
}

export function singleTab(name, onLost) {
  return navigator.locks ? new LockedTab(name, onLost) : new TalkingTab(name, onLost);
}
