// A number that is the same where the bytes of a state are. `examples/src/market/sum.rs` makes the same one.
import type { Stall } from "./market.ts";

/** In front of the state stand a byte for the kind and 16 for the document. */
const HEAD = 17;

function lane(bytes: Uint8Array, from: number): string {
  let hash = from;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

export interface State {
  readonly sum: string;
  readonly size: number;
}

/** Looks at the bytes of the state after each change, though not more often than people can read. */
export function watchState(stall: Stall, told: (state: State) => void): void {
  let waiting = false;
  const look = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      try {
        const bytes = (await stall.encode()).subarray(HEAD);
        told({ sum: lane(bytes, 0x811c9dc5) + lane(bytes, 0x050c5d1f), size: bytes.length });
      } catch {
        // The store failed, as the status says.
      }
    }, 300);
  };
  stall.subscribe(look);
  look();
}
