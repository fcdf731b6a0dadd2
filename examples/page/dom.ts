// The little that is needed of a framework: elements with properties and children.

interface Properties {
  readonly class?: string;
  readonly on?: { readonly [type: string]: (event: Event) => void };
  readonly [name: string]: unknown;
}

/** An element. Names with a dash, `role` and `scope` become attributes, all others properties. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value as string;
    else if (name === "on") for (const [type, listener] of Object.entries(value as object)) element.addEventListener(type, listener);
    else if (name.includes("-") || name === "role" || name === "scope") element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children);
  return element;
}

/** The element of the page with that id. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** Writes a text only if it is another one: what did not change is not laid out again. */
export function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Before an element goes, or what is in it: a focus in there moves to what it is part of, or it would be back at the top of
 * the page.
 */
export function leave(element: HTMLElement): void {
  if (element.contains(document.activeElement)) element.parentElement?.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
}

/**
 * One child for each key, in this order, made once and kept: focus stays where it is while things come and go around it.
 */
export function keep<E extends HTMLElement>(parent: HTMLElement, keys: readonly string[], make: (key: string) => E): E[] {
  const before = new Map(Array.from(parent.children, (child) => [(child as HTMLElement).dataset.key ?? "", child as E]));
  const children = keys.map((key) => {
    const child = before.get(key) ?? make(key);
    child.dataset.key = key;
    before.delete(key);
    return child;
  });
  for (const gone of before.values()) {
    leave(gone);
    gone.remove();
  }
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
  return children;
}

/** Calls a function at most once for each frame that is drawn, however often it is asked to. */
export function perFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    // A tab that nobody sees draws no frames; its texts should be right nevertheless when it is looked at.
    const run = () => {
      asked = false;
      draw();
    };
    if (document.visibilityState === "visible") requestAnimationFrame(run);
    else setTimeout(run, 200);
  };
}

/** Tells that something was done in this tab, by whoever: the guide waits for it. */
export function did(what: string): void {
  document.dispatchEvent(new CustomEvent("did", { detail: what }));
}

/** Calls a function with all that is done in this tab. */
export function onDid(listener: (what: string) => void): void {
  document.addEventListener("did", (event) => listener((event as CustomEvent<string>).detail));
}
