import { Base } from "./base.js";
import { encodeValue, readValue, type Value } from "../values.js";
import { answerOf, seam } from "../wasm.js";

/**
 * Values under text keys, each key for itself: of values that were written under one at the same time the one with the later
 * clock stays, on all replicas, and a removal is a write like any other, so the later one of the two wins. What was written
 * after having seen another always wins, whatever the clocks say.
 *
 * A removed key leaves the stamp of its removal. Where an edit should outlive a removal that did not
 * see it, take `t.map(t.lwwRegister())`.
 */
export class LwwMap<T extends Value> extends Base<{ readonly [key: string]: T }> implements Iterable<[key: string, value: T]> {
  #entries: ReadonlyMap<string, T> = new Map();

  /** The value under a key; `undefined` if there is none, or none of this type. After a change all keys are read once. */
  get(key: string): T | undefined {
    return this.#all().get(key);
  }

  /** Writes a value under a key. @throws `BAD_VALUE` or `TOO_LARGE` for what a document cannot hold. */
  set(key: string, value: T): void {
    const [name, bytes] = [encodeValue(key), encodeValue(value)];
    this.edit((doc, handle) => seam.write_entry(doc, handle, name, bytes));
  }

  /** Whether a value is under a key, also one that fails the schema's check. Costs a look-up. */
  has(key: string): boolean {
    const bytes = encodeValue(key);
    return this.ask((doc, handle) => seam.has(doc, handle, bytes)) === 1;
  }

  /** Takes the value under a key away. @returns whether there was one: where there was none, nothing is written. */
  delete(key: string): boolean {
    const bytes = encodeValue(key);
    return this.edit((doc, handle) => {
      const there = seam.has(doc, handle, bytes);
      return there > 0 ? seam.remove(doc, handle, bytes) : there;
    });
  }

  /** Takes all values away that are known here, in one edit. */
  clear(): void {
    this.edit(seam.clear);
  }

  /** How many keys there are, of those that are shown. */
  get size(): number {
    return this.#all().size;
  }

  /** The keys, by their bytes: the same order on all replicas. */
  keys(): readonly string[] {
    return [...this.#all().keys()];
  }

  /** Keys and values, in the order of the keys. */
  [Symbol.iterator](): Iterator<[key: string, value: T]> {
    return this.#all()[Symbol.iterator]();
  }

  #all(): ReadonlyMap<string, T> {
    this.current();
    return this.#entries;
  }

  /** @internal */
  override make(): { readonly [key: string]: T } {
    this.#entries = this.at((handle) => {
      const from = answerOf(seam.read(this.core.doc, handle));
      const entries = new Map<string, T>();
      for (let left = from.u32(); left > 0; left--) {
        const [key, value] = [readValue(from), readValue(from)];
        // Other programs may use other keys: those are kept and passed on, and not shown.
        if (typeof key === "string" && this.core.fits(this as Base<unknown>, value)) entries.set(key, value as T);
      }
      return entries;
    });
    return Object.freeze(Object.fromEntries(this.#entries));
  }
}
