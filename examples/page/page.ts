// The page of the market stall: opens the document, and draws it anew whenever something has changed.
import { openDoc } from "crdt-wasm";
import { indexedDb } from "crdt-wasm/store";

import * as banner from "./banner.ts";
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
import { insecure, trouble } from "./texts.ts";
import { traffic } from "./traffic.ts";
import { unsent } from "./unsent.ts";
import { who } from "./who.ts";

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
    if (notice.kind === "storageFailed") banner.trouble(trouble.storageFailed);
    if (notice.kind === "reopened") banner.trouble(trouble.reopened);
    if (notice.kind === "replicaChanged") banner.trouble(trouble.replicaChanged);
  });
  if (!isSecureContext) banner.note(insecure);
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
  banner.trouble(trouble.notOpened(error));
  throw error;
});
