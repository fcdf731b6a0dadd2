import { Base } from "./base.js";
import { hex } from "../bytes.js";
import { encodeValue, readValue, type Value } from "../values.js";
import { answerOf, seam } from "../wasm.js";

/**
 * One value. Of values that were written at the same time one stays: the one of the later clock, or where that says nothing
 * of the greater id, on all replicas. A value that was written after another was seen always wins.
 */
export class LwwRegister<T extends Value> extends Base<T | undefined> {
  /** The value; `undefined` if there is none, or none of this type. */
  get value(): T | undefined {
    return this.make();
  }

  /** Writes a value. @throws `BAD_VALUE` or `TOO_LARGE` for what a document cannot hold. */
  set(value: T): void {
    const bytes = encodeValue(value);
    this.edit((doc, handle) => seam.write(doc, handle, bytes));
  }

  /** Takes the value away. One that is written at the same time stays. */
  clear(): void {
    this.edit(seam.clear);
  }

  /** @internal */
  override make(): T | undefined {
    return this.at((handle) => {
      const from = answerOf(seam.read(this.core.doc, handle));
      if (from.u32() === 0) return undefined;
      const value = readValue(from);
      return this.core.fits(this as Base<unknown>, value) ? (value as T) : undefined;
    });
  }
}

/** One of the values of an {@link MvRegister}, and who wrote it. */
export interface Written<T> {
  readonly value: T;
  /** The id of the replica, as its `doc.replicaId` says. */
  readonly replica: string;
}

/**
 * One value, or several that were written at the same time: nothing is lost. All replicas show the same ones, in the same
 * order, until somebody writes again.
 */
export class MvRegister<T extends Value> extends Base<readonly T[]> {
  /** All values that stand side by side, each with who wrote it. */
  get values(): readonly Written<T>[] {
    return this.at((handle) => {
      const from = answerOf(seam.read(this.core.doc, handle));
      const all: Written<T>[] = [];
      for (let left = from.u32(); left > 0; left--) {
        const replica = hex(from.raw(16));
        from.float();
        const value = readValue(from);
        if (this.core.fits(this as Base<unknown>, value)) all.push(Object.freeze({ value: value as T, replica }));
      }
      return Object.freeze(all);
    });
  }

  /** Whether several values stand side by side. */
  get conflict(): boolean {
    return this.values.length > 1;
  }

  /** Writes a value in place of all that are here. @throws `BAD_VALUE` or `TOO_LARGE` for what a document cannot hold. */
  set(value: T): void {
    const bytes = encodeValue(value);
    this.edit((doc, handle) => seam.write(doc, handle, bytes));
  }

  /**
   * Makes one value out of all that are here and writes it in their place. What is written elsewhere at the same time stands
   * beside it: a conflict again, which whoever sees it may resolve.
   *
   * ```ts
   * if (price.conflict) price.resolve((all) => Math.max(...all));
   * ```
   * Does nothing if there is no value.
   */
  resolve(choose: (values: readonly T[]) => T): void {
    const values = this.current();
    if (values.length > 0) this.set(choose(values));
  }

  /** Takes away all values that are here. One that is written at the same time stays. */
  clear(): void {
    this.edit(seam.clear);
  }

  /** @internal */
  override make(): readonly T[] {
    return Object.freeze(this.values.map(({ value }) => value));
  }
}
