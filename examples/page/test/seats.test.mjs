// The last seats: whoever holds the right sells, also offline, and nobody else.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { bytes, equal, figure, flip, open, picture, tidy, until } from "./stall.mjs";

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const said = (page) => page.locator("#seats-said").innerText();
const left = (page) => figure(page, "Seats left");

test("the last seat is sold once, though two tabs try while they are apart", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  await press(one, "Add a seat");
  await until(() => left(two), (count) => count === "1");
  await flip(one);
  await flip(two);
  await press(one, "Sell a seat");
  await press(two, "Sell a seat");
  assert.equal(await said(one), "Sold. 0 seats left.");
  assert.match(await said(two), /^Refused: 1 seat left, but the right to sell is held by another replica/);
  // What the buttons answer is there at once, the figures with the next frame.
  await until(() => left(one), (count) => count === "0");
  assert.equal(await left(two), "1", "the other can’t know yet");
  await picture(two, "seats", 360);

  await flip(one);
  await flip(two);
  await stall.native.say("online");
  await equal(() => bytes(one), () => bytes(two), () => stall.native.say("bytes"));
  for (const page of [one, two]) await until(() => left(page), (count) => count === "0");
  await press(two, "Sell a seat");
  assert.equal(await said(two), "Refused: no seat is left.");
  await assert.rejects(stall.native.say("seats sell"), /no: /);
});

test("a right is handed over, and with it the seat", async () => {
  const [one, two] = [await stall.tab(), await stall.tab(await stall.launch())];
  const name = await two.getByLabel("Name").inputValue();
  await press(one, "Add a seat");
  await one.getByLabel("Who gets the right").selectOption({ label: name });
  await press(one, "Hand one over");
  assert.match(await said(one), /may sell one seat more/);
  await until(() => figure(two, "Rights here"), (count) => count === "1");
  await press(one, "Sell a seat");
  assert.match(await said(one), /^Refused: 1 seat left/);
  await press(one, "Hand one over");
  assert.equal(await said(one), "There is no right here to hand over.");
  await press(two, "Sell a seat");
  assert.equal(await said(two), "Sold. 0 seats left.");
  await until(() => left(one), (count) => count === "0");
});
