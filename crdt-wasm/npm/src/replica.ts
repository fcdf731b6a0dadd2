import { type Bytes, hex, type Reader } from "./bytes.js";
import { type Committed, Core } from "./core.js";
import { CrdtError } from "./errors.js";
import type { Base } from "./fields/base.js";
import { randomBytes, steady } from "./host.js";
import { Keeper } from "./keeper.js";
import { Links } from "./link.js";
import { Listeners } from "./listeners.js";
import { dropLoaded, load, type Loaded } from "./load.js";
import { Happened, Machine, type Outputs } from "./machine.js";
import type { Notice } from "./notice.js";
import { checkSchema, type Schema } from "./schema.js";
import { type Status, StatusField } from "./status.js";
import type { Kept } from "./store/store.js";
import { answerOf, ok, seam } from "./wasm.js";

type Listen = (type: string, f: () => void) => void;
const page = globalThis as unknown as {
  readonly addEventListener?: Listen;
  readonly removeEventListener?: Listen;
  readonly document?: object;
};

/** A document under which the compiled part breaks more often than this is given up. */
const BREAKS_MAX = 3;

/** Edits of this replica that are not stored yet. */
interface Pending {
  readonly ticket: number;
  edits: number;
  readonly done: Listeners<[CrdtError | undefined]>;
}

/** All that is behind a document: the machine, its places, links and store, and what is told of them. */
export class Inside implements Outputs {
  readonly machine: Machine;
  readonly core: Core;
  readonly links: Links;
  readonly keeper: Keeper | undefined;
  readonly status: StatusField;
  readonly deltas = new Listeners<[bytes: Bytes, origin: unknown]>();
  readonly notices = new Listeners<[Notice]>();
  #identity: Status["identity"];
  #pending: Pending[] = [];
  /** Edits of this id: all that were made, and those that some other replica has. */
  #made = 0;
  #acked = 0;
  /** An id that a server lent, not used yet. */
  #lent: { readonly id: Uint8Array; readonly next: number } | undefined;
  /** The page has gone, and given its id back. */
  #returned = false;
  #origin: unknown;
  /** How often the compiled part broke under it, and what is done about it. */
  #breaks = 0;
  /** The document as it was at the start. */
  #start: Inside | undefined;
  #reopening: Promise<void> = Promise.resolve();
  readonly #told = new Set<string>();

