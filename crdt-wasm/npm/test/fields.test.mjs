// What each kind of field promises when two replicas edit at the same time.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createDoc, t } from "crdt-wasm";
import { hex, make, meet, sleep } from "./help.mjs";

/** Two replicas that had the same, edited without hearing each other, and met. */
function pair(before, left, right) {
  const [a, b] = [make(), make()];
  before(a.root);
  meet(a, b);
  left(a.root);
  right(b.root);
  meet(a, b);
  assert.equal(hex(a.encode()), hex(b.encode()));
  assert.deepEqual(a.snapshot(), b.snapshot());
  return a.root;
}

test("counts made at the same time all count", () => {
  const root = pair(
    (root) => root.stock.increment(10),
    (root) => {
      root.visits.increment();
      root.stock.decrement(3);
    },
    (root) => {
      root.visits.increment(2);
      root.stock.increment();
    },
  );
  assert.equal(root.visits.value, 3);
  assert.equal(root.stock.value, 8);
  assert.equal(root.stock.valueBigInt, 8n);
});

test("counts beyond 2^53 are exact, and never a wrong number", () => {
  const doc = make();
  doc.root.stock.increment(Number.MAX_SAFE_INTEGER);
  doc.root.stock.increment(2);
  assert.equal(doc.root.stock.valueBigInt, 2n ** 53n + 1n);
  assert.equal(doc.root.stock.snapshot(), 2n ** 53n + 1n);
  assert.throws(() => doc.root.stock.value, { code: "OUT_OF_RANGE" });
  for (const by of [1.5, NaN, Infinity, 2 ** 53, "1"]) assert.throws(() => doc.root.stock.increment(by), { code: "OUT_OF_RANGE" });
  assert.throws(() => doc.root.visits.increment(-1), { code: "OUT_OF_RANGE" });
  assert.equal(doc.root.visits.value, 0);
});

test("the last seat is sold once", () => {
  const [a, b] = [make(), make()];
  a.root.seats.increment(1);
  meet(a, b);
  assert.equal(b.root.seats.value, 1);
  assert.equal(b.root.seats.tryDecrement(), false, "the right to it is at the other replica");
  assert.equal(a.root.seats.tryDecrement(), true);
  assert.equal(a.root.seats.tryDecrement(), false);
  a.root.seats.increment(5);
  assert.equal(a.root.seats.rights, 5);
  assert.equal(a.root.seats.grant(b.replicaId, 2), true);
  assert.equal(a.root.seats.grant(b.replicaId, 9), false);
  meet(a, b);
  assert.equal(b.root.seats.rights, 2);
  assert.equal(b.root.seats.tryDecrement(2), true);
  meet(a, b);
  assert.equal(a.root.seats.value, 3);
  assert.throws(() => a.root.seats.tryDecrement(-1), { code: "OUT_OF_RANGE" });
  assert.throws(() => a.root.seats.grant("nobody", 1), { code: "BAD_VALUE" });
});

test("a flag that is switched on and off at the same time ends as its name says", () => {
  const root = pair(
    (root) => {
      root.open.enable();
      root.shut.enable();
    },
    (root) => {
      root.open.disable();
      root.shut.disable();
    },
    (root) => {
      root.open.disable();
      root.open.enable();
      root.shut.disable();
      root.shut.enable();
    },
  );
  assert.equal(root.open.value, true);
  assert.equal(root.shut.value, false);
});

test("of two titles one stays, of two prices both", () => {
  const root = pair(
    (root) => root.price.set(1),
    (root) => {
      root.title.set("left");
      root.price.set(2);
    },
    (root) => {
      root.title.set("right");
      root.price.set(3);
    },
  );
  assert.ok(["left", "right"].includes(root.title.value));
  assert.equal(root.price.conflict, true);
  assert.deepEqual(root.price.values.map(({ value }) => value).sort(), [2, 3]);
  assert.match(root.price.values[0].replica, /^[0-9a-f]{32}$/);
  root.price.resolve((all) => Math.max(...all));
  assert.deepEqual([...root.price.snapshot()], [3]);
  assert.equal(root.price.conflict, false);
  root.title.clear();
  root.price.clear();
  assert.equal(root.title.value, undefined);
  assert.deepEqual([...root.price.snapshot()], []);
  root.price.resolve(() => assert.fail("there is nothing to resolve"));
});

test("a resolved conflict stays resolved at who had seen only the conflict", () => {
  const [a, b, c] = [make(), make(), make()];
  a.root.price.set(1);
  b.root.price.set(2);
  meet(a, b);
  meet(b, c);
  a.root.price.resolve((all) => all[0] + all[1]);
  meet(a, c);
  assert.deepEqual([...c.root.price.snapshot()], [3]);
});

