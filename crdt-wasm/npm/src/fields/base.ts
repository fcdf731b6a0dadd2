import type { Core } from "../core.js";
import { type Field, type Path, START_SNAPSHOT } from "../field.js";
import { CrdtError } from "../errors.js";
import { Listeners } from "../listeners.js";
import { type AnyType, KINDS } from "../schema.js";
import type { Value } from "../values.js";
import { ok, seam } from "../wasm.js";

/**
 * A place in a document. Those that the schema names have a handle for as long as the document lives; those below a key of a
 * map are looked up on each use, so that a key that was touched and dropped leaves nothing behind.
 */
export abstract class Base<V> implements Field<V> {
  #listeners: Listeners<[]> | undefined;
  #read: (() => V) | undefined;
  #readStart: (() => V) | undefined;
  #watch: ((listener: () => void) => () => void) | undefined;
  #cached: V | undefined;
  #fresh = false;

  /** @internal */
  constructor(
    /** @internal */
    readonly core: Core,
    /** @internal */
    readonly up: Base<unknown> | undefined,
    /** @internal A field's name, or a key of a map. */
    readonly name: string | number,
    /** @internal The name or key in bytes. */
    readonly key: Uint8Array,
    /** @internal */
    readonly type: AnyType,
    /** @internal */
    public handle?: number,
  ) {
    if (handle !== undefined) core.nodes.set(handle, this as Base<unknown>);
  }

  /** Where it is. */
  get path(): Path {
    return this.up ? [...this.up.path, this.name] : [];
  }

  /** What it holds now; see {@link Field.snapshot}. */
  get snapshot(): () => V {
    return (this.#read ??= () => this.current());
  }

  /** @internal */
  get [START_SNAPSHOT](): () => V {
    return (this.#readStart ??= () => ((this.core.start?.(this as Base<unknown>) as Base<V> | undefined) ?? this).current());
  }

  /** Calls a function after each change; see {@link Field.subscribe}. */
  get subscribe(): (listener: () => void) => () => void {
    return (this.#watch ??= (listener) => {
      this.core.alive();
      const all = (this.#listeners ??= new Listeners());
      const end = all.add(listener);
      // What is listened to may not be collected: the parent knows it by its key alone.
      this.core.watched.add(this as Base<unknown>);
      this.core.listen();
      return () => {
        end();
        if (all.empty) this.core.watched.delete(this as Base<unknown>);
        this.core.listen();
      };
    });
  }

  /** @internal What stands for it in the tree that users see. */
  get face(): unknown {
    return this;
  }

  /** @internal */
  current(): V {
    if (!this.#fresh) {
      this.#cached = this.make(this.#cached);
      this.#fresh = true;
    }
    return this.#cached as V;
  }

  /** @internal Reads it from the document; the last snapshot may be given again if nothing differs. */
  abstract make(last: V | undefined): V;

  /** @internal Something in it is different: snapshots from here up are made anew. */
  touch(): void {
    for (let at: Base<unknown> | undefined = this as Base<unknown>; at; at = at.up) at.stale();
  }

  /** @internal It is different. */
  stale(): void {
    this.#fresh = false;
  }

  /** @internal It was taken away with all that is below it: that is different, too. */
  drop(): void {
    this.stale();
  }

  /** @internal */
  notify(): void {
    this.#listeners?.emit();
  }

  /** @internal The place below, if it is known in this tree. */
  below(_key: Value): Base<unknown> | undefined {
    return undefined;
  }

  /** @internal The place in another tree that is where this one is in its own. */
  twin(root: Base<unknown>): Base<unknown> {
    return this.up ? this.up.twin(root).child(this.name) : root;
  }

  /** @internal The place of that name or key. */
  child(name: string | number): Base<unknown> {
    throw new CrdtError("SCHEMA", `nothing is below ${name}`);
  }

  /** @internal Uses the handle of this place. */
  at<R>(f: (handle: number) => R): R {
    const { core } = this;
    if (this.handle !== undefined) return f(this.handle);
    return (this.up as Base<unknown>).at((parent) => {
      const handle = ok(seam.field(core.doc, parent, this.key, KINDS[this.type.kind]));
      try {
        return f(handle);
      } finally {
        core.release(handle, this as Base<unknown>);
      }
    });
  }

  /** @internal A number that Rust answers about this place. */
  ask(f: (doc: number, handle: number) => number): number {
    return this.at((handle) => ok(f(this.core.doc, handle)));
  }

  /** @internal An edit of this place: whether it changed anything. */
  edit(f: (doc: number, handle: number) => number): boolean {
    return this.core.step(() => {
      const changed = this.ask(f) > 0;
      if (changed) this.touch();
      return changed;
    });
  }
}
