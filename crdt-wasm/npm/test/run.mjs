// All tests of the package, over what was built: `npm test`. With an argument only those in Node (`node`), or only those in a
// real browser (`browser`), which build the relay, too. `hosts` are those in other engines, which are large: only by that name.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const here = new URL(".", import.meta.url);
const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: new URL("..", here), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};
const runTests = (folder) => {
  const tests = readdirSync(new URL(folder, here)).filter((name) => name.endsWith(".test.mjs"));
  // One after the other: several measure memory and time.
  run("--expose-gc", "--test", "--test-concurrency=1", "--test-timeout=600000", ...tests.map((name) => `test/${folder}${name}`));
};
const which = process.argv[2];
if (which === "hosts") {
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: new URL("hosts/", here), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  runTests("hosts/");
  process.exit();
}
if (which !== "browser") {
  for (const types of ["test/types", "test/types/dom"]) run("node_modules/typescript/bin/tsc", "-p", types);
  runTests("");
}
if (which !== "node") runTests("browser/");
