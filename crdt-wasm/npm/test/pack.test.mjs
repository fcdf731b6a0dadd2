// The package as users get it: its files, and the README's code in an empty project that has nothing but the tarball.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { publint } from "publint";
import { formatMessage } from "publint/utils";

import { newProject } from "./packed.mjs";

const here = new URL("..", import.meta.url).pathname;
const { packed, read, root, run, stop, write } = newProject("pack");
after(stop);

test("the tarball holds the files of the list, and no others", () => {
  const files = packed.files.map(({ path }) => path).sort();
  assert.deepEqual(files, readFileSync(new URL("files.txt", import.meta.url), "utf8").trim().split("\n"));
  assert.equal(files.filter((path) => path.endsWith(".wasm")).length, 1);
});

test("it installs into an empty project without anything else, and every entry can be imported and required", () => {
  const { exports } = JSON.parse(read("node_modules/crdt-wasm/package.json"));
  // React is optional, and is not there.
  const entries = Object.keys(exports).map((path) => path.replace(".", "crdt-wasm")).filter((path) => !/react|\.(wasm|json)$/.test(path));
  assert.ok(entries.length >= 6);
  const program = entries.map((path) => `if (Object.keys(await import("${path}")).length === 0) throw "${path}";`).join("\n");
  run(process.execPath, "--input-type=module", "-e", program);
  run(process.execPath, "--input-type=commonjs", "-e", entries.map((path) => `require("${path}");`).join("\n"));
  assert.deepEqual(Object.keys(JSON.parse(run("npm", "ls", "--json")).dependencies), ["crdt-wasm"]);
});

test("what looks at packages finds nothing wrong with it", async () => {
  const { messages, pkg } = await publint({ pkgDir: here, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test("its types are found by every way to look for them, and say what is there", () => {
  const attw = join(here, "node_modules/@arethetypeswrong/cli/dist/index.js");
  // Bytes and a list of facts have no types.
  const args = ["--profile", "esm-only", "--exclude-entrypoints", "crdt.wasm", "package.json", "--format", "ascii", "--no-color", "--no-emoji"];
  const said = run(process.execPath, attw, join(root, packed.filename), ...args);
  assert.match(said, /"crdt-wasm\/react"/);
});

const blocks = [...readFileSync(join(here, "README.md"), "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g)];
const programs = blocks.filter(([, language]) => language === "js").map(([, , code]) => code);

test("the README's programs run there as they are", () => {
  assert.equal(programs.length, 2);
  programs.forEach((code, at) => {
    write(`readme${at}.mjs`, code);
    run(process.execPath, `readme${at}.mjs`);
  });
});

test("the slim entry is silent until it has its bytes, and then the same", () => {
  write(
    "slim.mjs",
    `import assert from "node:assert";
     import { readFileSync } from "node:fs";
     import { fileURLToPath } from "node:url";
     import { createDoc, init, initSync, t } from "crdt-wasm/slim";
     const make = () => createDoc({ schema: { n: t.pnCounter() }, documentId: "d" });
     assert.throws(make, { code: "NOT_READY" });
     await assert.rejects(init(new Uint8Array([1, 2, 3])));
     assert.throws(make, { code: "NOT_READY" });
     const bytes = readFileSync(fileURLToPath(import.meta.resolve("crdt-wasm/crdt.wasm")));
     if (process.argv[2] === "sync") initSync(bytes);
     else await init(bytes);
     await init("nowhere");
     const doc = make();
     doc.root.n.increment(2);
     assert.equal(doc.root.n.value, 2);
     const { createDoc: other } = await import("crdt-wasm");
     assert.equal(other, createDoc);`,
  );
  run(process.execPath, "slim.mjs", "sync");
  run(process.execPath, "slim.mjs");
});
