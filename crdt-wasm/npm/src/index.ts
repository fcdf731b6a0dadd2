/// <reference lib="esnext.disposable" preserve="true" />
// The entry that brings the compiled part along: it is ready when the import is.
export * from "./all.js";

import packed from "./inline.js";
import { unpack } from "./unpack.js";
import { startSync } from "./wasm.js";

startSync(unpack(...packed));
