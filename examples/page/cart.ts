// The cart that all tabs share.
import type { Act } from "./card.ts";
import { byId, el, keep, write } from "./dom.ts";
import { PRODUCTS, type ProductName, type Stall, titleOf } from "./market.ts";

export function cart(stall: Stall, act: Act): () => void {
  const list = byId("cart");
  const line = (name: string) => {
    const count = stall.root.cart.get(name);
    const button = (text: string, label: string, edit: () => void) =>
      el("button", { type: "button", "aria-label": label, on: { click: () => act(edit) } }, text);
    return el(
      "li",
      {},
      el("span", { class: "cart-title" }),
      el(
        "span",
        { class: "stepper", role: "group", "aria-label": `How many ${name}` },
        button("−", `One ${name} less in the cart`, () => (count.value > 1 ? count.decrement() : void stall.root.cart.delete(name))),
        el("output", { class: "number" }),
        button("+", `One ${name} more in the cart`, () => count.increment()),
      ),
      button("×", `Take ${name} out of the cart`, () => void stall.root.cart.delete(name)),
    );
  };
  return () => {
    const names = stall.root.cart.keys();
    for (const item of keep(list, names, line)) {
      const name = item.dataset.key ?? "";
      const known = (PRODUCTS as readonly string[]).includes(name);
      write(item.querySelector(".cart-title") as HTMLElement, known ? titleOf(stall, name as ProductName) : name);
      write(item.querySelector("output") as HTMLElement, String(stall.root.cart.get(name).value));
    }
    byId("cart-empty").hidden = names.length > 0;
  };
}