test("an element added and removed at the same time stays or goes as the set's name says", () => {
  const root = pair(
    (root) => {
      for (const element of ["x", "y"]) {
        root.tags.add(element);
        root.banned.add(element);
      }
    },
    (root) => {
      root.tags.delete("x");
      root.banned.delete("x");
    },
    (root) => {
      root.tags.add("x");
      root.banned.add("x");
      root.seen.add({ b: 1, a: [null, "é"] });
      root.seen.add({ a: [null, "é"], b: 1 });
    },
  );
  assert.deepEqual([...root.tags], ["x", "y"]);
  assert.deepEqual([...root.banned], ["y"]);
  assert.equal(root.seen.size, 1);
  assert.equal(root.seen.has({ a: [null, "é"], b: 1 }), true);
  assert.equal(root.tags.delete("nothing"), false);
  root.tags.clear();
  assert.equal(root.tags.size, 0);
});

test("elements are of any value, and come back as they were", () => {
  const doc = make();
  const values = [null, false, 1, -1, 2 ** 40, -(2n ** 80n), 0.5, "", "text", "é\u{1f600}", new Uint8Array([0, 255]), [1, [2]], { a: { b: null } }];
  for (const value of values) doc.root.tags.add(value);
  assert.equal(doc.root.tags.size, values.length);
  for (const value of values) assert.ok(doc.root.tags.has(value));
  assert.deepEqual(new Set([...doc.root.tags].map(String)), new Set(values.map(String)));
  const texts = make();
  for (const text of ["b", "a", "é", "\ufeff", ""]) texts.root.tags.add(text);
  assert.deepEqual([...texts.root.tags], ["", "a", "b", "é", "\ufeff"]);
  assert.throws(() => doc.root.tags.add(undefined), { code: "BAD_VALUE" });
  assert.throws(() => doc.root.tags.add("a".repeat(600_000)), { code: "TOO_LARGE" });
  assert.equal(doc.root.tags.size, values.length);
});

test("a removed key keeps what was written there at the same time, and only that", () => {
  const root = pair(
    (root) => root.cart.get("milk").quantity.increment(5),
    (root) => root.cart.delete("milk"),
    (root) => {
      root.cart.get("milk").quantity.increment(2);
      root.cart.get("eggs").note.set("fresh");
      root.cart.get("eggs").flags.get("organic").enable();
    },
  );
  assert.equal(root.cart.get("milk").quantity.value, 2);
  assert.deepEqual(root.cart.keys(), ["eggs", "milk"]);
  assert.equal(root.cart.size, 2);
  assert.deepEqual([...root.cart].map(([key]) => key), ["eggs", "milk"]);
  assert.equal(root.cart.get("eggs").flags.get("organic").value, true);
  root.cart.get("eggs").flags.get("organic").disable();
  assert.equal(root.cart.get("eggs").flags.has("organic"), false, "an entry that holds nothing is not there");
  assert.equal(root.cart.delete("eggs"), true);
  assert.equal(root.cart.delete("eggs"), false);
  assert.equal(root.cart.has("eggs"), false);
  root.cart.clear();
  assert.equal(root.cart.size, 0);
});

test("keys and names may be any text", () => {
  const odd = ["", "__proto__", "constructor", "toString", "path", "é", "1", "a.b"];
  const doc = createDoc({
    schema: Object.fromEntries([["map", t.map(t.ewFlag())], ...odd.map((name) => [`x${name}`, t.ewFlag()]), ["__proto__", t.ewFlag()], ["snapshot", t.ewFlag()], ["core", t.ewFlag()]]),
    documentId: "odd",
  });
  for (const key of odd) {
    doc.root.map.get(key).enable();
    doc.root[`x${key}`].enable();
  }
  doc.root.snapshot.enable();
  doc.root.core.enable();
  assert.deepEqual(Object.keys(doc.snapshot().map).sort(), [...odd].sort());
  assert.equal(doc.snapshot().snapshot, true);
  assert.equal(doc.snapshot().core, true);
});

