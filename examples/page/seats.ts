// The last seats: a counter that replicas take from without asking each other, and that never falls below zero.
import type { Act } from "./card.ts";
import { byId, did, el, write } from "./dom.ts";
import type { Here } from "./here.ts";
import type { Stall } from "./market.ts";
import { seats as texts } from "./texts.ts";

export function lastSeats(stall: Stall, act: Act, here: Here): () => void {
  const counter = stall.root.seats;
  const [left, rights, said] = [byId("seats-left"), byId("seats-rights"), byId("seats-said")];
  const [to, hand] = [byId<HTMLSelectElement>("seats-to"), byId<HTMLButtonElement>("seats-hand")];

  const say = (text: string, refused = false) => {
    said.textContent = text;
    said.classList.toggle("refused", refused);
  };

  byId("seats-sell").addEventListener("click", () => {
    let sold = false;
    act(() => {
      sold = counter.tryDecrement();
    });
    if (sold) say(texts.sold(counter.value));
    else if (counter.value === 0) say(texts.none, true);
    else say(texts.noRight(counter.value), true);
    did("seats sell");
  });
  byId("seats-add").addEventListener("click", () => {
    act(() => counter.increment());
    say(texts.added);
  });
  hand.addEventListener("click", () => {
    const name = to.selectedOptions[0]?.textContent ?? "";
    let done = false;
    act(() => {
      done = counter.grant(to.value, 1);
    });
    say(done ? texts.handed(name) : texts.nothingToHand, !done);
  });

  let shown = "";
  return () => {
    write(left, String(counter.value));
    write(rights, String(counter.rights));
    const key = JSON.stringify(here.others.map(({ replica, name }) => [replica, name]));
    if (key !== shown) {
      shown = key;
      const chosen = to.value;
      to.replaceChildren(...here.others.map(({ replica, name }) => el("option", { value: replica }, name)));
      if (here.others.length === 0) to.append(el("option", { value: "" }, texts.nobody));
      if (here.others.some(({ replica }) => replica === chosen)) to.value = chosen;
    }
    hand.disabled = to.disabled = here.others.length === 0;
  };
}
