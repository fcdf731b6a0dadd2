/**
 * What the text is made of: plain characters that need no escape in any kind of quotes, and none that ends a script. The build
 * (`xtask/src/inline.rs`) has the same list.
 */
const ALPHABET = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter((char) => !"\"'`\\$<".includes(char));

/** The first characters of the list begin a pair. */
const PAIRS = 3;

/**
 * Bytes that the build wrote as text: the frequent ones as one character, the others as two. Unlike in base64, equal runs of
 * bytes are equal runs of characters wherever they begin, so that what compresses the bytes compresses the text as well: with
 * brotli it is 2 % larger than the bytes, base64 32 %.
 *
 * @param order all values of a byte in hex, the most frequent first.
 */
export function unpack(order: string, length: number, text: string): Uint8Array<ArrayBuffer> {
  const place = new Uint8Array(128);
  ALPHABET.forEach((char, at) => (place[char.charCodeAt(0)] = at));
  const singles = ALPHABET.length - PAIRS;
  const byte = Uint8Array.from({ length: 256 }, (_, rank) => parseInt(order.slice(2 * rank, 2 * rank + 2), 16));
  const at = (index: number) => place[text.charCodeAt(index)] as number;
  const bytes = new Uint8Array(length);
  for (let from = 0, to = 0; to < length; to++) {
    const first = at(from++);
    bytes[to] = byte[first < PAIRS ? singles + first * ALPHABET.length + at(from++) : first - PAIRS] as number;
  }
  return bytes;
}
