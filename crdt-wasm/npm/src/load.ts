import { type Bytes, Reader } from "./bytes.js";
import { CrdtError } from "./errors.js";
import { breathe, steady } from "./host.js";
import { countRows, joinRows } from "./store/store.js";
import { bytesOf, checkTotal, currentInstance, ok, seam } from "./wasm.js";

/** How far {@link openDoc} is. */
export interface Progress {
  /** `store`: what is kept is being fetched; how much that is, nobody knows before. `merge`: it is being read. */
  readonly phase: "store" | "merge";
  /** In bytes; all of it, and more does not come, when both are the same in `merge`. */
  readonly done: number;
  readonly total: number;
}

/** What was read of a store, to open a document from: once. */
export interface Loaded {
  readonly number: number;
  /** What it was read into. */
  readonly instance: number;
  /** What folding made, and what came since. */
  readonly folded: number;
  readonly fresh: Amount;
}

/** An amount of rows. */
export interface Amount {
  rows: number;
  bytes: number;
}

/** So long it is read on, then a page may do something else. Half a frame. */
const SLICE_MS = 8;
/** No more is handed in at once, but for single rows that are longer. */
const SLICE_BYTES = 16 << 10;
/** How keys of folded rows begin. */
const FOLDED = 0x73;

/** Nothing, to begin a new document with. */
export function begin(): [instance: number, number: number] {
  const number = ok(seam.load_begin(Math.random()));
  // The call may have made a new instance in place of a broken one.
  return [currentInstance(), number];
}

/** Lets the page do something else when it was kept for the time of a slice. */
class Turns {
  #since = steady();

  get over(): boolean {
    return steady() - this.#since >= SLICE_MS;
  }

  async end(): Promise<void> {
    await breathe();
    this.#since = steady();
  }
}

/** @throws if what was read is lost. */
function inInstance(instance: number): void {
  if (currentInstance() !== instance) throw new CrdtError("POISONED", "the compiled part broke while this was read");
}

/** Reads rows, and lets the page do something else in between. Nothing is to be seen of them before a document is opened. */
export async function load(
  pieces: readonly Uint8Array[],
  onProgress: (progress: Progress) => void = () => {},
  goOn: () => void = () => {},
): Promise<Loaded> {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  checkTotal(total);
  const [instance, number] = begin();
  const fresh = { rows: 0, bytes: 0 };
  let [done, folded] = [0, 0];
  const turns = new Turns();
  const tell = () => onProgress({ phase: "merge", done, total });
  try {
    for (const piece of pieces) {
      for (const slice of slices(piece, fresh, (bytes) => (folded += bytes))) {
        inInstance(instance);
        ok(seam.load(number, slice));
        done += slice.length - 4;
        if (!turns.over) continue;
        tell();
        await turns.end();
        goOn();
      }
    }
    done = total;
    tell();
  } catch (error) {
    dropLoaded({ number, instance });
    throw error;
  }
  return { number, instance, folded, fresh };
}

/** Fewer rows that say the same as these, made in slices, too. */
export async function fold(pieces: readonly Uint8Array[], goOn: () => void): Promise<Bytes> {
  const loaded = await load(pieces, undefined, goOn);
  const { number, instance } = loaded;
  const turns = new Turns();
  const folded: Bytes[] = [];
  try {
    for (;;) {
      inInstance(instance);
      const rows = bytesOf(seam.fold(number));
      if (countRows(rows) === 0) return joinRows(folded);
      folded.push(rows);
      if (!turns.over) continue;
      await turns.end();
      goOn();
    }
  } finally {
    dropLoaded(loaded);
  }
}

/** Forgets what was read: no document is opened from it. */
export function dropLoaded({ number, instance }: Pick<Loaded, "number" | "instance">): void {
  if (currentInstance() === instance) seam.load_drop(number);
}

/** The rows of a piece, some at a time; counts them. */
function* slices(piece: Uint8Array, fresh: Amount, folded: (bytes: number) => void): Iterable<Bytes> {
  const from = new Reader(piece);
  let left = from.u32();
  let [start, count] = [from.at, 0];
  const cut = (end: number) => {
    const slice = new Uint8Array(4 + end - start);
    new DataView(slice.buffer).setUint32(0, count, true);
    slice.set(piece.subarray(start, end), 4);
    [start, count] = [end, 0];
    return slice;
  };
  for (; left > 0; left--) {
    const before = from.at;
    const isFolded = from.block()[0] === FOLDED;
    from.block();
    const length = from.at - before;
    if (isFolded) folded(length);
    else [fresh.rows, fresh.bytes] = [fresh.rows + 1, fresh.bytes + length];
    if (count > 0 && from.at - start > SLICE_BYTES) yield cut(before);
    count++;
  }
  if (!from.done) throw from.broken("more than its rows");
  if (count > 0) yield cut(from.at);
}
