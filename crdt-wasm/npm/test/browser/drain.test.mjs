// A page is closed while it is offline; a service worker sends what it left, when the browser says that it is online again.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { startRelay } from "./relay.mjs";
import { until } from "../help.mjs";
import { startBrowser, startSite } from "./site.mjs";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
// As it stands there; only the names of packages are paths here, and the address is that of the test's relay.
const [, program] = readme.match(/```javascript\n(\/\/ sw\.js[\s\S]*?)```/) ?? [];

let site;
let browser;
let relay;
before(async () => {
  relay = await startRelay();
  const written = program
    .replaceAll(/"crdt-wasm(\/\w+)?"/g, (_, entry) => `"/dist${entry ?? "/index"}.js"`)
    .replace("wss://example.org/crdt", relay.url);
  [site, browser] = [await startSite(undefined, { "/sw.js": written }), await startBrowser()];
});
after(async () => {
  await browser?.stop();
  site?.stop();
  await relay?.stop();
});

/** Tells the worker what the browser would: that it is online. */
async function sync(page) {
  const session = await page.context().newCDPSession(page);
  const registration = new Promise((resolve) =>
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => registrations[0] && resolve(registrations[0])),
  );
  await session.send("ServiceWorker.enable");
  const { registrationId } = await registration;
  await session.send("ServiceWorker.dispatchSyncEvent", { origin: new URL(site.url).origin, registrationId, tag: "edits", lastChance: true });
}

test("what a closed page left reaches the relay, and is on its disk", async () => {
  assert.ok(program, "the README shows the worker");
  const page = await browser.tab(site.url);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("/sw.js", { type: "module" });
    await navigator.serviceWorker.ready;
  });
  for (let round = 1; round <= 5; round++) {
    const left = await browser.tab(site.url);
    await left.evaluate(async () => {
      await open("market stall 7", []);
      await doc.edit(() => doc.root.stock.increment()).stored;
    });
    await left.close();
    await page.evaluate(() => {
      window.drained = new Promise((resolve) => (navigator.serviceWorker.onmessage = ({ data }) => resolve(data)));
    });
    await sync(page);
    assert.equal(await page.evaluate(() => drained), "drained");
    // What it said to have is there after the worst.
    await relay.kill();
    await relay.start();
    await page.evaluate((url) => {
      window.guest = crdt.createDoc({ schema, documentId: "market stall 7" });
      guest.connect(connect.webSocket(url));
    }, relay.url);
    await until(() => page.evaluate((round) => guest.root.stock.value === round, round), `round ${round}`);
    await page.evaluate(() => guest.dispose());
  }
  assert.deepEqual(browser.errors, []);
});
