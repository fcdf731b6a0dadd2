// Edits, snapshots, events, bytes and errors of documents in memory.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createDoc, CrdtError, t } from "crdt-wasm";
import { portPair } from "crdt-wasm/testing";
import { Reader } from "../dist/bytes.js";
import { hex, make, meet, schema, sleep, until } from "./help.mjs";

test("snapshots are frozen, and the same object until something in them changes", () => {
  const doc = make();
  doc.root.cart.get("a").quantity.increment();
  doc.root.cart.get("b").note.set({ deep: [1] });
  doc.root.tags.add("x");
  const first = doc.snapshot();
  assert.equal(doc.snapshot(), first);
  assert.ok(Object.isFrozen(first) && Object.isFrozen(first.tags) && Object.isFrozen(first.cart.b.note[0].deep));
  doc.root.cart.get("a").quantity.increment();
  const second = doc.snapshot();
  assert.notEqual(second, first);
  assert.equal(second.cart.b, first.cart.b);
  assert.equal(second.tags, first.tags);
  assert.equal(second.theme, first.theme);
  assert.equal(second.cart.a.note, first.cart.a.note);
  assert.equal(first.cart.a.quantity, 1, "what was given out stays as it was");
  assert.equal(second.cart.a.quantity, 2);
  assert.equal(doc.root.cart.snapshot(), second.cart);
  assert.equal(doc.root.cart.get("b").snapshot(), second.cart.b);
  assert.equal(doc.root.cart.get("b"), doc.root.cart.get("b"));
});

test("what did not change is shared after a merge, too", () => {
  const [a, b] = [make(), make()];
  a.root.cart.get("a").note.set(["x"]);
  a.root.cart.get("b").note.set(["y"]);
  meet(a, b);
  const before = b.snapshot();
  a.root.cart.get("a").note.set(["z"]);
  meet(a, b);
  const after = b.snapshot();
  assert.deepEqual(after.cart.a.note, [["z"]]);
  assert.equal(after.cart.b, before.cart.b);
  assert.equal(after.tags, before.tags);
});

test("a snapshot inside an edit has what the edit did so far, also after a removal and a re-creation", () => {
  const doc = make();
  doc.root.cart.get("a").quantity.increment(4);
  assert.equal(doc.snapshot().cart.a.quantity, 4);
  doc.edit(() => {
    doc.root.cart.delete("a");
    assert.deepEqual(doc.snapshot().cart, {});
    doc.root.cart.get("a").quantity.increment();
    assert.equal(doc.snapshot().cart.a.quantity, 1);
    doc.root.stock.increment(7);
    assert.equal(doc.snapshot().stock, 7);
  });
  assert.deepEqual(doc.snapshot().cart, { a: { quantity: 1, note: [], flags: {} } });
});

test("listeners hear of their place only, once for each edit", () => {
  const [a, b] = [make(), make()];
  const heard = [];
  for (const [name, field] of Object.entries({
    doc: a, stock: a.root.stock, cart: a.root.cart, milk: a.root.cart.get("milk"), note: a.root.cart.get("milk").note, eggs: a.root.cart.get("eggs"),
  })) field.subscribe(() => heard.push(name));
  const told = () => heard.splice(0).sort().join(" ");
  a.root.stock.increment();
  assert.equal(told(), "doc stock");
  a.edit(() => {
    a.root.stock.increment();
    a.root.cart.get("milk").quantity.increment();
    a.edit(() => a.root.stock.increment());
  });
  assert.equal(told(), "cart doc milk stock");
  b.root.cart.get("milk").note.set("x");
  b.root.cart.get("bread").note.set("x");
  a.merge(b.encode());
  assert.equal(told(), "cart doc milk note");
  a.merge(b.encode());
  assert.equal(told(), "", "nothing new");
  a.root.cart.delete("milk");
  assert.equal(told(), "cart doc milk note");
  a.root.open.disable();
  assert.equal(told(), "", "an edit that changes nothing");
  global.gc?.();
  a.root.cart.get("eggs").flags.get("f").enable();
  assert.equal(told(), "cart doc eggs");
});

test("a listener that was taken out, or throws, does not disturb the others", async () => {
  const doc = make();
  const heard = [];
  const caught = [];
  const onError = (error) => caught.push(error.message);
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", onError);
  const ends = [
    doc.subscribe(() => {
      heard.push("first");
      throw new Error("of a listener");
    }),
    doc.subscribe(() => heard.push("second")),
    doc.subscribe(() => heard.push("third")),
  ];
  ends[1]();
  doc.root.stock.increment();
  await sleep(5);
  process.removeListener("uncaughtException", onError);
  before.forEach((listener) => process.on("uncaughtException", listener));
  assert.deepEqual(heard, ["first", "third"]);
  assert.deepEqual(caught, ["of a listener"]);
});

