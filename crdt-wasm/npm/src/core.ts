import { type Reader } from "./bytes.js";
import type { Batch } from "./change.js";
import { readChanges, Telling, touched } from "./changes.js";
import { CrdtError } from "./errors.js";
import type { Base } from "./fields/base.js";
import { BoundedCounter, Counter, GCounter, PnCounter } from "./fields/counter.js";
import { Flag } from "./fields/flag.js";
import { LwwMap } from "./fields/lwwmap.js";
import { MapField } from "./fields/map.js";
import { LwwRegister, MvRegister } from "./fields/register.js";
import { GrowSet, ValueSet } from "./fields/set.js";
import { StructField } from "./fields/struct.js";
import { steady } from "./host.js";
import { Listeners } from "./listeners.js";
import type { Machine } from "./machine.js";
import { type AnyType, type Kind, KINDS, type Schema } from "./schema.js";
import type { Value } from "./values.js";
import { answerOf, ok, seam } from "./wasm.js";

const CLASSES = {
  gCounter: GCounter,
  pnCounter: PnCounter,
  boundedCounter: BoundedCounter,
  counter: Counter,
  lwwRegister: LwwRegister,
  mvRegister: MvRegister,
  ewFlag: Flag,
  dwFlag: Flag,
  gSet: GrowSet,
  orSet: ValueSet,
  rwSet: ValueSet,
  map: MapField,
  lwwMap: LwwMap,
  struct: StructField,
} satisfies Record<Kind, unknown>;

const NO_KEY = new Uint8Array();

/** What one edit wrote. */
export interface Committed {
  /** The counter of the last of it, among all that this replica wrote. */
  readonly last: number;
  /** Of how many it is the last, and under which ticket they are stored: where that is waited for. */
  readonly edits?: number;
  readonly ticket?: number;
}

/** The tree of places of one document: edits go in, and what changed comes out, in batches. */
export class Core {
  /** Places with a handle. */
  readonly nodes = new Map<number, Base<unknown>>();
  /** Places that somebody listens to. */
  readonly watched = new Set<Base<unknown>>();
  readonly root: StructField;
  /** Nothing is edited any more: it is being closed. */
  closed = false;
  /** Whether what is written has to be handed on at once. */
  eager = false;
  /** Whether it is waited for that what is written is stored. */
  stores = false;
  /** The same place as it was at the start, where that is another document. */
  start: ((at: Base<unknown>) => Base<unknown> | undefined) | undefined;
  readonly #changes = new Listeners<[Batch]>();
  #telling: Telling | undefined;
  /** Whether Rust looks at what edits touch. */
  #telltale = false;
  #depth = 0;
  #origin: unknown;
  readonly #batches: { places: ReadonlySet<Base<unknown>>; batch: Batch }[] = [];
  /** Handles used by the edit under way. What it changed is told by them. */
  readonly #used: number[] = [];
  #delivering = false;

  constructor(
    readonly machine: Machine,
    schema: Schema,
    /** Told of each edit that wrote something. */
    readonly committed: (committed: Committed, origin: unknown) => void,
    /** Told of a value that fails its check. */
    readonly misfit: (at: Base<unknown>, value: Value) => void,
  ) {
    this.root = new StructField(this, undefined, "", NO_KEY, { kind: "struct", fields: schema }, 0);
    // Every field of the schema gets its handle now: a contradiction with the data shows here, not in mid-use.
    const make = (struct: StructField): void => {
      for (const name of Object.keys(struct.type.fields as Schema)) {
        const part = struct.part(name);
        if (part instanceof StructField) make(part);
      }
    };
    make(this.root);
    ok(seam.set_changes(this.doc, 0));
  }

