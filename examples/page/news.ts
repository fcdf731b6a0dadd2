// What came in from others: a list, and a polite word for screen readers.
import type { Batch } from "crdt-wasm";

import { byId, el } from "./dom.ts";
import { isProduct, type Stall, titleOf } from "./market.ts";
import { news as texts } from "./texts.ts";

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
      return field === "likes" ? texts.liked(title) : texts.stock(title, change.by);
    case "flag":
      return texts.open(title, change.value);
    case "set":
      return [...change.added.map((tag) => texts.tagAdded(title, tag)), ...change.removed.map((tag) => texts.tagRemoved(title, tag))].join(", ");
    case "register":
      if (field === "title") return texts.title(change.after);
      return change.conflict ? texts.prices(title) : texts.price(title, Number(change.after));
    default:
      return undefined;
  }
}

/** A line that came or went is a change of the cart, all else one of the line. */
function inCart(stall: Stall, change: Change, name = ""): string | undefined {
  const title = titleOf(stall, name);
  switch (change.kind) {
    case "map": {
      const titles = (keys: typeof change.added) => keys.map((key) => titleOf(stall, String(key)));
      return [...titles(change.added).map(texts.inCart), ...titles(change.removed).map(texts.outOfCart)].join(", ");
    }
    case "counter":
      return texts.pieces(title, change.by);
    case "register":
      if (change.conflict) return texts.notes(title);
      return change.after === undefined ? texts.noNote(title) : texts.note(title, change.after);
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
    const shown = lines.length > SHOWN_MAX ? [texts.many(lines.length)] : lines;
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
