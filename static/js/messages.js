/**
 * Sentences for people. The page brings them along in its language ({% sentences %}); their wording is in
 * listening/templatetags/sentences.py and its translations, and there is no other.
 */

const sentences = JSON.parse(document.getElementById("sentences").textContent);
const plural = new Intl.PluralRules(document.documentElement.lang);

/** The sentence of this name, its places filled with `values`; `values.count` also chooses between singular and plural. */
export function say(name, values = {}) {
  const sentence = sentences[name];
  const text = typeof sentence === "string" ? sentence : (sentence[plural.select(values.count)] ?? sentence.other);
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
