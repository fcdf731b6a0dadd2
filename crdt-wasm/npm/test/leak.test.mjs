// What is dropped leaves nothing behind: documents with and without `dispose`, keys of maps, listeners.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createDoc } from "crdt-wasm";
import * as raw from "../dist/raw.js";
import { make, schema, sleep } from "./help.mjs";

/** What the memory of the compiled part takes. Later starts are answered with what is there. */
const wasmBytes = () => raw.initSync().memory.buffer.byteLength;

/** What the collector's choice of moment may cost. */
const SLACK = 1 << 20;

const use = (dispose) => {
  const doc = createDoc({ schema, documentId: "leak" });
  doc.root.cart.get("k").quantity.increment();
  doc.root.tags.add("x".repeat(100));
  doc.snapshot();
  doc.encode();
  if (dispose) doc.dispose();
};

test("documents that were disposed of leave the memory at its size", async () => {
  for (let n = 0; n < 500; n++) use(true);
  const before = wasmBytes();
  for (let n = 0; n < 10_000; n++) use(true);
  assert.equal(wasmBytes(), before);
});

test("documents that were only dropped are freed by the collector", async () => {
  const rounds = async (count) => {
    for (let round = 0; round < count; round++) {
      for (let n = 0; n < 100; n++) use(false);
      // Finalisers run after a collection and a return to the event loop.
      await sleep(0);
      global.gc();
      await sleep(0);
    }
  };
  await rounds(20);
  const before = wasmBytes();
  await rounds(30);
  // 3,000 documents take 78 MB. When a finaliser runs is the engine's to choose, so some rounds may overlap.
  assert.ok(wasmBytes() <= before + 16 * SLACK, `${before} → ${wasmBytes()}`);
});

test("keys that were touched and dropped leave nothing", async () => {
  const doc = make();
  // Where somebody listens, places have handles until the end of the edit.
  const watched = make();
  watched.onChange(() => {});
  const touch = async (count) => {
    for (let n = 0; n < count; n++) {
      doc.root.cart.get(`key ${n}`).quantity.value;
      doc.root.cart.get(`key ${n}`).flags.get("f").value;
      watched.edit(() => watched.root.cart.get(`key ${n}`).quantity.value);
      if (n % 5000 === 0) await sleep(0);
    }
  };
  await touch(20_000);
  global.gc();
  await sleep(0);
  const before = [wasmBytes(), process.memoryUsage().heapUsed];
  await touch(100_000);
  global.gc();
  await sleep(0);
  global.gc();
  assert.ok(wasmBytes() <= before[0] + SLACK, `${before[0]} → ${wasmBytes()}`);
  assert.ok(process.memoryUsage().heapUsed < before[1] + 4e6, `${before[1]} → ${process.memoryUsage().heapUsed}`);
});

test("entries that were made and removed leave nothing", async () => {
  const doc = make();
  const churn = async (count) => {
    for (let n = 0; n < count; n++) {
      doc.root.cart.get(`key ${n}`).note.set(n);
      doc.root.cart.delete(`key ${n}`);
      if (n % 500 === 0) doc.snapshot();
      if (n % 2000 === 0) await sleep(10);
    }
  };
  await churn(20_000);
  const before = wasmBytes();
  await churn(40_000);
  assert.ok(wasmBytes() <= before + (4 << 20), `${before} → ${wasmBytes()}`);
  assert.ok(doc.encode().length < 200);
});
