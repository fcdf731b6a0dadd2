import { Base } from "./base.js";
import { CrdtError } from "../errors.js";
import { type Weak, weak } from "../host.js";
import { type AnyType, KINDS } from "../schema.js";
import { encodeValue, readValue, type Value } from "../values.js";
import { answerOf, seam } from "../wasm.js";

/**
 * Fields under keys that appear and vanish: texts, or numbers if the schema says so. `F` is what edits an entry, `S` its snapshot.
 *
 * A key is there as long as something is under it: writing there makes it, and there are no empty entries. Removing a key
 * takes away what was seen under it; what others write there at the same time stays, and with it the key.
 */
export class MapField<F, S, K extends string | number = string> extends Base<{ readonly [key in K]: S }> {
  /** Entries that are in the snapshot; they are kept so that what did not change is not read again. */
  #kept = new Map<K, Base<S>>();
  /** Entries that somebody reads or listens to, of keys that are there or not. */
  readonly #held = new Map<K, Weak<Base<S>>>();
  #sweepAt = 64;

  /**
   * What is under a key, or would be: an entry that is not there is empty, and made by the first edit in it.
   * @throws `BAD_VALUE` for a key of another type, as all that take keys do.
   */
  get(key: K): F {
    return this.entry(key).face as F;
  }

  /** Whether something is under a key. */
  has(key: K): boolean {
    const bytes = this.#encode(key);
    return this.ask((doc, handle) => seam.has(doc, handle, bytes)) === 1;
  }

  /** Takes away all that is known here under a key. @returns whether there was something. */
  delete(key: K): boolean {
    const bytes = this.#encode(key);
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

  /** The keys, numbers by size and texts by their bytes: the same order on all replicas. */
  keys(): readonly K[] {
    return this.at((handle) => {
      const from = answerOf(seam.read(this.core.doc, handle));
      const keys: K[] = [];
      for (let left = from.u32(); left > 0; left--) {
        const kind = from.byte();
        const key = readValue(from);
        // Other programs may use other keys and kinds: that is kept and passed on, and not shown.
        if (this.takes(key) && kind === KINDS[this.#item.kind]) keys.push(key);
      }
      return keys;
    });
  }

  /** Keys and what is under them. */
  *[Symbol.iterator](): Iterator<[K, F]> {
    for (const key of this.keys()) yield [key, this.get(key)];
  }

  /** @internal Whether this can be a key. */
  takes(key: Value): key is K {
    return typeof key === (this.type.keys === "number" ? "number" : "string");
  }

  #encode(key: K): Uint8Array {
    if (!this.takes(key)) throw new CrdtError("BAD_VALUE", `the keys of this map are ${this.type.keys ?? "text"}s, and ${typeof key} is none`);
    return encodeValue(key);
  }

  get #item(): AnyType {
    return this.type.item as AnyType;
  }

  /** @internal */
  entry(key: K): Base<S> {
    return this.#known(key) ?? (this.core.make(this as Base<unknown>, key, this.#encode(key), this.#item) as Base<S>);
  }

  /** @internal */
  override settle(below: Base<unknown>): Base<unknown> {
    const key = below.name as K;
    const known = this.#known(key);
    if (known) return known as Base<unknown>;
    const entry = below.up === this ? (below as Base<S>) : this.entry(key);
    this.#held.set(key, weak(entry));
    this.#sweep();
    return entry as Base<unknown>;
  }

  #known(key: K): Base<S> | undefined {
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
  override child(key: string | number): Base<unknown> {
    return this.entry(key as K) as Base<unknown>;
  }

  /** @internal */
  override below(key: Value): Base<unknown> | undefined {
    return this.#known(key as K) as Base<unknown> | undefined;
  }

  /** @internal */
  override make(): { readonly [key in K]: S } {
    const keys = this.keys();
    this.#kept = new Map(keys.map((key) => [key, this.settle(this.entry(key) as Base<unknown>) as Base<S>]));
    const entries = keys.map((key) => [key, (this.#kept.get(key) as Base<S>).current()]);
    return Object.freeze(Object.fromEntries(entries)) as { readonly [key in K]: S };
  }

  /** @internal */
  override drop(): void {
    super.drop();
    for (const entry of this.#entries()) entry.drop();
  }
}
