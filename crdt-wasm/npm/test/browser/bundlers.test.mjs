// A new project with the tarball, and a bundler without any setting: both entries, in a real browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer as createSite } from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";

import { build, createServer, preview } from "vite";
import webpack from "webpack";

import { newProject } from "../packed.mjs";
import { startBrowser } from "./site.mjs";

const PROGRAM = `const doc = createDoc({ schema: { n: t.pnCounter() }, documentId: "d" });
  doc.root.n.increment(2);
  window.answer = doc.snapshot().n;`;
const INLINE = `import { createDoc, t } from "crdt-wasm"; ${PROGRAM}`;
const NAMES = ["inline", "slim"];

let project;
let browser;
before(async () => {
  project = newProject("bundlers");
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  project?.stop();
});

async function answers(url) {
  for (const name of NAMES) {
    const page = await browser.context.newPage();
    await page.goto(`${url}${name}.html`);
    await page.waitForFunction("window.answer !== undefined", undefined, { timeout: 20_000 });
    assert.equal(await page.evaluate("window.answer"), 2);
    await page.close();
  }
  assert.deepEqual(browser.errors, []);
}

/** Writes a program for each entry, with the page that loads it. */
function write(slim, script) {
  project.write("inline.js", INLINE);
  project.write("slim.js", slim);
  for (const name of NAMES) project.write(`${name}.html`, `<!doctype html><script ${script(name)}></script>`);
}

const vite = (root) => ({ root, logLevel: "error", configFile: false });
const writeForVite = () =>
  write(
    `import { createDoc, init, t } from "crdt-wasm/slim"; import url from "crdt-wasm/crdt.wasm?url"; init(url).then(() => { ${PROGRAM} });`,
    (name) => `type="module" src="/${name}.js"`,
  );

test("Vite, built", async () => {
  writeForVite();
  const { root } = project;
  const input = Object.fromEntries(NAMES.map((name) => [name, join(root, `${name}.html`)]));
  await build({ ...vite(root), build: { rollupOptions: { input } } });
  const server = await preview({ ...vite(root), preview: { port: 0, host: "127.0.0.1" } });
  await answers(server.resolvedUrls.local[0]);
  await server.close();
});

test("Vite, in development", async () => {
  writeForVite();
  const server = await (await createServer({ ...vite(project.root), server: { port: 0, host: "127.0.0.1" } })).listen();
  await answers(server.resolvedUrls.local[0]);
  await server.close();
});

test("webpack", async () => {
  const { root } = project;
  write(
    `import { createDoc, init, t } from "crdt-wasm/slim";
     init(new URL("crdt-wasm/crdt.wasm", import.meta.url)).then(() => { ${PROGRAM} });`,
    (name) => `defer src="/out/${name}.js"`,
  );
  const entry = Object.fromEntries(NAMES.map((name) => [name, `./${name}.js`]));
  const stats = await new Promise((resolve, reject) =>
    webpack({ mode: "production", context: root, entry, output: { path: join(root, "out") } }, (error, stats) => (error ? reject(error) : resolve(stats))),
  );
  // That the bytes are large is no secret, and no mistake of the package.
  const { errors, warnings } = stats.toJson({ errors: true, warnings: true });
  assert.deepEqual([...errors, ...warnings].map(({ message }) => message).filter((message) => !/size limit|performance recommendations/.test(message)), []);
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const site = createSite(({ url }, response) => {
    try {
      const bytes = readFileSync(join(root, url));
      response.setHeader("Content-Type", types[extname(url)]).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  await answers(`http://localhost:${site.address().port}/`);
  site.closeAllConnections();
  site.close();
});
