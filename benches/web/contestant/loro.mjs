// Loro has no set: keys of a map stand for elements. It has a counter. `commit` ends an edit; updates leave by `export`.
import { LoroDoc } from "loro-crdt";

const make = () => new LoroDoc();

/** Outside of `inOne` every edit is one by itself. */
let together = false;
const edit = (doc, f) => {
  f();
  if (!together) doc.commit();
};

export const loro = {
  name: "loro-crdt",
  make,
  dispose: (doc) => doc.free(),
  setKey: (doc, key, value) => edit(doc, () => doc.getMap("cart").set(key, value)),
  add: (doc, key) => edit(doc, () => doc.getMap("tags").set(key, true)),
  count: (doc) => edit(doc, () => doc.getCounter("likes").increment(1)),
  inOne(doc, edits) {
    together = true;
    try {
      edits();
    } finally {
      together = false;
      doc.commit();
    }
  },
  encode: (doc) => doc.export({ mode: "snapshot" }),
  load: (bytes) => LoroDoc.fromSnapshot(bytes),
  merge: (doc, bytes) => doc.import(bytes),
  deltas(doc) {
    let from = doc.version();
    return (edit) => {
      edit();
      const bytes = doc.export({ mode: "update", from });
      from = doc.version();
      return bytes;
    };
  },
  read: (doc) => doc.getMap("tags").toJSON(),
  tags: (doc) => doc.getMap("tags").size,
  keys: (doc) => doc.getMap("cart").size,
  counted: (doc) => doc.getCounter("likes").value,
};
