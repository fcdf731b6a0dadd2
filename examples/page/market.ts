// The data of the stall: what each field does when two tabs change it at once. `examples/src/market/goods.rs` declares the
// same in Rust.
import { type FieldOf, type StoredDoc, t } from "crdt-wasm";

import { names } from "./texts.ts";

const isNumber = (value: unknown): value is number => typeof value === "number";
const isText = (value: unknown): value is string => typeof value === "string";

const product = t.struct({
  title: t.lwwRegister<string>({ check: isText }), // the later one stays
  price: t.mvRegister<number>({ check: isNumber }), // in cents; both stay, and somebody decides
  stock: t.pnCounter(), // all that came and went counts
  likes: t.gCounter(),
  tags: t.orSet<string>({ check: isText }), // added and removed at once: it stays
  open: t.ewFlag(), // opened and closed at once: open
});

const line = t.struct({
  count: t.counter(), // what several put in adds up
  note: t.mvRegister<string>({ check: isText }), // both stay, and somebody decides
});

export const schema = {
  bread: product,
  cheese: product,
  apples: product,
  honey: product,
  seats: t.boundedCounter(), // sold only by who holds the right to it: never too many
  cart: t.map(line), // a line removed while somebody writes on it keeps what was written
  names: t.map(t.lwwRegister<string>({ check: isText })), // what replicas call themselves
};

export type Stall = StoredDoc<typeof schema>;
export type Product = FieldOf<typeof product>;

export const PRODUCTS = ["bread", "cheese", "apples", "honey"] as const;
export type ProductName = (typeof PRODUCTS)[number];

/** Replicas that edit nothing, and so have no name in the data: what the link to them is for says what they are. */
export const unnamed = new Map<string, string>();

/** What to call a replica: as it calls itself, or by the start of its id. */
export function nameOf(stall: Stall, replica: string): string {
  if (replica === stall.replicaId) return names.self;
  return stall.root.names.get(replica).value ?? unnamed.get(replica) ?? names.unknown(replica);
}

/** How many colours there are to tell replicas apart; the style sheet says which. */
export const HUES = 6;

/** Colours that were chosen, as presence tells them. */
export const chosenHue = new Map<string, number>();

/** The first colour that is free, from the one on that follows from the id of a replica: in every tab the same one. */
export function freeHue(replica: string, taken: { has(hue: number): boolean }): number {
  const first = Number.parseInt(replica.slice(-6), 16) % HUES;
  for (let step = 0; step < HUES; step++) if (!taken.has((first + step) % HUES)) return (first + step) % HUES;
  return first;
}

/** Colours for replicas: those that were chosen, and for the others such as are free. */
export function huesOf(replicas: readonly string[]): Map<string, number> {
  const hues = new Map<string, number>();
  const taken = new Set<number>();
  const give = (replica: string, hue: number) => {
    hues.set(replica, hue);
    taken.add(hue);
  };
  for (const replica of replicas) if (chosenHue.has(replica)) give(replica, chosenHue.get(replica) as number);
  for (const replica of replicas) if (!hues.has(replica)) give(replica, freeHue(replica, taken));
  return hues;
}

export const isProduct = (name: string): name is ProductName => (PRODUCTS as readonly string[]).includes(name);

/** What to call a product: its title, or its name while it has none. A line of the cart may be of anything. */
export const titleOf = (stall: Stall, name: string) => (isProduct(name) && stall.root[name].title.value) || name;

/** How many edits of a replica are here. */
export function editsOf(stall: Stall, replica: string): number {
  const runs = stall.inspect().seen[replica] ?? [];
  return runs.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
