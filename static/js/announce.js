/** Say something to a screen reader without moving the focus. */
export function announce(sentence) {
  document.getElementById("live").textContent = sentence;
}
