/** Sentences that stay at the top of the page; the same sentence is shown once. */
export class Notices {
  #list = document.getElementById("notices");

  add(sentence) {
    const text = sentence.trim();
    if ([...this.#list.children].some((notice) => notice.textContent === text)) return;
    const notice = Object.assign(document.createElement("p"), { className: "notice", textContent: text });
    notice.setAttribute("role", "alert");
    this.#list.append(notice);
  }
}
