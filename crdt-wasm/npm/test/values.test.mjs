// Values are written here and in Rust; the golden files of the Rust tests hold both to the same bytes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { byCodePoint, decodeValue, encodeValue } from "../dist/values.js";
import { Reader } from "../dist/bytes.js";

const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** The column of values in a golden register, which holds one value of each of several replicas. */
function column(name) {
  const file = new URL(`../../../crdt-core/tests/golden/v1/values.${name}.hex`, import.meta.url);
  const bytes = Buffer.from(readFileSync(file, "utf8").replaceAll(/\s/g, ""), "hex");
  const count = bytes[1] & 0x1f;
  // Format and ids · set of dots, three bytes each · kind · dots: one byte, then three each · the column.
  const at = 2 + 16 * count + (1 + 3 * count) + 1 + (1 + 3 * (count - 1));
  return { count, tag: bytes[at], payload: bytes.subarray(at + 1) };
}

/** What each value of a golden column is alone: a tag and the payload, both taken from the column's own bytes. */
function alone(name) {
  const { count, tag, payload } = column(name);
  const from = new Reader(payload);
  const start = () => payload.length - from.left;
  const prefixed = (tag, length) => Buffer.concat([Buffer.from([tag, length]), from.raw(length)]);
  const whole = (tag, read) => {
    const at = start();
    read();
    return Buffer.concat([Buffer.from(tag), payload.subarray(at, start())]);
  };
  const alike = tag === 7 || tag === 9 ? from.varint() : undefined;
  const read = {
    5: () => whole([3], () => from.int()),
    7: () => prefixed(6, alike),
    8: () => whole([6], () => from.bytes()),
    9: () => prefixed(7, alike),
    10: () => whole([7], () => from.bytes()),
    11: () => Buffer.from([1 + from.byte()]),
    12: () => whole([5], () => from.float()),
  }[tag];
  const values = Array.from({ length: count }, read);
  assert.ok(from.done);
  return values.map(hex);
}

const columns = {
  bools: [true, false],
  varints: [0, 127, 128, 2 ** 32, 2n ** 53n],
  u32: [0, 65_536, 4_294_967_295],
  floats: [0, -1.5, Number.MAX_VALUE, 2.2250738585072014e-308, 5e-324],
  texts: ["", "a", "é", "e\u0301", "\u{10ffff}", "\0"],
  "texts-alike": ["milk", "salt"],
  bytes: [new Uint8Array(), new Uint8Array(1), new Uint8Array(200).fill(255)],
  "bytes-alike": [new Uint8Array(4), new Uint8Array(4).fill(255)],
};

for (const [name, values] of Object.entries(columns)) {
  test(`values.${name} have the bytes that Rust gives them`, () => {
    const golden = alone(name);
    // Rust's float 0 is another value than the integer, and JavaScript has one zero: it is written as the integer.
    const skip = name === "floats" ? 1 : 0;
    assert.deepEqual(values.slice(skip).map((value) => hex(encodeValue(value))), golden.slice(skip));
    assert.deepEqual(golden.map((bytes) => decodeValue(Buffer.from(bytes, "hex"))), values);
  });
}

const mixed = {
  null: [null, null],
  tuples: [[1, "a", -1], [2, "", null]],
  options: [[null], [[null]], null],
};

for (const [name, values] of Object.entries(mixed)) {
  test(`values.${name} have the bytes that Rust gives them`, () => {
    const { tag, payload } = column(name);
    assert.equal(tag, 0);
    assert.equal(hex(Buffer.concat(values.map(encodeValue))), payload.toString("hex"));
  });
}

for (const name of ["mixed", "custom"]) {
  test(`values.${name} come back with the same bytes`, () => {
    const { count, payload } = column(name);
    let at = 0;
    for (let index = 0; index < count; index++) {
      // The length of a value is not written: the shortest piece that decodes is it.
      let end = at + 1;
      let value;
      for (; ; end++) {
        assert.ok(end <= payload.length);
        try {
          value = decodeValue(payload.subarray(at, end));
          break;
        } catch (error) {
          assert.equal(error.code, "BAD_BYTES");
        }
      }
      assert.equal(hex(encodeValue(value)), hex(payload.subarray(at, end)));
      at = end;
    }
    assert.equal(at, payload.length);
  });
}

test("integers of all sizes are exact", () => {
  const zigzag = column("i64");
  assert.equal(zigzag.tag, 6);
  const from = new Reader(zigzag.payload);
  const ints = [0, -1, 63, 64, -64, -65, -(2n ** 63n), 2n ** 63n - 1n];
  for (const int of ints) {
    const golden = BigInt(from.int());
    assert.equal((golden >> 1n) ^ -(golden & 1n), BigInt(int));
    assert.equal(decodeValue(encodeValue(int)), int);
  }
  for (const int of [-(2n ** 127n), 2n ** 127n - 1n, 2n ** 49n, 2n ** 56n, 2n ** 63n + 1n, -(2n ** 53n)]) {
    assert.equal(BigInt(decodeValue(encodeValue(int))), int);
  }
  assert.equal(hex(encodeValue(5)), hex(encodeValue(5n)));
  assert.equal(hex(encodeValue(-0)), hex(encodeValue(0)));
  for (const int of [2n ** 127n, -(2n ** 127n) - 1n]) {
    assert.throws(() => encodeValue(int), { code: "OUT_OF_RANGE" });
  }
});

test("the order of names does not matter, and follows their bytes", () => {
  assert.equal(hex(encodeValue({ a: 1, b: 2 })), hex(encodeValue({ b: 2, a: 1 })));
  const names = ["\u{1f600}", "\uffee", "\ue000", "z", "\ud7ff", "", "za", "\u{10ffff}"];
  const byBytes = [...names].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  assert.deepEqual([...names].sort(byCodePoint), byBytes);
});

test("what would not come back as it was is refused", () => {
  const cyclic = [];
  cyclic.push(cyclic);
  const refused = [
    undefined, NaN, Infinity, "\ud800", "a\udc00b", { "\ud800": 1 }, { a: undefined }, [,], new Date(0), new Map(),
    () => 0, Symbol("s"), new Uint16Array(1), cyclic,
  ];
  for (const value of refused) {
    assert.throws(() => encodeValue(value), { code: "BAD_VALUE" });
  }
  assert.throws(() => encodeValue("a".repeat(600_000)), { code: "TOO_LARGE" });
});

test("what is read is frozen, and a field may have any name", () => {
  const value = decodeValue(encodeValue({ ["__proto__"]: [1], toString: null }));
  assert.ok(Object.isFrozen(value) && Object.isFrozen(value["__proto__"]));
  assert.deepEqual(Object.keys(value), ["__proto__", "toString"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(decodeValue(encodeValue("\ufeffmark")), "\ufeffmark");
});

test("broken bytes give an error, never a value or a crash", () => {
  const whole = encodeValue({ list: [1, -1, 0.5, "text é", new Uint8Array([1])], big: 2n ** 100n, no: null });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeValue(whole.subarray(0, length)), { code: "BAD_BYTES" });
  }
  assert.throws(() => decodeValue(new Uint8Array([...whole, 0])), { code: "BAD_BYTES" });
  for (let at = 0; at < whole.length; at++) {
    for (const byte of [0, 1, 8, 127, 128, 255]) {
      const broken = whole.slice();
      broken[at] = byte;
      try {
        decodeValue(broken);
      } catch (error) {
        assert.equal(error.code, "BAD_BYTES");
      }
    }
  }
  assert.throws(() => decodeValue(new Uint8Array(1000).fill(8).fill(1, 1)), { code: "BAD_BYTES" });
});
