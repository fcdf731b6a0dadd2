// The page over an address that is no secure one, as a phone opens it: it works, and says what is missing.
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, afterEach, before, test } from "node:test";

import { card, open, openAt, synced, tidy, until } from "./stall.mjs";

const address = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === "IPv4" && !internal)?.address;

let stall;
let site;
before(async () => {
  stall = await open();
});
after(async () => {
  await site?.stop();
  await stall?.stop();
});
afterEach(() => tidy(stall));

test("under an address of the network tabs get an id lent, and two browsers are in step", { skip: !address && "this machine is on no network" }, async () => {
  site = await openAt(address);
  const tab = async (browser) => {
    const page = await browser.newPage();
    page.on("pageerror", (error) => stall.errors.push(String(error)));
    await page.goto(site.url);
    await synced(page);
    return page;
  };
  const [one, apart] = [await tab(stall.browser), await tab(await stall.launch())];
  assert.equal(await one.evaluate(() => isSecureContext), false);
  await one.locator("#note").getByText("not a secure one").waitFor();
  await until(() => one.evaluate(() => globalThis.stall.status.snapshot().identity), (identity) => identity === "home");
  const stock = (page) => page.evaluate(() => globalThis.stall.root.bread.stock.value);
  const before = await stock(one);
  await card(one, "bread").getByRole("button", { name: "One bread more" }).click();
  await until(() => stock(apart), (count) => count === before + 1);
});
