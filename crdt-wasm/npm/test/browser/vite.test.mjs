// A new Vite project with the tarball, without any setting: built and in development, with both entries.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { build, createServer, preview } from "vite";

import { startBrowser } from "./site.mjs";

const here = new URL("../..", import.meta.url).pathname;
const root = realpathSync(mkdtempSync(join(tmpdir(), "crdt-vite-")));
let browser;
before(async () => {
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", root], { cwd: here, encoding: "utf8" }));
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "site", type: "module", private: true }));
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], { cwd: root });
  mkdirSync(join(root, "src"));
  const use = `const doc = createDoc({ schema: { n: t.pnCounter() }, documentId: "d" });
    doc.root.n.increment(2);
    window.answer = doc.snapshot().n;`;
  writeFileSync(join(root, "src/inline.js"), `import { createDoc, t } from "crdt-wasm"; ${use}`);
  writeFileSync(join(root, "src/slim.js"), `import { createDoc, init, t } from "crdt-wasm/slim"; import url from "crdt-wasm/crdt.wasm?url"; init(url).then(() => { ${use} });`);
  for (const name of ["inline", "slim"]) writeFileSync(join(root, `${name}.html`), `<!doctype html><script type="module" src="/src/${name}.js"></script>`);
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  rmSync(root, { recursive: true });
});

const quiet = { root, logLevel: "error", configFile: false };

async function answers(url) {
  for (const name of ["inline", "slim"]) {
    const page = await browser.context.newPage();
    await page.goto(`${url}${name}.html`);
    await page.waitForFunction("window.answer !== undefined", undefined, { timeout: 20_000 });
    assert.equal(await page.evaluate("window.answer"), 2);
    await page.close();
  }
  assert.deepEqual(browser.errors, []);
}

test("built", async () => {
  const input = { inline: join(root, "inline.html"), slim: join(root, "slim.html") };
  await build({ ...quiet, build: { rollupOptions: { input } } });
  const server = await preview({ ...quiet, preview: { port: 0, host: "127.0.0.1" } });
  await answers(server.resolvedUrls.local[0]);
  await server.close();
});

test("in development", async () => {
  const server = await (await createServer({ ...quiet, server: { port: 0, host: "127.0.0.1" } })).listen();
  await answers(server.resolvedUrls.local[0]);
  await server.close();
});
