import type { Bytes } from "./bytes.js";
import type { Port } from "./connect/port.js";

/** How bad a path is. */
export interface PathOptions {
  /** Frames may be lost, repeated and reordered as below; else the path is ordered and safe. */
  lossy?: {
    /** Which part of all frames is lost. */
    loss: number;
    /** Which part arrives twice. */
    repeat: number;
    /** How long a frame takes at most, in milliseconds: a random time up to it, so that later ones overtake. */
    delayMs: number;
    /** Where the random numbers start. */
    seed: number;
  };
}

/**
 * The two ends of a path inside this program, for tests: frames arrive after what runs now. It says how many were sent, and
 * how many were lost.
 */
export function portPair({ lossy }: PathOptions = {}): [left: Port, right: Port, counts: { sent: number; lost: number }] {
  const random = randomFrom(lossy?.seed ?? 1);
  const counts = { sent: 0, lost: 0 };
  const receivers: (((frame: Uint8Array | null) => void) | undefined)[] = [undefined, undefined];
  const waiting: Bytes[][] = [[], []];
  const deliver = (to: number, frame: Bytes) => {
    const receive = receivers[to];
    if (receive) receive(frame);
    else waiting[to]?.push(frame);
  };
  const end = (here: number): Port => ({
    ordered: !lossy,
    send(frame) {
      counts.sent++;
      if (!lossy) return void setTimeout(() => deliver(1 - here, frame), 0);
      if (random() < lossy.loss) return void counts.lost++;
      for (let copies = random() < lossy.repeat ? 2 : 1; copies > 0; copies--) {
        setTimeout(() => deliver(1 - here, frame), random() * lossy.delayMs);
      }
    },
    open(receive) {
      receivers[here] = receive;
      for (const frame of waiting[here]?.splice(0) ?? []) receive(frame);
      return () => {
        receivers[here] = () => {};
        setTimeout(() => receivers[1 - here]?.(null), 0);
      };
    },
  });
  return [end(0), end(1), counts];
}

declare function setTimeout(f: () => void, ms: number): unknown;

/** Numbers from 0 to 1 that look random and are the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
