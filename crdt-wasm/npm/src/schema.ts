import { CrdtError } from "./errors.js";
import type { Field } from "./field.js";
import type { BoundedCounter, Counter, GCounter, PnCounter } from "./fields/counter.js";
import type { Flag } from "./fields/flag.js";
import type { LwwMap } from "./fields/lwwmap.js";
import type { MapField } from "./fields/map.js";
import type { LwwRegister, MvRegister } from "./fields/register.js";
import type { GrowSet, ValueSet } from "./fields/set.js";
import type { Value } from "./values.js";

/** The kinds of fields, with the numbers that stand for them in the bytes. */
export const KINDS = {
  gCounter: 1,
  pnCounter: 2,
  boundedCounter: 3,
  counter: 4,
  lwwRegister: 5,
  mvRegister: 6,
  ewFlag: 7,
  dwFlag: 8,
  gSet: 9,
  orSet: 10,
  rwSet: 11,
  map: 12,
  lwwMap: 13,
  struct: 14,
} as const;

/** The name of a kind of field: that of the Rust type. */
export type Kind = keyof typeof KINDS;

declare const types: unique symbol;

/** What may stand under a key of a map, as that can be removed. */
export type Removable = "removable";

/** What may not. The compiler shows this text where such a type is used in a map. */
export type Fixed = "this type cannot live under a key that can be removed; for a number there, use t.counter()";

/** One field of a schema, made by {@link t}. `F` is what edits and reads it, `S` its snapshot. */
export interface FieldType<F, S, R extends Removable | Fixed> {
  readonly kind: Kind;
  /** The name in the bytes, if it is not the name in the schema. */
  readonly key?: string;
  /** @internal */
  readonly check?: (value: Value) => boolean;
  /** @internal */
  readonly keys?: KeyName;
  /** @internal */
  readonly item?: AnyType;
  /** @internal */
  readonly fields?: Schema;
  readonly [types]?: [F, S, R];
}

/** What the keys of a map can be. */
export type KeyName = "text" | "number";

/** The type of such a key. */
export type KeyOf<K extends KeyName> = K extends "number" ? number : string;

/** Any field type. */
export type AnyType = FieldType<any, any, any>;

/** The fields of a document or struct, by name. */
export type Schema = { readonly [name: string]: AnyType };

/** What reads and edits a field of this type. */
export type FieldOf<T extends AnyType> = T extends FieldType<infer F, infer _S, infer _R> ? F : never;

/** The plain data of a field of this type. */
export type SnapshotOf<T extends AnyType> = T extends FieldType<infer _F, infer S, infer _R> ? S : never;

type RemovableOf<T extends AnyType> = T extends FieldType<infer _F, infer _S, infer R> ? R : never;

/** The fields of a document: what `doc.root` has for this schema. */
export type Root<S extends Schema> = { readonly [K in keyof S]: FieldOf<S[K]> };

/** The plain data of a document with this schema. */
export type Snapshot<S extends Schema> = { readonly [K in keyof S]: SnapshotOf<S[K]> };

/** A struct inside a document: its fields by name, and itself to be read and watched as a whole. */
export type Struct<S extends Schema> = Root<S> & Field<Snapshot<S>>;

/** Options of every field type. */
export interface FieldOptions {
  /**
   * The name that stands in the bytes. Give it when you rename a field, or the old data would seem to be gone: a name and
   * a kind together are what a field is.
   */
  key?: string;
}

/** Options of field types that hold values. */
export interface ValueOptions<T extends Value> extends FieldOptions {
  /**
   * Whether a value is one of this type. Peers may have written anything; a value that fails is not shown, and a notice
   * tells of it. Without a check the values are taken to be what the type says.
   */
  check?: (value: Value) => value is T;
}

function type<F, S, R extends Removable | Fixed>(
  kind: Kind,
  options: FieldOptions & { check?: (value: Value) => boolean; keys?: KeyName } = {},
  inside: { item?: AnyType; fields?: Schema } = {},
): FieldType<F, S, R> {
  return Object.freeze({ kind, ...options, ...inside });
}

/** Containers nest at most this deep. */
const DEPTH_MAX = 24;

/** A struct has these itself, so no field of one may be called like that. */
const TAKEN = ["path", "snapshot", "subscribe"];

/** Refuses a schema that no document could keep. */
export function checkSchema(schema: Schema, inMap = false, depth = 0): void {
  const wrong = (what: string) => new CrdtError("SCHEMA", what);
  if (depth > DEPTH_MAX) throw wrong(`nested deeper than ${DEPTH_MAX}`);
  const keys = new Set<string>();
  for (const [name, field] of Object.entries(schema)) {
    if (depth > 0 && TAKEN.includes(name)) {
      throw wrong(`a struct has "${name}" itself: give the field another name, and { key: "${name}" }`);
    }
    if (typeof field?.kind !== "string" || !(field.kind in KINDS)) throw wrong(`"${name}" is no field type`);
    const { key = name } = field;
    if (keys.has(key)) throw wrong(`two fields of one name in the bytes: "${key}"`);
    keys.add(key);
    checkType(name, field, inMap, depth);
  }
}

