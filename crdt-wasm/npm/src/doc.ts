import { type Bytes, hex, isBytes, utf8 } from "./bytes.js";
import type { Batch } from "./change.js";
import { broadcast, isBroadcast } from "./connect/broadcast.js";
import type { Hub, Port } from "./connect/port.js";
import { CrdtError } from "./errors.js";
import { type Field, START_SNAPSHOT } from "./field.js";
import { disposable, randomBytes } from "./host.js";
import type { Link } from "./link.js";
import { Listeners } from "./listeners.js";
import { dropLoaded, load, type Progress } from "./load.js";
import type { Notice } from "./notice.js";
import { openPresence, type Presence, type PresenceOptions } from "./presence.js";
import { Inside } from "./replica.js";
import type { Root, Schema, Snapshot } from "./schema.js";
import type { Status } from "./status.js";
import type { Store } from "./store/store.js";
import type { Value } from "./values.js";
import { answerOf, bytesOf, seam } from "./wasm.js";

/** What {@link Doc.edit} answers. */
export interface Receipt<R> {
  /** What the function returned. */
  readonly value: R;
  /** The names of the edits: none if nothing changed, or within another `edit`, whose receipt has them. Made when asked for. */
  readonly dots: readonly string[];
  /**
   * Resolves when all edits made so far would survive a crash; before that, no other replica is shown any of them. At once on
   * a document without a store. Rejects with `STORAGE`.
   */
  readonly stored: Promise<void>;
}

/** What is known of who has what. */
export interface Inspection {
  /** Runs of edits that are here, by replica. */
  readonly seen: { readonly [replica: string]: readonly (readonly [from: number, to: number])[] };
  /** What others are known to have stored, by replica. */
  readonly peers: readonly { readonly replica: string; readonly has: Inspection["seen"] }[];
  /** Bytes of frames. */
  readonly bytes: { readonly sent: number; readonly received: number };
  /** Edits that wait for others which they were made on. */
  readonly waiting: number;
  /** What the state consists of: values, elements, counts. */
  readonly entries: number;
}

/** What documents with and without a store have in common. */
export abstract class Doc<S extends Schema> implements Field<Snapshot<S>> {
  /** @internal */
  protected readonly inside: Inside;
  /** The fields: to read and to edit. */
  readonly root: Root<S>;
  readonly path = Object.freeze([]);
  /** All of it as frozen plain data; see {@link Field.snapshot}. */
  readonly snapshot: () => Snapshot<S>;
  /** Calls a function after each change; see {@link Field.subscribe}. */
  readonly subscribe: (listener: () => void) => () => void;
  /** @internal */
  readonly [START_SNAPSHOT]: () => Snapshot<S>;
  /** Whether it is stored, and what others have of it. */
  readonly status: Pick<Field<Status>, "snapshot" | "subscribe">;

  /** @internal */
  constructor(inside: Inside) {
    this.inside = inside;
    const { root } = inside.core;
    this.root = root.face as Root<S>;
    this.snapshot = root.snapshot as () => Snapshot<S>;
    this.subscribe = root.subscribe;
    this[START_SNAPSHOT] = root[START_SNAPSHOT] as () => Snapshot<S>;
    this.status = inside.status;
  }

  /** Which document this is: replicas merge only what has the same name. */
  get documentId(): string {
    return this.inside.documentId;
  }

  /** Under which id this replica writes now. It changes if somebody else was found to use it, and when a server lends one. */
  get replicaId(): string {
    return this.inside.machine.replica;
  }

