import { type Bytes, hex, type Reader } from "./bytes.js";
import { type Hub, isHub, type Port } from "./connect/port.js";
import { CrdtError } from "./errors.js";
import { type Field, START_SNAPSHOT } from "./field.js";
import { disposable, later, steady } from "./host.js";
import { Listeners } from "./listeners.js";
import { Happened, type Machine } from "./machine.js";
import { ok, seam } from "./wasm.js";

/** How it stands with a link. */
export interface LinkStatus {
  /**
   * `connecting`: not there yet · `waiting`: there, and nobody at the other end yet · `syncing`: finding out what differs ·
   * `synced`: both ends had the same, and what is new is sent at once · `offline`: broken, and tried again ·
   * `refused`: the other end does not want this document · `closed`.
   */
  readonly state: "connecting" | "waiting" | "syncing" | "synced" | "offline" | "refused" | "closed";
  /** The replicas at the other end. */
  readonly peers: readonly string[];
  /** Why it is `offline` or `refused`. */
  readonly cause?: unknown;
}

/** A link of a document: to one other end, or to all on a medium. */
export interface Link {
  readonly status: Pick<Field<LinkStatus>, "snapshot" | "subscribe">;
  /** Ends it; so does `using`. */
  close(): void;
  readonly [Symbol.dispose]: () => void;
}

/** How it stands with one before anything is known: what a server draws. */
const START: LinkStatus = Object.freeze({ state: "connecting", peers: Object.freeze([]) });

/** One open port. */
interface Wire {
  readonly port: Port;
  readonly link: LinkHandle;
  close: (refused?: boolean) => void;
  peer: string | undefined;
  synced: boolean;
  /** Frames that wait for the port to send what it has. */
  readonly waiting: Bytes[];
  cancel: () => void;
}

/** With more than this to send a port gets no more, until it has less than that. */
const [BUFFERED_MAX, BUFFERED_MIN] = [1 << 20, 256 << 10];
/** How often it is looked at. */
const LOOK_MS = 20;

/** No frame is longer; what is gets no copy, and counts as broken. */
const FRAME_BYTES_MAX = 1 << 20;
const BROKEN = new Uint8Array();

/** Its number in the seam. */
const WRONG_DOCUMENT = 11;

const REASONS = ["the version", "the schema", "the order of delivery", "the replica id", "that this id was retired"];

/** All links of one document. */
export class Links {
  readonly #wires = new Map<number, Wire>();
  readonly #links = new Set<LinkHandle>();
  /** When it was last found that the other end of one had the same. */
  lastSyncedMs: number | null = null;
  /** The link whose frame is being taken in. */
  origin: unknown;
  readonly #met = new Listeners<[]>();
  readonly #left = new Listeners<[replica: string]>();
  readonly #ends = new Listeners<[]>();
  readonly #gossip = new Listeners<[from: string, bytes: Uint8Array]>();

  constructor(
    readonly machine: Machine,
    readonly documentId: string,
    readonly moved: () => void,
    /** Told when a server has all that is here, and the other way round. */
    readonly served: (link: number) => void,
  ) {}

  connect(to: Port | Hub): LinkHandle {
    this.machine.check();
    const link = new LinkHandle(this, isHub(to) ? "connecting" : "closed");
    this.#links.add(link);
    if (isHub(to)) {
      link.begin = () => {
        link.stop = to.start(this.documentId, {
          port: (port) => this.#open(port, link),
          status: (status) => {
            const cause = "cause" in status ? status.cause : undefined;
            link.medium(status.state === "open" ? "waiting" : status.state, cause);
          },
        });
      };
      link.begin();
    } else {
      this.#open(to, link);
    }
    this.moved();
    return link;
  }

