/**
 * SHA-256 of a buffer as lower-case hexadecimal.
 *
 * Browsers offer crypto.subtle on secure pages only; a test in a laboratory network without HTTPS still has to check its clips, so
 * FIPS 180-4 is spelled out below for that case.
 */

export async function sha256(buffer) {
  const digest = globalThis.crypto?.subtle ? await crypto.subtle.digest("SHA-256", buffer) : sha256Plain(buffer);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const PRIMES = [];
for (let candidate = 2; PRIMES.length < 64; candidate++) if (PRIMES.every((prime) => candidate % prime)) PRIMES.push(candidate);

/** The first 32 bits of the fractional part of a root. */
const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const ROUND_CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));
const INITIAL_STATE = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

const rotate = (word, by) => (word >>> by) | (word << (32 - by));

/** FIPS 180-4 without the browser's help. */
export function sha256Plain(buffer) {
  const length = buffer.byteLength;
  const padded = new Uint8Array(Math.ceil((length + 9) / 64) * 64);
  padded.set(new Uint8Array(buffer));
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(padded.length - 4, length << 3);

  const state = Int32Array.from(INITIAL_STATE);
  const words = new Int32Array(64);
  for (let offset = 0; offset < padded.length; offset += 64) mixBlock(state, words, view, offset);

  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setInt32(index * 4, word));
  return digest.buffer;
}

function mixBlock(state, words, view, offset) {
  for (let i = 0; i < 64; i++) {
    if (i < 16) {
      words[i] = view.getInt32(offset + i * 4);
      continue;
    }
    const early = words[i - 15];
    const late = words[i - 2];
    const first = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const second = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[i] = words[i - 16] + first + words[i - 7] + second;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const grown = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + ROUND_CONSTANTS[i] + words[i]) | 0;
    const mixed = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + grown) | 0, c, b, a, (grown + mixed) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] += word));
}
