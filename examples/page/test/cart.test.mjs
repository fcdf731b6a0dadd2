// The shared cart: what several put in adds up, and notes written at once stand side by side until somebody decides.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { bytes, card, equal, flip, note, open, picture, tidy, until } from "./stall.mjs";

let stall;
before(async () => {
  stall = await open();
});
after(() => stall?.stop());
afterEach(() => tidy(stall));

const put = (page, product) => card(page, product).getByRole("button", { name: `Put in cart: ${product}` }).click();
const line = (page, product) => page.locator(`#cart > [data-key="${product}"]`);
/** The lines of the cart: how many of what, and its notes. */
const lines = (page) =>
  page.evaluate(() => {
    const { cart } = globalThis.stall.root;
    return Object.fromEntries(cart.keys().map((key) => [key, [cart.get(key).count.value, ...cart.get(key).note.values.map(({ value }) => value)]]));
  });
const focus = (page) => page.evaluate(() => document.activeElement?.dataset.key ?? document.activeElement?.id);

test("two tabs and a replica in Rust write a note apart, and all see all of them until one decides", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  await put(one, "bread");
  await until(() => lines(two), ({ bread }) => bread?.[0] === 1);
  await stall.native.say("online");
  await equal(() => bytes(one), () => bytes(two), () => stall.native.say("bytes"));

  await stall.native.say("offline");
  await flip(one);
  await flip(two);
  await note(one, "bread", "in slices");
  await note(two, "bread", "  in one piece ");
  await put(two, "bread");
  await stall.native.say("note bread in two bags");
  assert.deepEqual([(await lines(one)).bread, (await lines(two)).bread], [[1, "in slices"], [2, "in one piece"]]);
  await line(one, "bread").locator("xpath=ancestor::section").getByText("not sent yet").waitFor();

  await flip(one);
  await flip(two);
  await stall.native.say("online");
  await equal(() => bytes(one), () => bytes(two), () => stall.native.say("bytes"));
  const name = await two.getByLabel("Name").inputValue();
  for (const page of [one, two]) {
    const conflict = page.getByRole("group", { name: "Notes on bread that were written at once" });
    await conflict.waitFor();
    // Bytes that are here are on the page with the next frame.
    const written = await until(() => conflict.locator("strong").allInnerTexts(), ({ length }) => length === 3);
    assert.deepEqual(written.map((text) => text.slice(3)).toSorted(), ["“in one piece”", "“in slices”", "“in two bags”"]);
    assert.equal(await line(page, "bread").getByLabel("Note on bread").getAttribute("placeholder"), "3 notes");
    assert.equal((await lines(page)).bread[0], 2);
  }
  assert.match(await line(one, "bread").innerText(), new RegExp(`“in one piece” by ${name}`));
  assert.match(await one.locator("#news").innerText(), /Sourdough loaf: several notes were written at once/);
  await picture(one, "notes", 1280);
  await picture(one, "notes", 360);
  await one.emulateMedia({ colorScheme: "dark" });
  await picture(one, "notes-dark", 360);
  await one.setViewportSize({ width: 1280, height: 900 });

  await line(one, "bread").getByRole("button", { name: /^Keep .: “in slices” by this tab, for bread$/ }).focus();
  await one.keyboard.press("Enter");
  await equal(() => bytes(one), () => bytes(two), () => stall.native.say("bytes"));
  for (const page of [one, two]) {
    await until(() => line(page, "bread").getByLabel("Note on bread").inputValue(), (text) => text === "in slices");
    await line(page, "bread").locator(".conflict").waitFor({ state: "hidden" });
  }
  assert.equal(await focus(one), "bread", "who decided goes on where that was");
  assert.match(await stall.native.say("show"), /in the cart: 2 of Sourdough loaf, note: in slices/);
});

test("both notes may be kept, and one may be taken away", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  await put(one, "honey");
  await line(two, "honey").waitFor();
  await flip(one);
  await note(one, "honey", "a gift");
  await note(two, "honey", "no lid");
  await flip(one);
  await line(two, "honey").getByRole("button", { name: "Keep all notes on honey" }).click();
  await until(() => line(one, "honey").getByLabel("Note on honey").inputValue(), (text) => /^(a gift; no lid|no lid; a gift)$/.test(text));
  await note(one, "honey", "");
  await until(() => lines(two), ({ honey }) => honey.length === 1);
});

test("a line that is taken out while somebody writes on it keeps what was written", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  await put(one, "cheese");
  await line(two, "cheese").waitFor();
  await flip(one);
  await note(one, "cheese", "the old one");
  await line(two, "cheese").getByRole("button", { name: "Take cheese out of the cart" }).focus();
  await two.keyboard.press("Enter");
  await line(two, "cheese").waitFor({ state: "detached" });
  assert.equal(await focus(two), "cart-panel", "the focus is not back at the top of the page");
  await flip(one);
  await until(() => lines(two), ({ cheese }) => cheese?.[0] === 0 && cheese[1] === "the old one");
  await two.locator("#news").getByText("note “the old one”").waitFor();
});

test("what is typed on a line that somebody else takes out does not bring it back", async () => {
  const [one, two] = [await stall.tab(), await stall.tab()];
  await put(one, "apples");
  await line(two, "apples").getByLabel("Note on apples").pressSequentially("half r");
  await line(one, "apples").getByRole("button", { name: "Take apples out of the cart" }).click();
  await line(two, "apples").waitFor({ state: "detached" });
  await equal(() => bytes(one), () => bytes(two));
  assert.equal((await lines(two)).apples, undefined);
});
