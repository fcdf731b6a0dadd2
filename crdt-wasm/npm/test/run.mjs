// All tests of the package, over what was built: `npm test`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const here = new URL(".", import.meta.url);
const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { cwd: new URL("..", here), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};
const tsc = new URL("../node_modules/typescript/bin/tsc", here).pathname;
run(process.execPath, tsc, "-p", "test/types");
const tests = readdirSync(here).filter((name) => name.endsWith(".test.mjs"));
run(process.execPath, "--expose-gc", "--test", ...tests.map((name) => `test/${name}`));
