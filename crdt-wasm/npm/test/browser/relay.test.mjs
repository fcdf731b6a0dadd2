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
  await until(() => a.evaluate(() => window.ready));
  await openWith(a, "shared");
  await relay.start();
  await until(async () => (await state(a)) === (await state(b)), "equal", 60_000);
  await until(() => a.evaluate(() => doc.root.price.conflict && doc.root.stock.value === 4));
  // Somebody who was never there finds all of it at the relay.
  const late = await (await browser.context.browser()?.newContext?.() ?? browser.context).newPage();
  await late.goto(site.url);
  await until(() => late.evaluate(() => window.ready));
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

/** A document that is kept nowhere but at the relay. */
const openGuest = (page, documentId) =>
  page.evaluate(([documentId, url]) => {
    window.doc = crdt.createDoc({ schema, documentId });
    window.link = doc.connect(connect.webSocket(url));
  }, [documentId, relay.url]);
const identity = (page) => page.evaluate(() => doc.status.snapshot().identity);
const isHome = (page) => until(async () => (await identity(page)) === "home", "the relay lent an id");
const writers = (page) => page.evaluate(() => Object.keys(doc.inspect().seen).length);

test("pages that keep nothing write under ids that the relay lends: as many as were open at one time", async () => {
  const ids = new Set();
  const page = await browser.tab(site.url);
  for (let load = 1; load <= 5; load++) {
    await openGuest(page, "guests");
    await isHome(page);
    ids.add(await page.evaluate(() => doc.replicaId));
    await page.evaluate(() => doc.root.stock.increment());
    await until(() => page.evaluate((load) => doc.root.stock.value === load && doc.status.snapshot().unacked === 0, load));
    // Some say goodbye, and some are just gone.
    if (load % 2) await page.evaluate(() => doc.dispose());
    await page.reload();
    await until(() => page.evaluate(() => window.ready));
  }
  assert.equal(ids.size, 1);

  const other = await browser.tab(site.url);
  for (const guest of [page, other]) {
    await openGuest(guest, "guests");
    await isHome(guest);
    await guest.evaluate(() => doc.root.stock.increment());
  }
  for (const guest of [page, other]) await until(() => guest.evaluate(() => doc.root.stock.value === 7));
  assert.notEqual(await page.evaluate(() => doc.replicaId), await other.evaluate(() => doc.replicaId));
  assert.equal(await writers(page), 2);

  // A page that is brought back after it went has given its id away, and goes on under one of its own.
  await other.evaluate(() => {
    window.before = doc.replicaId;
    for (const [type, persisted] of [["pagehide", true], ["pageshow", true]]) dispatchEvent(new PageTransitionEvent(type, { persisted }));
    doc.root.stock.increment();
  });
  await until(() => page.evaluate(() => doc.root.stock.value === 8));
  assert.equal(await identity(other), "ephemeral");
  assert.equal(await other.evaluate(() => doc.replicaId === before), false);
  for (const guest of [page, other]) await guest.close();
});

test("who has edited before the relay was there keeps its own id, and who has a store needs none", async () => {
  const [early, kept] = [await browser.tab(site.url), await browser.tab(site.url)];
  await early.evaluate(() => {
    window.doc = crdt.createDoc({ schema, documentId: "early" });
    doc.root.stock.increment();
  });
  const before = await early.evaluate(() => doc.replicaId);
  await early.evaluate((url) => (window.link = doc.connect(connect.webSocket(url))), relay.url);
  await openWith(kept, "early");
  for (const page of [early, kept]) await until(() => page.evaluate(() => link.status.snapshot().state === "synced" && doc.root.stock.value === 1));
  assert.deepEqual([await identity(early), await early.evaluate(() => doc.replicaId)], ["ephemeral", before]);
  assert.equal(await identity(kept), "stored");
  for (const page of [early, kept]) await page.close();
});

test("a page with a store but no locks, as on a plain address of the local network, is lent one, too", async () => {
  const page = await browser.tab(site.url);
  await page.evaluate(() => Object.defineProperty(navigator, "locks", { value: undefined }));
  await openWith(page, "no locks");
  await isHome(page);
  await page.evaluate(() => doc.edit(() => doc.root.stock.increment()).stored);
  await until(() => page.evaluate(() => doc.status.snapshot().unacked === 0));
  await page.evaluate(() => doc.dispose());
  // What was edited under it is stored as everything is.
  await page.evaluate(() => open("no locks", []));
  assert.equal(await page.evaluate(() => doc.root.stock.value), 1);
  assert.equal(await identity(page), "ephemeral", "and nobody writes under it without having asked again");
  await page.close();
});
