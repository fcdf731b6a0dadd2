// `cargo xtask bench web`: the browser package beside its peers, in one Node process, one job after the other for all of them,
// best of five rounds. Prints the table, and stores it as `benches/results/DATE-web.md` and `.json`. With an argument, only the jobs
// whose name contains it, and nothing is stored.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { automerge } from "./contestant/automerge.mjs";
import { jsonJoy } from "./contestant/json-joy.mjs";
import { loro } from "./contestant/loro.mjs";
import { ours } from "./contestant/ours.mjs";
import { yjs } from "./contestant/yjs.mjs";
import { JOBS } from "./jobs.mjs";
import { markdown } from "./report.mjs";
import { sizes } from "./sizes.mjs";

const N = 10_000;
const ROUNDS = 5;
const PEERS = [ours, yjs, loro, automerge, jsonJoy];
const FILES = { "crdt-wasm": ["ours", "ours"], yjs: ["yjs", "yjs"], "loro-crdt": ["loro", "loro"] };
Object.assign(FILES, { "@automerge/automerge": ["automerge", "automerge"], "json-joy": ["json-joy", "jsonJoy"] });

const filter = process.argv[2];
const wanted = ({ name }) => filter === undefined || name.includes(filter);

/** One that would take minutes gets fewer keys, and its figure says so. */
const sizeFor = (job, peer) => peer.sizes?.[job.name] ?? N;

const rows = JOBS.filter(wanted).map((job) => ({ ...job, unit: job.unit ?? "ns", figures: {} }));
const before = loadavg()[0];
for (let round = 0; round < ROUNDS; round++) {
  for (const row of rows) {
    for (const peer of PEERS) {
      global.gc?.();
      const size = sizeFor(row, peer);
      const value = await row.run(peer, size);
      if (value === undefined) continue;
      const figure = (row.figures[peer.name] ??= { value: Infinity, ...(size === N ? {} : { size }) });
      figure.value = Math.min(figure.value, value);
    }
    process.stderr.write(`${round + 1}/${ROUNDS} ${row.name}\n`);
  }
}

/** What needs a process of its own. */
for (const row of [
  { name: "memory", what: "memory", work: "memory for a document with a count and an element, of 2 000", unit: "B" },
  { name: "import", what: "import", work: "importing the package in a fresh process", unit: "ns", target: { of: "yjs", times: 0.5 } },
].filter(wanted)) {
  row.figures = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name } of PEERS) {
      const args = ["--expose-gc", new URL("alone.mjs", import.meta.url).pathname, row.what, ...FILES[name]];
      const value = Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
      const figure = (row.figures[name] ??= { value: Infinity });
      figure.value = Math.min(figure.value, value);
    }
  }
  rows.push(row);
}

const version = (name) => {
  const path = name === "crdt-wasm" ? "../../crdt-wasm/npm/package.json" : `node_modules/${name}/package.json`;
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")).version;
};
const report = {
  machine: {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0].model.trim(),
    node: process.version,
    load: { before, after: loadavg()[0], processors: cpus().length },
    versions: Object.fromEntries([...PEERS.map(({ name }) => name), "ywasm"].map((name) => [name, version(name)])),
  },
  keys: N,
  rounds: ROUNDS,
  rows: rows.map(({ name, work, unit, target, figures }) => ({ name, work, unit, target, figures })),
  sizes: filter === undefined || "sizes".includes(filter) ? await sizes() : [],
};
const text = markdown(report, PEERS.map(({ name }) => name));
process.stdout.write(text);
if (filter === undefined) {
  const to = (ending) => new URL(`../results/${report.machine.date}-web.${ending}`, import.meta.url);
  writeFileSync(to("md"), text);
  writeFileSync(to("json"), `${JSON.stringify(report, null, 2)}\n`);
}
