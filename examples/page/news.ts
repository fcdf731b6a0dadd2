// What came in from others: a list, and a polite word for screen readers.
import type { Batch } from "crdt-wasm";

import { byId, el } from "./dom.ts";
import { isProduct, money, type Stall, titleOf } from "./market.ts";

const SHOWN_MAX = 6;
/** Whoever listens shall not be talked to without a pause. */
const PAUSE_MS = 4_000;

type Change = Batch["changes"][number];

function told(stall: Stall, change: Change): string | undefined {
  const [place = "", field] = change.path.map(String);
  if (place === "cart") return inCart(stall, change, field);
  if (!isProduct(place)) return undefined;
  const title = titleOf(stall, place);
  switch (change.kind) {
    case "counter":
      return field === "likes" ? `${title}: liked` : `${title}: ${change.by > 0 ? `${change.by} more` : `${-Number(change.by)} fewer`} in stock`;
    case "flag":
      return `${title}: ${change.value ? "for sale" : "not for sale"}`;
    case "set":
      return [...change.added.map((tag) => `${title}: tag “${tag}” added`), ...change.removed.map((tag) => `${title}: tag “${tag}” removed`)].join(", ");
    case "register":
      if (field === "title") return `A title is now “${String(change.after)}”`;
      return change.conflict ? `${title}: several prices were written at once` : `${title}: now ${money(Number(change.after))}`;
    default:
      return undefined;
  }
}

/** A line that came or went is a change of the cart, all else one of the line. */
function inCart(stall: Stall, change: Change, name = ""): string | undefined {
  const title = titleOf(stall, name);
  switch (change.kind) {
    case "map":
      return [...change.added.map((key) => `${titleOf(stall, String(key))}: put in the cart`), ...change.removed.map((key) => `${titleOf(stall, String(key))}: taken out of the cart`)].join(", ");
    case "counter":
      return `${title}: ${change.by > 0 ? `${change.by} more` : `${-Number(change.by)} fewer`} in the cart`;
    case "register":
      if (change.conflict) return `${title}: several notes were written at once`;
      return change.after === undefined ? `${title}: its note was taken away` : `${title}: note “${String(change.after)}”`;
    default:
      return undefined;
  }
}

export function news(stall: Stall): void {
  let waiting: string | undefined;
  let silentUntil = 0;
  const say = () => {
    if (waiting === undefined) return;
    const wait = silentUntil - Date.now();
    if (wait > 0) return void setTimeout(say, wait);
    byId("said").textContent = waiting;
    waiting = undefined;
    silentUntil = Date.now() + PAUSE_MS;
  };
  stall.onChange(({ changes, local }) => {
    if (local) return;
    const lines = changes.flatMap((change) => told(stall, change) ?? []);
    // The first arrival is the whole stall: one word is enough for it.
    const shown = lines.length > SHOWN_MAX ? [`${lines.length} things changed`] : lines;
    const list = byId("news");
    for (const line of shown) list.prepend(el("li", {}, el("span", {}, line), el("time", {}, new Date().toLocaleTimeString())));
    while (list.children.length > SHOWN_MAX) list.lastElementChild?.remove();
    byId("news-empty").hidden = list.children.length > 0;
    if (shown.length > 0) {
      waiting = shown.at(-1);
      say();
    }
  });
}