test("an edit made by a listener is told after what it reacts to", () => {
  const doc = make();
  const order = [];
  doc.onChange(({ changes }) => {
    order.push(`a ${changes[0].path[0]}`);
    if (changes[0].path[0] === "stock") doc.root.visits.increment();
  });
  doc.onChange(({ changes }) => order.push(`b ${changes[0].path[0]}`));
  doc.root.stock.increment();
  assert.deepEqual(order, ["a stock", "b stock", "a visits", "b visits"]);
});

test("changes say what is different, in the words of the fields", () => {
  const doc = make();
  doc.root.cart.get("old").quantity.increment(1);
  doc.root.tags.add("gone");
  doc.root.price.set(1);
  const batches = [];
  doc.onChange((batch) => batches.push(batch));
  doc.edit(
    () => {
      doc.root.stock.increment(5);
      doc.root.stock.decrement(2);
      doc.root.open.enable();
      doc.root.title.set("t");
      doc.root.price.set(2);
      doc.root.tags.add("x");
      doc.root.tags.add("y");
      doc.root.tags.delete("gone");
      doc.root.theme.dark.enable();
      doc.root.cart.get("new").flags.get("f").enable();
      doc.root.cart.delete("old");
    },
    { origin: "here" },
  );
  const [{ changes, origin, local }] = batches;
  assert.equal(batches.length, 1);
  assert.deepEqual([origin, local], ["here", true]);
  const by = (left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);
  assert.deepEqual(
    changes.map((change) => ({ ...change })).sort(by),
    [
      { path: ["stock"], kind: "counter", by: 3 },
      { path: ["open"], kind: "flag", value: true },
      { path: ["title"], kind: "register", before: undefined, after: "t", conflict: false },
      { path: ["price"], kind: "register", before: 1, after: 2, conflict: false },
      { path: ["tags"], kind: "set", added: ["x", "y"], removed: ["gone"] },
      { path: ["theme", "dark"], kind: "flag", value: true },
      { path: ["cart", "new", "flags", "f"], kind: "flag", value: true },
      { path: ["cart", "new", "flags"], kind: "map", added: ["f"], removed: [] },
      { path: ["cart", "old", "quantity"], kind: "counter", by: -1 },
      { path: ["cart"], kind: "map", added: ["new"], removed: ["old"] },
    ].sort(by),
  );
});

test("changes of a merge say the same at the other replica, and conflicts with it", () => {
  const [a, b] = [make(), make()];
  const heard = [];
  b.root.price.set("b");
  b.onChange((batch) => heard.push(batch));
  a.root.price.set("a");
  a.root.cart.get("k").quantity.increment(2);
  b.merge(a.encode(), { origin: "wire" });
  assert.equal(heard.length, 1);
  assert.deepEqual([heard[0].origin, heard[0].local], ["wire", false]);
  const kinds = heard[0].changes.map(({ kind, path, conflict, by }) => [path.join("."), kind, conflict ?? by]);
  assert.deepEqual(kinds.sort(), [["cart", "map", undefined], ["cart.k.quantity", "counter", 2], ["price", "register", true]]);
  a.root.cart.delete("k");
  b.merge(a.encode());
  assert.deepEqual(heard[1].changes.find(({ kind }) => kind === "map"), { path: ["cart"], kind: "map", added: [], removed: ["k"] });
});

test("an edit that throws keeps and tells what it did before", () => {
  const doc = make();
  let told = 0;
  doc.subscribe(() => told++);
  assert.throws(() => doc.edit(() => {
    doc.root.stock.increment();
    throw new Error("mine");
  }), { message: "mine" });
  assert.equal(doc.root.stock.value, 1);
  assert.equal(told, 1);
  doc.root.stock.increment();
  assert.equal(told, 2, "edits go on as before");
});

test("an edit is over when its function returns", () => {
  const doc = make();
  assert.throws(() => doc.edit(async () => doc.root.stock.increment()), { code: "ASYNC_EDIT" });
  assert.equal(doc.root.stock.value, 1);
  assert.throws(() => doc.edit(() => doc.encode()), { code: "ASYNC_EDIT" });
  const { value } = doc.edit(() => "answer");
  assert.equal(value, "answer");
});

