// Bytes from outside: a code, and nothing else; and memory that stays in proportion.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { answer, memoryBytes, open, raw, utf8, value } from "./instance.mjs";

const golden = new URL("../../../crdt-core/tests/golden/v1/", import.meta.url);
const hex = (text) => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));
const files = readdirSync(golden).filter((name) => name.endsWith(".hex"));
const CLOSED = new Set([5, 6, 7, 11]);

test("golden states of structs and documents are read, and written as they were", () => {
  let read = 0;
  for (const name of ["record.state.hex", "document.state.hex", "nothing.state.hex"]) {
    const bytes = hex(readFileSync(new URL(name, golden), "utf8"));
    const doc = open();
    answer(raw.merge(doc, bytes, 0, 0));
    assert.deepEqual(answer(raw.state(doc)), bytes, name);
    raw.dispose(doc);
    read++;
  }
  assert.equal(read, 3);
});

test("every golden file with any byte changed, or cut anywhere, merges or is refused, and a refusal changes nothing", () => {
  const doc = open();
  raw.insert(doc, raw.field(doc, 0, utf8("tags"), 10), value("here"));
  let state = answer(raw.state(doc));
  const told = { merged: 0, refused: 0 };
  const offer = (bytes) => {
    const [code] = raw.merge(doc, bytes, 0, 0);
    if (code === 0) {
      told.merged++;
      state = answer(raw.state(doc));
      return;
    }
    assert(CLOSED.has(code), `code ${code}`);
    told.refused++;
    assert.equal(Buffer.compare(answer(raw.state(doc)), state), 0);
  };
  for (const name of files) {
    const bytes = hex(readFileSync(new URL(name, golden), "utf8"));
    for (let at = 0; at < bytes.length; at++) {
      offer(bytes.slice(0, at));
      for (const bit of [at % 8, (at + 5) % 8]) {
        const broken = bytes.slice();
        broken[at] ^= 1 << bit;
        offer(broken);
      }
    }
  }
  raw.dispose(doc);
  console.log(`${files.length} files: ${told.refused} refused, ${told.merged} merged`);
  assert(told.refused > 10_000 && told.merged > 100, JSON.stringify(told));
});

test("no bytes make memory grow by more than sixteen times their length", () => {
  const random = (() => {
    let chance = 1;
    return () => (chance = (Math.imul(chance, 1_103_515_245) + 12_345) >>> 0) >>> 16;
  })();
  const heads = [[0xc1, 0x00], [0xc1, 0x20], [0xd0], [0xd1], [0x01, 0x02, 0x01]];
  for (const length of [1 << 10, 1 << 16, 1 << 20]) {
    for (const head of heads) {
      for (const fill of [0x00, 0x7f, 0xff, undefined]) {
        const bytes = Uint8Array.from({ length }, (_, at) => head[at] ?? fill ?? random());
        if (head[0] >= 0xd0) bytes.fill(7, 1, 17);
        const before = memoryBytes();
        const doc = open();
        raw.merge(doc, bytes, 0, 0);
        const load = raw.load_begin(0);
        raw.load(load, bytes);
        raw.fold(load);
        raw.load_drop(load);
        raw.link_receive(doc, raw.link_open(doc, 0, 0, 0), bytes, 0, 0);
        raw.insert(doc, raw.field(doc, 0, utf8("s"), 10), bytes);
        raw.dispose(doc);
        assert(memoryBytes() - before <= 16 * length + (1 << 17), `${head} ${fill}: ${memoryBytes() - before} for ${length}`);
      }
    }
  }
});

test("numbers that were never given out, or were given back, are refused by every function", () => {
  const doc = open();
  const field = raw.field(doc, 0, utf8("n"), 2);
  raw.release(doc, field);
  raw.dispose(doc);
  const empty = new Uint8Array();
  for (const number of [doc, doc + 1, 0xffff_ffff, 12_345]) {
    for (const [name, f] of Object.entries(raw)) {
      if (["default", "initSync", "open", "load_begin", "scope_of", "counter"].includes(name) || name.startsWith("__")) continue;
      const text = /^(?:async )?function \w+\(([^)]*)\)/.exec(f.toString())[1];
      const rest = text.split(", ").slice(1).map((name) => (/^(key|value|to|id|version|encoded|frame|bytes|rows)$/.test(name) ? empty : 0));
      const said = f(number, ...rest);
      assert.equal(typeof said === "number" ? said : -said[0], -2, `${name}(${number})`);
    }
  }
});
