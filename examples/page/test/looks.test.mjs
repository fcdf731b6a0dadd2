// How the page looks and is used: sizes, contrast, keyboard, motion, screen readers; and what it says of costs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";

import { bytes, card, figure, flip, note, open, picture, setPrice, shown, tidy, until } from "./stall.mjs";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

/** A page with most of what it can show: conflicts of prices and of notes, news, others, something in the cart, and the guide. */
async function busy() {
  const [page, other] = [await stall.tab(), await stall.tab()];
  await card(page, "bread").getByRole("button", { name: "Put in cart: bread" }).click();
  await note(other, "bread", "in slices");
  await until(() => page.getByLabel("Note on bread").inputValue(), (text) => text === "in slices");
  await flip(page);
  await note(page, "bread", "in one piece, and without the paper around it");
  await note(other, "bread", "in slices for toast");
  await setPrice(page, "cheese", "9.20");
  await setPrice(other, "cheese", "9.60");
  await flip(page);
  await card(page, "cheese").getByText("Written without seeing each other").waitFor();
  await page.locator("#cart .conflict").getByText("Written without seeing each other").waitFor();
  await other.bringToFront();
  await card(other, "bread").hover();
  await card(page, "bread").locator(".lookers li").waitFor();
  await page.bringToFront();
  return page;
}

/** What axe finds that hinders people. */
async function findings(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const hinders = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return hinders.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
}

test("axe finds nothing serious on a phone and a desk, by day and by night", async () => {
  const page = await busy();
  for (const guided of [false, true]) {
    if (guided) await page.getByRole("button", { name: "Guided minute" }).click();
    for (const width of [360, 1280]) {
      for (const colorScheme of ["light", "dark"]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        assert.deepEqual(await findings(page), [], `${width} px, ${colorScheme}`);
      }
    }
  }
  await page.getByRole("button", { name: "End the guided minute" }).click();
  // A check that finds nothing has to be able to find something.
  await page.emulateMedia({ colorScheme: "light" });
  await page.evaluate(() => {
    document.querySelector("#goods-title").style.color = "#999";
    document.querySelector("#name").parentElement.replaceWith(document.createElement("input"));
  });
  const found = (await findings(page)).join("\n");
  assert.match(found, /color-contrast/);
  assert.match(found, /label/);
});

test("nothing scrolls sideways, and all is large enough to touch", async () => {
  const page = await busy();
  await page.getByRole("button", { name: "Guided minute" }).click();
  for (const width of [320, 360, 768, 1280, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    const { scroll, inner } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, inner: document.documentElement.clientWidth }));
    assert.ok(scroll <= inner, `sideways scrolling at ${width}: ${scroll} in ${inner}`);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button, input, select, a.button")]
        .map((element) => ({ label: element.getAttribute("aria-label") ?? element.textContent, ...element.getBoundingClientRect().toJSON() }))
        .filter(({ width, height }) => width > 0 && (width < 44 || height < 44))
        .map(({ label, width, height }) => `${label}: ${width} × ${height}`),
    );
    assert.deepEqual(small, [], `too small to touch at ${width}`);
  }
});

test("it is used by keyboard, says politely what came from others, and holds still for who wants that", async () => {
  const page = await stall.tab();
  await stall.native.say("online");
  const { likes } = await shown(page, "bread");
  await card(page, "bread").getByRole("button", { name: "Like bread" }).focus();
  await page.keyboard.press("Space");
  await until(() => shown(page, "bread"), (bread) => bread.likes === likes + 1);
  await stall.native.say("stock bread 1");
  await until(() => page.locator("#said[aria-live=polite]").innerText(), (text) => text.includes("1 more in stock"));

  const moving = () => page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => getComputedStyle(element).animationName !== "none").length);
  await until(moving, (count) => count > 0);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await stall.native.say("stock bread 1");
  await until(() => page.locator("#news").innerText(), (text) => text.match(/1 more in stock/g)?.length > 1);
  assert.equal(await moving(), 0);
});

test("it says what an edit cost, and what the whole state would have", async () => {
  const page = await stall.tab();
  await until(() => page.locator("#facts").innerText(), (text) => /State\s+[0-9a-f]{16}/.test(text));
  await card(page, "apples").getByRole("button", { name: "Like apples" }).click();
  const inBytes = (text) => (text.endsWith("kB") ? 1_000 * Number.parseFloat(text) : Number.parseInt(text, 10));
  const cost = inBytes(await until(() => figure(page, "Last edit online"), (text) => /B$/.test(text)));
  const whole = await until(async () => inBytes(await figure(page, "Whole state")), (size) => size > 0);
  assert.ok(cost > 20 && cost < 1_000, `${cost} bytes for one like`);
  assert.ok(Math.abs(whole - (await bytes(page)).length / 2) <= 100, `${whole} bytes for all`);
  const sent = inBytes(await figure(page, "Sent"));
  await card(page, "apples").getByRole("button", { name: "Like apples" }).click();
  await until(async () => inBytes(await figure(page, "Sent")), (now) => now > sent);
  assert.ok(inBytes(await figure(page, "Received")) > 0);
});

test("pictures are kept for people to look at", async () => {
  const page = await busy();
  await picture(page, "light", 1280);
  await picture(page, "light", 360);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "dark", 1280);
  await picture(page, "dark", 360);
});
