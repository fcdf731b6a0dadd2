// A document in a worker: it has the store, and a page that has none talks with it through a port. In a worker made of a module
// and in a service worker, where much is forbidden that pages may do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { until } from "../help.mjs";
import { startBrowser, startSite } from "./site.mjs";

/** Answers the first edit that it hears of with one of its own, once that is stored. */
const PROGRAM = `
  import { openDoc, t } from "/dist/index.js";
  import { messagePort } from "/dist/connect.js";
  import { indexedDb } from "/dist/store.js";
  addEventListener("message", async ({ data: documentId, ports: [port] }) => {
    const doc = await openDoc({ schema: { stock: t.pnCounter() }, documentId, store: indexedDb(), links: [messagePort(port)] });
    const end = doc.root.stock.subscribe(() => {
      end();
      doc.root.stock.increment(100);
    });
  });
  self.addEventListener("activate", (event) => event.waitUntil(self.clients?.claim()));`;

let site;
let browser;
before(async () => {
  [site, browser] = [await startSite(undefined, { "/worker.js": PROGRAM }), await startBrowser()];
});
after(async () => {
  await browser?.stop();
  site?.stop();
});

/** A document without a store on the page, and a port to the worker. */
const begin = (page, documentId, kind) =>
  page.evaluate(async ([documentId, kind]) => {
    const worker = kind === "worker" ? new Worker("/worker.js", { type: "module" })
      : (await navigator.serviceWorker.register("/worker.js", { type: "module" }), (await navigator.serviceWorker.ready).active);
    const { port1, port2 } = new MessageChannel();
    window.doc = crdt.createDoc({ schema, documentId });
    doc.connect(connect.messagePort(port1));
    worker.postMessage(documentId, [port2]);
    doc.root.stock.increment(1);
  }, [documentId, kind]);

for (const kind of ["worker", "service worker"]) {
  test(`a ${kind} keeps the document of a page`, async () => {
    const page = await browser.tab(site.url);
    await begin(page, kind, kind);
    await until(() => page.evaluate(() => doc.root.stock.value === 101), "the worker answered");
    await page.close();
    // What the worker has is found where it kept it.
    const other = await browser.tab(site.url);
    await other.evaluate((documentId) => open(documentId, []), kind);
    await until(() => other.evaluate(() => doc.root.stock.value === 101), "it is stored");
    await other.close();
    assert.deepEqual(browser.errors, []);
  });
}
