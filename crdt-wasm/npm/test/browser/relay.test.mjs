// Pages and the native relay: both edit while apart, the relay dies and comes back, and a wrong token stays out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { until } from "../help.mjs";
import { startRelay } from "./relay.mjs";
import { startBrowser, startSite } from "./site.mjs";

let site;
let browser;
let relay;
before(async () => {
  relay = await startRelay(`[documents.secret]\ntokens = ["open sesame"]\n`);
  [site, browser] = [await startSite(), await startBrowser()];
});
after(async () => {
  await browser?.stop();
  site?.stop();
  await relay?.stop();
});

const openWith = (page, documentId, options = {}) =>
  page.evaluate(async ([documentId, url, options]) => {
    await open(documentId, []);
    window.link = doc.connect(connect.webSocket(url, options));
  }, [documentId, relay.url, options]);
const state = (page) => page.evaluate(async () => hex(await doc.encode()));

test("pages on one relay become equal, edit while it is dead, and are equal again", async () => {
  const [a, b] = [await browser.tab(site.url), await browser.tab(site.url)];
  for (const page of [a, b]) await openWith(page, "shared");
  await a.evaluate(() => doc.root.stock.increment(5));
  await until(() => b.evaluate(() => doc.root.stock.value === 5));
  await until(() => a.evaluate(() => doc.status.snapshot().unacked === 0), "the relay has it");
  await relay.kill();
  await until(() => a.evaluate(() => link.status.snapshot().state === "offline"));
  await a.evaluate(() => {
    doc.root.price.set("a");
    doc.root.cart.get("milk").quantity.increment(2);
  });
  await b.evaluate(() => {
    doc.root.price.set("b");
    doc.root.stock.decrement(1);
  });
  assert.equal(await a.evaluate(() => doc.status.snapshot().unacked), 2);
  await a.reload();
  await a.waitForFunction("window.ready");
  await openWith(a, "shared");
  await relay.start();
  await until(async () => (await state(a)) === (await state(b)), "equal", 60_000);
  await until(() => a.evaluate(() => doc.root.price.conflict && doc.root.stock.value === 4));
  // Somebody who was never there finds all of it at the relay.
  const late = await (await browser.context.browser()?.newContext?.() ?? browser.context).newPage();
  await late.goto(site.url);
  await late.waitForFunction("window.ready");
  await late.evaluate(async ([url, documentId]) => {
    window.doc = crdt.createDoc({ schema, documentId });
    doc.connect(connect.webSocket(url));
  }, [relay.url, "shared"]);
  await until(() => late.evaluate(() => doc.root.cart.has("milk") && doc.root.price.conflict));
  assert.equal(await late.evaluate(() => hex(doc.encode())), await state(a));
  for (const page of [a, b, late]) await page.close();
});

test("a token lets in, and without it the link is refused for good", async () => {
  const [a, b] = [await browser.tab(site.url), await browser.tab(site.url)];
  await openWith(a, "secret", { token: "open sesame" });
  await openWith(b, "secret", { token: "wrong" });
  await until(() => a.evaluate(() => link.status.snapshot().state === "synced"));
  await until(() => b.evaluate(() => link.status.snapshot().state === "refused"));
  assert.equal(await b.evaluate(() => link.status.snapshot().cause.code), "UNAUTHORIZED");
  await b.evaluate(() => doc.root.stock.increment());
  await a.evaluate(() => doc.edit(() => doc.root.tags.add("x")).stored);
  assert.equal(await b.evaluate(() => doc.root.tags.size), 0);
  await a.close();
  await b.close();
});
