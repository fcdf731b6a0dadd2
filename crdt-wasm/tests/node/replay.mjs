// Makes the calls of a transcript, and compares each answer with the one that native Rust gave. For Node and browsers.

const bytesOf = (hex) => Uint8Array.from({ length: (hex.length - 1) / 2 }, (_, at) => parseInt(hex.slice(1 + 2 * at, 3 + 2 * at), 16));
const argumentOf = (word) => (word[0] === "x" ? bytesOf(word) : Number(word));
const same = (wanted, answer) => {
  if (typeof answer === "number") return Object.is(Number(wanted), answer);
  const bytes = bytesOf(wanted);
  return bytes.length === answer.length && bytes.every((byte, at) => byte === answer[at]);
};
const shown = (answer) =>
  typeof answer === "number" ? String(answer) : "x" + Array.from(answer, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Replays a transcript on a fresh instance; says how many calls, refusals, bytes and digests it compared. */
export function replay(raw, transcript) {
  const told = { calls: 0, refused: 0, bytes: 0, digests: 0 };
  for (const line of transcript.split("\n")) {
    if (line === "") continue;
    const [name, ...words] = line.split(" ");
    const equals = words.indexOf("=");
    const answer = raw[name](...words.slice(0, equals).map(argumentOf));
    const wanted = words[equals + 1];
    if (!same(wanted, answer)) {
      throw new Error(`call ${told.calls} differs: ${line.slice(0, 200)}\n gave ${shown(answer).slice(0, 2000)}\n not  ${wanted.slice(0, 2000)}`);
    }
    told.calls++;
    told.digests += name === "digest";
    told.refused += typeof answer === "number" ? answer < 0 : answer[0] !== 0;
    told.bytes += typeof answer === "number" ? 8 : answer.length;
  }
  return told;
}
