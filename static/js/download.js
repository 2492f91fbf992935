/** The last resort for answers that cannot be sent: a file the rater can pass on. */
export function downloadAnswers(rows) {
  const blob = new Blob([JSON.stringify(rows, null, 2)], { type: "application/json" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "unsent-answers.json" });
  link.click();
  URL.revokeObjectURL(link.href);
}
