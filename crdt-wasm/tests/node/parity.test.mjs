// The same calls give the same answers as in native Rust, byte for byte: frames, rows, states, refusals.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { raw } from "./instance.mjs";
import { replay } from "./replay.mjs";

const files = (process.env.TRANSCRIPTS ?? "").split(",").filter((file) => file !== "");
assert(files.length > 0, "TRANSCRIPTS names no transcript");

for (const file of files) {
  test(`the calls of ${file.split("/").at(-1)} have the answers of native Rust`, () => {
    const transcript = readFileSync(file, "utf8");
    const told = replay(raw, transcript);
    console.log(`${told.calls} calls, ${told.refused} refused, ${told.bytes} bytes and ${told.digests} digests alike`);
    // It reached what it was meant for.
    assert(told.calls > 5_000 && told.refused > 500 && told.bytes > 500_000 && told.digests > 50, JSON.stringify(told));
    for (const name of ["merge", "link_receive", "fold", "delta_since", "durable", "dispose", "write_entry", "clear"]) {
      assert(new RegExp(`^${name} .*= (x00.*|0|1)$`, "m").test(transcript), `no ${name} succeeded`);
    }
    assert.equal(raw.__wbg_reset_state(), undefined);
  });
}

test("an answer that differs in one bit is noticed", () => {
  const lines = readFileSync(files[0], "utf8").split("\n").slice(0, 400);
  const at = lines.findLastIndex((line) => line.startsWith("poll ") && line.length > 100);
  const last = lines[at].at(-1);
  lines[at] = lines[at].slice(0, -1) + (last === "0" ? "1" : "0");
  assert.throws(() => replay(raw, lines.join("\n")), /differs: poll/);
  raw.__wbg_reset_state();
});
