import { type Bytes, hex, Reader } from "./bytes.js";
import { CrdtError } from "./errors.js";
import { later, randomBytes, soon, steady, type Weak, weak } from "./host.js";
import { begin, type Loaded } from "./load.js";
import { answerOf, currentInstance, ok, onBroken, seam } from "./wasm.js";

/** What a document says of itself, by number; see SEAM.md. */
export const enum Happened {
  Durable = 1,
  PeerOpened,
  PeerHas,
  Stable,
  Repaired,
  IdentityLost,
  Equivocation,
  Diverged,
  Skewed,
  Incompatible,
  BadFrame,
  Close,
  Dormant,
  Retired,
  IdsWanted,
  Lent,
  StoreFailed,
  Gossip,
  TooLarge,
  NotLent,
}

/** Who takes what a document puts out. */
export interface Outputs {
  /** Whether edits wait to be stored: a program may not end before. */
  readonly unsaved: boolean;
  transmit(link: number, frame: Bytes): void;
  persist(ticket: number, rows: Bytes): void;
  delta(bytes: Bytes): void;
  changed(changes: Reader): void;
  happened(what: Happened, from: Reader): void;
  /** The compiled part broke: what it knew of this document is lost. */
  broken(cause: unknown): void;
}

/** How a document is opened. */
export interface Opening {
  /** No store: everything counts as stored at once. */
  memory: boolean;
  /** It comes and goes, and never counts for what all have. */
  tab: boolean;
  /** What it is opened from. */
  loaded: Loaded | undefined;
}

/** All that were not disposed of: told when the compiled part breaks. */
const living = new Set<Weak<Machine>>();
onBroken((cause) => {
  for (const machine of [...living]) machine.deref()?.broke(cause);
});

/** What is left to do for one that nobody holds any more. */
interface Rest {
  doc: number;
  instance: number;
  self: Weak<Machine>;
}

const free = ({ doc, instance, self }: Rest) => {
  living.delete(self);
  if (instance === currentInstance()) seam.dispose(doc);
};
// Some engines at the edge have none.
const dropped = typeof FinalizationRegistry === "undefined" ? undefined : new FinalizationRegistry(free);

/**
 * One document of the compiled part: calls go in, what comes out is handed on, and one timer wakes it when it asked for that.
 */
export class Machine {
  #outputs: Outputs | undefined;
  #cancel: (() => void) | undefined;
  #polling = false;
  #again = false;
  #woken = false;
  #disposed = false;
  #replica: string | undefined;
  readonly #open: (loaded: Loaded | undefined) => number;
  /** Its number, and in which instance. Shared with what frees it when nobody holds this any more. */
  readonly #rest: Rest;

  constructor(scope: Uint8Array, opening: Opening) {
    const flags = (opening.tab ? 1 : 0) | (opening.memory ? 2 : 0);
    this.#open = (loaded) => {
      const [instance, number] = loaded ? [loaded.instance, loaded.number] : begin();
      if (instance !== currentInstance()) throw new CrdtError("POISONED", "the compiled part broke while this was opened");
      return ok(seam.open(scope, randomBytes(16), randomBytes(32), flags, number, steady(), Date.now()));
    };
    const doc = this.#open(opening.loaded);
    this.#rest = { doc, instance: currentInstance(), self: weak(this) };
    living.add(this.#rest.self);
    // A net for documents that nobody disposed of.
    dropped?.register(this, this.#rest, this);
  }

  /** Begins anew from what is kept, after the instance broke. */
  reopen(loaded: Loaded): void {
    this.#cancel?.();
    this.#replica = undefined;
    this.#rest.doc = this.#open(loaded);
    this.#rest.instance = currentInstance();
  }

  /** Its number, for a call. */
  get doc(): number {
    this.check();
    return this.#rest.doc;
  }

  /** Whether it can be used now. */
  get usable(): boolean {
    return !this.#disposed && this.#rest.instance === currentInstance();
  }

  /** The instance broke in which this was. */
  broke(cause: unknown): void {
    this.#cancel?.();
    if (!this.usable) this.#outputs?.broken(cause);
  }

  /**
   * Does what no caller asked for: a timer's work, a frame's. If the compiled part breaks over it, that is told as a notice, not
   * thrown where nobody could catch it.
   */
  quietly(f: () => void): void {
    if (!this.usable) return;
    try {
      f();
    } catch (error) {
      if (!CrdtError.is(error) || error.code !== "POISONED") throw error;
    }
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @throws if it can't be used any more. */
  check(): void {
    if (this.#disposed) throw new CrdtError("DISPOSED", "the document was disposed");
    if (this.#rest.instance !== currentInstance()) {
      throw new CrdtError("POISONED", "the compiled part broke: what is in a store is being opened again, the rest is lost");
    }
  }

  outputs(outputs: Outputs): void {
    this.#outputs = outputs;
  }

  /** Under which id it writes. */
  get replica(): string {
    this.check();
    return (this.#replica ??= hex(answerOf(seam.replica(this.doc)).raw(16)));
  }

  /** Goes on under another id, from this counter on. */
  adopt(id: Uint8Array, next: number): void {
    this.#replica = undefined;
    ok(seam.adopt(this.doc, id, next, steady(), Date.now()));
  }

  /** Hands on all that there is to say, and sets the timer. What is put in meanwhile is taken up at the end. */
  poll(): void {
    this.#again = true;
    if (this.#polling) return;
    this.#polling = true;
    let deadline = -1;
    try {
      while (this.#again && !this.#disposed) {
        this.#again = false;
        const from = answerOf(seam.poll(this.doc, steady(), Date.now()));
        deadline = from.float();
        while (!from.done) this.#item(from, this.#outputs as Outputs);
      }
    } finally {
      this.#polling = false;
    }
    this.#sleep(deadline);
  }

  #item(from: Reader, outputs: Outputs): void {
    switch (from.byte()) {
      case 1:
        return outputs.transmit(from.u32(), from.block().slice());
      case 2:
        return outputs.persist(from.float(), readRows(from));
      case 3:
        return outputs.delta(from.block().slice());
      case 4:
        return outputs.changed(from);
      case 5:
        return outputs.happened(from.byte(), from);
      default:
        throw from.broken("an output of unknown type");
    }
  }

  #sleep(deadline: number): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (deadline < 0 || this.#disposed) return;
    // The timer alone shall not keep a document that nobody holds.
    const machine = weak(this);
    this.#cancel = later(() => machine.deref()?.onTime(), Math.max(0, Math.ceil(deadline - steady())), this.#outputs?.unsaved);
  }

  onTime(): void {
    this.quietly(() => this.poll());
  }

  /** Polls after what runs now: many edits in a row need it once. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    soon(() => {
      this.#woken = false;
      this.onTime();
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#cancel?.();
    const { usable } = this;
    this.#disposed = true;
    dropped?.unregister(this);
    living.delete(this.#rest.self);
    if (usable) seam.dispose(this.#rest.doc);
  }
}

/** The rows that come next, as they are. */
function readRows(from: Reader): Bytes {
  const start = from.at;
  for (let left = from.u32(); left > 0; left--) {
    from.block();
    from.block();
  }
  return from.since(start);
}
