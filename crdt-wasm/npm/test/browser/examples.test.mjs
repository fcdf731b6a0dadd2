// The examples under examples/web, as a newcomer starts them: `npm ci`, then the program or the built page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { preview } from "vite";

import { until } from "../help.mjs";
import { startRelay } from "./relay.mjs";
import { startBrowser } from "./site.mjs";

const examples = new URL("../../../../examples/web/", import.meta.url).pathname;
const run = (folder, command, args, env = {}) =>
  execFileSync(command, args, { cwd: join(examples, folder), encoding: "utf8", env: { ...process.env, ...env } });
const install = (folder) => run(folder, "npm", ["ci", "--no-audit", "--no-fund"]);

let relay;
before(async () => {
  relay = await startRelay();
});
after(() => relay?.stop());

test("lock files name no place but our own", () => {
  for (const folder of ["node", "react"]) {
    const { packages } = JSON.parse(readFileSync(join(examples, folder, "package-lock.json"), "utf8"));
    const places = Object.values(packages).flatMap(({ resolved }) => resolved ?? []);
    assert.deepEqual(places, ["file:../../../crdt-wasm/npm"]);
  }
});

test("node: till and phone agree, by a direct link and by a relay, and the next run goes on from there", () => {
  install("node");
  const DATA = mkdtempSync(join(tmpdir(), "crdt-stall-"));
  const stall = (...args) => JSON.parse(run("node", process.execPath, ["stall.mjs", ...args], { DATA }));
  const sold = ({ sold }) => Object.values(sold).reduce((sum, count) => sum + count, 0);
  try {
    const first = stall();
    assert.deepEqual([first.apples, first.price, sold(first)], [16, [2], 4]);
    const second = stall(relay.url);
    assert.deepEqual([second.apples, second.price, sold(second)], [32, [2], 8]);
  } finally {
    rmSync(DATA, { recursive: true });
  }
});

test("react: two tabs are in step, keep what they have, and a relay that dies loses nothing", async () => {
  install("react");
  run("react", "npm", ["run", "build"]);
  const server = await preview({ root: join(examples, "react"), logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
  const browser = await startBrowser();
  try {
    const [url] = server.resolvedUrls.local;
    const open = async (address) => {
      const page = await browser.context.newPage();
      await page.goto(address);
      await page.getByLabel("What else").waitFor();
      return page;
    };
    const add = async (page, name) => {
      await page.getByLabel("What else").fill(name);
      await page.getByRole("button", { name: "Add" }).click();
    };
    const says = (page, label, text) => until(async () => (await page.getByLabel(label).allInnerTexts())[0] === text, `${label}: ${text}`);
    const stands = (page, words) => until(async () => words.test(await page.locator("footer").innerText()), String(words));

    const [a, b] = [await open(url), await open(url)];
    await add(a, "milk");
    await says(b, "how many milk", "1");
    await b.getByLabel("one milk more").click();
    await says(a, "how many milk", "2");
    await b.getByLabel("Title").fill("Saturday");
    await until(async () => (await a.getByLabel("Title").inputValue()) === "Saturday");
    await a.getByLabel("milk", { exact: true }).check();
    await until(() => b.getByLabel("milk", { exact: true }).isChecked());
    await b.close();
    await stands(a, /saved · nobody else is here · edits that no server has: \d+$/);
    await a.reload();
    await says(a, "how many milk", "2");
    await a.close();

    const c = await open(`${url}?relay=${encodeURIComponent(relay.url)}`);
    await says(c, "how many milk", "2");
    await stands(c, /saved · in step with others$/);
    await relay.kill();
    await add(c, "bread");
    await stands(c, /nobody else is here · edits that no server has: 1$/);
    await relay.start();
    await stands(c, /saved · in step with others$/);
    await c.close();
    assert.deepEqual(browser.errors, []);
  } finally {
    await browser.stop();
    await server.close();
  }
});
