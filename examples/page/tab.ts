// This tab: its name and colour, its links, and how it stands.
import type { Link } from "crdt-wasm";
import { broadcast, webSocket } from "crdt-wasm/connect";

import * as banner from "./banner.ts";
import type { Act } from "./card.ts";
import { byId, did, el, write } from "./dom.ts";
import type { Here } from "./here.ts";
import { editsOf, freeHue, HUES, type Stall, unnamed } from "./market.ts";
import { names, tab as texts, trouble } from "./texts.ts";

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
    for (const replica of link.status.snapshot().peers) unnamed.set(replica, names.relay);
  });
  return link;
}

/** This tab's edits, under its name: the name goes along with the first one, as a replica that only reads needs none. */
export function signed(stall: Stall): Act {
  const input = byId<HTMLInputElement>("name");
  // A tab that took over the id of a closed one goes on under its name.
  const chosen = () => stall.root.names.get(stall.replicaId).value;
  input.value = chosen() ?? (texts.birds[Math.floor(Math.random() * texts.birds.length)] as string);
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
      banner.trouble(trouble.notMade(error));
    }
  };
}

/** What others see of this tab: the name as it is typed, and a colour. */
export function shows(stall: Stall, here: Here): () => void {
  const name = byId<HTMLInputElement>("name");
  const tell = () => here.show({ name: name.value.trim() || names.nobody });
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
  const choices = texts.colours.map((colour, hue) =>
    el("input", { type: "radio", name: "colour", "aria-label": colour, on: { change: () => choose(hue) } }),
  );
  byId("colours").append(
    ...choices.map((choice, hue) =>
      el("label", { class: "colour", title: texts.colours[hue] }, choice, el("span", { class: "who-dot", "data-hue": hue, "aria-hidden": true })),
    ),
  );
  return () => {
    const choice = choices[here.hue];
    if (choice && !choice.checked) choice.checked = true;
  };
}

/** Draws how it stands; `sum` says which state it has. */
export function status(stall: Stall, sum: () => string): () => void {
  const list = (id: string) => (term: string, gloss?: string) => {
    const value = el("dd");
    byId(id).append(el("div", {}, el("dt", {}, term), value, ...(gloss ? [el("dd", { class: "gloss" }, gloss)] : [])));
    return value;
  };
  const count = list("counts");
  const unsaved = count(...texts.unsaved);
  const unsent = count(...texts.unsent);
  const acknowledged = count(...texts.acknowledged);
  const fact = list("facts");
  const [storage, id, identity, state] = texts.facts.map((term) => fact(term)) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  id.className = state.className = "id";
  return () => {
    const now = stall.status.snapshot();
    byId("state").dataset.state = now.link;
    write(byId("state-text"), texts.link[now.link]);
    write(unsaved, String(now.unsaved));
    unsaved.classList.toggle("alone", now.unsaved > 0);
    const alone = Math.max(0, now.unacked - now.unsaved);
    write(unsent, String(alone));
    unsent.classList.toggle("alone", alone > 0);
    write(acknowledged, String(Math.max(0, editsOf(stall, stall.replicaId) - Math.max(now.unacked, now.unsaved))));
    write(storage, texts.storage[now.storage]);
    write(identity, texts.identity[now.identity]);
    write(id, stall.replicaId);
    write(state, sum() || texts.unknown);
  };
}
