/// <reference lib="esnext.disposable" preserve="true" />
// The entry for engines at the edge, which refuse to make wasm from bytes and compile it ahead of time instead: the import of
// a `.wasm` file gives a module there. Chosen by the condition `workerd`.
export * from "./all.js";

import module from "./crdt.wasm";
import { startSync } from "./wasm.js";

startSync(module);
