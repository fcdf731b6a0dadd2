// What was written without seeing each other: all of it stands side by side until somebody decides.
import type { MvRegister, Value } from "crdt-wasm";

import { el, leave } from "./dom.ts";
import { nameOf, type Stall } from "./market.ts";
import { conflict as texts } from "./texts.ts";

interface Dispute<T> {
  /** What it is, for who does not see where it stands. */
  readonly label: string;
  /** What it belongs to. */
  readonly of: string;
  readonly show: (value: T) => string;
  /** Makes one value of all. */
  readonly merge: { readonly text: string; readonly label: string; readonly by: (all: readonly T[]) => T };
  /** Decides, under the name of this tab. */
  readonly decide: (choose: (all: readonly T[]) => T) => void;
}

type Written<T extends Value> = MvRegister<T>["values"];

/** A place for the values of a register; what it returns beside it draws them, if there are several. */
export function conflict<T extends Value>(stall: Stall, { label, of, show, merge, decide }: Dispute<T>) {
  const element = el("div", { class: "conflict", role: "group", "aria-label": label, hidden: true });
  const button = (text: string, name: string, choose: (all: readonly T[]) => T) =>
    el("button", { type: "button", "aria-label": name, on: { click: () => decide(choose) } }, text);
  let drawn = "";

  const draw = (values: Written<T>): void => {
    // A redraw under somebody's fingers would take the focus away: only if something differs.
    const now = values.length < 2 ? "" : JSON.stringify(values.map(({ value, replica }) => [value, nameOf(stall, replica)]));
    if (now === drawn) return;
    drawn = now;
    leave(element);
    element.hidden = now === "";
    if (element.hidden) return element.replaceChildren();
    const choices = values.map(({ value, replica }, at) => {
      const letter = String.fromCharCode(65 + at);
      const who = nameOf(stall, replica);
      return el(
        "li",
        {},
        el("span", {}, el("strong", {}, texts.choice(letter, show(value))), texts.by(who)),
        button(texts.keep(letter), texts.keepLabel(letter, show(value), who, of), () => value),
      );
    });
    element.replaceChildren(el("p", {}, texts.title), el("ul", {}, ...choices), button(merge.text, merge.label, merge.by));
  };
  return { element, draw };
}
