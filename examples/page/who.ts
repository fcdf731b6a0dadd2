// Who has what: a picture for the eyes, the same as a table for the ears.
import type { Inspection } from "crdt-wasm";

import { byId, el } from "./dom.ts";
import { huesOf, nameOf, type Stall } from "./market.ts";
import { who as texts } from "./texts.ts";

type Runs = Inspection["seen"];

const SVG = "http://www.w3.org/2000/svg";
const count = (runs: Runs[string] = []) => runs.reduce((sum, [from, to]) => sum + to - from + 1, 0);

/** A strip for one writer: bars where its edits are here, open where they are not. */
function strip(runs: Runs[string], last: number): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${last} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [from, to] of runs) {
    const bar = document.createElementNS(SVG, "rect");
    const place = { x: from - 1, y: 0, width: to - from + 1, height: 1 };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, String(value));
    svg.append(bar);
  }
  return svg;
}

export function who(stall: Stall): () => void {
  let shown = "";
  let had = new Map<string, number>();
  return () => {
    const { seen, peers } = stall.inspect();
    const others = peers.filter(({ replica }) => replica !== stall.replicaId);
    const rows: { replica: string; has: Runs }[] = [{ replica: stall.replicaId, has: seen }, ...others];
    const writers = Object.keys(Object.assign({}, ...rows.map(({ has }) => has))).sort();
    const names = new Map([...writers, ...rows.map(({ replica }) => replica)].map((replica) => [replica, nameOf(stall, replica)]));
    const hues = huesOf(writers);
    const key = JSON.stringify([rows, [...names], [...hues]]);
    if (key === shown) return;
    shown = key;
    const before = had;
    had = new Map(rows.flatMap(({ replica, has }) => writers.map((writer) => [`${replica} ${writer}`, count(has[writer])])));
    // What has grown since the last look is shown to have.
    const grew = (row: string, writer: string) => (before.get(`${row} ${writer}`) ?? Infinity) < (had.get(`${row} ${writer}`) ?? 0);

    const last = (writer: string) => Math.max(1, ...rows.map(({ has }) => has[writer]?.at(-1)?.[1] ?? 0));
    byId("who").replaceChildren(
      ...rows.map(({ replica, has }) =>
        el(
          "div",
          { class: "who-row" },
          el("strong", {}, names.get(replica) ?? ""),
          el(
            "div",
            { class: "strips" },
            ...writers.map((writer) =>
              el("div", { class: grew(replica, writer) ? "strip grew" : "strip", "data-hue": hues.get(writer) }, strip(has[writer] ?? [], last(writer)), el("small", {}, texts.strip(names.get(writer) ?? "", count(has[writer]), last(writer)))),
            ),
          ),
        ),
      ),
    );
    byId("who-table").replaceChildren(
      el(
        "table",
        {},
        el("caption", {}, texts.caption),
        el("tr", {}, el("th", { scope: "col" }, texts.replica), ...writers.map((writer) => el("th", { scope: "col" }, texts.writer(names.get(writer) ?? "")))),
        ...rows.map(({ replica, has }) =>
          el("tr", {}, el("th", { scope: "row" }, names.get(replica) ?? ""), ...writers.map((writer) => el("td", {}, texts.cell(count(has[writer]), last(writer))))),
        ),
      ),
    );
  };
}
