// Who is here: tabs of one browser, and those of another, which only the relay links.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { card, flip, open, picture, tidy, until } from "./stall.mjs";

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

const rename = async (page, name) => {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Name").press("Tab");
};
const others = (page) => page.locator("#others").innerText();
const looker = (page, product, name) => card(page, product).locator(".lookers li", { hasText: name });

test("tabs of two browsers see each other, and on which card the other is", async () => {
  const other = await stall.launch();
  const [one, two, apart] = [await stall.tab(), await stall.tab(), await stall.tab(other)];
  await rename(one, "Anna");
  await rename(two, "Bert");
  await rename(apart, "Cleo");
  await until(() => others(apart), (text) => text.includes("Anna") && text.includes("Bert"));
  await until(() => others(one), (text) => text.includes("Bert") && text.includes("Cleo"));
  assert.equal(await one.locator("#others li").count(), 2, "each once, though the relay and the tabs both tell of them");

  await apart.bringToFront();
  await card(apart, "honey").getByRole("button", { name: "Like honey" }).focus();
  await looker(one, "honey", "Cleo").waitFor();
  await until(() => others(one), (text) => /Cleo\s*looks at Lime honey/.test(text));
  assert.equal(await card(one, "bread").locator(".lookers li").count(), 0);
  const received = () => apart.evaluate(() => globalThis.stall.inspect().entries);
  const before = await received();
  await one.bringToFront();
  await card(one, "cheese").hover();
  await looker(apart, "cheese", "Anna").waitFor();
  assert.equal(await received(), before, "it is no part of the document");
  await picture(apart, "presence", 1280);
});

test("who goes offline is gone at once, and back with the line; who closes the tab is gone soon", async () => {
  const [one, apart] = [await stall.tab(), await stall.tab(await stall.launch())];
  await rename(apart, "Dora");
  await until(() => others(one), (text) => text.includes("Dora"));
  await flip(apart);
  // Half a minute is what somebody takes to be forgotten who says nothing.
  await until(() => others(one), (text) => !text.includes("Dora"), 5_000);
  assert.match(await apart.locator("#others-none").innerText(), /^Offline/);
  await flip(apart);
  await until(() => others(one), (text) => text.includes("Dora"), 5_000);
  await apart.close();
  // A browser may drop the last word of a page that it closes: then the time of who is silent runs out.
  await until(() => others(one), (text) => !text.includes("Dora"), 45_000);
});

test("a name that is markup is shown as the text it is, and what is no presence is left out", async () => {
  const [one, apart] = [await stall.tab(), await stall.tab(await stall.launch())];
  await rename(apart, "<img src=x onerror=1>");
  await until(() => others(one), (text) => text.includes("<img src=x onerror=1>"));
  await apart.evaluate(() => {
    for (const odd of [7, { name: 3 }, { name: "x", at: [], sum: "" }]) globalThis.stall.presence().set(odd);
    globalThis.stall.presence().set({ name: "Last", at: "nowhere", sum: "", hue: -1 });
  });
  await until(() => others(one), (text) => text.includes("Last"));
  assert.equal(await one.locator("#others li").count(), 2);
});
