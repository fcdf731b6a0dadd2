// Automerge's documents are values: each edit gives a new one, so they stand in a box here. It has a counter and no set: keys
// of a map stand for elements. Documents that are to merge begin with the same change, as its documentation advises.
import * as A from "@automerge/automerge";

const beginning = A.save(A.from({ likes: new A.Counter(0), tags: {}, cart: {} }));
const make = () => ({ now: A.load(beginning) });

let open;
const edit = (doc, f) => {
  if (open) f(open);
  else doc.now = A.change(doc.now, f);
};

export const automerge = {
  name: "@automerge/automerge",
  // An edit of a map costs its size there: N of them would take minutes.
  sizes: { "map/each": 1_000, "set/each": 1_000 },
  make,
  dispose: (doc) => A.free(doc.now),
  setKey: (doc, key, value) => edit(doc, (d) => void (d.cart[key] = value)),
  add: (doc, key) => edit(doc, (d) => void (d.tags[key] = true)),
  count: (doc) => edit(doc, (d) => void d.likes.increment(1)),
  inOne(doc, edits) {
    doc.now = A.change(doc.now, (d) => {
      open = d;
      try {
        edits();
      } finally {
        open = undefined;
      }
    });
  },
  encode: (doc) => A.save(doc.now),
  load: (bytes) => ({ now: A.load(bytes) }),
  merge: (doc, bytes) => void (doc.now = A.loadIncremental(doc.now, bytes)),
  deltas(doc) {
    return (edit) => {
      edit();
      return A.getLastLocalChange(doc.now);
    };
  },
  read: (doc) => doc.now.tags,
  tags: (doc) => Object.keys(doc.now.tags).length,
  keys: (doc) => Object.keys(doc.now.cart).length,
  counted: (doc) => doc.now.likes.value,
};
