/** Where documents are kept. */
export { indexedDb, requestPersistence } from "./store/indexeddb.js";
export { memoryStore } from "./store/memory.js";
export { type Kept, packRows, splitRows, type Store } from "./store/store.js";
