// One product: what it shows, and what can be done with it.
import { conflict } from "./conflict.ts";
import { byId, did, el, keep, write } from "./dom.ts";
import { type Product, type ProductName, type Stall, titleOf } from "./market.ts";
import { money, card as texts } from "./texts.ts";

/** Runs an edit under this tab's name. */
export type Act = (edit: () => void) => void;

/** Makes the card of a product; what it returns draws it anew. */
export function card(stall: Stall, name: ProductName, act: Act): () => void {
  const product: Product = stall.root[name];
  const edits = (part: string, edit: () => void) => {
    act(edit);
    did(`${name} ${part}`);
  };
  const button = (part: string, text: string, label: string, edit: () => void, look = "") =>
    el("button", { type: "button", class: look, "aria-label": label, on: { click: () => edits(part, edit) } }, text);

  const title = el("input", { class: "title", "aria-label": texts.title(name), maxLength: 40, autocomplete: "off" });
  title.addEventListener("change", () => {
    const text = title.value.trim();
    if (text && text !== product.title.value) edits("title", () => product.title.set(text));
    draw();
  });

  const open = el("button", { type: "button", class: "switch", role: "switch", "aria-label": texts.openLabel(name) }, el("span", { class: "track", "aria-hidden": true }), el("span", {}, texts.open));
  open.addEventListener("click", () => edits("open", () => product.open.set(!product.open.value)));

  const price = el("input", { type: "text", inputMode: "decimal", class: "price", autocomplete: "off" });
  price.addEventListener("change", () => {
    const cents = Math.round(Number(price.value.replace(/[€\s]/g, "").replace(",", ".")) * 100);
    if (Number.isSafeInteger(cents) && cents >= 0 && price.value.trim() !== "") {
      if (product.price.conflict || product.price.values[0]?.value !== cents) edits("price", () => product.price.set(cents));
    }
    price.blur();
    draw();
  });
  const prices = conflict(stall, {
    label: texts.pricesLabel(name),
    of: name,
    show: money,
    merge: { text: texts.highest, label: texts.highestLabel(name), by: (all: readonly number[]) => Math.max(...all) },
    decide: (choose) => edits("price", () => product.price.resolve(choose)),
  });

  const stock = el("output", { class: "number" });
  const likes = el("span");
  const like = el("button", { type: "button", on: { click: () => edits("likes", () => product.likes.increment()) } });
  like.append(el("span", { "aria-hidden": true, class: "heart" }, "♥"), likes, el("span", { class: "hidden" }, texts.like(name)));

  const tags = el("ul", { class: "tags" });
  const newTag = el("input", { class: "tag-new", placeholder: texts.newTag, "aria-label": texts.newTagLabel(name), maxLength: 24, autocomplete: "off" });
  const tagForm = el("form", { class: "tag-form" }, newTag, el("button", { "aria-label": texts.addTagLabel(name) }, texts.addTag));
  tagForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const tag = newTag.value.trim();
    if (tag) edits("tags", () => product.tags.add(tag));
    newTag.value = "";
  });

  const element = el(
    "article",
    { class: "card", "data-product": name, tabIndex: -1 },
    el("ul", { class: "lookers", "aria-label": texts.lookers(name), hidden: true }),
    el("p", { class: "only-here", hidden: true }, texts.onlyHere),
    el("div", { class: "card-top" }, title, open),
    el("label", { class: "field price-field" }, texts.price, price),
    prices.element,
    el(
      "div",
      { class: "row" },
      el("span", { class: "label" }, texts.stock),
      el(
        "span",
        { class: "stepper", role: "group", "aria-label": texts.stockLabel(name) },
        button("stock", "−", texts.less(name), () => product.stock.decrement()),
        stock,
        button("stock", "+", texts.more(name), () => product.stock.increment()),
      ),
    ),
    tags,
    tagForm,
    el(
      "div",
      { class: "row actions" },
      like,
      button("cart", texts.toCart, texts.toCartLabel(name), () => stall.root.cart.get(name).count.increment(), "primary"),
    ),
  );
  byId("cards").append(element);

  function draw(): void {
    if (document.activeElement !== title) title.value = titleOf(stall, name);
    element.classList.toggle("closed", !product.open.value);
    open.setAttribute("aria-checked", String(product.open.value));
    write(stock, String(product.stock.value));
    write(likes, String(product.likes.value));
    drawPrice();
    drawTags();
  }

  function drawPrice(): void {
    const { values } = product.price;
    if (document.activeElement !== price) {
      price.value = values.length === 1 ? money((values[0] as { value: number }).value) : "";
      price.placeholder = texts.prices(values.length);
    }
    prices.draw(values);
  }

  function drawTags(): void {
    keep(tags, [...product.tags], (tag) =>
      el("li", {}, el("span", {}, tag), button("tags", "×", texts.removeTag(tag, name), () => void product.tags.delete(tag))),
    );
  }

  return draw;
}
