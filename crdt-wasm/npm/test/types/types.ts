// Compiled, never run: each line below a `@ts-expect-error` has to be refused, and every other one to be taken.
import { createDoc, CrdtError, type CrdtErrorCode, type Field, openDoc, type Snapshot, t, type Value } from "crdt-wasm";
import { memoryStore } from "crdt-wasm/store";
import { portPair } from "crdt-wasm/testing";

const isNumber = (value: Value): value is number => typeof value === "number";

const schema = {
  visits: t.gCounter(),
  stock: t.pnCounter({ key: "inventory" }),
  seats: t.boundedCounter(),
  open: t.ewFlag(),
  closed: t.dwFlag(),
  title: t.lwwRegister<string>(),
  price: t.mvRegister({ check: isNumber }),
  tags: t.orSet<"a" | "b">(),
  banned: t.rwSet<string>(),
  seen: t.gSet<{ x: number; y: number }>(),
  names: t.lwwMap<string>(),
  rows: t.map(t.ewFlag(), { keys: "number" }),
  theme: t.struct({ dark: t.ewFlag(), size: t.pnCounter() }),
  cart: t.map(t.struct({ quantity: t.counter(), note: t.mvRegister<string>(), more: t.map(t.orSet<number>()), last: t.lwwMap<number>() })),
};
const doc = createDoc({ schema, documentId: "d" });
const { root } = doc;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

// What is inferred.
same<
  ReturnType<typeof doc.snapshot>,
  {
    readonly visits: number | bigint;
    readonly stock: number | bigint;
    readonly seats: number | bigint;
    readonly open: boolean;
    readonly closed: boolean;
    readonly title: string | undefined;
    readonly price: readonly number[];
    readonly tags: readonly ("a" | "b")[];
    readonly banned: readonly string[];
    readonly seen: readonly { x: number; y: number }[];
    readonly rows: { readonly [key: number]: boolean };
    readonly names: { readonly [key: string]: string };
    readonly theme: { readonly dark: boolean; readonly size: number | bigint };
    readonly cart: {
      readonly [key: string]: {
        readonly quantity: number | bigint;
        readonly note: readonly string[];
        readonly more: { readonly [key: string]: readonly number[] };
        readonly last: { readonly [key: string]: number };
      };
    };
  }
>(true);
same<ReturnType<typeof doc.snapshot>, Snapshot<typeof schema>>(true);
same<typeof root.title.value, string | undefined>(true);
same<ReturnType<typeof root.names.get>, string | undefined>(true);
same<ReturnType<typeof root.rows.keys>, readonly number[]>(true);
same<ReturnType<typeof root.cart.keys>, readonly string[]>(true);
same<typeof root.visits.value, number>(true);
same<typeof root.visits.valueBigInt, bigint>(true);
same<(typeof root.price.values)[number]["value"], number>(true);
const field: Field<readonly string[]> = root.cart.get("k").note;
const receipt = doc.edit(() => root.tags.has("a"));
same<typeof receipt.value, boolean>(true);
const bytes: Uint8Array<ArrayBuffer> = doc.encode();
const code: CrdtErrorCode = new CrdtError("SCHEMA", "").code;

// The code is a closed list.
switch (code) {
  case "NOT_READY": case "DISPOSED": case "POISONED": case "WASM_BLOCKED": case "BAD_BYTES": case "UNSUPPORTED_FORMAT":
  case "TOO_LARGE": case "BAD_VALUE": case "OUT_OF_RANGE": case "SCHEMA": case "WRONG_DOCUMENT": case "ASYNC_EDIT":
  case "UNAVAILABLE": case "STORAGE": case "UNAUTHORIZED":
    break;
  default: {
    const none: never = code;
    throw none;
  }
}

// A document with a store hands out what is stored.
const stored = await openDoc({ schema, documentId: "d", store: memoryStore(), links: [portPair()[0]] });
const later: Promise<Uint8Array<ArrayBuffer>> = stored.encode();
await using _stored = stored;
using _doc = doc;

// What may not be written.
// @ts-expect-error a number is no tag
root.tags.add(3);
// @ts-expect-error this text is no tag
root.tags.add("c");
// @ts-expect-error the title is a text
root.title.set(1);
// @ts-expect-error a set that grows has no removal
root.seen.delete({ x: 1, y: 2 });
// @ts-expect-error a counter that goes up has no way down
root.visits.decrement();
// @ts-expect-error a bounded counter may refuse
root.seats.decrement();
// @ts-expect-error there is no such field
root.nothing;
// @ts-expect-error what is read is not to be written
root.title.value = "x";
// @ts-expect-error snapshots are frozen
doc.snapshot().tags.push("a");
// @ts-expect-error snapshots are frozen
doc.snapshot().theme.dark = true;
// @ts-expect-error fields of the root are not to be replaced
root.title = root.title;
// @ts-expect-error a count may be a bigint
const n: number = doc.snapshot().visits;
// @ts-expect-error there may be no title
root.title.value.length;
// @ts-expect-error running totals cannot live under a key that can be removed
t.map(t.pnCounter());
// @ts-expect-error nor inside a struct there
t.map(t.struct({ a: t.ewFlag(), b: t.gCounter() }));
// @ts-expect-error nor inside a map there
t.map(t.map(t.dwFlag()));
// @ts-expect-error functions are no values
t.lwwRegister<() => void>();
// @ts-expect-error `undefined` is no value
t.orSet<string | undefined>();
// @ts-expect-error dates are no values
t.mvRegister<Date>();
// @ts-expect-error keys are texts
root.cart.get(1);
// @ts-expect-error these names are texts
root.names.set("k", 1);
// @ts-expect-error there may be none
root.names.get("k").length;
// @ts-expect-error and here numbers
root.rows.get("1");
// @ts-expect-error there are no such keys
t.map(t.ewFlag(), { keys: "bytes" });
createDoc({ schema });
// @ts-expect-error what is kept has a name
openDoc({ schema, store });
// @ts-expect-error a document has a schema
createDoc({ documentId: "d" });
// @ts-expect-error a name is no field type
createDoc({ documentId: "d", schema: { a: "counter" } });
// @ts-expect-error there is no such code
new CrdtError("NOPE", "");
// @ts-expect-error this promises bytes
const now: Uint8Array = stored.encode();
// @ts-expect-error nothing inside is shown
doc.inside;
// @ts-expect-error nothing inside is shown
root.title.core;

export { bytes, field, later, n, now };
