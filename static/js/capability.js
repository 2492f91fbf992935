/** What this browser and its audio device can do, written into the form of the page; the server judges it. */

import { fetchClip } from "./clips.js";

async function look(url) {
  const report = { decoded_s: 0, decoded_channels: 0, output_channels: 0, output_rate: 0 };
  try {
    const clip = await fetchClip(url);
    report.decoded_s = clip.duration;
    report.decoded_channels = clip.numberOfChannels;
  } catch {
    // What cannot be decoded is reported as nothing.
  }
  if (window.AudioContext) {
    const context = new AudioContext();
    report.output_rate = context.sampleRate;
    report.output_channels = context.destination.maxChannelCount;
    await context.close();
  }
  return report;
}

/** Fill the report of a `data-capability` panel and say what was found. A form that is sent earlier waits for it. */
export async function reportCapability(root) {
  const form = root.closest("form");
  let sent = null;
  const wait = (event) => {
    event.preventDefault();
    sent = { by: event.submitter };
  };
  form.addEventListener("submit", wait);
  const report = await look(root.dataset.audioUrl);
  root.querySelector("[data-report]").value = JSON.stringify(report);
  for (const part of root.querySelectorAll("[data-part]")) part.dataset.state = report[part.dataset.part] >= (part.dataset.part === "output_channels" ? 2 : 0.1) ? "yes" : "no";
  root.querySelector("[data-rate]").textContent = report.output_rate ? `(${report.output_rate / 1000} kHz)` : "";
  root.dataset.state = "done";
  form.removeEventListener("submit", wait);
  if (sent) form.requestSubmit(sent.by);
}
