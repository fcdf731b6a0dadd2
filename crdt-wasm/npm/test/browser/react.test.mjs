// React in a real browser, in Strict Mode: it draws again when, and only when, what is read changes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { build } from "esbuild";

import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { useField, useStatus } from "crdt-wasm/react";
import { make, until } from "../help.mjs";
import { startBrowser, startSite } from "./site.mjs";

const PROGRAM = `
  import { createElement as e, StrictMode } from "react";
  import { createRoot, hydrateRoot } from "react-dom/client";
  import { createDoc, t } from "crdt-wasm";
  import { useField, useStatus } from "crdt-wasm/react";
  const schema = { stock: t.pnCounter(), tags: t.orSet(), cart: t.map(t.struct({ note: t.mvRegister() })) };
  const doc = createDoc({ schema, documentId: "d", initial: Uint8Array.from(initialBytes) });
  const draws = { stock: 0, cart: 0, some: 0 };
  const Stock = () => (draws.stock++, e("i", { id: "stock" }, String(useField(doc.root.stock))));
  const Cart = () => (draws.cart++, e("i", { id: "cart" }, JSON.stringify(useField(doc.root.cart.get("k")))));
  // Makes a new object each time it is asked.
  const Some = () => (draws.some++, e("i", { id: "some" }, useField(doc, ({ tags }) => ({ text: tags.join() })).text));
  const Link = () => e("i", { id: "link" }, useStatus(doc).link);
  const App = () => e("div", null, e(Stock), e(Cart), e(Some), e(Link));
  const server = document.createElement("div");
  // What a server sent: the same page, of the document as it was there.
  server.innerHTML = initialPage;
  const problems = [];
  // The page is not idle until React is there: somebody else's edits arrive, and the user's own.
  doc.root.tags.add("early");
  doc.root.stock.increment(2);
  document.body.append(server);
  const app = hydrateRoot(server, e(StrictMode, null, e(App)), { onRecoverableError: (error) => problems.push(String(error)) });
  Object.assign(window, { doc, draws, app, problems, text: (id) => document.getElementById(id)?.textContent, hydrated: true });
`;

let site;
let browser;
before(async () => {
  const atServer = make({ documentId: "d" });
  atServer.root.tags.add("first");
  const e = createElement;
  const Some = () => e("i", { id: "some" }, useField(atServer, ({ tags }) => tags.join()));
  const html = renderToString(e("div", null, e("i", { id: "stock" }, "0"), e("i", { id: "cart" }, '{"note":[]}'), e(Some), e("i", { id: "link" }, e(() => useStatus(atServer).link))));
  const start = `const initialPage = ${JSON.stringify(html)}; const initialBytes = ${JSON.stringify([...atServer.encode()])};`;
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM.replace("const schema", `${start} const schema`), resolveDir: import.meta.dirname }, bundle: true, write: false, format: "iife", target: "es2022",
    define: { "process.env.NODE_ENV": '"development"' }, logLevel: "error",
  });
  [site, browser] = [await startSite(undefined, { "/react.js": outputFiles[0].text }), await startBrowser()];
});
after(async () => {
  await browser?.stop();
  site?.stop();
});

test("components follow their fields, and only those", async () => {
  const page = await browser.tab(site.url);
  await page.addScriptTag({ url: "/react.js" });
  // React has taken over: what came before it is drawn.
  await until(() => page.evaluate(() => window.hydrated && text("stock") === "2"));
  const text = (id) => page.evaluate((id) => text(id), id);
  const draws = () => page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { ...draws };
  });
  assert.equal(await text("some"), "early,first");
  assert.deepEqual(await page.evaluate(() => problems), [], "hydration found what the server had drawn");
  const before = await draws();
  assert.ok(before.some < 20, "a selector that makes new objects does not draw for ever");
  await page.evaluate(() => doc.root.stock.increment(3));
  await until(async () => (await text("stock")) === "5");
  const after = await draws();
  assert.ok(after.stock > before.stock);
  assert.equal(after.cart, before.cart, "another field is not drawn again");
  await page.evaluate(() => doc.root.cart.get("k").note.set("hello"));
  await until(async () => (await text("cart")) === '{"note":["hello"]}');
  await page.evaluate(() => doc.edit(() => {
    doc.root.tags.add("second");
    doc.root.tags.add("third");
  }));
  await until(async () => (await text("some")) === "early,first,second,third");
  assert.equal(await text("link"), "offline");
  await page.evaluate(() => {
    window.other = crdt.createDoc({ schema: {}, documentId: "d" });
    for (const each of [doc, other]) each.connect(connect.broadcast());
  });
  await until(async () => (await text("link")) === "synced");
  await page.evaluate(() => other.dispose());
  await until(async () => (await text("link")) === "offline");
  assert.deepEqual(await page.evaluate(() => problems), [], "hydration found what the server had drawn");
  await page.evaluate(() => app.unmount());
  assert.equal(await page.evaluate(() => doc.inside.core.watched.size), 0, "nothing listens any more");
  assert.deepEqual(browser.errors, []);
});
