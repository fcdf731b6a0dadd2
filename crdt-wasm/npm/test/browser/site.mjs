// A site with the package as it was built, and a browser to open it.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

import { chromium } from "playwright-core";

import { until } from "../help.mjs";

const dist = new URL("../../dist/", import.meta.url).pathname;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** What every page has. `doc` is opened by the test. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
  import * as crdt from "/dist/index.js";
  import * as connect from "/dist/connect.js";
  import * as store from "/dist/store.js";
  const { t } = crdt;
  const schema = { stock: t.pnCounter(), price: t.mvRegister(), tags: t.orSet(), cart: t.map(t.struct({ quantity: t.counter(), note: t.mvRegister() })) };
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  Object.assign(window, { crdt, connect, store, schema, hex, open: async (documentId, links = [connect.broadcast()], more = { tabs: false }) => {
    window.doc = await crdt.openDoc({ schema, documentId, store: store.indexedDb(), links, ...more });
    return window.doc.replicaId;
  } });
  window.ready = true;
</script>`;

const POLICY = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src *";

/** Serves the package, the page, and these programs besides. */
export async function startSite(policy = POLICY, programs = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    response.setHeader("Content-Security-Policy", policy);
    if (pathname.startsWith("/dist/") && existsSync(join(dist, pathname.slice(6)))) {
      response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "text/plain");
      return response.end(readFileSync(join(dist, pathname.slice(6))));
    }
    if (pathname in programs) return response.setHeader("Content-Type", "text/javascript").end(programs[pathname]);
    if (pathname !== "/") return response.writeHead(404).end();
    response.setHeader("Content-Type", "text/html").end(PAGE);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://localhost:${server.address().port}/`, stop: () => (server.closeAllConnections(), server.close()) };
}

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

/** A browser with a profile of its own. Any error on a page is remembered. */
export async function startBrowser() {
  const executablePath = [process.env.CHROME, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("no Chromium: install the package chromium, or set CHROME");
  const profile = mkdtempSync(join(tmpdir(), "crdt-profile-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: FLAGS });
  const errors = [];
  context.on("weberror", (error) => errors.push(String(error.error())));
  return {
    errors,
    context,
    async tab(url) {
      const page = await context.newPage();
      await page.goto(url);
      // Not by `waitForFunction`, which evaluates a string: on its second look the page's policy forbids that.
      await until(() => page.evaluate(() => window.ready));
      return page;
    },
    async stop() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
