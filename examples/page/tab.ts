// This tab: its name and colour, its links, and how it stands.
import type { Link } from "crdt-wasm";
import { broadcast, webSocket } from "crdt-wasm/connect";

import { trouble } from "./banner.ts";
import type { Act } from "./card.ts";
import { byId, did, el, write } from "./dom.ts";
import type { Here } from "./here.ts";
import { editsOf, freeHue, HUES, type Stall, unnamed } from "./market.ts";

const BIRDS = [
  ...["Avocet", "Bittern", "Dipper", "Dunlin", "Egret", "Fieldfare", "Goldcrest", "Heron", "Hoopoe", "Kestrel", "Knot", "Linnet"],
  ...["Martin", "Merlin", "Nightjar", "Osprey", "Plover", "Redstart", "Robin", "Siskin", "Swift", "Teal", "Wagtail", "Wren"],
];
const COLOURS = ["Brick", "Fern", "Lake", "Ochre", "Plum", "Teal"];

/** The switch cuts the links of this replica, and nothing else of the browser. */
export function links(stall: Stall, here: Here, relay: string): void {
  const online = byId("online");
  let open: Link[] = [];
  const set = (on: boolean) => {
    if (!on) here.link(false);
    for (const link of open) link.close();
    open = on ? [stall.connect(broadcast()), toRelay(stall, relay)] : [];
    if (on) here.link(true);
    online.setAttribute("aria-checked", String(on));
    document.documentElement.dataset.offline = String(!on);
    did(on ? "online" : "offline");
  };
  online.addEventListener("click", () => set(open.length === 0));
  set(true);
}

function toRelay(stall: Stall, relay: string): Link {
  const link = stall.connect(webSocket(relay));
  link.status.subscribe(() => {
    for (const replica of link.status.snapshot().peers) unnamed.set(replica, "the relay");
  });
  return link;
}

/** This tab's edits, under its name: the name goes along with the first one, as a replica that only reads needs none. */
export function signed(stall: Stall): Act {
  const input = byId<HTMLInputElement>("name");
  // A tab that took over the id of a closed one goes on under its name.
  const chosen = () => stall.root.names.get(stall.replicaId).value;
  input.value = chosen() ?? (BIRDS[Math.floor(Math.random() * BIRDS.length)] as string);
  const sign = () => {
    const name = input.value.trim();
    if (name && name !== chosen()) stall.root.names.get(stall.replicaId).set(name);
  };
  input.addEventListener("change", () => stall.edit(sign));
  return (edit) => {
    try {
      stall.edit(() => {
        sign();
        edit();
      });
    } catch (error) {
      trouble(`That edit was not made: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

/** What others see of this tab: the name as it is typed, and a colour. */
export function shows(stall: Stall, here: Here): () => void {
  const name = byId<HTMLInputElement>("name");
  const tell = () => here.show({ name: name.value.trim() || "somebody" });
  name.addEventListener("change", tell);
  tell();

  const kept = `hue of ${stall.replicaId}`;
  const before = sessionStorage.getItem(kept);
  here.hueIsFree = before === null;
  here.show({ hue: before === null ? freeHue(stall.replicaId, new Set()) : Number(before) % HUES });
  const choose = (hue: number) => {
    here.hueIsFree = false;
    sessionStorage.setItem(kept, String(hue));
    here.show({ hue });
  };
  const choices = COLOURS.map((colour, hue) =>
    el("input", { type: "radio", name: "colour", "aria-label": colour, on: { change: () => choose(hue) } }),
  );
  byId("colours").append(
    ...choices.map((choice, hue) =>
      el("label", { class: "colour", title: COLOURS[hue] }, choice, el("span", { class: "who-dot", "data-hue": hue, "aria-hidden": true })),
    ),
  );
  return () => {
    const choice = choices[here.hue];
    if (choice && !choice.checked) choice.checked = true;
  };
}

const LINK = {
  offline: "Offline: edits wait here",
  connecting: "Looking for the others…",
  syncing: "Finding out what differs…",
  synced: "In step with the others",
};
const STORAGE = { memory: "in memory only", saving: "saving…", saved: "saved in this browser", failed: "failed: edits are refused" };
const IDENTITY = {
  stored: "stored: a later tab goes on with it",
  home: "lent by the relay, and given back",
  ephemeral: "ephemeral: of this page alone",
};

/** Draws how it stands; `sum` says which state it has. */
export function status(stall: Stall, sum: () => string): () => void {
  const list = (id: string) => (term: string, gloss?: string) => {
    const value = el("dd");
    byId(id).append(el("div", {}, el("dt", {}, term), value, ...(gloss ? [el("dd", { class: "gloss" }, gloss)] : [])));
    return value;
  };
  const count = list("counts");
  const unsaved = count("Unsaved", "lost in a crash");
  const unsent = count("Unsent", "only in this browser");
  const acknowledged = count("Acknowledged", "stored elsewhere");
  const fact = list("facts");
  const [storage, id, identity, state] = ["Storage", "Replica id", "Kind of id", "State"].map((term) => fact(term)) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  id.className = state.className = "id";
  return () => {
    const now = stall.status.snapshot();
    byId("state").dataset.state = now.link;
    write(byId("state-text"), LINK[now.link]);
    write(unsaved, String(now.unsaved));
    unsaved.classList.toggle("alone", now.unsaved > 0);
    const alone = Math.max(0, now.unacked - now.unsaved);
    write(unsent, String(alone));
    unsent.classList.toggle("alone", alone > 0);
    write(acknowledged, String(Math.max(0, editsOf(stall, stall.replicaId) - Math.max(now.unacked, now.unsaved))));
    write(storage, STORAGE[now.storage]);
    write(identity, IDENTITY[now.identity]);
    write(id, stall.replicaId);
    write(state, sum() || "…");
  };
}