test("a schema that no document can have is refused", () => {
  const refused = [
    { a: t.map(t.pnCounter()) },
    { a: t.map(t.struct({ b: t.dwFlag() })) },
    { a: t.struct({ path: t.ewFlag() }) },
    { a: t.ewFlag(), b: t.orSet({ key: "a" }) },
    { a: {} },
    { a: "counter" },
    { a: { kind: "nothing" } },
  ];
  for (const schema of refused) assert.throws(() => createDoc({ schema, documentId: "d" }), { code: "SCHEMA" });
  const doc = createDoc({ schema: { a: t.struct({ way: t.ewFlag({ key: "path" }) }) }, documentId: "d" });
  doc.root.a.way.enable();
  assert.deepEqual(doc.snapshot(), { a: { way: true } });
  assert.deepEqual(doc.root.a.way.path, ["a", "way"]);
});

test("a field that the data has as another kind is refused", () => {
  const old = createDoc({ schema: { a: t.orSet() }, documentId: "d" });
  old.root.a.add("x");
  const doc = createDoc({ schema: {}, documentId: "d", initial: old.encode() });
  assert.equal(hex(doc.encode()), hex(old.encode()), "what the schema does not name is kept");
});

test("values that fail their check are not shown, and a notice tells of it once", () => {
  const isText = (value) => typeof value === "string";
  const options = { check: isText };
  const loose = createDoc({ schema: { title: t.lwwRegister(), price: t.mvRegister(), tags: t.orSet() }, documentId: "d" });
  loose.root.title.set(1);
  loose.root.price.set(2);
  loose.root.tags.add(3);
  loose.root.tags.add("text");
  const doc = createDoc({
    schema: { title: t.lwwRegister(options), price: t.mvRegister(options), tags: t.orSet(options) },
    documentId: "d",
    initial: loose.encode(),
  });
  const notices = [];
  doc.onNotice((notice) => notices.push(notice));
  for (let again = 0; again < 2; again++) {
    assert.equal(doc.root.title.value, undefined);
    assert.deepEqual([...doc.root.price.values], []);
    assert.deepEqual([...doc.root.tags], ["text"]);
  }
  assert.deepEqual(notices.map(({ kind, path, value }) => [kind, path[0], value]), [["badValue", "title", 1], ["badValue", "price", 2], ["badValue", "tags", 3]]);
  doc.root.title.set("good");
  assert.equal(doc.root.title.value, "good");
});

test("under each key of an lwwMap the later write stays, be it a removal", async () => {
  const later = async (f) => {
    // The clock has to go on, or the ids would decide.
    await sleep(5);
    f();
  };
  const [a, b] = [make(), make()];
  a.root.names.set("kept", 1);
  a.root.names.set("gone", 1);
  a.root.names.set("back", 1);
  meet(a, b);
  // Neither hears the other.
  await later(() => {
    a.root.names.set("kept", "early");
    a.root.names.set("gone", "early");
    a.root.names.delete("back");
  });
  await later(() => {
    b.root.names.set("kept", "late");
    b.root.names.delete("gone");
    b.root.names.set("back", "late");
  });
  meet(a, b);
  assert.equal(hex(a.encode()), hex(b.encode()));
  assert.deepEqual(a.root.names.snapshot(), { back: "late", kept: "late" });
  assert.deepEqual([...b.root.names], [["back", "late"], ["kept", "late"]]);
  assert.equal(a.root.names.get("gone"), undefined);
  // Seen is stronger than any clock.
  b.root.names.set("kept", "last");
  meet(a, b);
  assert.equal(a.root.names.get("kept"), "last");
});

test("an lwwMap is read as a map is, and nothing is written in vain", () => {
  const doc = make();
  const { names } = doc.root;
  const before = hex(doc.encode());
  assert.equal(names.delete("nothing"), false);
  assert.equal(hex(doc.encode()), before);
  names.set("__proto__", 1);
  names.set("a", [1, { b: null }]);
  assert.deepEqual(names.keys(), ["a", "__proto__"].sort());
  assert.equal(names.get("toString"), undefined);
  assert.equal(names.get("__proto__"), 1);
  assert.equal(names.size, 2);
  const seen = names.snapshot();
  doc.root.stock.increment();
  assert.equal(names.snapshot(), seen, "the same until it changes");
  assert.throws(() => names.set("f", () => {}), { code: "BAD_VALUE" });
  assert.equal(names.has("a") && names.delete("a"), true);
  assert.equal(names.has("a"), false);
  names.clear();
  assert.deepEqual([names.size, names.snapshot()], [0, {}]);
});

