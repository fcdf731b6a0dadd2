// Tests of the tests: with one line of the package broken, the named test has to fail.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const here = new URL("..", import.meta.url).pathname;
const copy = mkdtempSync(join(tmpdir(), "crdt-controls-"));
after(() => rmSync(copy, { recursive: true }));
const link = (name, to) => symlinkSync(join(here, name), join(copy, to ?? name));
for (const name of ["dist", "test", "package.json"]) cpSync(join(here, name), join(copy, name), { recursive: true });
link("node_modules");

const FAULTS = [
  ["a frame leaves before it is stored", "keeper.js", "await this.kept.append(rows,", "void this.kept.append(rows,", "store", "nothing is shown"],
  ["a failed store is taken for a good one", "keeper.js", "return this.#fail(cause);", "void 0;", "store", "a store that fails"],
  ["a cut write is kept", "store/file.js", "await file.truncate(at);", "", "store", "a write that was cut"],
  ["a snapshot is not made anew", "fields/base.js", "at.known()?.stale();", "void 0;", "doc", "snapshots are frozen"],
  ["a snapshot is always made anew", "fields/base.js", "read.fresh = true;", "", "doc", "snapshots are frozen"],
  ["nested edits are told one by one", "core.js", "if (--this.#depth === 0)", "if (--this.#depth >= 0)", "doc", "listeners hear"],
  ["a listener's error stops the others", "listeners.js", "soon(() => {", "((f) => f())(() => {", "doc", "a listener that was"],
  ["texts are ordered as the language does it", "values.js", "return (isHalf(a) ? a + 0x1_0000 : a) - (isHalf(b) ? b + 0x1_0000 : b);", "return a - b;", "values", "the order of names"],
  ["half characters are let through", "values.js", "throw bad(\"text with half a surrogate pair\");", "void 0;", "values", "what would not come back"],
  ["dropped documents are kept", "machine.js", "dropped?.register(", "void (", "leak", "documents that were only dropped"],
  ["used handles are kept", "core.js", "seam.release(this.doc, handle);", "void 0;", "leak", "keys that were touched"],
  ["a port that is closed is forgotten to be told", "link.js", "if (frame === null)", "if (false)", "link", "two documents on a message channel"],
];

for (const [fault, file, from, to, where, name] of FAULTS) {
  test(`${fault}: "${name} …" fails`, () => {
    const path = join(copy, "dist", file);
    const good = readFileSync(path, "utf8");
    assert.ok(good.includes(from), `${file} has no line "${from}"`);
    writeFileSync(path, good.replaceAll(from, to));
    const args = ["--expose-gc", "--test", "--test-timeout=300000", `--test-name-pattern=^${name}`, `test/${where}.test.mjs`];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8", env: { ...process.env, NODE_TEST_CONTEXT: undefined } });
    writeFileSync(path, good);
    assert.notEqual(status, 0, "nobody noticed");
    assert.match(stdout, new RegExp(`not ok \\d+ - ${name}`), stdout.slice(-2000));
  });
}
