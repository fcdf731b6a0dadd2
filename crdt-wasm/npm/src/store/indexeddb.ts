import { hex, unhex } from "../bytes.js";
import { CrdtError } from "../errors.js";
import { randomBytes } from "../host.js";
import { lendId } from "./locks.js";
import { type Kept, packRows, splitRows, type Store } from "./store.js";

// What is used of IndexedDB, in its smallest form.
interface Request<T> {
  result: T;
  error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
interface OpenRequest extends Request<Database> {
  onupgradeneeded: (() => void) | null;
  onblocked: (() => void) | null;
}
interface Database {
  createObjectStore(name: string): void;
  transaction(names: string[], mode: "readonly" | "readwrite", options: { durability: "strict" | "relaxed" }): Transaction;
  close(): void;
  onversionchange: (() => void) | null;
  onclose: (() => void) | null;
}
interface Transaction {
  objectStore(name: string): ObjectStore;
  abort(): void;
  commit(): void;
  error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
}
interface ObjectStore {
  get(key: unknown): Request<unknown>;
  getAll(): Request<unknown[]>;
  getAllKeys(): Request<unknown[]>;
  put(value: unknown, key: unknown): unknown;
  delete(key: unknown): unknown;
}
declare const indexedDB: { open(name: string, version: number): OpenRequest } | undefined;

const ROWS = "rows";
const IDS = "ids";

/**
 * Keeps documents in the browser, each in a database of its own. All tabs of an origin may have it open: each writes under an
 * id that no other tab has, taken from a pool and held under a lock. Where there are no locks (a page that came over plain
 * HTTP), a server lends one, or each page load takes a fresh id.
 *
 * A write is through when the engine says that it is on the disk, not when it says that it is on its way.
 */
export function indexedDb(): Store {
  return {
    async open(documentId): Promise<Kept> {
      const base = new Base(`crdt:${documentId}`);
      const lease = await lendId(`crdt:${documentId}`, {
        known: () => base.run([IDS], "readonly", (at) => at(IDS).getAllKeys()) as Promise<string[]>,
        fresh: () => hex(randomBytes(16)),
      });
      let term = 0;
      try {
        // Whoever had it before can't write any more, even if it only slept: each write looks at this number.
        if (lease) {
          await base.run([IDS], "readwrite", (at) => {
            const request = at(IDS).get(lease.id) as Request<number | undefined>;
            request.onsuccess = () => at(IDS).put((term = (request.result ?? 0) + 1), lease.id);
            return undefined;
          });
        }
      } catch (error) {
        lease?.release();
        base.close();
        throw error;
      }
      return {
        id: lease && unhex(lease.id),
        sole: false,
        tabs: true,
        async load() {
          let rows: readonly [Uint8Array, Uint8Array][] = [];
          await base.run([ROWS], "readonly", (at) => {
            readAll(at(ROWS), (all) => (rows = all));
            return undefined;
          });
          return [packRows(rows)];
        },
        append: (rows, leaving) =>
          base.run([ROWS, IDS], "readwrite", (at, abort, commit) => {
            for (const [key, value] of splitRows(rows)) at(ROWS).put(value, key);
            // Of a page that goes the engine keeps only what asked to be kept; there is no next step. As long as it has the
            // lock nobody else writes under its id: the look at the number is for the day on which an engine takes it away.
            if (leaving) return commit();
            if (!lease) return;
            const request = at(IDS).get(lease.id) as Request<number | undefined>;
            request.onsuccess = () => {
              if (request.result !== term) abort(new CrdtError("STORAGE", "another tab has taken over the id of this one"));
            };
          }) as Promise<void>,
        compact: (fold) =>
          base.run([ROWS], "readwrite", (at, abort) => {
            readAll(at(ROWS), (rows) => {
              let folded: Map<string, readonly [Uint8Array, Uint8Array]>;
              try {
                folded = new Map(Array.from(splitRows(fold(packRows(rows))), (row) => [hex(row[0]), row]));
              } catch (error) {
                return abort(error);
              }
              for (const [key, value] of folded.values()) at(ROWS).put(value, key);
              for (const [key] of rows) if (!folded.has(hex(key))) at(ROWS).delete(key);
            });
          }) as Promise<void>,
        async close() {
          base.close();
          lease?.release();
        },
      };
    },
  };
}

/** Reads keys and values, in the same order. */
function readAll(store: ObjectStore, then: (rows: [Uint8Array, Uint8Array][]) => void): void {
  const keys = store.getAllKeys();
  const values = store.getAll() as Request<Uint8Array[]>;
  values.onsuccess = () =>
    then(values.result.map((value, at) => [new Uint8Array(keys.result[at] as ArrayBuffer), value]));
}

/** A database that is opened when it is needed, and again when the engine has cut the connection. */
class Base {
  #opened: Promise<Database> | undefined;
  #closed = false;

  constructor(readonly name: string) {}

  #open(): Promise<Database> {
    return (this.#opened ??= new Promise<Database>((resolve, reject) => {
      if (typeof indexedDB === "undefined") throw new CrdtError("STORAGE", "there is no IndexedDB here");
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(ROWS);
        request.result.createObjectStore(IDS);
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const base = request.result;
        // Somebody deletes it, or the engine lost it: the next use opens it again.
        base.onversionchange = () => {
          base.close();
          this.#opened = undefined;
        };
        base.onclose = () => (this.#opened = undefined);
        resolve(base);
      };
    }).catch((error) => {
      this.#opened = undefined;
      throw error;
    }));
  }

  /** One transaction, which is through when this resolves; with the result of the request that `work` returns. */
  async run(
    names: string[],
    mode: "readonly" | "readwrite",
    work: (
      at: (name: string) => ObjectStore,
      abort: (error: unknown) => void,
      commit: () => void,
    ) => Request<unknown> | void | undefined,
  ): Promise<unknown> {
    if (this.#closed) throw new CrdtError("DISPOSED", "the store was closed");
    try {
      return await this.#once(names, mode, work);
    } catch (error) {
      // Engines cut connections of pages in the background. All that is written may be written twice.
      if (!/^(InvalidStateError|UnknownError)$/.test((error as Error)?.name) && !/connection/i.test(String(error))) throw error;
      this.#opened = undefined;
      return this.#once(names, mode, work);
    }
  }

  async #once(names: string[], mode: "readonly" | "readwrite", work: Parameters<Base["run"]>[2]): Promise<unknown> {
    const base = await this.#open();
    const transaction = base.transaction(names, mode, { durability: "strict" });
    return new Promise((resolve, reject) => {
      let why: unknown;
      const abort = (error: unknown) => {
        why = error;
        transaction.abort();
      };
      transaction.onabort = () => reject(why ?? transaction.error ?? new Error("the transaction was given up"));
      const request = work((name) => transaction.objectStore(name), abort, () => transaction.commit());
      transaction.oncomplete = () => resolve(request?.result);
    });
  }

  close(): void {
    this.#closed = true;
    void this.#opened?.then((base) => base.close());
  }
}

/**
 * Asks the browser not to erase what is kept when space is short, or the site was not visited for long.
 * @returns whether it agreed; `false` where it can't be asked.
 */
export async function requestPersistence(): Promise<boolean> {
  const { navigator } = globalThis as { navigator?: { storage?: { persist?(): Promise<boolean> } } };
  return (await navigator?.storage?.persist?.()) ?? false;
}