function checkType(name: string, field: AnyType, inMap: boolean, depth: number): void {
  if (inMap && !(REMOVABLE as readonly string[]).includes(field.kind)) {
    throw new CrdtError("SCHEMA", `"${name}": ${field.kind} cannot live under a key that can be removed`);
  }
  if (!["text", "number", undefined].includes(field.keys)) throw new CrdtError("SCHEMA", `"${name}": keys are "text" or "number"`);
  if (field.fields) checkSchema(field.fields, inMap, depth + 1);
  if (field.item) checkType(name, field.item, true, depth + 1);
}

const REMOVABLE = ["counter", "lwwRegister", "mvRegister", "ewFlag", "orSet", "map", "lwwMap", "struct"] satisfies Kind[];

/**
 * The field types. Each carries the name of its Rust type, and its page there has the papers and the costs.
 *
 * ```ts
 * const schema = {
 *   stock: t.pnCounter(),
 *   title: t.lwwRegister<string>(),
 *   tags: t.orSet<string>(),
 *   cart: t.map(t.struct({ quantity: t.counter(), note: t.mvRegister<string>() })),
 * };
 * ```
 */
export const t = {
  /** A counter that only goes up. Counts made at the same time all count. */
  gCounter: (options?: FieldOptions) => type<GCounter, number | bigint, Fixed>("gCounter", options),

  /** A counter that goes up and down. Counts made at the same time all count. */
  pnCounter: (options?: FieldOptions) => type<PnCounter, number | bigint, Fixed>("pnCounter", options),

  /** A counter that never falls below 0, also if replicas that do not hear each other take from it. */
  boundedCounter: (options?: FieldOptions) => type<BoundedCounter, number | bigint, Fixed>("boundedCounter", options),

  /**
   * A counter that may live under a key that is removed: a removal takes away the counts that it saw, and no others.
   * It keeps about 2 bytes for each count made in between others; prefer {@link t.pnCounter} where nothing is removed.
   */
  counter: (options?: FieldOptions) => type<Counter, number | bigint, Removable>("counter", options),

  /** A flag that stays on if it is switched on and off at the same time. */
  ewFlag: (options?: FieldOptions) => type<Flag, boolean, Removable>("ewFlag", options),

  /** A flag that stays off if it is switched on and off at the same time. It starts off, too. */
  dwFlag: (options?: FieldOptions) => type<Flag, boolean, Fixed>("dwFlag", options),

  /**
   * One value. Of values written at the same time the one with the later clock stays, on all replicas, and the others are
   * lost; a value that was written after having seen another always wins, whatever the clocks say.
   */
  lwwRegister: <T extends Value>(options?: ValueOptions<T>) =>
    type<LwwRegister<T>, T | undefined, Removable>("lwwRegister", options),

  /** One value, or several where they were written at the same time: nothing is lost, and the application decides. */
  mvRegister: <T extends Value>(options?: ValueOptions<T>) =>
    type<MvRegister<T>, readonly T[], Removable>("mvRegister", options),

  /** A set that only grows. */
  gSet: <T extends Value>(options?: ValueOptions<T>) => type<GrowSet<T>, readonly T[], Fixed>("gSet", options),

  /** A set in which an element stays if it is added and removed at the same time. */
  orSet: <T extends Value>(options?: ValueOptions<T>) => type<ValueSet<T>, readonly T[], Removable>("orSet", options),

  /** A set in which an element goes if it is added and removed at the same time. */
  rwSet: <T extends Value>(options?: ValueOptions<T>) => type<ValueSet<T>, readonly T[], Fixed>("rwSet", options),

  /**
   * Fields under keys that appear and vanish: texts, or with `{ keys: "number" }` numbers. A key is there as long as something is
   * under it, so an empty one and none are the same. A removal takes away what it saw: what was written there at the same time
   * stays. Keys of the other type, which somebody else may have written, are kept, passed on, and not shown.
   */
  map: <T extends FieldType<any, any, Removable>, const K extends KeyName = "text">(
    item: T,
    options?: FieldOptions & {
      /** What the keys are. Numbers are integers up to 2^53, as a Rust map of integers has them, or any other finite number. */
      keys?: K;
    },
  ) =>
    type<MapField<FieldOf<T>, SnapshotOf<T>, KeyOf<K>>, { readonly [key in KeyOf<K>]: SnapshotOf<T> }, Removable>(
      "map",
      options,
      { item },
    ),

  /**
   * Values under text keys, each key for itself: of values written at the same time the one with the later clock stays, and the
   * others are lost; a removal is a write like any other.
   */
  lwwMap: <T extends Value>(options?: ValueOptions<T>) =>
    type<LwwMap<T>, { readonly [key: string]: T }, Removable>("lwwMap", options),

  /** Fixed fields under names. */
  struct: <S extends Schema>(fields: S, options?: FieldOptions) =>
    type<Struct<S>, Snapshot<S>, RemovableOf<S[keyof S]>>("struct", options, { fields }),
};
