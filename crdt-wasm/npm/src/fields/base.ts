import type { Core } from "../core.js";
import { type Field, type Path, START_SNAPSHOT } from "../field.js";
import { CrdtError } from "../errors.js";
import { Listeners } from "../listeners.js";
import { type AnyType, KINDS } from "../schema.js";
import type { Value } from "../values.js";
import { ok, seam } from "../wasm.js";

/** What is needed where a place is read or listened to: most that are written are neither. */
class Reading<V> {
  listeners: Listeners<[]> | undefined;
  snapshot: (() => V) | undefined;
  start: (() => V) | undefined;
  subscribe: ((listener: () => void) => () => void) | undefined;
  cached: V | undefined;
  fresh = false;
}

/**
 * A place in a document. Those that the schema names have a handle for as long as the document lives; those below a key of a
 * map are looked up on each use, so that a key that was touched and dropped leaves nothing behind.
 */
export abstract class Base<V> implements Field<V> {
  /** @internal Not a private name, and not defined before it is needed: that costs a tenth of a write below a key. */
  declare reading?: Reading<V>;

  // Declared, not defined: the engine would fill each with nothing before it is set, which is as much as the rest of this.
  /** @internal */
  declare readonly core: Core;
  /** @internal */
  declare readonly up: Base<unknown> | undefined;
  /** @internal A field's name, or a key of a map. */
  declare readonly name: string | number;
  /** @internal The name or key in bytes. */
  declare readonly key: Uint8Array;
  /** @internal */
  declare readonly type: AnyType;
  /** @internal */
  declare handle: number | undefined;

  /** @internal */
  constructor(core: Core, up: Base<unknown> | undefined, name: string | number, key: Uint8Array, type: AnyType, handle?: number) {
    this.core = core;
    this.up = up;
    this.name = name;
    this.key = key;
    this.type = type;
    this.handle = handle;
    if (handle !== undefined) core.nodes.set(handle, this as Base<unknown>);
  }

  get #read(): Reading<V> {
    return (this.reading ??= new Reading());
  }

  /** Where it is. */
  get path(): Path {
    return this.up ? [...this.up.path, this.name] : [];
  }

  /** What it holds now; see {@link Field.snapshot}. */
  get snapshot(): () => V {
    return (this.#read.snapshot ??= () => this.current());
  }

  /** @internal */
  get [START_SNAPSHOT](): () => V {
    return (this.#read.start ??= () => ((this.core.start?.(this as Base<unknown>) as Base<V> | undefined) ?? this).current());
  }

  /** Calls a function after each change; see {@link Field.subscribe}. */
  get subscribe(): (listener: () => void) => () => void {
    return (this.#read.subscribe ??= (listener) => {
      this.core.alive();
      return (this.settled() as Base<V>).#listen(listener);
    });
  }

  #listen(listener: () => void): () => void {
    const all = (this.#read.listeners ??= new Listeners());
    const end = all.add(listener);
    // What is listened to may not be collected: the parent knows it by its key alone.
    this.core.watched.add(this as Base<unknown>);
    this.core.listen();
    return () => {
      end();
      if (all.empty) this.core.watched.delete(this as Base<unknown>);
      this.core.listen();
    };
  }

  /**
   * @internal The one object that stands for this place, as long as anybody holds it: it has the snapshot and the listeners. An
   * object that only edits is another one, and known to nobody: that spares a weak reference for each key that is written.
   */
  settled(): Base<unknown> {
    if (this.handle !== undefined || !this.up) return this as Base<unknown>;
    return this.up.settled().settle(this as Base<unknown>);
  }

  /** @internal The one object for a place that is called like this one, below this one. */
  settle(below: Base<unknown>): Base<unknown> {
    return below;
  }

  /** @internal That object, if there is one. */
  known(): Base<unknown> | undefined {
    if (this.handle !== undefined || !this.up) return this as Base<unknown>;
    return this.up.known()?.below(this.up.type.kind === "struct" ? (this.type.key ?? this.name) : this.name);
  }

  /** @internal What stands for it in the tree that users see. */
  get face(): unknown {
    return this;
  }

  /** @internal */
  current(): V {
    return (this.settled() as Base<V>).#remembered();
  }

  #remembered(): V {
    const read = this.#read;
    if (!read.fresh) {
      read.cached = this.make(read.cached);
      read.fresh = true;
    }
    return read.cached as V;
  }

  /** @internal Reads it from the document; the last snapshot may be given again if nothing differs. */
  abstract make(last: V | undefined): V;

  /** @internal Something in it is different: snapshots from here up are made anew. */
  touch(): void {
    for (let at: Base<unknown> | undefined = this as Base<unknown>; at; at = at.up) at.known()?.stale();
  }

  /** @internal It is different. */
  stale(): void {
    if (this.reading) this.reading.fresh = false;
  }

  /** @internal It was taken away with all that is below it: that is different, too. */
  drop(): void {
    this.stale();
  }

  /** @internal */
  notify(): void {
    this.reading?.listeners?.emit();
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
      if (!core.holds) return f(ok(seam.pass(core.doc, parent, this.key, KINDS[this.type.kind])));
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
