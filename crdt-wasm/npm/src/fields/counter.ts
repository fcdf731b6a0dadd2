import { Base } from "./base.js";
import { unhex } from "../bytes.js";
import { CrdtError } from "../errors.js";
import { answerOf, seam } from "../wasm.js";

/** What all counters have. */
abstract class Counting extends Base<number | bigint> {
  /**
   * The count. Costs the sum over the replicas that counted.
   * @throws `OUT_OF_RANGE` beyond 2^53, where numbers lose digits: use {@link valueBigInt} there.
   */
  get value(): number {
    const value = this.make();
    if (typeof value === "bigint") throw new CrdtError("OUT_OF_RANGE", "the count is no safe number: use valueBigInt");
    return value;
  }

  /** The count, exact at any size. */
  get valueBigInt(): bigint {
    return BigInt(this.make());
  }

  /** @internal */
  override make(): number | bigint {
    const { doc } = this.core;
    return this.at((handle) => {
      const value = seam.counter(doc, handle);
      // Not a number: too large for one, or the handle is wrong, of which the other call tells more.
      return Number.isNaN(value) ? answerOf(seam.read(doc, handle)).i128() : value;
    });
  }

  /** @internal */
  by(by: number): boolean {
    if (!Number.isSafeInteger(by)) throw new CrdtError("OUT_OF_RANGE", `${by} is no safe integer`);
    return this.edit((doc, handle) => seam.add(doc, handle, by));
  }
}

function positive(by: number): number {
  if (!(by >= 0)) throw new CrdtError("OUT_OF_RANGE", `${by} is below 0`);
  return by;
}

/** A counter that only goes up. Counts that were made at the same time all count, each once, however often they arrive. */
export class GCounter extends Counting {
  /**
   * Counts up.
   * @throws `OUT_OF_RANGE` if `by` is no integer from 0 up, or if the count would overflow.
   */
  increment(by = 1): void {
    this.by(positive(by));
  }
}

/** A counter that goes up and down. Counts that were made at the same time all count, each once. */
export class PnCounter extends Counting {
  /** Counts up. @throws `OUT_OF_RANGE` if `by` is no integer, or if the count would overflow. */
  increment(by = 1): void {
    this.by(by);
  }

  /** Counts down. @throws `OUT_OF_RANGE` as {@link increment}. */
  decrement(by = 1): void {
    this.by(-by);
  }
}

/** A counter that may stand under a key that is removed: a removal takes away the counts that it saw, and no others. */
export class Counter extends PnCounter {
  /** Takes away all counts that are known here. What others count at the same time stays. */
  clear(): void {
    this.edit(seam.clear);
  }
}

/**
 * A counter that never falls below 0, also if replicas take from it that do not hear each other. Each replica may take as
 * much as it holds rights to: those that it made by counting up, and those that others handed to it.
 */
export class BoundedCounter extends Counting {
  /** Counts up; this replica gets the rights to take as much. @throws `OUT_OF_RANGE` as with other counters. */
  increment(by = 1): void {
    this.by(positive(by));
  }

  /**
   * Counts down, if this replica has the rights.
   * @returns `false`, and does nothing, if it has too few. The count may still be high enough: then others hold the rights.
   */
  tryDecrement(by = 1): boolean {
    return positive(by) === 0 || this.by(-by);
  }

  /** How much this replica may take without asking anybody. */
  get rights(): number {
    return this.at((handle) => {
      const from = answerOf(seam.read(this.core.doc, handle));
      from.i128();
      return Number(from.u64());
    });
  }

  /**
   * Hands rights of this replica to another one.
   * @param replicaId as `doc.replicaId` says there.
   * @returns `false`, and does nothing, if there are too few here.
   */
  grant(replicaId: string, amount: number): boolean {
    const to = unhex(replicaId);
    if (to.length !== 16) throw new CrdtError("BAD_VALUE", `"${replicaId}" is no replica id`);
    return this.edit((doc, handle) => seam.grant(doc, handle, to, positive(amount)));
  }
}