test("equal edits make equal bytes, whatever way they took", () => {
  const docs = [make(), make(), make()];
  docs.forEach((doc, at) => {
    for (let n = 0; n < 20; n++) {
      doc.root.stock.increment(n);
      doc.root.tags.add(`${at}${n % 5}`);
      doc.root.cart.get(`k${n % 7}`).quantity.increment(at);
      if (n % 3 === 0) doc.root.tags.delete(`${at}0`);
    }
  });
  const states = docs.map((doc) => doc.encode());
  const orders = [[0, 1, 2], [2, 1, 0, 1], [1, 2, 0, 0]];
  docs.forEach((doc, at) => orders[at].forEach((from) => doc.merge(states[from])));
  assert.equal(new Set(docs.map((doc) => hex(doc.encode()))).size, 1);
  assert.equal(new Set(docs.map((doc) => JSON.stringify(doc.snapshot(), (_, v) => (typeof v === "bigint" ? `${v}n` : v)))).size, 1);
});

test("deltaSince brings what somebody lacks, removals included, and its size is that of the difference", () => {
  const [a, b] = [make(), make()];
  for (let n = 0; n < 500; n++) a.root.tags.add(`element ${n}`);
  b.merge(a.deltaSince(b.version()));
  assert.equal(hex(a.encode()), hex(b.encode()));
  const version = b.version();
  a.root.tags.delete("element 3");
  a.root.tags.add("new");
  const delta = a.deltaSince(version);
  assert.ok(delta.length < 200, `${delta.length} bytes`);
  assert.deepEqual(b.merge(delta), { grew: true, waiting: 0 });
  assert.equal(hex(a.encode()), hex(b.encode()));
  assert.deepEqual(b.merge(delta), { grew: false, waiting: 0 });
});

test("deltas carry each edit over a transport of one's own, lost, repeated and in any order", async () => {
  const docs = [make(), make(), make()];
  const inboxes = docs.map(() => []);
  const origins = [];
  docs.forEach((doc, here) => {
    doc.onDelta((bytes, origin) => {
      origins.push(origin);
      inboxes.forEach((inbox, there) => there !== here && inbox.push(bytes));
    });
  });
  for (let n = 0; n < 10; n++) {
    docs[0].root.stock.increment();
    docs[1].root.tags.add(n);
    docs[1].root.tags.delete(n - 3);
    docs[2].edit(() => {
      docs[2].root.visits.increment();
      docs[2].root.cart.get(`k${n}`).note.set(n);
    }, { origin: "mine" });
  }
  await sleep(20);
  assert.equal(inboxes[0].length, 10 + 10 + 7, "one for each edit of the others that changed something");
  assert.equal(origins.filter((origin) => origin === "mine").length, 10);
  let waited = 0;
  docs.forEach((doc, at) => {
    for (const bytes of [...inboxes[at].reverse(), ...inboxes[at]]) waited += doc.merge(bytes).waiting > 0 ? 1 : 0;
  });
  assert.ok(waited > 0, "some came before what they build on");
  assert.equal(new Set(docs.map((doc) => hex(doc.encode()))).size, 1);
  assert.equal(docs[0].root.tags.size, 3);
  assert.equal(docs[0].root.cart.size, 10);
});

test("what is not ours is refused, and changes nothing", () => {
  const doc = make();
  doc.root.stock.increment();
  const before = hex(doc.encode());
  for (const bytes of [new Uint8Array(), new Uint8Array([1, 2, 3]), "text", undefined, [1], new ArrayBuffer(3)]) {
    assert.throws(() => doc.merge(bytes), { code: "BAD_BYTES" });
    assert.throws(() => doc.deltaSince(bytes), { code: "BAD_BYTES" });
  }
  const other = createDoc({ schema: {}, documentId: "another" });
  assert.throws(() => doc.merge(other.encode()), { code: "WRONG_DOCUMENT" });
  assert.equal(hex(doc.encode()), before);
  assert.throws(() => createDoc({ schema: {}, documentId: "" }), { code: "BAD_VALUE" });
});

test("every broken copy of good bytes is taken or refused with an error of the list, and nothing else happens", () => {
  const source = make();
  source.root.stock.increment(3);
  source.root.price.set({ a: [1, "x"] });
  source.root.cart.get("k").note.set("text");
  source.root.tags.add("gone");
  source.root.tags.delete("gone");
  const all = source.encode();
  let refused = 0;
  for (let at = 0; at < all.length; at++) {
    for (const byte of [0, 1, 0x7f, 0x80, 0xff, all[at] ^ 1]) {
      const broken = all.slice();
      broken[at] = byte;
      const doc = make();
      const before = hex(doc.encode());
      try {
        doc.merge(broken);
        doc.snapshot();
      } catch (error) {
        refused++;
        assert.ok(CrdtError.is(error), String(error));
        assert.ok(["BAD_BYTES", "UNSUPPORTED_FORMAT", "WRONG_DOCUMENT", "TOO_LARGE"].includes(error.code), error.code);
        assert.equal(hex(doc.encode()), before);
      }
      doc.dispose();
    }
  }
  assert.ok(refused > all.length, `${refused} refused`);
});