  /**
   * Many edits as one: listeners are called once, at its end. Edits are visible at once, also inside; an `edit` in an `edit`
   * joins it. If the function throws, what it did before stays and is told, as it was visible; then the error goes on.
   *
   * @throws `ASYNC_EDIT` if the function returns a promise: what comes after its first `await` would not be part of the edit.
   */
  edit<R>(f: () => R, options: { origin?: unknown } = {}): Receipt<R> {
    const { inside } = this;
    const before = inside.made;
    const value = inside.core.step(f, options.origin);
    if (typeof (value as { then?: unknown } | null | undefined)?.then === "function") {
      throw new CrdtError("ASYNC_EDIT", "edit takes a function that returns when it is done, not a promise");
    }
    const { made } = inside;
    let stored: Promise<void> | undefined;
    const replica = made > before ? inside.machine.replica : "";
    return {
      value,
      get dots() {
        return Array.from({ length: made - before }, (_, at) => `${replica}:${before + 1 + at}`);
      },
      get stored() {
        return (stored ??= inside.stored());
      },
    };
  }

  /**
   * Calls a function with what changed, once for each edit and each arrival from elsewhere, after it. The first listener costs
   * a look at all keys of maps. @returns a function that ends this.
   */
  onChange(listener: (batch: Batch) => void): () => void {
    return this.inside.core.onChange(listener);
  }

  /**
   * Calls a function with the bytes of each edit made here, once it is stored: for a transport of your own that reaches all
   * others. Whoever merges them has the edit. `origin` is what was given to `edit`. Where bytes were lost, `deltaSince` finds
   * what is missing. @returns a function that ends this.
   */
  onDelta(listener: (bytes: Bytes, origin: unknown) => void): () => void {
    const { inside } = this;
    const { core, deltas } = inside;
    seam.set_deltas(inside.machine.doc, 1);
    core.eager = true;
    const end = deltas.add(listener);
    return () => {
      end();
      if (!deltas.empty) return;
      core.eager = false;
      if (inside.machine.usable) seam.set_deltas(inside.machine.doc, 0);
    };
  }

  /** Calls a function with what people who run the application may want to know. @returns a function that ends this. */
  onNotice(listener: (notice: Notice) => void): () => void {
    if (this.inside.core.closed) throw new CrdtError("DISPOSED", "the document was disposed");
    return this.inside.notices.add(listener);
  }

  /**
   * Takes in what another replica had or did: bytes of `encode`, `deltaSince` or `onDelta`, in any order, any number of times.
   *
   * @returns whether something was new, and how many deltas wait for others that they build on.
   * @throws `BAD_BYTES`, `UNSUPPORTED_FORMAT`, `TOO_LARGE` or `WRONG_DOCUMENT`; then nothing has changed.
   */
  merge(bytes: Uint8Array, options: { origin?: unknown } = {}): { grew: boolean; waiting: number } {
    this.inside.core.notInEdit("merge");
    return this.inside.merge(asBytes(bytes), options.origin);
  }

  /** Talks through a port, or with all that a hub finds, until the link is closed or the document is disposed. */
  connect(to: Port | Hub): Link {
    return this.inside.links.connect(to);
  }

  /**
   * State of this replica that others see as long as it is there: a cursor, a name. It is never stored, and no part of the
   * document.
   */
  presence<P extends Value>(options: PresenceOptions = {}): Presence<P> {
    this.inside.machine.check();
    return openPresence<P>(this.inside.links, () => this.replicaId, options);
  }

  /** What is known of who has what. */
  inspect(): Inspection {
    const from = answerOf(seam.inspect(this.inside.machine.doc));
    const runs = (count: number, replica: () => string) => {
      const all: Record<string, [number, number][]> = {};
      for (; count > 0; count--) (all[replica()] ??= []).push([from.float(), from.float()]);
      return all;
    };
    const id = () => hex(from.raw(16));
    const seen = runs(from.u32(), id);
    const peers = Array.from({ length: from.u32() }, () => ({ replica: id(), has: runs(from.u32(), id) }));
    const bytes = { sent: from.float(), received: from.float() };
    return { seen, peers, bytes, waiting: from.u32(), entries: from.float() };
  }

  /** @internal */
  protected bytes(what: "encode" | "version" | "state"): Bytes {
    this.inside.core.notInEdit(what);
    return bytesOf(seam[what](this.inside.machine.doc)).slice();
  }

