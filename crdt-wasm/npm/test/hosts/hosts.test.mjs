// The package in other engines than Node and browsers: Bun and Deno run the README's programs as they are; workerd, which
// refuses to make wasm from bytes, runs the entry that is made for it. The engines are large, so `cargo xtask soak` runs this:
// `node test/run.mjs hosts`.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { build } from "esbuild";

import { newProject } from "../packed.mjs";

/** The program of an engine, which lies in a package for this kind of machine. */
function program(scope, path) {
  const packages = join(import.meta.dirname, "node_modules", scope);
  const found = readdirSync(packages).map((name) => join(packages, name, path)).find((file) => existsSync(file));
  assert.ok(found, `${scope} has nothing for this machine`);
  return found;
}

let project;
before(() => {
  project = newProject("hosts");
});
after(() => project?.stop());

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const programs = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);

for (const [name, place, words] of [["Bun", ["@oven", "bin/bun"], ["run"]], ["Deno", ["@deno", "deno"], ["run", "--allow-all", "--no-remote"]]]) {
  test(`${name} runs the README's programs`, () => {
    assert.equal(programs.length, 2);
    programs.forEach((code, at) => {
      project.write(`readme${at}.mjs`, code);
      project.run(program(...place), ...words, `readme${at}.mjs`);
    });
  });
}

const WORKER = `
  import { createDoc, t } from "crdt-wasm";
  const schema = { n: t.pnCounter(), m: t.map(t.orSet()) };
  export default {
    test() {
      const [a, b] = [createDoc({ schema, documentId: "d" }), createDoc({ schema, documentId: "d" })];
      a.root.n.increment(2);
      b.root.m.get("k").add("x");
      a.merge(b.encode());
      const seen = JSON.stringify(a.snapshot());
      if (seen !== '{"n":2,"m":{"k":["x"]}}') throw new Error(seen);
      a.dispose();
    },
  };`;

const config = (date) => `
  using Workerd = import "/workerd/workerd.capnp";
  const unit :Workerd.Config = (services = [(name = "main", worker = .main)]);
  const main :Workerd.Worker = (
    compatibilityDate = "${date}",
    modules = [(name = "worker", esModule = embed "worker.mjs"), (name = "crdt.wasm", wasm = embed "crdt.wasm")],
  );`;

// The first one before these engines had weak references.
for (const date of ["2025-05-01", "2026-11-01"]) {
  test(`workerd of ${date} takes the entry that is made for it`, async () => {
    const { root } = project;
    await build({
      stdin: { contents: WORKER, resolveDir: root }, bundle: true, format: "esm", target: "es2022", conditions: ["workerd"], external: ["*.wasm"],
      outfile: join(root, "worker.mjs"), logLevel: "error",
    });
    copyFileSync(join(root, "node_modules/crdt-wasm/dist/crdt.wasm"), join(root, "crdt.wasm"));
    project.write("config.capnp", config(date));
    project.run(program("@cloudflare", "bin/workerd"), "test", join(root, "config.capnp"));
  });
}