  constructor(
    readonly documentId: string,
    schema: Schema,
    scope: Uint8Array,
    kept?: Kept,
    loaded?: Loaded,
  ) {
    checkSchema(schema);
    this.machine = new Machine(scope, { memory: !kept, tab: !kept?.sole, loaded });
    this.machine.outputs(this);
    this.#identity = "ephemeral";
    this.#takeId(kept?.id);
    this.links = new Links(
      this.machine,
      documentId,
      () => this.status?.update(),
      (link) => this.#borrow(link),
    );
    this.core = new Core(
      this.machine,
      schema,
      (committed, origin) => this.#committed(committed, origin),
      (at, value) => this.#notice({ kind: "badValue", path: at.path, value }, JSON.stringify(at.path)),
    );
    if (kept && loaded) {
      this.core.stores = true;
      this.keeper = new Keeper(this.machine, kept, () => this.#stored());
      this.keeper.loaded(loaded);
    }
    this.status = new StatusField(() => this.#look());
    // A write that was begun when a page goes is still done.
    if (kept) {
      page.addEventListener?.("pagehide", this.#leave);
      page.addEventListener?.("pageshow", this.#return);
    }
    this.machine.poll();
  }

  /** Writes under the id that the store gave, if it gave one. */
  #takeId(id: Uint8Array | undefined): void {
    this.#identity = "ephemeral";
    [this.#made, this.#acked] = [0, 0];
    if (!id) return;
    // It goes on from where its known edits end: all of them are in the rows.
    this.machine.adopt(id, 1);
    this.#identity = "stored";
    this.#recall();
  }

  broken(cause: unknown): void {
    this.#reopening = this.#reopening.then(() => this.#reopen(cause));
  }

  /** The compiled part broke. What is kept is opened anew, and what was only in its memory is lost. */
  async #reopen(cause: unknown): Promise<void> {
    const { keeper, machine, links } = this;
    const resume = links.pause(cause);
    const givenUp = () => {
      links.closeAll();
      this.#endPending(-1, cause);
      this.#notice({ kind: "lost", cause }, "");
      this.status.update();
    };
    // What breaks it each time is not opened for ever.
    if (!keeper || keeper.failure || ++this.#breaks > BREAKS_MAX) return givenUp();
    await keeper.settled();
    try {
      const loaded = await load(await keeper.kept.load());
      if (this.core.closed || machine.usable) return dropLoaded(loaded);
      this.#endPending(keeper.written, cause);
      machine.reopen(loaded);
      keeper.loaded(loaded);
      this.#lent = undefined;
      this.#returned = false;
      this.#takeId(keeper.kept.id);
      this.core.reopen();
    } catch (error) {
      // It broke again, of which this is told by itself.
      if (CrdtError.is(error) && error.code === "POISONED") return;
      return givenUp();
    }
    resume();
    this.#notice({ kind: "reopened", cause });
    this.status.update();
    machine.wake();
  }

  /** Ends the waiting for edits: those up to this ticket are stored, the others are lost. */
  #endPending(written: number, cause: unknown): void {
    const pending = this.#pending;
    this.#pending = [];
    const lost = new CrdtError("POISONED", "the compiled part broke before this was stored", { cause });
    for (const { ticket, done } of pending) done.emit(ticket <= written ? undefined : lost);
  }

  /** Counts what was edited under this id before: it is no less unsent for the page having been loaded again. */
  #recall(): void {
    [this.#made, this.#acked] = this.#known(this.machine.replica);
  }

  /** Up to where the edits made under an id are here, and up to where somebody else has them. */
  #known(id: string): [here: number, elsewhere: number] {
    const from = answerOf(seam.inspect(this.machine.doc));
    const upTo = () => {
      let end = 0;
      for (let runs = from.u32(); runs > 0; runs--) {
        const its = hex(from.raw(16)) === id;
        const [first, last] = [from.float(), from.float()];
        if (its && first === 1) end = last;
      }
      return end;
    };
    const here = upTo();
    let elsewhere = 0;
    for (let peers = from.u32(); peers > 0; peers--) {
      const other = hex(from.raw(16)) !== id;
      const has = upTo();
      if (other) elsewhere = Math.max(elsewhere, has);
    }
    return [here, elsewhere];
  }

  /**
   * Asks a server for an id: one for each load of a page would stand in every version for ever. Who has edited under its own id
   * already keeps it, as a second one would only add to it.
   */
  #borrow(link: number): void {
    if (this.#identity !== "ephemeral" || this.#made > 0 || this.core.closed) return;
    ok(seam.borrow(this.machine.doc, link));
    this.machine.wake();
  }

  /** Goes on under the id that was lent, once all that others have written under it is here: an edit comes after it. */
  #moveIn(): void {
    const { machine } = this;
    if (!this.#lent) return;
    const { id, next } = this.#lent;
    if (this.#made === 0 && !this.core.closed) {
      if (this.#known(hex(id))[0] < next - 1) return;
      machine.adopt(id, next);
      machine.wake();
      this.#identity = "home";
      this.#made = this.#acked = next - 1;
      page.addEventListener?.("pagehide", this.#giveBack);
      page.addEventListener?.("pageshow", this.#moveOn);
    }
    // Else an edit was faster. It is missed at the server, which gives such ids up after a while.
    this.#lent = undefined;
  }

  /** Gives a lent id back: nothing is edited under it any more, and the next who asks gets it. */
  readonly #giveBack = (): void => {
    const { machine } = this;
    const { server } = this.links;
    if (this.#identity !== "home" || server === undefined || !machine.usable) return;
    this.#identity = "ephemeral";
    this.#returned = true;
    ok(seam.give_back(machine.doc, server, steady(), Date.now()));
    machine.poll();
  };

  /** A page that came back after it had given its id away needs another one. */
  readonly #moveOn = (): void => {
    if (this.#returned && this.machine.usable) this.#startAnew();
    this.#returned = false;
  };

  #startAnew(): void {
    this.machine.adopt(randomBytes(16), 1);
    this.#identity = "ephemeral";
    [this.#made, this.#acked] = [0, 0];
    this.#notice({ kind: "replicaChanged", replicaId: this.machine.replica });
    this.machine.wake();
  }

  readonly #leave = (): void => {
    const { keeper } = this;
    if (!keeper || keeper.failure || !this.machine.usable) return;
    keeper.leaving = true;
    if (this.unsaved) this.flush();
  };

  readonly #return = (): void => {
    if (this.keeper) this.keeper.leaving = false;
  };

  #look(): Status {
    const { keeper } = this;
    return {
      link: this.links.state,
      storage: !keeper ? "memory" : keeper.failure ? "failed" : keeper.idle && this.#pending.length === 0 ? "saved" : "saving",
      identity: this.#identity,
      unsaved: this.#pending.reduce((sum, { edits }) => sum + edits, 0),
      unacked: Math.max(0, this.#made - this.#acked),
      lastSyncedMs: this.links.lastSyncedMs,
    };
  }

  #notice(notice: Notice, once?: string): void {
    if (once !== undefined) {
      const key = `${notice.kind} ${once}`;
      if (this.#told.has(key)) return;
      this.#told.add(key);
    }
    this.notices.emit(Object.freeze(notice));
  }

  #committed({ last, edits = 0, ticket }: Committed, origin: unknown): void {
    this.#made = last;
    if (this.keeper && ticket !== undefined) {
      const open = this.#pending.at(-1);
      if (open?.ticket === ticket) open.edits += edits;
      else this.#pending.push({ ticket, edits, done: new Listeners() });
    }
    if (this.core.eager) this.#origin = origin;
  }

  /** Whether a program that ends now would lose edits. */
  get unsaved(): boolean {
    return this.#pending.length > 0;
  }

  /** Resolves when all edits made so far are stored, which begins at once. */
  stored(): Promise<void> {
    try {
      if (this.keeper && !this.keeper.failure) this.machine.check();
      if (this.keeper && !this.keeper.failure && this.unsaved) this.flush();
    } catch (error) {
      return Promise.reject(error);
    }
    const failed = this.keeper?.failure;
    if (failed) return Promise.reject(failed);
    const last = this.#pending.at(-1);
    if (!last) return Promise.resolve();
    return new Promise((resolve, reject) => last.done.add((error) => (error ? reject(error) : resolve())));
  }

  #stored(): void {
    const failure = this.keeper?.failure;
    if (failure) {
      this.#notice({ kind: "storageFailed", cause: failure.cause }, "");
      for (const { done } of this.#pending) done.emit(failure);
    }
    this.status?.update();
  }

  /** Says at once what edits wait to be said. */
  flush(): void {
    // All was said when the id was given back, and there is none to say more under.
    if (!this.#returned) ok(seam.flush(this.machine.doc, steady(), Date.now()));
    this.machine.poll();
  }

  merge(bytes: Uint8Array, origin: unknown): { grew: boolean; waiting: number } {
    const answer = answerOf(seam.merge(this.machine.doc, bytes, steady(), Date.now()));
    const grew = answer.byte() === 1;
    const waiting = answer.u32();
    const [before, linked] = [this.#origin, this.links.origin];
    this.#origin = this.links.origin = origin;
    try {
      this.machine.poll();
    } finally {
      [this.#origin, this.links.origin] = [before, linked];
    }
    return { grew, waiting };
  }

  transmit(link: number, frame: Bytes): void {
    this.links.transmit(link, frame);
  }

  persist(ticket: number, rows: Bytes): void {
    this.keeper?.persist(ticket, rows);
  }

  delta(bytes: Bytes): void {
    this.deltas.emit(bytes, this.#origin ?? this.links.origin);
  }

  changed(changes: Reader): void {
    this.core.changed(changes, this.links.origin);
    this.#moveIn();
  }

  happened(what: Happened, from: Reader): void {
    if (this.links.happened(what, from)) return;
    switch (what) {
      case Happened.Durable: {
        const ticket = from.float();
        const done = this.#pending.filter((pending) => pending.ticket <= ticket);
        this.#pending = this.#pending.filter((pending) => pending.ticket > ticket);
        for (const pending of done) pending.done.emit(undefined);
        break;
      }
      case Happened.PeerHas:
        from.raw(16);
        this.#acked = Math.max(this.#acked, from.float());
        break;
      case Happened.Stable:
        from.float();
        break;
      case Happened.IdentityLost:
        this.#startAnew();
        break;
      case Happened.Equivocation:
        this.#notice({ kind: "duplicateId", replica: hex(from.raw(16)), counter: from.float() });
        break;
      case Happened.Diverged:
        from.u32();
        this.#notice({ kind: "diverged" });
        break;
      case Happened.Skewed: {
        const replica = hex(from.raw(16));
        this.#notice({ kind: "clockSkew", replica, aheadMs: from.float() }, replica);
        break;
      }
      case Happened.BadFrame:
        this.#notice({ kind: "badFrame" });
        break;
      case Happened.TooLarge:
        from.u32();
        this.#notice({ kind: "tooLarge" });
        break;
      case Happened.Dormant:
      case Happened.Retired:
        from.raw(16);
        break;
      case Happened.NotLent:
        from.u32();
        from.byte();
        this.#notice({ kind: "notLent" });
        break;
      case Happened.Lent:
        this.#lent = { id: from.raw(16).slice(), next: from.float() };
        break;
      case Happened.IdsWanted:
      case Happened.StoreFailed:
        break;
      default:
        throw new CrdtError("BAD_BYTES", `an event of unknown kind ${what}`);
    }
    this.#moveIn();
    this.status?.update();
  }

  /** How many edits were made under the id of this replica. */
  get made(): number {
    return this.#made;
  }

  /**
   * In a browser, what a server had is kept apart until somebody asks: the document that `initial` alone makes. On a server that is
   * the document itself.
   */
  startFrom(make: () => Inside): void {
    if (page.document === undefined) return;
    this.core.start = (at) => at.twin((this.#start ??= make()).core.root as Base<unknown>);
  }

  /** Ends all; resolves when what was edited is stored. */
  async close(): Promise<void> {
    const { keeper, machine } = this;
    if (this.core.closed) return;
    this.core.closed = true;
    this.#start?.machine.dispose();
    this.#giveBack();
    this.links.closeAll();
    page.removeEventListener?.("pagehide", this.#giveBack);
    page.removeEventListener?.("pageshow", this.#moveOn);
    page.removeEventListener?.("pagehide", this.#leave);
    page.removeEventListener?.("pageshow", this.#return);
    if (!keeper) return machine.dispose();
    await this.#reopening;
    try {
      if (!keeper.failure) machine.quietly(() => this.flush());
      await keeper.close();
    } finally {
      machine.dispose();
    }
  }
}
