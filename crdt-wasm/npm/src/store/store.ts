/**
 * Where documents are kept. Write one for any place that keeps bytes; what they mean is the document's own business.
 */
export interface Store {
  /**
   * Opens what is kept of a document, made if need be.
   * @throws anything: it is told as `STORAGE`.
   */
  open(documentId: string): Promise<Kept>;
}

/** What is kept of one document: rows, each under a key of its own. */
export interface Kept {
  /**
   * An id of 16 bytes under which nobody else writes as long as this is open, and under which all that was ever written is
   * in the rows. `undefined` if the store cannot promise that: then the document takes an id that is never used again.
   */
  readonly id: Uint8Array | undefined;
  /** Whether nobody else opens this at the same time: then the replica is counted on like one on a server. */
  readonly sole: boolean;
  /** Whether other tabs of this origin may have it open as well: then `openDoc` links them with each other. */
  readonly tabs?: boolean;
  /**
   * All rows, in any pieces; {@link splitRows} says what they are. Asked for before anything else, and again before `compact`
   * and where the document has to be opened anew; no write is under way then.
   */
  load(): Promise<readonly Uint8Array[]>;
  /**
   * Adds rows, and resolves when they would survive a loss of power. All or nothing; a row replaces one with the same key.
   * Never called again before the last call is done.
   * @param leaving the page goes: there is no time for more than to begin.
   */
  append(rows: Uint8Array, leaving?: boolean): Promise<void>;
  /**
   * Replaces the rows that are there, of all who write, by what `fold` makes of them: puts its result, and removes exactly
   * those that were given to it and are not in the result. All or nothing.
   */
  compact(fold: (rows: Uint8Array) => Uint8Array): Promise<void>;
  /** Gives the id back. Called once, when nothing is under way. */
  close(): Promise<void>;
}

/** The rows in one piece: each a key and a value. */
export function* splitRows(rows: Uint8Array): Iterable<[key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>]> {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.length);
  let at = 4;
  const next = () => {
    const length = view.getUint32(at, true);
    at += 4 + length;
    return new Uint8Array(rows.subarray(at - length, at));
  };
  for (let left = countRows(rows); left > 0; left--) yield [next(), next()];
}

/** How many rows are in one piece. */
export function countRows(rows: Uint8Array): number {
  return new DataView(rows.buffer, rows.byteOffset, rows.length).getUint32(0, true);
}

/** Several pieces as one. */
export function joinRows(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(4 + pieces.reduce((sum, piece) => sum + piece.length - 4, 0));
  new DataView(joined.buffer).setUint32(0, pieces.reduce((sum, piece) => sum + countRows(piece), 0), true);
  let at = 4;
  for (const piece of pieces) {
    joined.set(piece.subarray(4), at);
    at += piece.length - 4;
  }
  return joined;
}

/** One piece of keys and values. */
export function packRows(rows: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  return joinRows(
    rows.map(([key, value]) => {
      const piece = new Uint8Array(12 + key.length + value.length);
      const view = new DataView(piece.buffer);
      view.setUint32(0, 1, true);
      view.setUint32(4, key.length, true);
      piece.set(key, 8);
      view.setUint32(8 + key.length, value.length, true);
      piece.set(value, 12 + key.length);
      return piece;
    }),
  );
}
