// Who is here, and what they look at: presence, which is never stored and goes with its tab.
import type { Presence } from "crdt-wasm";

import { byId, el, keep, write } from "./dom.ts";
import { chosenHue, freeHue, HUES, isProduct, type Stall, titleOf } from "./market.ts";
import { here as texts, names } from "./texts.ts";

/** What a tab shows of itself. */
type Shown = {
  name: string;
  hue: number;
  /** The product under the pointer, or with the focus. */
  at: string;
  /** The sum of its state. */
  sum: string;
};

/** Somebody else. */
export interface Other extends Shown {
  readonly replica: string;
}

/** A pointer that crosses a card on its way does not look at it. */
const LOOKS_AFTER_MS = 150;

/** Anybody may say anything: what is no such thing is not shown. */
function read(replica: string, state: unknown): Other[] {
  const { name, hue, at, sum } = (state ?? {}) as Partial<Record<keyof Shown, unknown>>;
  if (typeof name !== "string" || typeof at !== "string" || typeof sum !== "string") return [];
  const shown = Number.isSafeInteger(hue) ? Math.abs(hue as number) % HUES : 0;
  return [{ replica, name: name.slice(0, 24) || names.nobody, hue: shown, at, sum }];
}

export class Here {
  readonly #presence: Presence<Shown>;
  readonly #stall: Stall;
  #shown: Shown;
  #online = true;
  #look: ReturnType<typeof setTimeout> | undefined;
  /** Nobody chose the colour by hand, so it may give way to somebody else's. */
  hueIsFree = true;
  others: readonly Other[] = [];

  constructor(stall: Stall, changed: () => void) {
    this.#stall = stall;
    this.#presence = stall.presence<Shown>();
    this.#shown = { name: "", hue: 0, at: "", sum: "" };
    this.#presence.subscribe(() => {
      this.others = this.#presence.snapshot().flatMap(({ replica, state }) => read(replica, state));
      for (const { replica, hue } of this.others) chosenHue.set(replica, hue);
      this.#giveWay();
      changed();
    });
    for (const card of document.querySelectorAll<HTMLElement>("[data-product]")) {
      const looks = () => this.#looksAt(card.dataset.product as string);
      card.addEventListener("pointerenter", looks);
      card.addEventListener("focusin", looks);
      card.addEventListener("pointerleave", () => this.#looksAt(""));
    }
    document.addEventListener("visibilitychange", () => this.#looksAt(""));
  }

  /** Of two with one colour the one with the greater id takes another. */
  #giveWay(): void {
    const me = this.#stall.replicaId;
    const taken = new Set(this.others.map(({ hue }) => hue));
    const meets = this.others.some(({ replica, hue }) => hue === this.#shown.hue && replica < me);
    if (this.hueIsFree && meets && taken.size < HUES) this.show({ hue: freeHue(me, taken) });
  }

  get hue(): number {
    return this.#shown.hue;
  }

  #looksAt(at: string): void {
    clearTimeout(this.#look);
    this.#look = setTimeout(() => this.show({ at }), LOOKS_AFTER_MS);
  }

  /** Shows something else of oneself. */
  show(some: Partial<Shown>): void {
    const next = { ...this.#shown, ...some };
    if (Object.entries(next).every(([name, value]) => this.#shown[name as keyof Shown] === value)) return;
    this.#shown = next;
    chosenHue.set(this.#stall.replicaId, next.hue);
    if (this.#online) this.#presence.set(next);
  }

  /** Who cuts their links says so while there are any, or others would see them for half a minute more. */
  link(online: boolean): void {
    this.#online = online;
    this.#presence.set(online ? this.#shown : undefined);
  }

  readonly draw = (): void => {
    // Without a link nobody can be seen.
    const others = this.#online ? this.others : [];
    const by = new Map(others.map((other) => [other.replica, other]));
    const dot = ({ name, hue }: Other) => el("span", { class: "who-dot", "data-hue": hue, "aria-hidden": true }, [...name][0]?.toUpperCase() ?? "?");
    for (const card of document.querySelectorAll<HTMLElement>("[data-product]")) {
      const list = card.querySelector(".lookers") as HTMLElement;
      const here = others.filter(({ at }) => at === card.dataset.product);
      list.hidden = here.length === 0;
      const make = (key: string) => {
        const other = here.find((one) => keyOf(one) === key) as Other;
        return el("li", { title: texts.looks(other.name) }, dot(other), el("span", { class: "hidden" }, other.name));
      };
      keep(list, here.map(keyOf), make);
    }
    const list = byId("others");
    const items = keep(list, others.map(keyOf), (key) => {
      const other = others.find((one) => keyOf(one) === key) as Other;
      return el("li", {}, dot(other), el("strong", {}, other.name), el("span", { class: "at" }));
    });
    others.forEach(({ replica }, at) => {
      const product = by.get(replica)?.at ?? "";
      write(items[at]?.querySelector(".at") as HTMLElement, isProduct(product) ? texts.looksAt(titleOf(this.#stall, product)) : "");
    });
    const none = byId("others-none");
    none.hidden = others.length > 0;
    write(none, this.#online ? texts.alone : texts.offline);
  };
}

/** What does not change while its element stays. */
const keyOf = ({ replica, name, hue }: Other) => `${replica} ${hue} ${name}`;
