// A bug in the compiled part: never a bare trap, never a silent mix-up of old documents with a new instance.
import assert from "node:assert/strict";
import { test } from "node:test";

import { seam } from "../dist/wasm.js";
import { make } from "./help.mjs";

test("after a trap the documents of that instance say so, and new ones work", () => {
  const old = make();
  const { root } = old;
  root.stock.increment(5);
  // Something that no caller of the seam does: the glue throws in the middle of a call.
  assert.throws(() => seam.merge(0, undefined, 0, 0), { code: "POISONED" });
  for (const use of [() => root.stock.value, () => root.stock.increment(), () => old.encode(), () => old.replicaId, () => old.merge(new Uint8Array())]) {
    assert.throws(use, { code: "POISONED" });
  }
  const fresh = make();
  fresh.root.stock.increment(1);
  assert.equal(fresh.root.stock.value, 1);
  old.dispose();
  assert.equal(fresh.root.stock.value, 1, "disposing of the old one does not touch the new one of the same number");
});
