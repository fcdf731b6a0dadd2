// The figures as Markdown, each with how many times ours it is, and whether the target was met.
const OURS = "crdt-wasm";

function amount(unit, value) {
  const scale = unit === "ns" ? [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]] : [[1, "B"]];
  const [by, name] = scale.find(([by]) => value >= by) ?? scale.at(-1);
  const shown = value / by;
  return `${shown >= 100 || unit === "B" ? shown.toFixed(0) : shown.toPrecision(3)} ${name}`;
}

/** What the target is, and what it comes to with the peers' figures of this run. */
function target({ target, figures, unit }) {
  if (!target) return undefined;
  if (target.atMost !== undefined) return { words: `≤ ${amount(unit, target.atMost)}`, value: target.atMost };
  const peers = Object.entries(figures).filter(([name, { size }]) => name !== OURS && size === undefined);
  const of = target.of === "best" ? Math.min(...peers.map(([, { value }]) => value)) : figures[target.of].value;
  return { words: `≤ ${target.times} × ${target.of === "best" ? "the best peer" : target.of}`, value: of * target.times };
}

export function markdown({ machine, keys, rounds, rows, sizes }, peers) {
  const { date, processor, node, load, versions } = machine;
  const lines = [
    `# The browser package beside its peers, measured on ${date}`,
    "",
    `${processor}, ${load.processors} processors, load ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after; Node ${node}; best of ${rounds}, one after the other in one process; N = ${keys}.`,
    `${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}.`,
    "",
    "In brackets, how many times what crdt-wasm needs. `@ 10³` marks a contestant measured with fewer keys. `benches/web/jobs.mjs` and",
    "the files in `benches/web/contestant` say what may be compared.",
    "",
    `| work | target | | ${peers.join(" | ")} |`,
    `|---|---|---|${peers.map(() => "---:|").join("")}`,
  ];
  for (const row of rows) {
    const ours = row.figures[OURS]?.value;
    const aim = target(row);
    const cells = peers.map((name) => {
      const figure = row.figures[name];
      if (!figure) return "";
      const times = name === OURS || !(ours > 0) ? "" : ` (${(figure.value / ours).toPrecision(2)}×)`;
      return `${amount(row.unit, figure.value)}${times}${figure.size ? ` @ 10${figure.size === 1_000 ? "³" : "²"}` : ""}`;
    });
    const verdict = aim ? (ours <= aim.value ? "met" : "**missed**") : "";
    lines.push(`| ${row.work} | ${aim?.words ?? ""} | ${verdict} | ${cells.join(" | ")} |`);
  }
  if (sizes.length > 0) {
    const number = (bytes) => bytes.toLocaleString("en");
    lines.push("", "What a page loads, bundled and minified by esbuild, the wasm with it; bytes:", "");
    lines.push("| package | as it is | gzip -9 | brotli 11 |", "|---|---:|---:|---:|");
    for (const { name, raw, gzip, brotli } of sizes) lines.push(`| ${name} | ${number(raw)} | ${number(gzip)} | ${number(brotli)} |`);
  }
  return `${lines.join("\n")}\n`;
}
