import type { Bytes } from "./bytes.js";
import { CrdtError } from "./errors.js";
import { later, steady } from "./host.js";
import type { Machine } from "./machine.js";
import { countRows, joinRows, type Kept } from "./store/store.js";
import { bytesOf, ok, seam } from "./wasm.js";

/** With this much appended, what is kept is folded into fewer rows, when nothing else is to be done. */
const [FOLD_ROWS, FOLD_BYTES, FOLD_AFTER_MS] = [256, 256 * 1024, 500];

/**
 * Writes what a document wants kept, in order and one write at a time. Only when a write is through does the document hear of
 * it, and only then does it show anybody what was in it.
 */
export class Keeper {
  /** The page goes. It may come back. */
  leaving = false;
  #waiting: { ticket: number; rows: Bytes }[] = [];
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #rows = 0;
  #bytes = 0;
  #cancelFold = () => {};
  /** Folding broke the compiled part: it is not tried again. */
  #cannotFold = false;
  #written = -1;
  #failure: CrdtError | undefined;

  constructor(
    readonly machine: Machine,
    readonly kept: Kept,
    readonly changed: () => void,
  ) {}

  get failure(): CrdtError | undefined {
    return this.#failure;
  }

  get idle(): boolean {
    return !this.#busy;
  }

  /** Up to which ticket all is written. */
  get written(): number {
    return this.#written;
  }

  /** Takes note of what was there already. */
  loaded(rows: Uint8Array): void {
    [this.#rows, this.#bytes, this.#written] = [0, 0, -1];
    this.#count(rows);
    this.#maybeFold();
  }

  #count(rows: Uint8Array): void {
    this.#rows += countRows(rows);
    this.#bytes += rows.length;
  }

  persist(ticket: number, rows: Bytes): void {
    if (this.#failure) return;
    this.#waiting.push({ ticket, rows });
    if (this.#busy) return;
    this.#busy = true;
    this.#writing = this.#writing.then(() => this.#write());
    this.changed();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#failure) {
      const batch = this.#waiting;
      this.#waiting = [];
      const ticket = (batch.at(-1) as (typeof batch)[number]).ticket;
      const rows = joinRows(batch.map((item) => item.rows));
      try {
        if (countRows(rows) > 0) await this.kept.append(rows, this.leaving);
      } catch (cause) {
        return this.#fail(cause);
      }
      this.#count(rows);
      this.#written = ticket;
      const { machine } = this;
      machine.quietly(() => {
        ok(seam.durable(machine.doc, ticket, steady(), Date.now()));
        machine.poll();
      });
    }
    this.#busy = false;
    this.changed();
    this.#maybeFold();
  }

  /** What was not stored was shown to nobody; to go on would be to show it, or to keep it from everybody for ever. */
  #fail(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new CrdtError("STORAGE", `the store failed: ${why}`, { cause });
    this.#waiting = [];
    this.#busy = false;
    const { machine } = this;
    machine.quietly(() => {
      seam.store_failed(machine.doc);
      machine.poll();
    });
    this.changed();
  }

  #maybeFold(): void {
    this.#cancelFold();
    if (this.#failure || this.#cannotFold || (this.#rows < FOLD_ROWS && this.#bytes < FOLD_BYTES)) return;
    this.#cancelFold = later(() => void this.fold(), FOLD_AFTER_MS);
  }

  /** Makes few rows of many. */
  async fold(): Promise<void> {
    if (this.#busy || this.#failure || !this.machine.usable) return;
    this.#busy = true;
    let folded: Uint8Array | undefined;
    const work = this.kept.compact((rows) => (folded = bytesOf(seam.fold(rows, Math.random()))));
    this.#writing = work.then(
      () => {
        if (folded) [this.#rows, this.#bytes] = [0, 0];
        return this.#write();
      },
      (cause) => {
        if (!CrdtError.is(cause) || cause.code !== "POISONED") return this.#fail(cause);
        this.#cannotFold = true;
        return this.#write();
      },
    );
    await this.#writing;
  }

  /** Resolves when all that was given so far is written, or cannot be. */
  async settled(): Promise<void> {
    while (this.#busy) await this.#writing;
  }

  async close(): Promise<void> {
    this.#cancelFold();
    await this.settled();
    this.#cancelFold();
    await this.kept.close();
  }
}
