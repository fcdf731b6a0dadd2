// A page that Next draws on its server, one document for each request, and that goes on from there in a browser.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startBrowser } from "../browser/site.mjs";
import { until } from "../help.mjs";
import { newProject } from "../packed.mjs";

const cwd = join(import.meta.dirname, "next");
const next = join(import.meta.dirname, "node_modules/next/dist/bin/next");
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };

let browser;
let server;
let url;
before(async () => {
  const project = newProject("next");
  rmSync(join(cwd, "node_modules"), { recursive: true, force: true });
  cpSync(join(project.root, "node_modules/crdt-wasm"), join(cwd, "node_modules/crdt-wasm"), { recursive: true });
  project.stop();
  execFileSync(process.execPath, [next, "build"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  server = spawn(process.execPath, [next, "start", "--port", "0", "--hostname", "127.0.0.1"], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  server.stdout.on("data", (text) => (out += text));
  await until(() => (url = out.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0]) && out.includes("Ready"), "Next is ready");
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  server?.kill();
});

test("what the server drew is what the browser takes over, and edits", async () => {
  assert.match(await (await fetch(url)).text(), /<button>stock 5<\/button>/);
  const page = await browser.context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(url);
  const button = page.getByRole("button");
  await until(async () => {
    await button.click();
    return (await button.innerText()) !== "stock 5";
  }, "it is hydrated");
  const before = Number((await button.innerText()).slice(6));
  await button.click();
  await until(async () => (await button.innerText()) === `stock ${before + 1}`);
  // A request of its own has a document of its own.
  assert.match(await (await fetch(url)).text(), /<button>stock 5<\/button>/);
  assert.deepEqual([complaints.filter((text) => !/favicon|404/.test(text)), browser.errors], [[], []]);
});
