// What Rust programs wrote is read here, with and without knowing its fields, and written again in the same bytes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
