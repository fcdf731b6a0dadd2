// The page of the market stall: opens the document, and draws it anew whenever something has changed.
import { openDoc } from "crdt-wasm";
import { indexedDb } from "crdt-wasm/store";

import { card } from "./card.ts";
import { cart } from "./cart.ts";
import { perFrame } from "./dom.ts";
import { PRODUCTS, schema } from "./market.ts";
import { news } from "./news.ts";
import { links, signed, status, trouble } from "./tab.ts";
import { who } from "./who.ts";

async function open() {
  const settings = (await (await fetch("/settings.json")).json()) as { relay: string; document: string };
  const stall = await openDoc({ schema, documentId: settings.document, store: indexedDb() });
  // For whoever opens the console: the document itself.
  Object.assign(globalThis, { stall });

  const act = signed(stall);
  const parts = [...PRODUCTS.map((name) => card(stall, name, act)), cart(stall, act), status(stall), who(stall)];
  const draw = perFrame(() => parts.forEach((part) => part()));
  stall.subscribe(draw);
  stall.status.subscribe(draw);
  // What peers said they have, and bytes, come without a change of the document.
  setInterval(draw, 1_000);
  news(stall);
  stall.onNotice((notice) => {
    if (notice.kind === "storageFailed") trouble("The store of this browser failed: edits are refused from here on.");
    if (notice.kind === "replicaChanged") trouble("Somebody else wrote under the id of this tab: it goes on under a fresh one.");
  });
  links(stall, settings.relay);
  draw();
}

open().catch((error: unknown) => {
  trouble(`The stall could not be opened: ${error instanceof Error ? error.message : String(error)}`);
  throw error;
});
