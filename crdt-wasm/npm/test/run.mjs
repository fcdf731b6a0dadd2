// All tests of the package, over what was built: `npm test`; those that need a browser: `npm run test:browser`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const here = new URL(".", import.meta.url);
const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: new URL("..", here), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};
const folder = process.argv[2] === "browser" ? "browser/" : "";
if (!folder) run("node_modules/typescript/bin/tsc", "-p", "test/types");
const tests = readdirSync(new URL(folder, here)).filter((name) => name.endsWith(".test.mjs"));
// One after the other: several measure memory and time.
run("--expose-gc", "--test", "--test-concurrency=1", "--test-timeout=180000", ...tests.map((name) => `test/${folder}${name}`));