test("a disposed document says so, whatever is called", () => {
  const doc = make();
  const { root } = doc;
  doc.dispose();
  doc.dispose();
  for (const use of [
    () => root.stock.increment(), () => root.stock.value, () => root.tags.has("x"), () => root.cart.get("k").quantity.increment(),
    () => root.cart.keys(), () => doc.encode(), () => doc.merge(new Uint8Array(1)), () => doc.edit(() => 1), () => doc.replicaId,
    () => doc.subscribe(() => {}), () => doc.onChange(() => {}), () => doc.inspect(), () => doc.version(),
    () => doc.onNotice(() => {}), () => doc.onDelta(() => {}), () => doc.connect(portPair()[0]), () => doc.presence(),
  ]) assert.throws(use, { code: "DISPOSED" }, String(use));
  assert.equal(typeof Object.getPrototypeOf(doc)[Symbol.dispose ?? "dispose"], "function");
});

test("two documents never have one id, and bytes hold none before the first edit", () => {
  const ids = new Set(Array.from({ length: 100 }, () => make().replicaId));
  assert.equal(ids.size, 100);
  assert.equal(hex(make().encode()), hex(make().encode()));
});

test("without a name a document is a new one, which others join by its name", () => {
  const [doc, other] = [createDoc({ schema }), createDoc({ schema })];
  assert.notEqual(doc.documentId, other.documentId);
  doc.root.stock.increment();
  assert.throws(() => other.merge(doc.encode()), { code: "WRONG_DOCUMENT" });
  const joined = createDoc({ schema, documentId: doc.documentId, initial: doc.encode() });
  assert.equal(joined.root.stock.value, 1);
});

test("a receipt names the edits", () => {
  const doc = make();
  let inner;
  const one = doc.edit(() => doc.root.stock.increment());
  const outer = doc.edit(() => {
    inner = doc.edit(() => doc.root.tags.add("a"));
    doc.root.tags.add("b");
    return 7;
  });
  const none = doc.edit(() => doc.root.tags.delete("not there"));
  const id = doc.replicaId;
  assert.deepEqual([one.dots, outer.dots, none.dots, inner.dots], [[`${id}:1`], [`${id}:2`, `${id}:3`], [], []]);
  assert.equal(outer.value, 7);
  assert.deepEqual(doc.inspect().seen, { [id]: [[1, 3]] });
});

test("reading how it stands calls nobody: whoever listens is told afterwards", async () => {
  const doc = make();
  const { status } = doc;
  let told = 0;
  let reading = false;
  status.subscribe(() => {
    assert.ok(!reading, "a page that is drawn may not be told to draw");
    told++;
  });
  const before = status.snapshot();
  doc.root.stock.increment();
  reading = true;
  assert.equal(status.snapshot().unacked, before.unacked + 1);
  assert.equal(status.snapshot(), status.snapshot());
  reading = false;
  assert.equal(told, 0);
  await until(() => told === 1);
});

test("that a difference is too large for one of the ends is told", () => {
  const doc = make();
  const notices = [];
  doc.onNotice((notice) => notices.push(notice));
  // As the compiled part says it, which its own tests show: the number of the link comes with it.
  doc.inside.happened(19, new Reader(new Uint8Array(4)));
  assert.deepEqual(notices, [{ kind: "tooLarge" }]);
});

test("inspect says who made what", () => {
  const [a, b] = [make(), make()];
  a.root.stock.increment();
  a.root.stock.increment();
  b.root.tags.add("x");
  meet(a, b);
  const { seen, entries, waiting } = a.inspect();
  assert.deepEqual(seen, { [a.replicaId]: [[1, 2]], [b.replicaId]: [[1, 1]] });
  assert.deepEqual([entries > 0, waiting], [true, 0]);
});

test("a struct in a map, a field of one name and a renamed field keep their data", () => {
  const old = createDoc({ schema: { tags: t.orSet() }, documentId: "d" });
  old.root.tags.add("x");
  const renamed = createDoc({ schema: { labels: t.orSet({ key: "tags" }) }, documentId: "d", initial: old.encode() });
  assert.deepEqual(renamed.snapshot(), { labels: ["x"] });
  const heard = [];
  renamed.onChange(({ changes }) => heard.push(...changes));
  renamed.root.labels.add("y");
  assert.deepEqual(heard, [{ path: ["labels"], kind: "set", added: ["y"], removed: [] }]);
});
