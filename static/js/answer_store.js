/**
 * Unsent answers on disk, in IndexedDB, so that they survive a reload, a crash and a closed tab.
 *
 * A row is {key, token, position, url, payload, keptAt, tries?, refused?}. Every method resolves to whether it worked and never throws: some
 * browsers refuse storage altogether (private windows), others fail half-way (full disk), and the outbox then lives in memory alone.
 */

const DATABASE = "listening-answers";
const TABLE = "answers";
/** Some browsers leave an open request pending for ever when their storage is broken. */
const OPEN_TIMEOUT_MS = 3_000;

function openDatabase() {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("IndexedDB does not answer")), OPEN_TIMEOUT_MS);
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE, { keyPath: "key" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

export class AnswerStore {
  #database = null;

  async open() {
    try {
      this.#database = await openDatabase();
      return true;
    } catch {
      return false;
    }
  }

  /** True once the row is on disk, flushed where the browser can promise that. */
  async put(row) {
    return (await this.#transact("readwrite", (table) => table.put(row))) !== undefined;
  }

  async remove(key) {
    await this.#transact("readwrite", (table) => table.delete(key));
  }

  /** All rows, oldest first. */
  async all() {
    const rows = (await this.#transact("readonly", (table) => table.getAll())) ?? [];
    return rows.sort((one, other) => one.keptAt.localeCompare(other.keptAt));
  }

  /** The result of one transaction once it is complete; undefined if it failed. */
  #transact(mode, act) {
    return new Promise((resolve) => {
      try {
        const transaction = this.#database.transaction(TABLE, mode, { durability: "strict" });
        const asked = act(transaction.objectStore(TABLE));
        transaction.oncomplete = () => resolve(asked.result);
        transaction.onabort = () => resolve(undefined);
      } catch {
        resolve(undefined);
      }
    });
  }
}
