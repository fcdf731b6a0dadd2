// This tab: its name, its links, and how it stands.
import type { Link } from "crdt-wasm";
import { broadcast, webSocket } from "crdt-wasm/connect";

import type { Act } from "./card.ts";
import { byId, el, write } from "./dom.ts";
import { type Stall, unnamed } from "./market.ts";

const BIRDS = ["Heron", "Wren", "Swift", "Robin", "Plover", "Linnet", "Dunlin", "Siskin", "Avocet", "Merlin"];

/** The switch cuts the links of this replica, and nothing else of the browser. */
export function links(stall: Stall, relay: string): void {
  const online = byId("online");
  let open: Link[] = [];
  const set = (on: boolean) => {
    for (const link of open) link.close();
    open = on ? [stall.connect(broadcast()), toRelay(stall, relay)] : [];
    online.setAttribute("aria-checked", String(on));
    document.documentElement.dataset.offline = String(!on);
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
  const here = stall.presence<string>();
  const show = () => here.set(input.value.trim() || "somebody");
  const others = byId("others");
  here.subscribe(() => {
    const names = here.snapshot().map(({ state }) => String(state));
    write(others, names.length > 0 ? `Also open in this browser: ${names.join(", ")}` : "No other tab of this browser is open.");
  });
  show();
  input.addEventListener("change", () => {
    stall.edit(sign);
    show();
  });
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

/** Shows what went wrong, where everybody sees it. */
export function trouble(text: string): void {
  const banner = byId("trouble");
  banner.textContent = text;
  banner.hidden = false;
}

const LINK = {
  offline: "Offline: edits stay here until you are back",
  connecting: "Looking for the others…",
  syncing: "Finding out what differs…",
  synced: "In step with the others",
};
const STORAGE = { memory: "in memory only", saving: "saving…", saved: "saved in this browser", failed: "failed: edits are refused" };
const IDENTITY = { stored: "kept, and used again by a later tab", home: "lent by the relay, and given back", ephemeral: "drawn for this page, never used again" };

export function status(stall: Stall): () => void {
  const facts = byId("facts");
  const fact = (term: string) => {
    const value = el("dd");
    facts.append(el("div", {}, el("dt", {}, term), value));
    return value;
  };
  const [unsaved, unacked, storage, id, identity] = ["Not saved yet", "Only in this browser", "Storage", "Replica id", "Identity"].map(fact) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  id.className = "id";
  return () => {
    const now = stall.status.snapshot();
    byId("state").dataset.state = now.link;
    write(byId("state-text"), LINK[now.link]);
    const edits = (count: number) => (count === 1 ? "1 edit" : `${count} edits`);
    write(unsaved, edits(now.unsaved));
    write(unacked, edits(now.unacked));
    unacked.classList.toggle("alone", now.unacked > 0);
    write(storage, STORAGE[now.storage]);
    write(id, stall.replicaId);
    write(identity, IDENTITY[now.identity]);
  };
}
