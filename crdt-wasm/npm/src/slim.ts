/// <reference lib="esnext.disposable" preserve="true" />
// The entry without the bytes of the compiled part: the application brings them, and may load them when it likes.
export * from "./all.js";

import { start, startSync, type WasmSource } from "./wasm.js";

/**
 * Loads the compiled part: from an address, a response, bytes, a module, or a promise of one. Before it is there, every call
 * throws `NOT_READY`. Later calls do nothing; one that failed may be repeated.
 *
 * ```ts
 * import url from "crdt-wasm/crdt.wasm?url";        // Vite
 * await init(url);
 * ```
 * @throws `WASM_BLOCKED` where the page's policy forbids it, and whatever loading throws.
 */
export function init(source: string | WasmSource | Promise<WasmSource>): Promise<void> {
  return start(source);
}

/**
 * The same from bytes or a compiled module that are there already.
 *
 * ```ts
 * initSync(readFileSync(new URL(import.meta.resolve("crdt-wasm/crdt.wasm"))));
 * ```
 */
export function initSync(source: WasmSource): void {
  startSync(source);
}
