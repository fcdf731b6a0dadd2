// The page of the market stall: opens the document, and draws it anew whenever something has changed.
import { openDoc } from "crdt-wasm";
import { indexedDb } from "crdt-wasm/store";

import { note, trouble } from "./banner.ts";
import { card } from "./card.ts";
import { cart } from "./cart.ts";
import { Disk } from "./disk.ts";
import { perFrame } from "./dom.ts";
import { Guide } from "./guide.ts";
import { Here } from "./here.ts";
import { killable } from "./kill.ts";
import { PRODUCTS, schema } from "./market.ts";
import { news } from "./news.ts";
import { lastSeats } from "./seats.ts";
import { type State, watchState } from "./sum.ts";
import { links, shows, signed, status } from "./tab.ts";
import { traffic } from "./traffic.ts";
import { unsent } from "./unsent.ts";
import { who } from "./who.ts";

/** What a browser keeps from a page that came over a network in the clear. */
const INSECURE =
  "This address is not a secure one (no https, not this machine), so the browser gives no locks: the relay lends this tab an id instead " +
  "of a stored one, and takes it back when the page goes. Everything else works.";

async function open() {
  const settings = (await (await fetch("/settings.json")).json()) as { relay: string; document: string };
  const disk = new Disk(indexedDb());
  const stall = await openDoc({ schema, documentId: settings.document, store: disk });
  // For whoever opens the console: the document itself.
  Object.assign(globalThis, { stall });

  let state: State = { sum: "", size: 0 };
  const act = signed(stall);
  const cards = PRODUCTS.map((name) => card(stall, name, act));
  const here = new Here(stall, () => draw());
  const parts = [
    ...cards,
    cart(stall, act),
    lastSeats(stall, act, here),
    here.draw,
    shows(stall, here),
    unsent(stall),
    status(stall, () => state.sum),
    traffic(stall, () => state.size),
    who(stall),
  ];
  const draw = perFrame(() => parts.forEach((part) => part()));
  stall.subscribe(draw);
  stall.status.subscribe(draw);
  // What peers said they have, and bytes, come without a change of the document.
  setInterval(draw, 1_000);
  news(stall);
  stall.onNotice((notice) => {
    if (notice.kind === "storageFailed") trouble("The store of this browser failed: edits are refused from here on.");
    if (notice.kind === "reopened") trouble("The package broke, and this stall was opened again from the store of this browser.");
    if (notice.kind === "replicaChanged") trouble("Somebody else wrote under the id of this tab: it goes on under a fresh one.");
  });
  if (!isSecureContext) note(INSECURE);
  killable(stall, disk);
  links(stall, here, settings.relay);
  watchState(stall, (now) => {
    state = now;
    here.show({ sum: now.sum });
    draw();
  });
  new Guide(stall, act, here, () => state.sum);
  draw();
}

open().catch((error: unknown) => {
  trouble(`The stall could not be opened: ${error instanceof Error ? error.message : String(error)}`);
  throw error;
});
