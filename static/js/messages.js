/** Every sentence the scripts show, in one place, so that a translation replaces one module. */

export const messages = {
  clipOf: (position, total) => `Clip ${position} of ${total}`,

  loading: "Loading the clip…",
  ready: matchMedia("(pointer: coarse)").matches ? "Press play." : "Press play, or the space bar.",
  readyAgain: "You may listen again.",
  playing: "Playing…",
  stopped: "Stopped. It plays from the start again.",
  interrupted: "The sound was interrupted. Please play it again.",
  noSound: "Your browser did not start the sound. Please press play once more.",
  failedNetwork: "The clip could not be loaded. Check your connection and press the button to try again.",
  failedClip: "The clip could not be opened. Press the button to load it again.",
  spent: "You have heard the clip as often as this study asks for.",

  buttonLoading: "Loading the clip",
  buttonPlay: "Play the clip",
  buttonAgain: "Play the clip again",
  buttonStop: "Stop",
  buttonRetry: "Load the clip again",
  buttonSpent: "No more plays",

  locked: (share) =>
    share >= 1
      ? "Listen to the whole clip first. The questions open when it ends."
      : `Listen to at least ${Math.round(share * 100)} % of the clip first. The questions open then.`,
  open: "Now answer the questions. You may listen again at any time.",
  openLimited: "Now answer the questions.",
  opened: "The questions are open.",
  left: (count) => (count === 1 ? "1 question left" : `${count} questions left`),
  complete: "All questions are answered.",
  missing: (titles) => `Please answer first: ${titles.join(", ")}.`,
  rated: (title, label) => `${title}: ${label}.`,
  chosen: (label, on) => `${label} ${on ? "chosen" : "not chosen"}.`,
  enter: "Press Enter to save and go on.",

  nothingYet: "Every answer is saved at once",
  saved: "All answers are saved",
  saving: "Saving…",
  waiting: (count) => `Not sent yet. ${count === 1 ? "1 answer is" : `${count} answers are`} kept here until the server has received ${count === 1 ? "it" : "them"}`,
  memoryOnly: "Your browser does not let this page keep answers on your device (perhaps a private window). Please leave the page open until the end.",
  notSaved: (count) => (count === 1 ? "1 answer could not be saved" : `${count} answers could not be saved`),
  refused: (position, detail) => `Your answer to clip ${position} was not accepted: ${detail} It is kept in your browser.`,
  alreadyHeld: (position) => `Clip ${position} had been answered before. The first answer stands.`,
  skipped: (position) => `Clip ${position} could not be loaded, so we left it out. That is not your fault and costs you nothing.`,
  skipRefused: (detail) => detail,
  rateAgain: "You will be asked to rate this clip once more.",

  sending: "Sending your last answers…",
  sendingFails: "Some answers have not reached us yet. They are kept in your browser and we keep trying. Please leave this page open. If it does not help, download them and send the file to the researchers.",

  checkReady: "Press play.",
  checkAgain: "You may play the tones again.",
  copied: "Copied",
};
