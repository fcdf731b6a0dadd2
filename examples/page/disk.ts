// The store of this browser, with a disk that can be made slow, and a plug that can be pulled.
import type { Store } from "crdt-wasm/store";

/** As long as this every write takes on the slow disk: time enough to see what is not saved yet, and to pull the plug. */
const SLOW_MS = 10_000;

/** Without power a write is neither done nor refused. */
const NEVER = new Promise<never>(() => {});

type Kept = Awaited<ReturnType<Store["open"]>>;

export class Disk implements Store {
  readonly #store: Store;
  #slow = false;
  #pulled = false;
  #leaving = false;
  #hurry = () => {};

  constructor(store: Store) {
    this.#store = store;
    // A page that is left in good order still begins what waits, however slow its disk was.
    addEventListener("pagehide", () => {
      this.#leaving = true;
      this.#hurry();
    });
    addEventListener("pageshow", () => (this.#leaving = false));
  }

  async open(documentId: string): Promise<Kept> {
    const kept = await this.#store.open(documentId);
    return {
      id: kept.id,
      sole: kept.sole,
      load: () => kept.load(),
      append: async (rows, leaving) => {
        if (this.#slow && !leaving) await this.#delay();
        if (this.#pulled) await NEVER;
        return kept.append(rows, leaving || this.#leaving);
      },
      compact: async (fold) => {
        if (this.#pulled) await NEVER;
        return kept.compact(fold);
      },
      close: () => kept.close(),
    };
  }

  get slow(): boolean {
    return this.#slow;
  }

  set slow(slow: boolean) {
    this.#slow = slow;
    if (!slow) this.#hurry();
  }

  /** From now on nothing is written any more, as if the browser had crashed. */
  pull(): void {
    this.#pulled = true;
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SLOW_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
