// What Rust programs wrote is read here, with and without knowing its fields, and written again in the same bytes.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { createDoc, t } from "crdt-wasm";
import { hex } from "./help.mjs";

const golden = (name) =>
  new Uint8Array(Buffer.from(readFileSync(new URL(`../../../crdt-core/tests/golden/v1/${name}.hex`, import.meta.url), "utf8").replaceAll(/\s/g, ""), "hex"));

/** The fields of the Rust struct of that golden file, as far as there are types for them here. */
const schema = {
  likes: t.gCounter(),
  balance: t.pnCounter(),
  seats: t.boundedCounter(),
  stock: t.map(t.counter()),
  title: t.lwwRegister(),
  open: t.ewFlag(),
  closed: t.dwFlag(),
  log: t.gSet(),
  tags: t.map(t.orSet()),
  banned: t.rwSet(),
};

/** The state alone: what `encode` puts in front of it is one byte and the name of the document. */
const state = (doc) => hex(doc.encode().subarray(17));

for (const name of ["record", "document", "nothing"]) {
  test(`the state that a Rust program wrote (${name}) has the same bytes here`, () => {
    const doc = createDoc({ schema: {}, documentId: "any", initial: golden(`${name}.state`) });
    assert.equal(state(doc), hex(golden(`${name}.state`)));
  });
}

test("a schema of the same shape as a Rust struct reads it, edits it, and keeps what it does not name", () => {
  const doc = createDoc({ schema, documentId: "any", initial: golden("record.state") });
  assert.equal(state(doc), hex(golden("record.state")));
  const before = doc.snapshot();
  assert.deepEqual(before, {
    likes: 2n ** 64n + 199n,
    balance: -2,
    seats: 2n ** 64n - 1n,
    stock: { a: 1 },
    title: undefined,
    open: true,
    closed: true,
    log: [0, 1, 128],
    tags: { a: [1, 128] },
    banned: [1, 255],
  });
  doc.root.likes.increment();
  doc.root.stock.get("new").increment(2);
  const other = createDoc({ schema, documentId: "any", initial: golden("record.state") });
  other.merge(doc.deltaSince(other.version()));
  assert.equal(state(other), state(doc));
  assert.deepEqual(other.snapshot(), { ...before, likes: 2n ** 64n + 200n, stock: { ...before.stock, new: 2 } });
  // The fields that the schema has no type for are still there.
  const names = (bytes) => ["notes", "prices"].filter((name) => Buffer.from(bytes).includes(name));
  assert.deepEqual(names(doc.encode()), ["notes", "prices"]);
});

test("a Rust struct of this shape reads what is written here: the bytes are those that its test has", (context) => {
  // Ids and the clock are all that is not in the edits.
  context.mock.method(Date, "now", () => 1_790_000_000_000);
  const shop = {
    visits: t.gCounter(), stock: t.pnCounter(), seats: t.boundedCounter(), open: t.ewFlag(), shut: t.dwFlag(), title: t.lwwRegister(),
    price: t.mvRegister(), tags: t.orSet(), banned: t.rwSet(), seen: t.gSet(), theme: t.struct({ dark: t.ewFlag() }),
    cart: t.map(t.struct({ quantity: t.counter(), note: t.mvRegister() })),
  };
  const [a, b] = [1, 2].map((id) => {
    const doc = createDoc({ schema: shop, documentId: "shop" });
    doc.inside.machine.adopt(new Uint8Array(16).fill(id), 1);
    return doc;
  });
  a.root.visits.increment(3);
  b.root.visits.increment();
  a.root.stock.increment(12);
  b.root.stock.decrement(2);
  a.root.seats.increment(5);
  a.root.seats.tryDecrement(2);
  a.root.open.enable();
  b.root.shut.enable();
  a.root.title.set("Stall");
  a.root.price.set(2 ** 40);
  b.root.price.set(9);
  for (const tag of ["x", "é", "gone"]) a.root.tags.add(tag);
  a.root.tags.delete("gone");
  b.root.banned.add("mallory");
  b.root.seen.add(-7);
  a.root.theme.dark.enable();
  a.root.cart.get("milk").quantity.increment(2);
  b.root.cart.get("milk").quantity.increment();
  b.root.cart.get("milk").note.set("fresh");
  const [ofA, ofB] = [a.encode(), b.encode()];
  a.merge(ofB);
  b.merge(ofA);
  const file = new URL("../../tests/typescript/state.hex", import.meta.url);
  if (process.env.BLESS) writeFileSync(file, state(a).replaceAll(/.{120}/g, "$&\n") + "\n");
  assert.equal(state(a), readFileSync(file, "utf8").replaceAll(/\s/g, ""));
  assert.equal(state(b), state(a));
});
