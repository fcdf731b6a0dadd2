import { soon } from "./host.js";

/** Functions to be called when something happened. */
export class Listeners<A extends readonly unknown[]> {
  // Each under a key of its own, so that one function may be added twice.
  readonly #all = new Map<object, (...args: A) => void>();

  get empty(): boolean {
    return this.#all.size === 0;
  }

  /** Adds a function; the answer takes it out again. */
  add(listener: (...args: A) => void): () => void {
    const key = {};
    this.#all.set(key, listener);
    return () => void this.#all.delete(key);
  }

  /**
   * Calls all that are there now. One that throws does not keep the others from being called: its error is reported as if
   * nobody had caught it.
   */
  emit(...args: A): void {
    for (const listener of [...this.#all.values()]) {
      try {
        listener(...args);
      } catch (error) {
        soon(() => {
          throw error;
        });
      }
    }
  }
}
