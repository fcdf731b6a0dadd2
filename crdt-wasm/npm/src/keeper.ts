import { type Bytes, hex } from "./bytes.js";
import { CrdtError } from "./errors.js";
import { later, steady } from "./host.js";
import { type Amount, fold, type Loaded } from "./load.js";
import type { Machine } from "./machine.js";
import { countRows, joinRows, type Kept, packRows, splitRows } from "./store/store.js";
import { ok, seam } from "./wasm.js";

/**
 * With this much appended, and a quarter of what is folded, what is kept is folded into fewer rows, when nothing else is to be done:
 * the larger a document is, the longer that takes, and the more seldom it is done. A row counts as much as these bytes, too.
 */
const [FOLD_BYTES, FOLD_PART, ROW_BYTES, FOLD_AFTER_MS] = [256 * 1024, 4, 1024, 500];

/** It is of no use any more to fold. */
const GIVEN_UP = Symbol("given up");

/** How the keys of those rows begin that are written anew with other content, which says all that they said before. */
const META = "6d";

/** What tells a row from others, and from itself with other content. */
const nameOf = ([key, row]: readonly [Uint8Array, Uint8Array]) => (hex(key).startsWith(META) ? hex(key) + hex(row) : hex(key));

/**
 * What a store has after folding: the rows that are there without those that were folded, and what that made. The rows themselves
 * if one of them is gone: somebody else was faster.
 */
function replace(rows: Uint8Array, pieces: readonly Uint8Array[], folded: Uint8Array): Uint8Array {
  const known = new Set(pieces.flatMap((piece) => Array.from(splitRows(piece), nameOf)));
  const others: [Uint8Array, Uint8Array][] = [];
  const found = new Set<string>();
  for (const row of splitRows(rows)) {
    const name = nameOf(row);
    if (known.has(name)) found.add(name);
    else others.push(row);
  }
  for (const name of known) if (!found.has(name) && !name.startsWith(META)) return rows;
  return joinRows([packRows(others), folded]);
}

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
  #folding = false;
  #closed = false;
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
    if (this.#failure) return;
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
    if (this.#failure || this.#cannotFold || this.#folding || this.#closed) return;
    if (bytes + rows * ROW_BYTES < Math.max(FOLD_BYTES, this.#folded / FOLD_PART)) return;
    this.#cancelFold = later(() => void this.fold(), FOLD_AFTER_MS);
  }

  /**
   * Makes few rows of many. That takes its time, and is done slice by slice; what is written meanwhile stays as it is. Only to read
   * the rows and to put others in their place is the store needed.
   */
  async fold(): Promise<void> {
    if (this.#busy || this.#folding) return;
    this.#folding = true;
    try {
      let taken = this.#fresh;
      const pieces = await this.#alone(() => {
        taken = { ...this.#fresh };
        return this.kept.load();
      });
      const folded = await fold(pieces, () => this.#goOn());
      let done = false;
      await this.#alone(() =>
        this.kept.compact((rows) => {
          const next = replace(rows, pieces, folded);
          done = next !== rows;
          return next;
        }),
      );
      if (!done) return;
      this.#fresh = { rows: this.#fresh.rows - taken.rows, bytes: this.#fresh.bytes - taken.bytes };
      this.#folded = folded.length;
    } catch (cause) {
      if (cause === GIVEN_UP) return;
      if (CrdtError.is(cause) && cause.code === "POISONED") this.#cannotFold = true;
      else {
        await this.settled();
        if (!this.#closed) this.#fail(cause);
      }
    } finally {
      this.#folding = false;
    }
  }

  #goOn(): void {
    if (this.#closed || this.#failure || !this.machine.usable) throw GIVEN_UP;
  }

  /** Uses the store when nothing is written; what is to be written meanwhile waits. */
  async #alone<T>(use: () => Promise<T>): Promise<T> {
    await this.settled();
    this.#goOn();
    this.#busy = true;
    const work = use();
    // Where it fails, all that waits to be written waits for no more.
    this.#writing = work.then(
      () => this.#write(),
      (cause) => this.#fail(cause),
    );
    return work;
  }

  /** Resolves when all that was given so far is written, or cannot be. */
  async settled(): Promise<void> {
    while (this.#busy) await this.#writing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelFold();
    await this.settled();
    this.#cancelFold();
    await this.kept.close();
  }
}
