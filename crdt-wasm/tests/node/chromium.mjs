// The transcripts in a real browser, under a content security policy: `node chromium.mjs` with TRANSCRIPTS and CHROME.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { chromium } = await import(new URL("../../npm/node_modules/playwright-core/index.mjs", import.meta.url).href);

const files = (process.env.TRANSCRIPTS ?? "").split(",").filter((file) => file !== "");
if (files.length === 0) throw new Error("TRANSCRIPTS names no transcript");
const dist = new URL("../../npm/dist/", import.meta.url);
const served = new Map([
  ["/raw.js", [new URL("raw.js", dist), "text/javascript"]],
  ["/crdt.wasm", [new URL("crdt.wasm", dist), "application/wasm"]],
  ["/replay.mjs", [new URL("replay.mjs", import.meta.url), "text/javascript"]],
  ...files.map((file, at) => [`/transcript/${at}`, [file, "text/plain"]]),
]);
const server = createServer((request, response) => {
  if (request.url === "/") {
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy }).end("<!doctype html><title>seam</title>");
    return;
  }
  const [file, type] = served.get(request.url) ?? [];
  if (file === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { "content-type": type }).end(readFileSync(file));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;

const profile = mkdtempSync(join(tmpdir(), "crdt-chromium-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROME || "chromium",
  headless: true,
  // As root there is no sandbox; the rest keeps it from calling home.
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
});
let failed = false;
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => {
    failed = true;
    console.error(error);
  });
  for (let at = 0; at < files.length; at++) {
    await page.goto(address);
    const told = await page.evaluate(async (at) => {
      const raw = await import("/raw.js");
      const { replay } = await import("/replay.mjs");
      await raw.default({ module_or_path: "/crdt.wasm" });
      return replay(raw, await (await fetch(`/transcript/${at}`)).text());
    }, at);
    console.log(`Chromium ${browser.browser()?.version() ?? ""}: ${told.calls} calls, ${told.refused} refused, ${told.bytes} bytes and ${told.digests} digests alike`);
    if (told.calls < 5_000 || told.digests < 50) throw new Error("the transcript is too short to say anything");
  }
} finally {
  await browser.close();
  server.close();
  rmSync(profile, { recursive: true, force: true });
}
if (failed) process.exit(1);