test("what changed under a key of an lwwMap is told as of a register, also inside of a map", () => {
  const doc = createDoc({ schema: { m: t.map(t.lwwMap()) }, documentId: "d" });
  const told = [];
  doc.onChange(({ changes }) => told.push(...changes.map(({ path, kind, before, after }) => [path.join("."), kind, before, after])));
  const entry = doc.root.m.get("x");
  let heard = 0;
  entry.subscribe(() => heard++);
  entry.set("k", 1);
  entry.set("k", 2);
  entry.delete("k");
  assert.deepEqual(told, [
    ["m.x.k", "register", undefined, 1], ["m", "map", undefined, undefined],
    ["m.x.k", "register", 1, 2],
    ["m.x.k", "register", 2, undefined],
  ]);
  assert.equal(heard, 3);
});

test("a map whose keys are numbers is one, and texts that look alike are others", () => {
  const schema = { seats: t.map(t.struct({ taken: t.ewFlag(), rows: t.map(t.counter(), { keys: "number" }) }), { keys: "number" }) };
  const [a, b] = [createDoc({ schema, documentId: "d" }), createDoc({ schema, documentId: "d" })];
  const told = [];
  b.onChange(({ changes }) => told.push(...changes.map(({ path, kind, added }) => [path, kind, added])));
  let heard = 0;
  b.root.seats.get(7).subscribe(() => heard++);
  for (const key of [10, 7, -1, 0.5, 2 ** 53 - 1]) a.root.seats.get(key).taken.enable();
  a.root.seats.get(7).rows.get(3).increment(2);
  b.merge(a.encode());
  assert.equal(heard, 1);
  assert.deepEqual(b.root.seats.keys(), [-1, 7, 10, 2 ** 53 - 1, 0.5], "integers come before fractions, as in the bytes");
  assert.equal(b.root.seats.get(7).rows.get(3).value, 2);
  assert.deepEqual(b.root.seats.get(7).rows.get(3).path, ["seats", 7, "rows", 3]);
  assert.deepEqual(b.snapshot().seats[7], { taken: true, rows: { 3: 2 } });
  assert.ok(told.some(([path, kind]) => kind === "counter" && path[1] === 7 && path[3] === 3));
  assert.deepEqual(told.find(([path, kind]) => kind === "map" && path.length === 1)[2].toSorted(), [-1, 0.5, 10, 7, 2 ** 53 - 1]);
  assert.equal(b.root.seats.has(-0), false);
  b.root.seats.get(0).taken.enable();
  assert.equal(b.root.seats.has(-0) && b.root.seats.delete(-0), true);
  assert.equal(b.root.seats.delete(10), true);
  meet(a, b);
  assert.equal(a.root.seats.has(10), false);
  for (const key of ["7", 7n, NaN, undefined, null]) assert.throws(() => a.root.seats.get(key), { code: "BAD_VALUE" }, String(key));

  // Another program has texts in the same place: both are kept, and each sees its own.
  const texts = createDoc({ schema: { seats: t.map(t.struct({ taken: t.ewFlag() })) }, documentId: "d" });
  texts.root.seats.get("7").taken.enable();
  meet(a, texts);
  assert.deepEqual(texts.snapshot(), { seats: { 7: { taken: true } } });
  assert.deepEqual(texts.root.seats.keys(), ["7"]);
  assert.equal(a.root.seats.keys().includes("7"), false);
  assert.equal(hex(a.encode()), hex(texts.encode()));
  assert.throws(() => texts.root.seats.get(7), { code: "BAD_VALUE" });
  for (const keys of ["bytes", null, 1]) assert.throws(() => createDoc({ schema: { m: t.map(t.map(t.counter(), { keys })) }, documentId: "d" }), { code: "SCHEMA" });
});

test("what is held of a place, read or only edited, is one place", () => {
  const doc = make();
  const { cart } = doc.root;
  const early = cart.get("k").quantity;
  const late = cart.get("k");
  const before = late.snapshot();
  assert.equal(cart.get("k"), late, "what was read is the same object as long as it is held");
  early.increment();
  assert.notEqual(late.snapshot(), before);
  assert.deepEqual([early.snapshot(), late.snapshot().quantity, cart.get("k").quantity.snapshot()], [1, 1, 1]);
  let heard = 0;
  const end = early.subscribe(() => heard++);
  late.quantity.increment();
  cart.get("k").quantity.increment();
  const other = make({ initial: doc.encode() });
  other.root.cart.get("k").quantity.increment();
  doc.merge(other.encode());
  assert.equal(heard, 3);
  assert.equal(early.snapshot(), 4);
  cart.delete("k");
  assert.deepEqual([heard, early.snapshot(), late.snapshot().quantity], [4, 0, 0]);
  end();
  early.increment();
  assert.deepEqual([heard, doc.snapshot().cart.k.quantity], [4, 1]);
});
