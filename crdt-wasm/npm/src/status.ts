import type { Field } from "./field.js";
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
}

/** A field that is told to look again, and tells only what differs. */
export class StatusField implements Pick<Field<Status>, "snapshot" | "subscribe"> {
  #last: Status;
  readonly #look: () => Status;
  readonly #listeners = new Listeners<[]>();

  constructor(look: () => Status) {
    this.#look = look;
    this.#last = Object.freeze(look());
  }

  readonly snapshot = (): Status => {
    this.update();
    return this.#last;
  };

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  update(): void {
    const next = this.#look();
    const names = Object.keys(next) as (keyof Status)[];
    if (names.every((name) => next[name] === this.#last[name])) return;
    this.#last = Object.freeze(next);
    this.#listeners.emit();
  }
}
