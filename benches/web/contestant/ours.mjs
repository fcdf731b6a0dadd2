// crdt-wasm by its default entry: what a page gets that imports it and does nothing else.
import { createDoc, t } from "../../../crdt-wasm/npm/dist/index.js";

const schema = { likes: t.pnCounter(), tags: t.orSet(), cart: t.map(t.lwwRegister()) };
const documentId = "bench";

const make = () => createDoc({ schema, documentId });

export const ours = {
  name: "crdt-wasm",
  make,
  dispose: (doc) => doc.dispose(),
  setKey: (doc, key, value) => doc.root.cart.get(key).set(value),
  add: (doc, key) => doc.root.tags.add(key),
  count: (doc) => doc.root.likes.increment(),
  inOne: (doc, edits) => doc.edit(edits),
  encode: (doc) => doc.encode(),
  load: (bytes) => createDoc({ schema, documentId, initial: bytes }),
  merge: (doc, bytes) => doc.merge(bytes),
  /** A function that makes an edit and gives what others need of it. */
  deltas(doc) {
    let delta;
    doc.onDelta((bytes) => (delta = bytes));
    return async (edit) => {
      edit();
      // Edits are handed on after what runs now, as those of one turn travel together.
      while (!delta) await undefined;
      const bytes = delta;
      delta = undefined;
      return bytes;
    };
  },
  read: (doc) => doc.root.tags.snapshot(),
  tags: (doc) => doc.root.tags.size,
  keys: (doc) => doc.root.cart.size,
  counted: (doc) => doc.root.likes.value,
};
