/// <reference lib="esnext.disposable" preserve="true" />
// The entry that brings the compiled part along: it is ready when the import is.
export * from "./all.js";

import wasm from "./inline.js";
import { startSync } from "./wasm.js";

interface FromBase64 {
  fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}
declare function atob(text: string): string;

startSync((Uint8Array as FromBase64).fromBase64?.(wasm) ?? Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)));
