// A tab that is killed: what it had said was saved is there again, and what it had not saved nobody has seen.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { bytes, card, figure, open, picture, shown, synced, tidy, until } from "./stall.mjs";

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

const like = (page, product) => card(page, product).getByRole("button", { name: `Like ${product}` }).click();
const kill = async (page) => {
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Kill without saving" }).click()]);
  await synced(page);
};

test("what was not saved is gone everywhere, and all that was is back", async () => {
  // The last one is in front: what is done to a tab behind it waits for frames that are seldom drawn.
  const [witness, page] = [await stall.tab(), await stall.tab()];
  await like(page, "bread");
  await until(() => figure(page, "Unsent"), (count) => count === "0");
  await until(() => figure(page, "Acknowledged"), (count) => Number(count) >= 2, 5_000);
  const [kept, acknowledged] = [await bytes(page), Number(await figure(page, "Acknowledged"))];

  await page.getByRole("switch", { name: /^Slow disk/ }).click();
  await like(page, "bread");
  await like(page, "cheese");
  await until(() => figure(page, "Unsaved"), (count) => count === "2");
  assert.deepEqual([(await shown(page, "bread")).likes, (await shown(witness, "bread")).likes], [2, 1], "shown here, and to nobody else");
  await kill(page);

  const note = await page.locator("#note").innerText();
  assert.match(note, new RegExp(`All ${acknowledged} edits that it had saved are here\\. 2 edits that were not saved yet are gone`));
  await picture(page, "killed", 1280);
  assert.deepEqual([await bytes(page), await bytes(witness)], [kept, kept]);
  assert.equal(await figure(page, "Unsaved"), "0");
  await page.getByRole("button", { name: "Got it" }).click();
  assert.ok(await page.locator("#note").isHidden());
});

test("a tab that had saved all loses nothing, and its next life goes on", async () => {
  const page = await stall.tab();
  await like(page, "honey");
  await until(() => page.evaluate(() => globalThis.stall.status.snapshot()), ({ unsaved, unacked }) => unsaved + unacked === 0);
  await kill(page);
  assert.match(await page.locator("#note").innerText(), /Nothing was unsaved/);
  await like(page, "honey");
  await until(() => shown(page, "honey"), ({ likes }) => likes === 2);
  await until(() => figure(page, "Unsent"), (count) => count === "0");
});

test("what is only in this browser is counted so also after a reload", async () => {
  const page = await stall.tab();
  await page.getByRole("switch", { name: "Online" }).click();
  await stall.relay.kill();
  await like(page, "apples");
  await until(() => page.evaluate(() => globalThis.stall.status.snapshot()), ({ unsaved, unacked }) => unsaved === 0 && unacked > 0);
  await page.reload();
  await until(() => page.evaluate(() => globalThis.stall?.root.apples.likes.value), (likes) => likes === 1);
  assert.ok(Number(await figure(page, "Unsent")) > 0, "nobody else has it");
  await stall.relay.start();
  await until(() => figure(page, "Unsent"), (count) => count === "0", 60_000);
});

test("a slow disk that is left in good order loses nothing", async () => {
  const page = await stall.tab();
  await page.getByRole("switch", { name: /^Slow disk/ }).click();
  const before = (await shown(page, "cheese")).likes;
  await like(page, "cheese");
  await until(() => figure(page, "Unsaved"), (count) => count !== "0");
  await page.reload();
  await synced(page);
  assert.equal((await shown(page, "cheese")).likes, before + 1);
});
