// The native relay, built from the workspace, that can be killed and started again at the same address.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "../help.mjs";

const workspace = new URL("../../../../", import.meta.url).pathname;

/** A port that is free, so that the relay can have the same one again. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Builds and starts it, with these lines in its configuration. */
export async function startRelay(settings = "") {
  const built = execFileSync("cargo", ["build", "--locked", "-q", "-p", "crdt-sync", "--features", "relay", "--bin", "crdt-relay", "--message-format=json-render-diagnostics"], { cwd: workspace, encoding: "utf8", maxBuffer: 1 << 28 });
  const program = built.trim().split("\n").map((line) => JSON.parse(line)).find(({ executable }) => executable)?.executable;
  const folder = mkdtempSync(join(tmpdir(), "crdt-relay-"));
  const port = await freePort();
  const config = join(folder, "relay.toml");
  writeFileSync(config, `address = "127.0.0.1:${port}"\ndata = "${join(folder, "data")}"\n${settings}`);
  let running;
  const relay = {
    url: `ws://127.0.0.1:${port}`,
    async start() {
      running = spawn(program, [config], { stdio: ["ignore", "pipe", "inherit"] });
      let out = "";
      running.stdout.on("data", (text) => (out += text));
      await until(() => out.includes("listening"), "the relay listens");
    },
    async kill() {
      const gone = new Promise((resolve) => running.on("close", resolve));
      running.kill("SIGKILL");
      await gone;
    },
    async stop() {
      await relay.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await relay.start();
  return relay;
}
