import { CrdtError } from "./errors.js";

/** Bytes of their own: never a view of memory that may move. */
export type Bytes = Uint8Array<ArrayBuffer>;

// Hosts of all kinds have these two; declared here since the library of the language alone does not.
declare class TextEncoder {
  encode(text: string): Bytes;
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}

const encoder = new TextEncoder();
// A mark at the start is a character like any other: it may not vanish.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const nameOf = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)?.get;

/** Whether these are bytes, also if they come from another window, whose class is another one. Nothing can pretend to be. */
export function isBytes(value: unknown): value is Uint8Array {
  return nameOf?.call(value) === "Uint8Array";
}

/** Puts bytes together, up to a limit. */
export class Writer {
  #bytes = new Uint8Array(64);
  #at = 0;

  /** @throws `TOO_LARGE` where it would be more. */
  constructor(readonly limit: number) {}

  #room(more: number): void {
    const length = this.#at + more;
    if (length > this.limit) throw new CrdtError("TOO_LARGE", `a value of ${length} bytes or more; the limit is ${this.limit}`);
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(2 * length);
      bytes.set(this.#bytes.subarray(0, this.#at));
      this.#bytes = bytes;
    }
  }

  byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = byte;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  float(float: number): void {
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#at, float, true);
    this.#at += 8;
  }

  /** A number from 0 up, seven bits a byte, the lowest first. */
  varint(int: number | bigint): void {
    if (typeof int === "bigint") {
      for (; int > 0xffff_ffffn; int >>= 7n) this.byte(Number(int & 0x7fn) | 0x80);
      int = Number(int);
    }
    for (; int > 0x7f; int = Math.floor(int / 0x80)) this.byte((int % 0x80) | 0x80);
    this.byte(int);
  }

  /** A length and that many bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    // Short ASCII needs no call out of the engine, which would cost more than all the rest.
    const { length } = text;
    if (length < 0x40) {
      this.#room(length + 1);
      let at = this.#at;
      this.#bytes[at++] = length;
      let code = 0;
      for (let i = 0; i < length && (code = text.charCodeAt(i)) < 0x80; i++) this.#bytes[at++] = code;
      if (code < 0x80) {
        this.#at = at;
        return;
      }
    }
    this.bytes(encoder.encode(text));
  }

  /** What was written. */
  done(): Bytes {
    return this.#bytes.slice(0, this.#at);
  }

  /** Begins anew, in the same memory unless that has become large. */
  clear(): this {
    this.#at = 0;
    if (this.#bytes.length > 4096) this.#bytes = new Uint8Array(64);
    return this;
  }
}

/** Takes bytes apart. Whatever the bytes, it ends with an answer or a `BAD_BYTES`. */
export class Reader {
  readonly #bytes: Uint8Array;
  // Made once, where numbers are read: one for each would cost more than the reading.
  #view: DataView | undefined;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where a number of so many bytes begins, which is read now. */
  #take(length: number): number {
    if (length > this.left) throw this.broken();
    return (this.#at += length) - length;
  }

  get #numbers(): DataView {
    const { buffer, byteOffset, length } = this.#bytes;
    return (this.#view ??= new DataView(buffer, byteOffset, length));
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  get at(): number {
    return this.#at;
  }

  /** A copy of what was read since then. */
  since(at: number): Bytes {
    return new Uint8Array(this.#bytes.subarray(at, this.#at));
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  broken(what = "bytes end too early"): CrdtError {
    return new CrdtError("BAD_BYTES", `${what} (at byte ${this.#at})`);
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw this.broken();
    return byte;
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    if (length > this.left) throw this.broken();
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  float(): number {
    return this.#numbers.getFloat64(this.#take(8), true);
  }

  u32(): number {
    return this.#numbers.getUint32(this.#take(4), true);
  }

  u64(): number | bigint {
    return narrow(this.#numbers.getBigUint64(this.#take(8), true));
  }

  /** An integer of 16 bytes; a `bigint` only if it is no safe number. */
  i128(): number | bigint {
    const at = this.#take(16);
    const numbers = this.#numbers;
    return narrow((numbers.getBigInt64(at + 8, true) << 64n) | numbers.getBigUint64(at, true));
  }

  /** Bytes with their length as a `u32`. */
  block(): Uint8Array {
    return this.raw(this.u32());
  }

  /** Text with its length as a `u32`. */
  blockText(): string {
    return this.#text(this.block());
  }

  /** An integer of up to 128 bits; a `bigint` only if it is no safe number. */
  int(): number | bigint {
    let int = 0;
    for (let shift = 1, byte; ; shift *= 0x80) {
      byte = this.byte();
      int += (byte & 0x7f) * shift;
      if (byte < 0x80) return int;
      // 49 bits are read; what follows may be too much for a number.
      if (shift === 2 ** 42) break;
    }
    let big = BigInt(int);
    for (let shift = 49n, byte; ; shift += 7n) {
      byte = this.byte();
      big |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift > 120n) throw this.broken("number too large");
    }
    return narrow(big);
  }

  /** A count or an index. */
  varint(): number {
    const int = this.int();
    if (typeof int === "bigint") throw this.broken("number too large");
    return int;
  }

  /** A view of bytes with their length. */
  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    return this.#text(this.bytes());
  }

  /** Many texts whose lengths stand in front: decoded at once, as calls out of the engine cost more than they do. */
  texts(count: number): string[] {
    const lengths: number[] = [];
    let total = 0;
    for (let left = count; left > 0; left--) {
      const length = this.u32();
      lengths.push(length);
      total += length;
    }
    const bytes = this.raw(total);
    const all = this.#text(bytes);
    let at = 0;
    // Only in ASCII is a place in the bytes the same place in the text.
    const cut = all.length === total ? (end: number) => all.slice(at, end) : (end: number) => this.#text(bytes.subarray(at, end));
    return lengths.map((length) => {
      const text = cut(at + length);
      at += length;
      return text;
    });
  }

  #text(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.broken("not text");
    }
  }
}

/** The number, if it is one that loses nothing. */
export function narrow(int: bigint): number | bigint {
  const number = Number(int);
  return Number.isSafeInteger(number) ? number : int;
}

/** A text in UTF-8. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Bytes as hex digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes that hex digits stand for. */
export function unhex(digits: string): Bytes {
  const pairs = digits.match(/[0-9a-f]{2}/g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}
