import { type Field, START_SNAPSHOT } from "./field.js";
import { soon } from "./host.js";
import { Listeners } from "./listeners.js";

/** How a document stands: is it stored, and do others have it? */
export interface Status {
  /** The best of all links. `synced`: what the other end had was the same, and what is new is sent at once. */
  readonly link: "offline" | "connecting" | "syncing" | "synced";
  /** `memory`: it has no store. */
  readonly storage: "memory" | "saving" | "saved" | "failed";
  /**
   * Where the id comes from under which this replica writes. `stored`: kept with the document, used again by the next who
   * opens it. `home`: lent by a server, and given back when the document is disposed of or the page goes, for the next who has no
   * store. `ephemeral`: drawn for this object, never used again; the version of the document grows by an entry for each such id
   * that edits.
   */
  readonly identity: "stored" | "home" | "ephemeral";
  /** Edits made here that are not stored yet. */
  readonly unsaved: number;
  /**
   * Edits made here, also before a reload, that no lasting replica (a server, a file store) is known to have stored. They exist
   * only here, and in other tabs.
   */
  readonly unacked: number;
  /** When it was last found that the other end of a link had the same (milliseconds since 1970), if it ever was. */
  readonly lastSyncedMs: number | null;
}

/** How it stands before anything is known: what a server draws, and a page until it is hydrated. */
const START: Status = Object.freeze({
  link: "offline",
  storage: "memory",
  identity: "ephemeral",
  unsaved: 0,
  unacked: 0,
  lastSyncedMs: null,
});

/** A field that is told to look again, and tells only what differs. */
export class StatusField implements Pick<Field<Status>, "snapshot" | "subscribe"> {
  #last: Status;
  /** What listeners know. */
  #told: Status;
  #late = false;
  readonly #look: () => Status;
  readonly #listeners = new Listeners<[]>();

  constructor(look: () => Status) {
    this.#look = look;
    this.#last = this.#told = Object.freeze(look());
  }

  readonly [START_SNAPSHOT] = (): Status => START;

  /** Who reads may be drawing: what nobody was told yet is told after that. */
  readonly snapshot = (): Status => {
    this.#refresh();
    if (this.#last !== this.#told && !this.#late) {
      this.#late = true;
      soon(() => {
        this.#late = false;
        this.update();
      });
    }
    return this.#last;
  };

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  #refresh(): void {
    const next = this.#look();
    const names = Object.keys(next) as (keyof Status)[];
    if (names.some((name) => next[name] !== this.#last[name])) this.#last = Object.freeze(next);
  }

  update(): void {
    this.#refresh();
    if (this.#last === this.#told) return;
    this.#told = this.#last;
    this.#listeners.emit();
  }
}
