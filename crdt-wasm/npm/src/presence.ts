import { hex } from "./bytes.js";
import type { Field } from "./field.js";
import { later, randomBytes, steady } from "./host.js";
import type { Links } from "./link.js";
import { Listeners } from "./listeners.js";
import { CrdtError } from "./errors.js";
import { decodeValue, encodeValue, type Value } from "./values.js";

/** How long others are shown. */
export interface PresenceOptions {
  /** Somebody who is silent for this long is gone: 30 seconds, if you do not say. */
  timeoutMs?: number;
}

/** Somebody who is there. */
export interface Present<P> {
  /** The id of the replica, as its `doc.replicaId` says. */
  readonly replica: string;
  readonly state: P;
}

/** Who else is there, and what they show of themselves. */
export interface Presence<P extends Value> extends Pick<Field<readonly Present<P>[]>, "snapshot" | "subscribe"> {
  /** Shows this of oneself, or nothing any more. At most 4 KiB. @throws `TOO_LARGE`, what values do, and `DISPOSED` after the end. */
  set(state: P | undefined): void;
  /** Leaves, so that others see it at once. Done by itself when the document is disposed of. */
  close(): void;
}

const BYTES_MAX = 4096;
const TIMEOUT_MS = 30_000;
const SHOWN = ["visibilitychange", "pageshow"];

interface Other<P> {
  readonly sequence: number;
  readonly present: Present<P> | undefined;
  readonly heard: number;
}

/**
 * Each says what it shows, with a number that goes up, again and again; who hears something new passes it on, so it reaches
 * all who are linked in any way. The clock of the receiver decides who is gone: that of the sender may be wrong.
 */
export function openPresence<P extends Value>(links: Links, me: () => string, options: PresenceOptions): Presence<P> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  // One run of one page: a page that was loaded again starts anew.
  const run = hex(randomBytes(8));
  const others = new Map<string, Other<P>>();
  const listeners = new Listeners<[]>();
  let state: P | undefined;
  let sequence = 0;
  let all: readonly Present<P>[] = Object.freeze([]);
  let cancel = () => {};
  let closed = false;

  const update = () => {
    const list = [...others.values()].flatMap(({ present }) => present ?? []);
    list.sort((left, right) => (left.replica < right.replica ? -1 : 1));
    if (list.length === all.length && list.every((present, at) => present === all[at])) return;
    all = Object.freeze(list);
    listeners.emit();
  };

  // Each time with a new number: it is what says that somebody is still there.
  const say = () =>
    links.machine.quietly(() => links.say(encodeValue([run, ++sequence, me(), ...(state === undefined ? [] : [state])])));

  const hear = (from: string, bytes: Uint8Array) => {
    let message: Value;
    try {
      message = decodeValue(bytes);
    } catch {
      return; // somebody's own use of these frames
    }
    if (!Array.isArray(message) || bytes.length > 2 * BYTES_MAX) return;
    const [who, number, replica, shown] = message as Value[];
    if (typeof who !== "string" || typeof number !== "number" || typeof replica !== "string" || who === run) return;
    const known = others.get(who);
    if (known && known.sequence >= number) return;
    links.say(bytes, from);
    // What says the same keeps its object, so that nobody draws it again.
    const same = known?.present?.replica === replica && shown !== undefined && equal(known.present.state, shown);
    const present = shown === undefined ? undefined : same ? known?.present : Object.freeze({ replica, state: shown as P });
    others.set(who, { sequence: number, present, heard: steady() });
    // A newcomer has heard nothing yet.
    if (!known && state !== undefined) say();
    update();
  };

  const beat = () => {
    for (const [who, { heard }] of others) if (steady() - heard > timeoutMs) others.delete(who);
    if (state !== undefined) say();
    update();
    cancel = later(beat, timeoutMs / 3);
  };

  const endWithDocument = links.onEnd(() => close());
  const endHearing = links.onSaid(hear);
  const endMoving = links.onMoved(() => {
    if (state !== undefined) say();
  });
  // A page that goes may have no time left to say so, but its link ends. Whoever is there still is heard of again.
  const endLeaving = links.onLeft((replica) => {
    for (const [who, { present }] of others) if (present?.replica === replica) others.delete(who);
    update();
  });
  cancel = later(beat, timeoutMs / 3);
  // Nor shall others wait for the time to run out where a third one passes it on.
  type Listen = (type: string, f: () => void, capture: boolean) => void;
  const page = globalThis as {
    readonly addEventListener?: Listen;
    readonly removeEventListener?: Listen;
    readonly document?: { readonly visibilityState: string };
  };
  const leave = () => {
    const before = state;
    state = undefined;
    if (before !== undefined) say();
    state = before;
  };
  // First of all, before the links go.
  page.addEventListener?.("pagehide", leave, true);
  // Of a page in the background the timers were slow, or stood still: others may have given it up.
  const shown = () => {
    if (state !== undefined && page.document?.visibilityState !== "hidden") say();
  };
  for (const type of SHOWN) page.addEventListener?.(type, shown, false);
  say();

  const close = () => {
    if (closed) return;
    closed = true;
    cancel();
    leave();
    page.removeEventListener?.("pagehide", leave, true);
    for (const type of SHOWN) page.removeEventListener?.(type, shown, false);
    for (const end of [endWithDocument, endHearing, endMoving, endLeaving]) end();
    others.clear();
    update();
  };

  return {
    snapshot: () => all,
    subscribe: (listener) => listeners.add(listener),
    set(next) {
      if (closed) throw new CrdtError("DISPOSED", "this presence was closed");
      const length = next === undefined ? 0 : encodeValue(next).length;
      if (length > BYTES_MAX) throw new CrdtError("TOO_LARGE", `${length} bytes of presence; the limit is ${BYTES_MAX}`);
      const left = next === undefined && state !== undefined;
      state = next;
      if (left || next !== undefined) say();
    },
    close,
  };
}

function equal(left: Value, right: Value): boolean {
  return hex(encodeValue(left)) === hex(encodeValue(right));
}
