// What a page has to load: an application of two lines that uses the package's main class, bundled and minified by esbuild, with
// the wasm beside it where there is one. Bytes as they are, after gzip -9, and after brotli 11, each file by itself.
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = "../../crdt-wasm/npm/dist";

/** What is bundled; `wasm` is fetched by the bundle. */
const APPLICATIONS = [
  {
    name: "crdt-wasm/slim",
    code: `import { createDoc, init, t } from "${dist}/slim.js"; globalThis.app = { createDoc, init, t };`,
    wasm: [`${dist}/crdt.wasm`],
  },
  { name: "crdt-wasm", code: `import { createDoc, t } from "${dist}/index.js"; globalThis.app = { createDoc, t };` },
  { name: "yjs", code: `import * as Y from "yjs"; globalThis.app = { Doc: Y.Doc, a: Y.applyUpdate, e: Y.encodeStateAsUpdate };` },
  { name: "json-joy", code: `import { Model } from "json-joy/lib/json-crdt/index.js"; globalThis.app = { Model };` },
  {
    name: "ywasm",
    code: `import * as Y from "ywasm"; globalThis.app = { Doc: Y.YDoc, a: Y.applyUpdate, e: Y.encodeStateAsUpdate };`,
    wasm: ["node_modules/ywasm/ywasm_bg.wasm"],
  },
  {
    name: "@automerge/automerge",
    code: `import * as A from "@automerge/automerge/slim"; globalThis.app = A;`,
    wasm: ["node_modules/@automerge/automerge/dist/automerge.wasm"],
  },
  {
    name: "loro-crdt",
    code: `import init, * as L from "loro-crdt/web"; globalThis.app = { init, LoroDoc: L.LoroDoc };`,
    wasm: ["node_modules/loro-crdt/web/loro_wasm_bg.wasm"],
  },
];

const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });

async function measure({ name, code, wasm = [] }) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: here },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    // ywasm is shipped for Node.
    external: ["fs", "path", "util"],
    write: false,
    logLevel: "error",
  });
  const { readFileSync } = await import("node:fs");
  const files = [Buffer.from(outputFiles[0].contents), ...wasm.map((path) => readFileSync(new URL(path, import.meta.url)))];
  const sum = (f) => files.reduce((total, bytes) => total + f(bytes), 0);
  return { name, raw: sum((b) => b.length), gzip: sum((b) => gzipSync(b, { level: 9 }).length), brotli: sum((b) => brotli(b).length) };
}

export async function sizes() {
  const all = [];
  for (const application of APPLICATIONS) all.push(await measure(application));
  return all;
}
