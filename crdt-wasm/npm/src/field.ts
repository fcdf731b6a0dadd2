import type { Value } from "./values.js";

/**
 * The way from the root to something: fields by name, entries of maps by key.
 */
export type Path = readonly Value[];

/**
 * Anything that can be read and watched. Its functions need no `this`, so they may be passed on as they are, to
 * `useSyncExternalStore` for example.
 */
export interface Field<V> {
  /** Where it is. */
  readonly path: Path;
  /**
   * What it holds now, as frozen plain data. The same object (`===`) until something in it changes, and what did not
   * change in it is the same object then, too. Costs a look-up if nothing changed, else as much as what changed and what it
   * lies in.
   */
  readonly snapshot: () => V;
  /**
   * Calls a function after each change of what `snapshot` gives, own or from elsewhere, once for each batch.
   * @returns a function that ends this. Until then the document is kept in memory.
   */
  readonly subscribe: (listener: () => void) => () => void;
}

/**
 * Under this, fields have a function that gives what they held at the start, as `initial` said: what a server drew, and what a page
 * has to draw until React has taken over its HTML. Known by name, as the binding of React loads nothing of the package.
 */
export const START_SNAPSHOT: unique symbol = Symbol.for("crdt-wasm start snapshot") as never;
