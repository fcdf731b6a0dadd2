// The cart that all tabs share: a line for each product that somebody put in, with how many, and a note.
import type { Act } from "./card.ts";
import { conflict } from "./conflict.ts";
import { byId, el, keep, write } from "./dom.ts";
import { type Stall, titleOf } from "./market.ts";
import { cart as texts } from "./texts.ts";

export function cart(stall: Stall, act: Act): () => void {
  const lines = stall.root.cart;
  const draws = new WeakMap<HTMLElement, () => void>();

  const line = (name: string) => {
    const { count, note } = lines.get(name);
    const button = (text: string, label: string, edit: () => void) =>
      el("button", { type: "button", "aria-label": label, on: { click: () => act(edit) } }, text);
    const title = el("span", { class: "cart-title" });
    const pieces = el("output", { class: "number" });

    const text = el("input", { "aria-label": texts.noteLabel(name), maxLength: 80, autocomplete: "off" });
    text.addEventListener("change", () => {
      const words = text.value.trim();
      // Somebody may have taken the line out while this was typed.
      if (lines.has(name)) act(() => (words ? note.set(words) : note.clear()));
      draw();
    });
    text.addEventListener("blur", () => draw());
    const notes = conflict(stall, {
      label: texts.notesLabel(name),
      of: name,
      show: texts.quote,
      merge: { text: texts.all, label: texts.allLabel(name), by: (all) => [...new Set(all)].join("; ") },
      decide: (choose) => act(() => note.resolve(choose)),
    });

    const draw = () => {
      write(title, titleOf(stall, name));
      write(pieces, String(count.value));
      const { values } = note;
      if (document.activeElement !== text) {
        text.value = values.length === 1 ? (values[0]?.value ?? "") : "";
        text.placeholder = texts.notes(values.length);
      }
      notes.draw(values);
    };
    const item = el(
      "li",
      { tabIndex: -1 },
      el(
        "div",
        { class: "row" },
        title,
        el(
          "span",
          { class: "stepper", role: "group", "aria-label": texts.pieces(name) },
          button("−", texts.less(name), () => (count.value > 1 ? count.decrement() : void lines.delete(name))),
          pieces,
          button("+", texts.more(name), () => count.increment()),
        ),
        button("×", texts.remove(name), () => void lines.delete(name)),
      ),
      el("label", { class: "field" }, texts.note, text),
      notes.element,
    );
    draws.set(item, draw);
    return item;
  };

  return () => {
    const names = lines.keys();
    for (const item of keep(byId("cart"), names, line)) draws.get(item)?.();
    byId("cart-empty").hidden = names.length > 0;
  };
}