  /** The same places in a document that was opened anew: all of them may hold something else now. */
  reopen(): void {
    this.nodes.clear();
    this.#used.length = 0;
    const hold = (at: StructField): void => {
      this.nodes.set(at.handle as number, at as Base<unknown>);
      for (const name of Object.keys(at.type.fields as Schema)) {
        const part = at.part(name);
        const handle = (part.handle = ok(seam.field(this.doc, at.handle as number, part.key, KINDS[part.type.kind])));
        if (part instanceof StructField) hold(part);
        else this.nodes.set(handle, part);
      }
    };
    hold(this.root);
    ok(seam.set_changes(this.doc, 0));
    this.#telltale = false;
    if (this.eager) seam.set_deltas(this.doc, 1);
    this.root.drop();
    if (this.#telling) this.#telling = new Telling(this.nodes, this.root);
    this.listen();
    for (const at of [...this.watched]) at.notify();
  }

  get doc(): number {
    return this.machine.doc;
  }

  alive(): void {
    this.machine.check();
  }

  /** The place of this type below another one. */
  make(up: Base<unknown>, name: string | number, key: Uint8Array, type: AnyType): Base<unknown> {
    const Class = CLASSES[type.kind] as unknown as new (...args: ConstructorParameters<typeof Flag>) => Base<unknown>;
    // Only what no key of a map is above lasts as long as the document.
    const above = up.type.kind === "struct" ? up.handle : undefined;
    const handle = above === undefined ? undefined : ok(seam.field(this.doc, above, key, KINDS[type.kind]));
    return new Class(this, up, name, key, type, handle);
  }

  /** Whether handles are needed until the end of the edit: what it changed is told by them. */
  get holds(): boolean {
    return this.#depth > 0 && this.#telltale;
  }

  /** A handle is not needed any more after this edit. */
  release(handle: number, at: Base<unknown>): void {
    this.nodes.set(handle, at.known() ?? at);
    this.#used.push(handle);
  }

  /** Whether a value that was read may be shown. */
  fits(at: Base<unknown>, value: Value): boolean {
    if (!at.type.check || at.type.check(value)) return true;
    this.misfit(at, value);
    return false;
  }

  /** One or more edits as one. What was done before something was thrown stays, and is told. */
  step<R>(f: () => R, origin?: unknown): R {
    if (this.closed) throw new CrdtError("DISPOSED", "the document was disposed");
    if (this.#depth === 0) {
      ok(seam.begin(this.doc, steady(), Date.now()));
      this.#origin = origin;
    }
    this.#depth++;
    try {
      return f();
    } finally {
      if (--this.#depth === 0) this.#commit();
    }
  }

  #commit(): void {
    const origin = this.#origin;
    this.#origin = undefined;
    // The edit may have disposed of it.
    if (!this.machine.usable) return;
    const told = this.#telltale || this.eager || this.stores ? this.#finish(origin) : this.#end(origin);
    while (this.#used.length > 0) {
      const handle = this.#used.pop() as number;
      this.nodes.delete(handle);
      seam.release(this.doc, handle);
    }
    if (told) this.#deliver();
    this.machine.wake();
  }

  /** Ends an edit that nobody waits for and nobody listens to: what it changed was marked when it was edited. */
  #end(origin: unknown): boolean {
    const last = ok(seam.end(this.doc));
    if (last > 0) this.committed({ last }, origin);
    return false;
  }

  #finish(origin: unknown): boolean {
    const from = answerOf(seam.commit(this.doc, this.eager ? 1 : 0));
    const ticket = from.float();
    from.raw(16);
    const [first, last] = [from.float(), from.float()];
    if (first <= last) this.committed({ last, edits: last - first + 1, ticket }, origin);
    return this.#telltale && this.#take(from, origin, true);
  }

  /** Somebody listens now, or nobody any more. */
  listen(): void {
    const wanted = this.watched.size > 0 || this.#telling !== undefined;
    if (wanted === this.#telltale || !this.machine.usable) return;
    ok(seam.set_changes(this.doc, wanted ? 1 : 0));
    this.#telltale = wanted;
  }

  /** Takes in what others changed. */
  changed(from: Reader, origin: unknown): void {
    this.#take(from, origin, false);
    this.#deliver();
  }

  #take(from: Reader, origin: unknown, local: boolean): boolean {
    const raws = readChanges(from);
    if (raws.length === 0) return false;
    const places = new Set<Base<unknown>>();
    for (const raw of raws) {
      for (const at of touched(this.nodes, raw)) places.add(at);
      // Nothing was there before: where what is there now lies is not said.
      if (raw.handle === 0 && raw.steps.length === 0) this.root.drop();
    }
    for (const at of places) at.stale();
    // Now, as it looks at what is there: an edit that a listener makes may come before this batch is told.
    const changes = this.#telling?.tell(raws) ?? [];
    this.#batches.push({ places, batch: Object.freeze({ changes, origin, local }) });
    return true;
  }

  /** Tells batches one after the other: an edit that a listener makes is told after what it reacts to. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next; (next = this.#batches.shift()); ) {
        const { places, batch } = next;
        for (const at of places) if (this.watched.has(at)) at.notify();
        if (batch.changes.length > 0) this.#changes.emit(batch);
      }
    } finally {
      this.#delivering = false;
    }
  }

  onChange(listener: (batch: Batch) => void): () => void {
    this.alive();
    this.#telling ??= new Telling(this.nodes, this.root);
    const end = this.#changes.add(listener);
    this.listen();
    return () => {
      end();
      if (this.#changes.empty) this.#telling = undefined;
      this.listen();
    };
  }

  /** @throws within an edit, whose end nobody can foresee. */
  notInEdit(what: string): void {
    if (this.#depth > 0) throw new CrdtError("ASYNC_EDIT", `${what} inside of edit: do it after the edit`);
  }
}
