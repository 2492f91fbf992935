/** Small things a browser may remember for us. Where it will not (blocked cookies, full disk), the page goes on without. */

/** `area` is "localStorage" or "sessionStorage"; merely touching one may throw. */
export function recall(area, key) {
  try {
    return JSON.parse(window[area].getItem(key));
  } catch {
    return null;
  }
}

export function remember(area, key, value) {
  try {
    window[area].setItem(key, JSON.stringify(value));
  } catch {
    // Nothing depends on it.
  }
}
