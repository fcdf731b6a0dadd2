import type { Path } from "./field.js";
import type { Value } from "./values.js";

/** What looks different at one place. Nothing is told of what lost against something newer: for a reader that is no change. */
export type Change = { readonly path: Path } & (
  | {
      readonly kind: "counter";
      /** By how much it went up, or down if below 0. A `bigint` only where a number would lose digits. */
      readonly by: number | bigint;
    }
  | { readonly kind: "flag"; readonly value: boolean }
  | {
      readonly kind: "register";
      /** What `value` said before: `undefined` is nothing. */
      readonly before: Value | undefined;
      readonly after: Value | undefined;
      /** Whether values written at the same time stand side by side now. */
      readonly conflict: boolean;
    }
  | {
      /** Elements of a set, or keys of a map. What changed under a key that stays is a change with a path of its own. */
      readonly kind: "set" | "map";
      readonly added: readonly Value[];
      readonly removed: readonly Value[];
    }
);

/** What one edit, or one arrival from elsewhere, changed. */
export interface Batch {
  readonly changes: readonly Change[];
  /** What was given to `edit` or `merge`, or the link that it came by. */
  readonly origin: unknown;
  /** Whether it was made here. */
  readonly local: boolean;
}
