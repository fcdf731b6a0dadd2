// Yjs has no set and no counter: keys of a map stand for elements, as its users do it, and a number under a key for a counter.
// Of two counts at the same time one is lost there; the row measures one replica.
import * as Y from "yjs";

const make = () => new Y.Doc();

export const yjs = {
  name: "yjs",
  make,
  dispose: (doc) => doc.destroy(),
  setKey: (doc, key, value) => doc.getMap("cart").set(key, value),
  add: (doc, key) => doc.getMap("tags").set(key, true),
  count(doc) {
    const root = doc.getMap("root");
    root.set("likes", (root.get("likes") ?? 0) + 1);
  },
  inOne: (doc, edits) => doc.transact(edits),
  encode: (doc) => Y.encodeStateAsUpdate(doc),
  load(bytes) {
    const doc = make();
    Y.applyUpdate(doc, bytes);
    return doc;
  },
  merge: (doc, bytes) => Y.applyUpdate(doc, bytes),
  deltas(doc) {
    let delta;
    doc.on("update", (bytes) => (delta = bytes));
    return (edit) => {
      edit();
      return delta;
    };
  },
  read: (doc) => doc.getMap("tags").toJSON(),
  tags: (doc) => doc.getMap("tags").size,
  keys: (doc) => doc.getMap("cart").size,
  counted: (doc) => doc.getMap("root").get("likes"),
};
