// The page of the market stall in Chromium, with a relay and a replica in Rust.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { bytes, card, figure, flip, open, picture, setPrice, shown, synced, tidy, until } from "./stall.mjs";

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

test("two tabs edit offline on both sides, return, and show the same", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  const before = await shown(one, "bread");
  const name = await two.getByLabel("Name").inputValue();
  await until(() => one.locator("#others").innerText(), (text) => text.includes(name));
  await flip(two);
  await card(one, "bread").getByRole("button", { name: "One bread less" }).click();
  await card(one, "bread").getByRole("button", { name: /^Remove the tag/ }).first().click();
  await setPrice(one, "bread", "5.20");
  await card(two, "bread").getByRole("button", { name: "One bread more" }).click({ clickCount: 3 });
  await card(two, "bread").getByRole("button", { name: "Like bread" }).click();
  await setPrice(two, "bread", "4,90");
  assert.equal((await shown(two, "bread")).stock, before.stock + 3);
  assert.match(await two.locator("#state").innerText(), /^Offline/);
  assert.ok(Number(await figure(two, "Unsent")) >= 5, "what is only here is counted");
  await card(two, "bread").getByText("not sent yet").waitFor();
  await picture(two, "offline", 1280);

  await flip(two);
  const same = await until(async () => [await bytes(one), await bytes(two)], ([left, right]) => left === right && left !== "");
  assert.equal(same[0], same[1]);
  await until(() => figure(two, "Unsent"), (count) => count === "0");
  await card(two, "bread").getByText("not sent yet").waitFor({ state: "hidden" });
  const met = await shown(one, "bread");
  assert.equal(met.stock, before.stock + 2);
  assert.equal(met.likes, before.likes + 1);
  assert.deepEqual(met.prices.toSorted(), [490, 520]);
  assert.equal(met.tags.length, before.tags.length - 1);

  await card(one, "bread").getByText("Written without seeing each other").waitFor();
  await picture(one, "conflict", 1280);
  await picture(one, "conflict", 360);
  await card(one, "bread").getByRole("button", { name: "Take the highest price for bread" }).click();
  await until(() => shown(two, "bread"), ({ prices }) => prices.length === 1 && prices[0] === 520);
  await card(two, "bread").locator(".conflict").waitFor({ state: "hidden" });
});

test("a tab and a replica in Rust end with the same bytes after both edited offline", async () => {
  const page = await stall.tab();
  await stall.native.say("online");
  await until(async () => [await stall.native.say("bytes"), await bytes(page)], ([left, right]) => left === right);
  const before = await shown(page, "honey");

  await stall.native.say("offline");
  await flip(page);
  await stall.native.say("stock honey -4");
  await stall.native.say("price honey 810");
  await stall.native.say("tag honey from the north");
  await card(page, "honey").getByRole("button", { name: "One honey more" }).click();
  await setPrice(page, "honey", "7.90");
  await card(page, "honey").getByLabel("New tag for honey").fill("last jars");
  await card(page, "honey").getByLabel("New tag for honey").press("Enter");
  await card(page, "honey").getByRole("button", { name: "Put in cart: honey" }).click();
  assert.notEqual(await stall.native.say("bytes"), await bytes(page));
  const { link, unacked } = await page.evaluate(() => globalThis.stall.status.snapshot());
  assert.equal(link, "offline");
  assert.ok(unacked >= 4, `${unacked} of the four edits exist only here`);

  await flip(page);
  await stall.native.say("online");
  await until(async () => [await stall.native.say("bytes"), await bytes(page)], ([left, right]) => left === right);
  const met = await shown(page, "honey");
  assert.equal(met.stock, before.stock - 3);
  assert.deepEqual(met.prices.toSorted(), [790, 810]);
  assert.deepEqual(met.tags, ["from the north", "last jars"]);
  assert.match(await stall.native.say("show"), /Lime honey: 15 in stock/);
});

test("a reload keeps everything, also what nobody else has", async () => {
  const page = await stall.tab();
  await flip(page);
  const title = card(page, "apples").getByLabel("Title of apples");
  await title.fill("Cox apples");
  await title.press("Enter");
  await card(page, "apples").getByRole("button", { name: "One apples more" }).click();
  await card(page, "apples").getByRole("button", { name: "Put in cart: apples" }).click();
  await page.getByRole("button", { name: "Add a seat" }).click();
  const marks = () => page.locator(".only-here:visible").count();
  // Of a product, the cart and the seats.
  await until(marks, (count) => count === 3);
  await until(() => page.evaluate(() => globalThis.stall.status.snapshot()), ({ storage, unsaved }) => storage === "saved" && unsaved === 0);
  const [kept, id] = [await bytes(page), await page.evaluate(() => globalThis.stall.replicaId)];
  // No relay: what is there after the reload can only come from this browser.
  await stall.relay.kill();
  await page.reload();
  await until(() => page.evaluate(() => globalThis.stall?.root.apples.title.value), (text) => text === "Cox apples");
  assert.equal(await bytes(page), kept);
  await until(marks, (count) => count === 3);
  assert.equal(await page.evaluate(() => globalThis.stall.replicaId), id, "a later tab goes on under the id of the earlier one");
  await stall.relay.start();
  await synced(page);
});

test("a relay that is killed and started again is found again, and nothing is lost", async () => {
  const page = await stall.tab();
  await stall.relay.kill();
  await page.locator('#state:not([data-state="synced"])').waitFor();
  const before = await shown(page, "cheese");
  await card(page, "cheese").getByRole("button", { name: "Like cheese" }).click();
  await stall.native.say("stock cheese 7");
  await stall.relay.start();
  await until(async () => [await stall.native.say("bytes"), await bytes(page)], ([left, right]) => left === right, 60_000);
  const met = await shown(page, "cheese");
  assert.equal(met.likes, before.likes + 1);
  assert.equal(met.stock, before.stock + 7);
});

test("a tag is text, whatever is in it", async () => {
  const page = await stall.tab();
  await stall.native.say("tag bread <img src=x onerror=alert(1)>");
  await card(page, "bread").getByText("<img src=x onerror=alert(1)>").waitFor();
  await stall.native.say("untag bread <img src=x onerror=alert(1)>");
  await card(page, "bread").getByText("<img").waitFor({ state: "detached" });
});
