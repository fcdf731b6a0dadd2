// What bundlers make of the package: it runs, tests its own size, and brings nothing that is not used.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import { build } from "esbuild";

const here = new URL("..", import.meta.url).pathname;
const out = mkdtempSync(join(tmpdir(), "crdt-bundle-"));
after(() => rmSync(out, { recursive: true }));

async function bundle(name, contents) {
  const outfile = join(out, `${name}.mjs`);
  await build({ stdin: { contents, resolveDir: join(here, "test") }, bundle: true, minify: true, format: "esm", target: "es2022", outfile, external: ["react", "node:*"], logLevel: "error" });
  return { outfile, js: brotliCompressSync(readFileSync(outfile)).length };
}

const USE = `const doc = createDoc({ schema: { n: t.pnCounter(), m: t.map(t.orSet()) }, documentId: "d" });
  doc.root.n.increment(2);
  doc.root.m.get("k").add("x");
  console.log(JSON.stringify(doc.snapshot()));`;
const run = (file) => execFileSync(process.execPath, [file], { encoding: "utf8" }).trim();

test("the default entry in one file runs as it is, and is hardly larger to download than its parts", async () => {
  const { outfile, js } = await bundle("inline", `import { createDoc, t } from "crdt-wasm"; ${USE}`);
  assert.equal(run(outfile), '{"n":2,"m":{"k":["x"]}}');
  const wasm = brotliCompressSync(readFileSync(join(here, "dist/crdt.wasm"))).length;
  console.log(`brotli: inline ${js}, of wasm ${wasm}`);
  assert.ok(js <= 1.05 * wasm + JS_MAX[0], `${js} bytes of ${wasm}`);
});

test("the slim entry with the wasm beside it runs, and its JavaScript is small", async () => {
  const { outfile, js } = await bundle("slim", `import { createDoc, initSync, t } from "crdt-wasm/slim";
    import { readFileSync } from "node:fs";
    initSync(readFileSync(new URL("crdt.wasm", import.meta.url))); ${USE}`);
  copyFileSync(join(here, "dist/crdt.wasm"), join(out, "crdt.wasm"));
  assert.equal(run(outfile), '{"n":2,"m":{"k":["x"]}}');
  const all = await bundle("all", `export * from "crdt-wasm/slim"; export * from "crdt-wasm/connect"; export * from "crdt-wasm/store";`);
  console.log(`brotli: slim js ${js}, with links and stores ${all.js}, wasm ${brotliCompressSync(readFileSync(join(here, "dist/crdt.wasm"))).length} of ${statSync(join(here, "dist/crdt.wasm")).size}`);
  assert.ok(js <= JS_MAX[0], `${js} bytes`);
  assert.ok(all.js <= JS_MAX[1], `${all.js} bytes`);
});

/** In brotli: the glue and the TypeScript layer; and with all links and stores. Whoever grows it says so here. */
const JS_MAX = [17_500, 20_300]; // 1,000 more each: a store is read and folded in slices, of which a page hears
