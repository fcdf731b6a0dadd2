import type { Bytes } from "./bytes.js";
import { CrdtError } from "./errors.js";
import { later, steady } from "./host.js";
import type { Amount, Loaded } from "./load.js";
import type { Machine } from "./machine.js";
import { countRows, joinRows, type Kept } from "./store/store.js";
import { bytesOf, ok, seam } from "./wasm.js";

/**
 * With this much appended, and a quarter of what is folded, what is kept is folded into fewer rows, when nothing else is to be done:
 * the larger a document is, the longer that takes, and the more seldom it is done. A row counts as much as these bytes, too.
 */
const [FOLD_BYTES, FOLD_PART, ROW_BYTES, FOLD_AFTER_MS] = [256 * 1024, 4, 1024, 500];

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
  /** What was appended since it was folded last, and what that made. */
  #fresh: Amount = { rows: 0, bytes: 0 };
  #folded = 0;
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
  loaded({ folded, fresh }: Loaded): void {
    [this.#fresh, this.#folded, this.#written] = [fresh, folded, -1];
    this.#maybeFold();
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
      this.#fresh.rows += countRows(rows);
      this.#fresh.bytes += rows.length;
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
    const { rows, bytes } = this.#fresh;
    if (this.#failure || this.#cannotFold || bytes + rows * ROW_BYTES < Math.max(FOLD_BYTES, this.#folded / FOLD_PART)) return;
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
        if (folded) [this.#fresh, this.#folded] = [{ rows: 0, bytes: 0 }, folded.length];
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
