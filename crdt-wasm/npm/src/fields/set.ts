import { Base } from "./base.js";
import type { Reader } from "../bytes.js";
import { encodeValue, readValue, type Value } from "../values.js";
import { answerOf, seam } from "../wasm.js";

/**
 * A set that only grows. Elements are compared by what they say: `{ a: 1, b: 2 }` and `{ b: 2, a: 1 }` are one.
 */
export class GrowSet<T extends Value> extends Base<readonly T[]> implements Iterable<T> {
  /** Adds an element. @throws `BAD_VALUE` or `TOO_LARGE` for what a document cannot hold. */
  add(element: T): void {
    const bytes = encodeValue(element);
    this.edit((doc, handle) => seam.insert(doc, handle, bytes));
  }

  /** Whether it has this element. */
  has(element: T): boolean {
    const bytes = encodeValue(element);
    return this.ask((doc, handle) => seam.has(doc, handle, bytes)) === 1;
  }

  /** How many elements it has, also of those that fail the schema's check. */
  get size(): number {
    return this.ask(seam.size);
  }

  /** The elements, in an order that is the same on all replicas: by type, then numbers by size and texts by bytes. */
  [Symbol.iterator](): Iterator<T> {
    return this.current()[Symbol.iterator]();
  }

  /** @internal */
  override make(): readonly T[] {
    const items = this.at((handle) => readItems(answerOf(seam.read(this.core.doc, handle))));
    const { core, type } = this;
    return Object.freeze((type.check ? items.filter((item) => core.fits(this as Base<unknown>, item)) : items) as T[]);
  }
}

/**
 * A set. If an element is added and removed at the same time, it stays in a `t.orSet` and goes in a `t.rwSet`, on all
 * replicas. A removal takes away what it saw, so an element that somebody adds anew later is there again.
 */
export class ValueSet<T extends Value> extends GrowSet<T> {
  /** Removes an element. @returns whether it was there. */
  delete(element: T): boolean {
    const bytes = encodeValue(element);
    return this.edit((doc, handle) => seam.remove(doc, handle, bytes));
  }

  /** Removes all elements that are known here, in one edit. */
  clear(): void {
    this.core.step(() => {
      for (const element of this.at((handle) => readItems(answerOf(seam.read(this.core.doc, handle))))) {
        this.delete(element as T);
      }
    });
  }
}

function readItems(from: Reader): readonly Value[] {
  if (from.byte() === 1) return from.texts(from.u32());
  const items: Value[] = [];
  for (let left = from.u32(); left > 0; left--) items.push(readValue(from));
  return items;
}
