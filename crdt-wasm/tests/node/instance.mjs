// A fresh instance of what was built.
import { readFileSync } from "node:fs";

import * as raw from "../../npm/dist/raw.js";

const module = new WebAssembly.Module(readFileSync(new URL("../../npm/dist/crdt.wasm", import.meta.url)));
const { memory } = raw.initSync({ module });
export { raw };
export const memoryBytes = () => memory.buffer.byteLength;

let lives = 0;
/** A document in memory, or one with a store. */
export function open(flags = 2, rows = new Uint8Array(4)) {
  lives++;
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(0, lives);
  const load = raw.load_begin(lives);
  const loaded = raw.load(load, rows);
  if (loaded < 0) throw new Error(`load: code ${-loaded}`);
  const doc = raw.open(new Uint8Array(16).fill(7), id, new Uint8Array(32).fill(lives), flags, load, 0, 1.79e12);
  if (doc < 0) throw new Error(`open: code ${-doc}`);
  return doc;
}

export const utf8 = (text) => new TextEncoder().encode(text);
/** A short text as a value. */
export const value = (text) => Uint8Array.of(6, utf8(text).length, ...utf8(text));
export const answer = (bytes) => {
  if (bytes[0] !== 0) throw new Error(`code ${bytes[0]}`);
  return bytes.subarray(1);
};
