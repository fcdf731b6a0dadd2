// Presence and the life of its document: what ends, ends all of it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { portPair } from "crdt-wasm/testing";
import { make, sleep, until } from "./help.mjs";

test("disposing of a document closes its presence: others see it at once, and no timer calls it again", async () => {
  const [left, right] = portPair();
  const [a, b] = [make(), make()];
  a.connect(left);
  b.connect(right);
  const [mine, theirs] = [a.presence({ timeoutMs: 60 }), b.presence()];
  mine.set({ at: 3 });
  await until(() => theirs.snapshot().length === 1);
  const start = performance.now();
  a.dispose();
  await until(() => theirs.snapshot().length === 0);
  assert.ok(performance.now() - start < 10_000, "not only when its time was out");
  // Several heartbeats: a throw in one of them would fail this test.
  await sleep(100);
  assert.throws(() => mine.set({ at: 4 }), { code: "DISPOSED" });
  mine.close();
  b.dispose();
  theirs.close();
});

test("a document that was disposed of is not held by its presence", async () => {
  let gone = 0;
  const registry = new FinalizationRegistry(() => gone++);
  (() => {
    const doc = make();
    const presence = doc.presence({ timeoutMs: 3_600_000 });
    presence.set("here");
    registry.register(doc.inside.core.root, undefined);
    doc.dispose();
  })();
  await until(async () => {
    globalThis.gc();
    await sleep(5);
    return gone === 1;
  }, "it was collected", 5_000);
});