  /** @internal */
  protected since(version: Uint8Array): Bytes {
    this.inside.core.notInEdit("deltaSince");
    return bytesOf(seam.delta_since(this.inside.machine.doc, asBytes(version))).slice();
  }
}

/** A document in memory. Made by {@link createDoc}. */
export class MemoryDoc<S extends Schema> extends Doc<S> {
  /** All of it as bytes, the same for all replicas that have the same edits. Costs its size. Not the id of this replica. */
  encode(): Bytes {
    return this.bytes("encode");
  }

  /** What is known here, for `deltaSince` at another replica. */
  version(): Bytes {
    return this.bytes("version");
  }

  /** What somebody lacks who has that version, removals included. */
  deltaSince(version: Uint8Array): Bytes {
    return this.since(version);
  }

  /**
   * Ends it, its links and its presence. Whatever would read or edit it, or begin to listen, throws `DISPOSED` from then on; `status`,
   * what ends listening, and snapshots that were read last are still there, for pages that are being taken down.
   */
  dispose(): void {
    void this.inside.close();
  }

  declare readonly [Symbol.dispose]: () => void;
}

/** A document with a store. Made by {@link openDoc}. What it hands out was stored before: bytes you hold count as sent. */
export class StoredDoc<S extends Schema> extends Doc<S> {
  /** All of it as bytes, once it is stored. @throws `STORAGE`, as a rejection. */
  async encode(): Promise<Bytes> {
    await this.#stored();
    return this.bytes("encode");
  }

  /** What is known here, once it is stored, for `deltaSince` at another replica. @throws `STORAGE`, as a rejection. */
  async version(): Promise<Bytes> {
    await this.#stored();
    return this.bytes("version");
  }

  /** What somebody lacks who has that version, once it is stored. @throws `STORAGE`, as a rejection. */
  async deltaSince(version: Uint8Array): Promise<Bytes> {
    await this.#stored();
    return this.since(version);
  }

  async #stored(): Promise<void> {
    this.inside.core.notInEdit("reading bytes");
    await this.inside.stored();
  }

  /** Ends it, its links and listeners; resolves when all edits are stored and the store is closed. */
  async dispose(): Promise<void> {
    await this.inside.close();
  }

  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
}

disposable(MemoryDoc.prototype, MemoryDoc.prototype.dispose);
disposable(StoredDoc.prototype, StoredDoc.prototype.dispose, Symbol.asyncDispose);

function asBytes(bytes: unknown): Uint8Array {
  if (isBytes(bytes)) return bytes;
  throw new CrdtError("BAD_BYTES", "not a Uint8Array");
}

/** What all documents are made from. */
export interface DocOptions<S extends Schema> {
  /** The fields; see {@link t}. Fields that are in the data and not in the schema are kept and passed on. */
  schema: S;
  /**
   * Which document this is. Replicas with the same name are replicas of one document, in every language: others are refused.
   */
  documentId: string;
  /** Bytes of another replica to start from. */
  initial?: Uint8Array;
}

/**
 * A new replica of a document, in memory, under an id of its own.
 *
 * ```ts
 * using doc = createDoc({ schema: { visits: t.gCounter() }, documentId: "home" });
 * doc.root.visits.increment();
 * ```
 * @throws `SCHEMA` for a schema that no document can have, and what {@link Doc.merge} throws for `initial`.
 */
export function createDoc<const S extends Schema>({ schema, documentId = newDocumentId(), initial }: CreateOptions<S>): MemoryDoc<S> {
  const inside = new Inside(documentId, schema, scopeOf(documentId));
  const doc = new MemoryDoc<S>(inside);
  try {
    startFrom(inside, schema, initial);
  } catch (error) {
    doc.dispose();
    throw error;
  }
  return doc;
}

/** Takes in where it starts from, and keeps that for who has to draw it again. */
function startFrom(inside: Inside, schema: Schema, initial: Uint8Array | undefined): void {
  const bytes = initial && asBytes(initial);
  if (bytes) inside.merge(bytes, undefined);
  inside.startFrom(() => {
    const start = new Inside(inside.documentId, schema, scopeOf(inside.documentId));
    if (bytes) start.merge(bytes, undefined);
    return start;
  });
}

