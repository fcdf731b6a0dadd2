// What several tests need.
import { createDoc, t } from "crdt-wasm";

export const schema = {
  visits: t.gCounter(),
  stock: t.pnCounter(),
  seats: t.boundedCounter(),
  open: t.ewFlag(),
  shut: t.dwFlag(),
  title: t.lwwRegister(),
  price: t.mvRegister(),
  tags: t.orSet(),
  banned: t.rwSet(),
  seen: t.gSet(),
  names: t.lwwMap(),
  theme: t.struct({ dark: t.ewFlag(), size: t.pnCounter() }),
  cart: t.map(t.struct({ quantity: t.counter(), note: t.mvRegister(), flags: t.map(t.ewFlag()) })),
};

export const make = (options = {}) => createDoc({ schema, documentId: "a document", ...options });

/** Each takes in what the other has. */
export function meet(a, b) {
  const [ofA, ofB] = [a.encode(), b.encode()];
  a.merge(ofB);
  b.merge(ofA);
}

export const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** Waits until something holds, and fails if it does not within a while. */
export async function until(holds, what = String(holds), ms = 30_000) {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
