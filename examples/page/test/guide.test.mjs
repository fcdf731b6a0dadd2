// The guided minute, in two tabs; after it, they and two replicas in Rust have the same bytes.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { bytes, card, equal, figure, flip, open, picture, setPrice, shown, tidy, until } from "./stall.mjs";

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

const guide = (page) => page.getByRole("region", { name: /./ }).and(page.locator("#guide"));
const title = (page) => page.locator("#guide-title").innerText();
const ticks = (page) => page.locator("#guide-ticks").innerText();
const next = (page) => page.getByRole("button", { name: "Next" }).click();
const lend = (page) => page.getByRole("button", { name: "Do it here" }).click();
const watched = (page) => page.evaluate(() => [...document.querySelectorAll(".watch")].map((element) => element.id || element.className));
const done = (page, ...wanted) => until(() => ticks(page), (text) => wanted.every((one) => text.includes(`✓ ${one}`)));

test("six steps in two tabs end with equal bytes in both, and in two replicas in Rust", async () => {
  const second = await stall.another();
  const natives = [stall.native, second];
  for (const native of natives) await native.say("online");
  const one = await stall.tab();
  await one.getByRole("button", { name: "Guided minute" }).click();
  assert.equal(await title(one), "Two tabs, one stall");
  const two = await stall.tab();
  await guide(two).waitFor();
  assert.match(await two.locator("#guide-at").innerText(), /led by the other tab/);
  assert.equal(await two.getByRole("button", { name: "Next" }).count(), 0, "only one of them leads");
  const { stock, likes } = await shown(one, "bread");
  await card(one, "bread").getByRole("button", { name: "One bread less" }).click();
  await lend(two);
  await done(one, "done here", "done in the other tab");
  await until(() => shown(one, "bread"), (bread) => bread.stock === stock - 1 && bread.likes === likes + 1);

  await next(one);
  await until(() => title(two), (text) => text === "Cut the line");
  await flip(one);
  await done(one, "done here");

  await next(one);
  assert.ok((await watched(one)).includes("counts"), "what is to be watched is marked");
  await setPrice(one, "bread", "5.10");
  await lend(two);
  await done(one, "done here", "done in the other tab");
  await picture(one, "guide", 1280);
  await picture(one, "guide", 360);
  await one.setViewportSize({ width: 1280, height: 900 });

  await next(one);
  const [tag] = (await shown(one, "bread")).tags;
  await card(one, "bread").getByLabel("New tag for bread").fill(tag);
  await card(one, "bread").getByLabel("New tag for bread").press("Enter");
  await card(two, "bread").getByRole("button", { name: `Remove the tag ${tag} of bread` }).click();
  await done(one, "done here", "done in the other tab");

  await next(one);
  await lend(one);
  await lend(two);
  await done(one, "done here", "done in the other tab");
  assert.match(await one.locator("#seats-said").innerText(), /^Sold/);
  assert.match(await two.locator("#seats-said").innerText(), /^Refused/);

  await next(one);
  assert.equal(await one.locator("#guide-equal[data-equal=true]").count(), 0, "nobody can be asked while the line is cut");
  await lend(one);
  await done(one, "done here");
  await one.locator("#guide-equal[data-equal=true]").waitFor();
  const told = await one.locator("#guide-equal").innerText();
  for (const name of ["Warehouse", "Kiosk", await two.getByLabel("Name").inputValue()]) assert.ok(told.includes(`= ${name} has the same bytes`), told);
  await picture(one, "guide-end", 1280);

  await equal(() => bytes(one), () => bytes(two), ...natives.map((native) => () => native.say("bytes")));
  const met = await shown(two, "bread");
  assert.equal(met.prices.length, 2);
  assert.ok(met.tags.includes(tag), "added against removed: it stays");
  assert.equal(await figure(two, "Seats left"), "0");
  await one.getByRole("button", { name: "Finish" }).click();
  for (const page of [one, two]) await page.locator("#guide").waitFor({ state: "hidden" });
  assert.deepEqual(await watched(one), []);
  await second.kill();
});

test("it is used by keyboard, goes back, and is put away", async () => {
  const page = await stall.tab();
  const focus = () => page.evaluate(() => document.activeElement?.id);
  await page.getByRole("button", { name: "Guided minute" }).focus();
  await page.keyboard.press("Enter");
  assert.equal(await focus(), "guide-title", "what is new is read out");
  for (let press = 0; press < 8 && (await focus()) !== "guide-next"; press++) await page.keyboard.press("Tab");
  assert.equal(await focus(), "guide-next");
  await page.keyboard.press("Enter");
  assert.equal(await title(page), "Cut the line");
  await page.getByRole("button", { name: "Back" }).click();
  assert.equal(await title(page), "Two tabs, one stall");
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#guide").isHidden());
  assert.equal(await focus(), "guide-start", "the focus is where it came from");
});

test("a tab that follows may leave the guide alone", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  const name = two.getByLabel("Name");
  await name.focus();
  await one.getByRole("button", { name: "Guided minute" }).click();
  await guide(two).waitFor();
  assert.ok(await name.evaluate((element) => element === document.activeElement), "somebody was in the middle of something");
  await two.getByRole("button", { name: "End the guided minute" }).click();
  assert.ok(await guide(one).isVisible());
  await one.close();
});