  /**
   * Lets go of all ends: what they were told so far is forgotten here, and streams have to begin anew. @returns how to go on:
   * hubs find their ends again, and a port that was given as such is closed.
   */
  pause(cause: unknown): () => void {
    for (const link of [...this.#links]) {
      if (!link.begin) link.close();
      else {
        link.stop();
        for (const [number, wire] of [...this.#wires]) if (wire.link === link) this.#gone(number);
        link.medium("offline", cause);
      }
    }
    return () => {
      for (const link of [...this.#links]) link.begin?.();
    };
  }

  #open(port: Port, link: LinkHandle): void {
    const { machine } = this;
    const number = ok(seam.link_open(machine.doc, port.ordered ? 0 : 1, steady(), Date.now()));
    const wire: Wire = { port, link, close: () => {}, peer: undefined, synced: false, waiting: [], cancel: () => {} };
    if (port.frameMax !== undefined) seam.link_frames(machine.doc, number, port.frameMax);
    this.#wires.set(number, wire);
    link.wires.add(wire);
    wire.close = port.open((frame) => {
      if (!this.#wires.has(number)) return;
      if (frame === null) return this.#gone(number);
      const before = this.origin;
      this.origin = link;
      try {
        machine.quietly(() => {
          // What it says is judged there; a frame that breaks the rules comes back as an event.
          seam.link_receive(machine.doc, number, frame.length > FRAME_BYTES_MAX ? BROKEN : frame, steady(), Date.now());
          machine.poll();
        });
      } finally {
        this.origin = before;
      }
    });
    link.update();
    machine.poll();
  }

  #gone(number: number, refused = false): void {
    const wire = this.#wires.get(number);
    if (!wire) return;
    this.#wires.delete(number);
    wire.cancel();
    wire.link.wires.delete(wire);
    wire.close(refused);
    const { machine } = this;
    machine.quietly(() => {
      seam.link_close(machine.doc, number, steady(), Date.now());
      machine.wake();
    });
    wire.link.update();
    if (wire.peer) this.#left.emit(wire.peer);
  }

  transmit(number: number, frame: Bytes): void {
    const wire = this.#wires.get(number);
    if (!wire) return;
    wire.waiting.push(frame);
    // Else it is looked at again and again whether there is room.
    if (wire.waiting.length === 1) this.#send(number, wire, BUFFERED_MAX);
    this.#tellBacklog(number, wire);
  }

  /** Sends what waits, as long as the port has no more than this to send. */
  #send(number: number, wire: Wire, bufferedMax: number): void {
    const { port, waiting } = wire;
    if ((port.buffered ?? 0) <= bufferedMax) {
      while (waiting.length > 0 && (port.buffered ?? 0) <= BUFFERED_MAX) {
        try {
          port.send(waiting.shift() as Bytes);
        } catch {
          // A port that breaks its word is as good as closed; the other links go on.
          return this.#gone(number);
        }
      }
    }
    if (waiting.length === 0) return;
    // No port says when it has sent something.
    wire.cancel = later(() => {
      this.#send(number, wire, BUFFERED_MIN);
      this.machine.quietly(() => this.#tellBacklog(number, wire));
    }, LOOK_MS);
  }

  /** What waits is told, too: above a bound nothing is pushed any more, and what was left out is brought when it is less. */
  #tellBacklog(number: number, { port, waiting }: Wire): void {
    if (port.buffered === undefined || !this.#wires.has(number)) return;
    const bytes = waiting.reduce((sum, frame) => sum + frame.length, port.buffered);
    seam.link_backlog(this.machine.doc, number, bytes);
  }

  /** Takes what is about links. */
  happened(what: Happened, from: Reader): boolean {
    switch (what) {
      case Happened.PeerOpened:
        this.#note(from.u32(), { peer: hex(from.raw(16)) });
        return true;
      case Happened.Repaired: {
        const number = from.u32();
        from.byte();
        this.lastSyncedMs = Date.now();
        this.#note(number, { synced: true });
        if (this.#wires.get(number)?.port.server) this.served(number);
        return true;
      }
      case Happened.Incompatible: {
        const number = from.u32();
        const about = REASONS[from.byte()] ?? "this document";
        const link = this.#wires.get(number)?.link;
        link?.medium("refused", new CrdtError("WRONG_DOCUMENT", `the other end does not agree in ${about}`));
        this.#gone(number, true);
        return true;
      }
      case Happened.BadFrame: {
        const number = from.u32();
        const wire = this.#wires.get(number);
        // A stray frame may come on any medium; in order, it is what the other end speaks of.
        if (from.byte() !== WRONG_DOCUMENT || !wire?.port.ordered) return false;
        wire.link.medium("refused", new CrdtError("WRONG_DOCUMENT", "the other end has another document"));
        this.#gone(number, true);
        return true;
      }
      case Happened.Close:
        this.#gone(from.u32());
        return true;
      case Happened.Gossip: {
        const wire = this.#wires.get(from.u32());
        const bytes = from.block().slice();
        if (wire?.peer) this.#gossip.emit(wire.peer, bytes);
        return true;
      }
      default:
        return false;
    }
  }

  #note(number: number, news: Partial<Pick<Wire, "peer" | "synced">>): void {
    const wire = this.#wires.get(number);
    if (!wire) return;
    Object.assign(wire, news);
    wire.link.update();
    if (news.peer) this.#met.emit();
  }

  /** Says something to all that are there, but for whom it came from; nothing is kept of it, and what is lost is lost. */
  say(bytes: Uint8Array, from?: string): void {
    const { machine } = this;
    machine.quietly(() => {
      for (const [number, { peer }] of this.#wires) if (peer && peer !== from) seam.gossip(machine.doc, number, bytes);
      machine.poll();
    });
  }

  onSaid(listener: (from: string, bytes: Uint8Array) => void): () => void {
    return this.#gossip.add(listener);
  }

  /** Calls when the document is disposed of, before the links end. */
  onEnd(listener: () => void): () => void {
    return this.#ends.add(listener);
  }

  /** Calls when the link to a replica has ended. */
  onLeft(listener: (replica: string) => void): () => void {
    return this.#left.add(listener);
  }

  /** Calls after somebody new said who it is. */
  onMoved(listener: () => void): () => void {
    return this.#met.add(listener);
  }

  /** The number of a link to a server that said who it is. */
  get server(): number | undefined {
    for (const [number, { port, peer }] of this.#wires) if (port.server && peer) return number;
    return undefined;
  }

  /** The best state of all links. */
  get state(): "offline" | "connecting" | "syncing" | "synced" {
    const states = [...this.#links].map((link) => link.status.snapshot().state);
    if (states.includes("synced")) return "synced";
    if (states.includes("syncing")) return "syncing";
    return states.includes("connecting") ? "connecting" : "offline";
  }

  close(link: LinkHandle): void {
    if (!this.#links.delete(link)) return;
    for (const [number, wire] of [...this.#wires]) if (wire.link === link) this.#gone(number);
    link.stop();
    this.moved();
  }

  closeAll(): void {
    this.#ends.emit();
    for (const link of [...this.#links]) link.close();
  }
}

class LinkHandle implements Link {
  readonly wires = new Set<Wire>();
  /** Starts to look for ends, where that can be done again. */
  begin: (() => void) | undefined;
  stop: () => void = () => {};
  #cause: unknown;
  #status = START;
  readonly #listeners = new Listeners<[]>();
  readonly status: Link["status"];

  #medium: LinkStatus["state"];

  constructor(
    readonly links: Links,
    medium: LinkStatus["state"],
  ) {
    this.#medium = medium;
    this.status = Object.freeze({
      [START_SNAPSHOT]: () => START,
      snapshot: () => this.#status,
      subscribe: (listener: () => void) => this.#listeners.add(listener),
    });
  }

  medium(state: LinkStatus["state"], cause: unknown): void {
    this.#medium = state;
    this.#cause = cause;
    this.update();
  }

  update(): void {
    const wires = [...this.wires];
    const state = wires.length === 0 ? this.#medium : wires.every(({ synced }) => synced) ? "synced" : "syncing";
    const peers = wires.flatMap(({ peer }) => peer ?? []);
    if (state === this.#status.state && String(peers) === String(this.#status.peers)) return;
    const cause = wires.length === 0 && this.#cause !== undefined ? { cause: this.#cause } : {};
    this.#status = Object.freeze({ state, peers: Object.freeze(peers), ...cause });
    this.#listeners.emit();
    this.links.moved();
  }

  close(): void {
    this.links.close(this);
    this.medium("closed", undefined);
  }

  declare readonly [Symbol.dispose]: () => void;
}

disposable(LinkHandle.prototype, LinkHandle.prototype.close);
