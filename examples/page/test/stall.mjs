// What the tests of the page need around it: the relay, the server, a replica in Rust, and a browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// The package's own tools.
const { chromium } = createRequire(new URL("../../../crdt-wasm/npm/package.json", import.meta.url))("playwright-core");

/** Where what was built is: given by whoever starts the tests. */
const { MARKET, RELAY, PAGE, SCREENSHOTS } = process.env;

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

/** A program of ours, and its lines of output. */
function start(program, ...args) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise((resolve) => child.once("exit", resolve));
  return {
    child,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended`);
      return value;
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A relay that can be killed and started again, on one address. */
async function startRelay(folder) {
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, "relay.toml");
  writeFileSync(config, `address = "${address}"\ndata = "relay"\n`);
  let program;
  const relay = {
    address,
    async start() {
      program = start(RELAY, config);
      await program.line();
    },
    kill: () => program.kill(),
  };
  await relay.start();
  return relay;
}

/** A replica in Rust that does what it is told. */
async function startNative(relay, document) {
  const program = start(MARKET, "terminal", relay, document);
  return {
    kill: program.kill,
    /** Says a line; returns what was answered. */
    async say(words) {
      program.child.stdin.write(`${words}\n`);
      const answer = [];
      for (;;) {
        const line = await program.line();
        if (line === "ok") return answer.join("\n");
        if (line.startsWith("no: ")) throw new Error(`${words}: ${line}`);
        answer.push(line);
      }
    },
  };
}

/** The page and a relay of its own under an address of this machine that is no loopback. */
export async function openAt(address) {
  const folder = mkdtempSync(join(tmpdir(), "crdt-page-"));
  const server = start(MARKET, "serve", PAGE, join(folder, "data"), "--listen", address, "--quiet");
  await server.line();
  return {
    url: (await server.line()).split(" ").at(-1),
    async stop() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** All of it. `stop` ends what was started, in any case. */
export async function open() {
  const folder = mkdtempSync(join(tmpdir(), "crdt-page-"));
  const relay = await startRelay(folder);
  const server = start(MARKET, "serve", PAGE, join(folder, "data"), "--relay", relay.address, "--quiet");
  const document = (await server.line()).split(" ").at(-1);
  const url = (await server.line()).split(" ").at(-1);
  const native = await startNative(relay.address, document);
  const profiles = [];

  const executablePath = process.env.CHROME ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error("no Chromium: install the package chromium, or set CHROME to its path");
  const errors = [];
  /** A browser with a profile of its own: it shares nothing with another but the network. */
  const launch = async () => {
    const profile = join(folder, `profile-${profiles.length}`);
    const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: FLAGS, viewport: { width: 1280, height: 900 } });
    browser.on("weberror", (error) => errors.push(String(error.error())));
    profiles.push(browser);
    return browser;
  };
  const browser = await launch();

  return {
    url,
    relay,
    native,
    browser,
    browsers: profiles,
    errors,
    launch,
    /** One more replica in Rust. */
    another: () => startNative(relay.address, document),
    /** A new tab that has caught up. */
    async tab(of = browser) {
      const page = await of.newPage();
      page.on("console", (message) => {
        // A relay that is not there is what some tests are about; the browser prints it.
        if (message.type() === "error" && !message.text().includes("WebSocket connection")) errors.push(message.text());
      });
      page.on("request", (request) => {
        if (!request.url().startsWith(url)) errors.push(`asked a third party: ${request.url()}`);
      });
      await page.goto(url);
      await synced(page);
      return page;
    },
    async stop() {
      for (const browser of profiles) await browser.close();
      for (const program of [native, server, relay]) await program.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Cuts the links of a tab, or makes them again. */
export const flip = (page) => page.getByRole("switch", { name: "Online" }).click();

export const setPrice = async (page, product, text) => {
  const field = card(page, product).getByLabel("Price", { exact: true });
  await field.fill(text);
  await field.press("Enter");
};

/** Writes a note on a line of the cart. */
export const note = async (page, product, text) => {
  const field = page.getByLabel(`Note on ${product}`, { exact: true });
  await field.fill(text);
  await field.press("Enter");
};

/** After each test: no tab is left, and none had an error. */
export async function tidy(stall) {
  for (const browser of stall.browsers) for (const page of browser.pages()) await page.close();
  assert.deepEqual(stall.errors.splice(0), [], "errors on the page");
}

/** Waits until all of these have the same bytes, of which there are some. */
export const equal = (...asked) =>
  until(
    () => Promise.all(asked.map((ask) => ask())),
    (all) => all[0] !== "" && all.every((one) => one === all[0]),
  );

/** A number on the page, by what stands above it. */
export const figure = (page, term) => page.locator(".figures > div, .counts > div").filter({ has: page.getByText(term, { exact: true }) }).locator("dd").first().innerText();

export const synced = (page) => page.locator('#state[data-state="synced"]').waitFor();

/** The card of a product. */
export const card = (page, product) => page.locator(`[data-product="${product}"]`);

/** What stands in a card: stock, likes, tags, prices. */
export const shown = (page, product) =>
  page.evaluate((name) => {
    const { stock, likes, tags, price, open, title } = globalThis.stall.root[name];
    return { stock: stock.value, likes: likes.value, tags: [...tags], prices: price.values.map(({ value }) => value), open: open.value, title: title.value };
  }, product);

/** The canonical bytes of a tab's state, as hexadecimal digits: what any program in Rust writes for the same state. */
export const bytes = (page) =>
  page.evaluate(async () => {
    // In front of the state stand a byte for the kind and 16 for the document.
    const state = (await globalThis.stall.encode()).subarray(17);
    return Array.from(state, (byte) => byte.toString(16).padStart(2, "0")).join("");
  });

/** Waits until what a function answers satisfies a condition; fails with the last answer. */
export async function until(ask, wanted, withinMs = 15_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(answer)?.slice(0, 400)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A picture of the whole page, for people to look at. */
export async function picture(page, name, width) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.mouse.move(0, 0);
  // What sticks to the upper edge would lie across the page otherwise.
  await page.evaluate(() => scrollTo(0, 0));
  await page.setViewportSize({ width, height: width < 500 ? 780 : 900 });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}-${width}.png`), fullPage: true });
}
