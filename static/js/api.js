/**
 * Requests to our own server.
 *
 * A request never throws and never hangs: whatever happens comes back as {status, body, waitMs}. `status` is 0 when nothing usable came
 * back, also when something between us and the server (a café's log-in page, a proxy) answered with anything but our JSON.
 * `waitMs` is how long a server that has too much to do asks to be left alone (Retry-After of a 429 or 503), else 0.
 */

const TIMEOUT_MS = 15_000;
const LONGEST_WAIT_MS = 120_000;

/** How long a response asks us to wait. */
export function waitMsOf(response) {
  const seconds = [429, 503].includes(response.status) ? Number(response.headers.get("Retry-After")) : 0;
  return seconds > 0 ? Math.min(seconds * 1_000, LONGEST_WAIT_MS) : 0;
}

async function request(url, options) {
  try {
    const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
    const waitMs = waitMsOf(response);
    return { status: response.status, body: await response.json().catch((error) => (waitMs ? null : Promise.reject(error))), waitMs };
  } catch {
    return { status: 0, body: null, waitMs: 0 };
  }
}

/** The session as the server knows it, or null while it cannot be reached. */
export async function fetchSession(apiUrl) {
  const { status, body } = await request(apiUrl);
  return status === 200 && Array.isArray(body?.trials) ? body : null;
}

/** Post one kept answer and say how often that was tried. `keepalive` lets the request outlive the page. */
export function postAnswer(row) {
  row.tries = (row.tries ?? 0) + 1;
  return request(row.url, {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...row.payload, listening: { ...row.payload.listening, tries: row.tries } }),
  });
}

/**
 * What a reply means for a kept answer.
 * "stored": the server has it. "held": it has another one, which stands. "refused": it will not take it. "later": try again.
 */
export function verdict({ status, body }, position) {
  if (status >= 200 && status < 300 && body?.position === position) return "stored";
  if (status === 409 && body?.detail) return "held";
  if ([400, 403, 404].includes(status) && body?.detail) return "refused";
  return "later";
}
