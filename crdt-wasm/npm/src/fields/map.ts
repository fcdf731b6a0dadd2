import { Base } from "./base.js";
import { type Weak, weak } from "../host.js";
import { type AnyType, KINDS } from "../schema.js";
import { encodeValue, readValue } from "../values.js";
import { answerOf, seam } from "../wasm.js";

/**
 * Fields under text keys that appear and vanish. `F` is what edits an entry, `S` its snapshot.
 *
 * A key is there as long as something is under it: writing there makes it, and there are no empty entries. Removing a key
 * takes away what was seen under it; what others write there at the same time stays, and with it the key.
 */
export class MapField<F, S> extends Base<{ readonly [key: string]: S }> {
  /** Entries that are in the snapshot; they are kept so that what did not change is not read again. */
  #kept = new Map<string, Base<S>>();
  /** Entries that somebody may hold, of keys that are there or not. */
  readonly #held = new Map<string, Weak<Base<S>>>();
  #sweepAt = 64;

  /**
   * What is under a key, or would be: an entry that is not there is empty, and made by the first edit in it.
   */
  get(key: string): F {
    return this.entry(key).face as F;
  }

  /** Whether something is under a key. */
  has(key: string): boolean {
    const bytes = encodeValue(key);
    return this.ask((doc, handle) => seam.has(doc, handle, bytes)) === 1;
  }

  /** Takes away all that is known here under a key. @returns whether there was something. */
  delete(key: string): boolean {
    const bytes = encodeValue(key);
    return this.edit((doc, handle) => {
      const removed = seam.remove(doc, handle, bytes);
      if (removed > 0) this.#known(key)?.drop();
      return removed;
    });
  }

  /** Takes away all that is known here. */
  clear(): void {
    this.edit((doc, handle) => {
      const removed = seam.clear(doc, handle);
      if (removed > 0) for (const entry of this.#entries()) entry.drop();
      return removed;
    });
  }

  /** How many keys there are. */
  get size(): number {
    return this.keys().length;
  }

  /** The keys, by their bytes: the same order on all replicas. */
  keys(): readonly string[] {
    return this.at((handle) => {
      const from = answerOf(seam.read(this.core.doc, handle));
      const keys: string[] = [];
      for (let left = from.u32(); left > 0; left--) {
        const kind = from.byte();
        const key = readValue(from);
        // Other programs may use other keys and kinds: that is kept and passed on, and not shown.
        if (typeof key === "string" && kind === KINDS[this.#item.kind]) keys.push(key);
      }
      return keys;
    });
  }

  /** Keys and what is under them. */
  *[Symbol.iterator](): Iterator<[string, F]> {
    for (const key of this.keys()) yield [key, this.get(key)];
  }

  get #item(): AnyType {
    return this.type.item as AnyType;
  }

  /** @internal */
  entry(key: string): Base<S> {
    let entry = this.#known(key);
    if (!entry) {
      entry = this.core.make(this as Base<unknown>, key, encodeValue(key), this.#item) as Base<S>;
      this.#held.set(key, weak(entry));
      this.#sweep();
    }
    return entry;
  }

  #known(key: string): Base<S> | undefined {
    return this.#kept.get(key) ?? this.#held.get(key)?.deref();
  }

  *#entries(): Iterable<Base<S>> {
    for (const held of this.#held.values()) {
      const entry = held.deref();
      if (entry) yield entry;
    }
  }

  /** Forgets entries that nobody holds: seldom enough that it costs nothing for each. */
  #sweep(): void {
    if (this.#held.size < this.#sweepAt) return;
    for (const [key, held] of this.#held) if (!held.deref()) this.#held.delete(key);
    this.#sweepAt = 64 + 2 * this.#held.size;
  }

  /** @internal */
  override below(key: string): Base<unknown> | undefined {
    return this.#known(key) as Base<unknown> | undefined;
  }

  /** @internal */
  override make(): { readonly [key: string]: S } {
    const keys = this.keys();
    this.#kept = new Map(keys.map((key) => [key, this.entry(key)]));
    return Object.freeze(Object.fromEntries(keys.map((key) => [key, (this.#kept.get(key) as Base<S>).current()])));
  }

  /** @internal */
  override drop(): void {
    super.drop();
    for (const entry of this.#entries()) entry.drop();
  }
}
