// Memory comes back: wasm memory never shrinks, so a leak is a page that dies in the end.
import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, memoryBytes, open, raw, utf8, value } from "./instance.mjs";

function cycle(n) {
  const doc = open(n % 2 === 0 ? 2 : 0);
  raw.add(doc, raw.field(doc, 0, utf8("stock"), 2), 3);
  const tags = raw.field(doc, 0, utf8("tags"), 10);
  for (let tag = 0; tag < 5; tag++) raw.insert(doc, tags, value(`tag ${tag}`));
  raw.remove(doc, tags, value("tag 1"));
  answer(raw.commit(doc, 1));
  const other = open();
  answer(raw.merge(other, answer(raw.encode(doc)), 0, 0));
  const link = raw.link_open(doc, 0, 0, 0);
  answer(raw.poll(doc, 10, 0));
  raw.link_close(doc, link, 0, 0);
  raw.dispose(other);
  raw.dispose(doc);
}

test("ten thousand documents leave memory at its first size", () => {
  for (let n = 0; n < 500; n++) cycle(n);
  const before = memoryBytes();
  for (let n = 0; n < 10_000; n++) cycle(n);
  assert.equal(memoryBytes(), before);
});

test("a document that lives for long, with all its elements coming and going, does not grow", () => {
  const doc = open();
  const cart = raw.field(doc, 0, utf8("cart"), 12);
  const round = (n) => {
    const key = value(`sku ${n % 50}`);
    const line = raw.field(doc, cart, key, 14);
    const qty = raw.field(doc, line, utf8("qty"), 4);
    raw.add(doc, qty, 1);
    raw.release(doc, qty);
    raw.release(doc, line);
    if (n % 3 === 0) raw.remove(doc, cart, key);
    answer(raw.commit(doc, n % 10 === 0 ? 1 : 0));
    answer(raw.poll(doc, n, 0));
  };
  // The log of records fills up to its bound first.
  for (let n = 0; n < 80_000; n++) round(n);
  const before = memoryBytes();
  for (let n = 80_000; n < 160_000; n++) round(n);
  assert(memoryBytes() - before <= 1 << 20, `${memoryBytes() - before} bytes more than ${before}`);
});
