import { type Bytes, narrow, Reader, Writer } from "./bytes.js";
import { CrdtError } from "./errors.js";

/**
 * What sets, registers and keys may hold: data, compared by what it says. `{ a: 1, b: 2 }` and `{ b: 2, a: 1 }` are one
 * value, on every replica and in every language.
 *
 * * Whole numbers are exact, and of one kind with `bigint`: `5` and `5n` are the same value. What is read back is a
 *   `number` where that loses nothing, else a `bigint`. Above 2^53 a `number` is taken for a fraction, as it may have lost
 *   digits; use a `bigint` there. `-0` is `0`.
 * * `undefined`, `NaN`, infinities, functions, class instances (other than `Uint8Array`) and texts with half a surrogate
 *   pair are refused with `BAD_VALUE`: none of them would come back as it was.
 * * Nesting goes 32 deep, a value up to 512 KiB.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value };

/** Values lie in containers that nest, too; together they stay below the 64 levels that every reader takes. */
const DEPTH_MAX = 32;
const BYTES_MAX = 512 * 1024;
const INT_MAX = 2n ** 127n;

const enum Tag {
  Null,
  False,
  True,
  Int,
  Negative,
  Float,
  Text,
  Bytes,
  List,
  Record,
}

/** A writer that nobody uses now: most values are short, and many are written in a row. */
let spare: Writer | undefined;

/** The one spelling of a value in bytes. */
export function encodeValue(value: Value): Bytes {
  const to = spare ?? new Writer(BYTES_MAX);
  // A getter of an object may come here again.
  spare = undefined;
  try {
    writeValue(value, to, 0);
    return to.done();
  } finally {
    spare = to.clear();
  }
}

/** The value that has these bytes, frozen. */
export function decodeValue(bytes: Uint8Array): Value {
  const from = new Reader(bytes);
  const value = readValue(from);
  if (!from.done) throw from.broken("bytes are left over");
  return value;
}

function bad(what: string): CrdtError {
  return new CrdtError("BAD_VALUE", what);
}

function writeText(text: string, to: Writer): void {
  // Different halves would all be written as the same replacement character.
  if (/\p{Surrogate}/u.test(text)) throw bad("text with half a surrogate pair");
  to.text(text);
}

function writeInt(int: number | bigint, to: Writer): void {
  if (int >= 0) {
    to.byte(Tag.Int);
    to.varint(int);
  } else {
    to.byte(Tag.Negative);
    to.varint(typeof int === "bigint" ? -int - 1n : -int - 1);
  }
}

function writeValue(value: Value, to: Writer, depth: number): void {
  switch (typeof value) {
    case "string":
      to.byte(Tag.Text);
      return writeText(value, to);
    case "number":
      if (Number.isSafeInteger(value)) return writeInt(value + 0, to);
      if (!Number.isFinite(value)) throw bad(`${value} is no value`);
      to.byte(Tag.Float);
      return to.float(value);
    case "bigint":
      if (value >= INT_MAX || value < -INT_MAX) throw new CrdtError("OUT_OF_RANGE", "an integer of more than 128 bits");
      return writeInt(narrow(value), to);
    case "boolean":
      return to.byte(value ? Tag.True : Tag.False);
    case "object":
      if (value === null) return to.byte(Tag.Null);
      return writeObject(value, to, depth);
    default:
      throw bad(`${typeof value} is no value`);
  }
}

function writeObject(value: Exclude<Value & object, null>, to: Writer, depth: number): void {
  if (value instanceof Uint8Array) {
    to.byte(Tag.Bytes);
    return to.bytes(value);
  }
  if (depth === DEPTH_MAX) throw bad(`nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) {
    to.byte(Tag.List);
    to.varint(value.length);
    // Not `for of`: holes would be skipped by other ways, and are `undefined` here.
    for (let at = 0; at < value.length; at++) writeValue(value[at], to, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another window has another prototype, of which nothing is above.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw bad("an instance of a class");
  const fields = Object.entries(value).sort(([left], [right]) => byCodePoint(left, right));
  to.byte(Tag.Record);
  to.varint(fields.length);
  for (const [name, field] of fields) {
    writeText(name, to);
    writeValue(field, to, depth + 1);
  }
}

/** The order of texts by their bytes. The order of the language differs above U+FFFF: it compares halves of pairs. */
export function byCodePoint(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    // Where both are halves, or neither is, this is the order of the whole characters.
    if (a !== b) return (isHalf(a) ? a + 0x1_0000 : a) - (isHalf(b) ? b + 0x1_0000 : b);
  }
  return left.length - right.length;
}

function isHalf(code: number): boolean {
  return code >= 0xd800 && code < 0xe000;
}

/** The next value, frozen. */
export function readValue(from: Reader, depth = 0): Value {
  const tag = from.byte();
  switch (tag) {
    case Tag.Null:
      return null;
    case Tag.False:
    case Tag.True:
      return tag === Tag.True;
    case Tag.Int:
      return from.int();
    case Tag.Negative:
      return narrow(-BigInt(from.int()) - 1n);
    case Tag.Float:
      return from.float();
    case Tag.Text:
      return from.text();
    case Tag.Bytes:
      // Not `slice`: of the bytes of Node it makes a view.
      return new Uint8Array(from.bytes());
    case Tag.List:
    case Tag.Record: {
      // Others may nest deeper than is written here; the stack of the engine has room for all that a document holds.
      if (depth > 2 * DEPTH_MAX) throw from.broken("nested too deep");
      const count = from.varint();
      if (count > from.left) throw from.broken();
      if (tag === Tag.List) {
        const items: Value[] = [];
        for (let at = 0; at < count; at++) items.push(readValue(from, depth + 1));
        return Object.freeze(items);
      }
      const fields: [string, Value][] = [];
      for (let at = 0; at < count; at++) fields.push([from.text(), readValue(from, depth + 1)]);
      // Makes own properties, whatever their names.
      return Object.freeze(Object.fromEntries(fields));
    }
    default:
      throw from.broken(`type ${tag} is unknown`);
  }
}
