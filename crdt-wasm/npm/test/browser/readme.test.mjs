// What the READMEs show for a browser, as a reader would do it: the tarball in a new Vite project, the blocks copied into files,
// compiled by TypeScript, built, and opened in two browsers that have nothing in common but the relay.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { build, preview } from "vite";

import { until } from "../help.mjs";
import { newProject } from "../packed.mjs";
import { startRelay } from "./relay.mjs";
import { startBrowser } from "./site.mjs";

const here = new URL("../..", import.meta.url).pathname;
const blocks = (file, language) => [...readFileSync(file, "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g)].flatMap(([, of, code]) => (of === language ? code : []));
const one = (file, language, word) => {
  const found = blocks(file, language).filter((code) => code.includes(word));
  assert.equal(found.length, 1, `${file} has one block of ${language} with ${word}`);
  return found[0];
};
const README = join(here, "README.md");
const ROOT = join(here, "../../README.md");

let project;
let relay;
let server;
let url;
const browsers = [];
before(async () => {
  relay = await startRelay();
  project = newProject("readme");
  const { root, write, run } = project;
  // What `npm create vite` would have fetched, in the versions that are here.
  mkdirSync(join(root, "node_modules/@types"), { recursive: true });
  for (const name of ["react", "react-dom", "scheduler", "csstype", "@types/react", "typescript", "vite"]) {
    symlinkSync(join(here, "node_modules", name), join(root, "node_modules", name));
  }
  mkdirSync(join(root, "src"));
  const data = one(README, "ts", "openDoc(");
  const address = "wss://example.org/crdt";
  assert.ok(data.includes(address));
  write("src/doc.ts", data.replace(address, relay.url));
  write("src/Stock.tsx", one(README, "tsx", "useField"));
  write("src/root.js", one(ROOT, "js", "createDoc("));
  write("src/main.tsx", `import { createElement } from "react";
    // @ts-ignore its types are no part of the package
    import { createRoot } from "react-dom/client";
    import { doc } from "./doc";
    import { Stock } from "./Stock";
    createRoot(document.getElementById("root")).render(createElement(Stock));
    Object.assign(window, { doc });`);
  write("index.html", `<!doctype html><meta charset="utf-8"><div id="root"></div><script type="module" src="/src/main.tsx"></script>`);
  write("root.html", `<!doctype html><meta charset="utf-8"><script type="module" src="/src/root.js"></script>`);
  write("tsconfig.json", JSON.stringify({
    compilerOptions: {
      target: "es2022", module: "esnext", moduleResolution: "bundler", jsx: "react-jsx", lib: ["es2022", "dom"], strict: true, noEmit: true,
      skipLibCheck: false, types: [], preserveSymlinks: true,
    },
    include: ["src/*.ts", "src/*.tsx"],
  }));
  run(process.execPath, "node_modules/typescript/bin/tsc", "-p", ".");
  const settings = { root, logLevel: "error", configFile: false };
  await build({ ...settings, build: { target: "es2022", rollupOptions: { input: ["index.html", "root.html"].map((page) => join(root, page)) } } });
  server = await preview({ ...settings, preview: { port: 0, host: "127.0.0.1" } });
  [url] = server.resolvedUrls.local;
});
after(async () => {
  for (const browser of browsers) await browser.stop();
  await server?.close();
  await relay?.stop();
  project?.stop();
});

const start = async () => (browsers.push(await startBrowser()), browsers.at(-1));

test("a page that keeps, links and draws: tabs, another browser over the relay, a reload", async () => {
  const [home, away] = [await start(), await start()];
  const open = async (browser) => {
    const page = await browser.context.newPage();
    await page.goto(url);
    await page.locator("button").waitFor();
    return page;
  };
  const shows = (page, text) => until(async () => (await page.locator("button").innerText()) === text, `shows ${text}`);
  const [a, b, c] = [await open(home), await open(home), await open(away)];
  await a.locator("button").click();
  await shows(a, "1");
  await shows(b, "1");
  await shows(c, "1");
  await c.locator("button").click();
  await shows(a, "2");
  await until(() => c.evaluate(() => doc.status.snapshot().unacked === 0), "the relay has it");
  assert.equal(await a.evaluate(() => doc.status.snapshot().storage), "saved");
  // Without the relay the tabs still have each other, and what is kept.
  await relay.kill();
  await b.locator("button").click();
  await shows(a, "3");
  await b.reload();
  await shows(b, "3");
  await relay.start();
  await shows(c, "3");
  assert.deepEqual([...home.errors, ...away.errors], []);
});

test("the first lines of the project's own README run in a browser as they are", async () => {
  const page = await (await start()).context.newPage();
  const said = [];
  page.on("console", async (message) => message.type() === "log" && said.push(await message.args()[0].jsonValue()));
  await page.goto(`${url}root.html`);
  await until(() => said.length > 0);
  assert.deepEqual(said[0].toSorted((left, right) => left - right), [9, 12]);
  assert.deepEqual(browsers.at(-1).errors, []);
});