/** What {@link createDoc} takes. */
export interface CreateOptions<S extends Schema> extends Omit<DocOptions<S>, "documentId"> {
  /** As for {@link openDoc}. Without it the document is a new one, which others can join by its `documentId`. */
  documentId?: string | undefined;
}

/** What {@link openDoc} takes. */
export interface OpenOptions<S extends Schema> extends DocOptions<S> {
  /** Where it is kept. */
  store: Store;
  /** What it talks through from the start. */
  links?: readonly (Port | Hub)[];
  /**
   * Whether it is linked with the other tabs and workers of this origin that have the same store, by `broadcast()`. Where there are
   * such it is, if you do not say, and if `links` does not have it already.
   */
  tabs?: boolean;
  /**
   * Called with how far it is, now and then, and once at the end: what is kept is read in slices of some 8 ms, between which a page
   * draws and answers. One that throws does not stop it. How it stands with others then is what {@link Doc.status} says.
   */
  onProgress?: (progress: Progress) => void;
  /** Gives up: the promise rejects with its reason at once, and what was opened is closed again. Once open, it has no effect. */
  signal?: Signal;
}

/** What is needed of an `AbortSignal`. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: any;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Opens a replica of a document that is kept in a store. Resolves when what is kept is there: no network is waited for.
 *
 * Several may be open at once on one store that allows it, as tabs of a page: each is a replica of its own, and links between
 * them are given as any other; those between tabs of a page are there by themselves.
 * @throws `STORAGE` if the store can't be opened, `BAD_BYTES` if what is in it is damaged, the reason of `signal`, and what
 * {@link createDoc} throws.
 */
export async function openDoc<const S extends Schema>(options: OpenOptions<S>): Promise<StoredDoc<S>> {
  const { signal } = options;
  const opening = open(options);
  if (!signal) return opening;
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      // It may have been too late to notice on the way.
      opening.then((doc) => doc.dispose()).catch(() => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** All of it, step by step; what was opened is closed in peace when it is given up. */
async function open<const S extends Schema>(options: OpenOptions<S>): Promise<StoredDoc<S>> {
  const { schema, documentId, initial, store, links = [], signal, onProgress } = options;
  const goOn = () => {
    if (signal?.aborted) throw signal.reason;
  };
  const progress = new Listeners<[Progress]>();
  if (onProgress) progress.add(onProgress);
  const tell = (how: Progress) => {
    if (!signal?.aborted) progress.emit(Object.freeze(how));
  };
  goOn();
  const scope = scopeOf(documentId);
  const kept = await wrapped(store.open(documentId));
  let doc: StoredDoc<S> | undefined;
  try {
    goOn();
    tell({ phase: "store", done: 0, total: 0 });
    const rows = await wrapped(kept.load());
    goOn();
    const loaded = await load(rows, tell, goOn);
    let inside: Inside;
    try {
      inside = new Inside(documentId, schema, scope, kept, loaded);
    } catch (error) {
      dropLoaded(loaded);
      throw error;
    }
    doc = new StoredDoc<S>(inside);
    startFrom(inside, schema, initial);
    for (const link of links) doc.connect(link);
    if (kept.tabs && options.tabs !== false && !links.some(isBroadcast)) doc.connect(broadcast());
    return doc;
  } catch (error) {
    await (doc ? doc.dispose() : kept.close());
    throw error;
  }
}

async function wrapped<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (cause) {
    if (CrdtError.is(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CrdtError("STORAGE", `the store can't be opened: ${why}`, { cause });
  }
}

function scopeOf(documentId: string): Uint8Array {
  if (typeof documentId !== "string" || documentId === "") throw new CrdtError("BAD_VALUE", "documentId has to be a text");
  return answerOf(seam.scope_of(utf8(documentId))).raw(16);
}

/** A name for a new document that nobody else will choose. */
export function newDocumentId(): string {
  return hex(randomBytes(16));
}
