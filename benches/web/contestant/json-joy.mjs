// json-joy has no set and no counter in its core: keys of an object stand for elements, a number under a key for a counter. An
// edit is a patch, which `flush` takes out. Two documents that were made apart never merge, so no row of those has it, and what
// is merged is a patch: a whole document is only loaded.
import { Model } from "json-joy/lib/json-crdt/index.js";
import { Patch } from "json-joy/lib/json-crdt-patch/index.js";

function make() {
  const doc = Model.create();
  doc.api.set({ likes: 0, tags: {}, cart: {} });
  doc.api.flush();
  return doc;
}

let together = false;
const edit = (doc, f) => {
  f();
  if (!together) doc.api.flush();
};

export const jsonJoy = {
  name: "json-joy",
  make,
  dispose: () => {},
  setKey: (doc, key, value) => edit(doc, () => doc.api.obj(["cart"]).set({ [key]: value })),
  add: (doc, key) => edit(doc, () => doc.api.obj(["tags"]).set({ [key]: true })),
  count: (doc) => edit(doc, () => doc.api.obj([]).set({ likes: doc.api.obj([]).view().likes + 1 })),
  inOne(doc, edits) {
    together = true;
    try {
      edits();
    } finally {
      together = false;
      doc.api.flush();
    }
  },
  encode: (doc) => doc.toBinary(),
  load: (bytes) => Model.load(bytes),
  merge: (doc, bytes) => doc.applyPatch(Patch.fromBinary(bytes)),
  deltas(doc) {
    return (edit) => {
      together = true;
      try {
        edit();
      } finally {
        together = false;
      }
      return doc.api.flush().toBinary();
    };
  },
  wholeIsNoUpdate: true,
  read: (doc) => doc.api.obj(["tags"]).view(),
  tags: (doc) => Object.keys(doc.api.obj(["tags"]).view()).length,
  keys: (doc) => Object.keys(doc.api.obj(["cart"]).view()).length,
  counted: (doc) => doc.api.obj([]).view().likes,
};
