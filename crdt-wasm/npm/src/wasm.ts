import { type Bytes, isBytes, Reader } from "./bytes.js";
import { CrdtError, type CrdtErrorCode } from "./errors.js";
import { soon } from "./host.js";
import { Listeners } from "./listeners.js";
import * as raw from "./raw.js";
import { largeRoom, room } from "./room.js";

/** The codes with which Rust refuses. Those that only TypeScript gives are not among them. */
const CODES: Readonly<Record<number, CrdtErrorCode>> = {
  2: "DISPOSED",
  5: "BAD_BYTES",
  6: "UNSUPPORTED_FORMAT",
  7: "TOO_LARGE",
  8: "BAD_VALUE",
  9: "OUT_OF_RANGE",
  10: "SCHEMA",
  11: "WRONG_DOCUMENT",
  14: "UNAVAILABLE",
  16: "STORAGE",
};

const MESSAGES: Partial<Record<CrdtErrorCode, string>> = {
  DISPOSED: "the document was disposed",
  BAD_BYTES: "these bytes are not ours, cut short or broken",
  UNSUPPORTED_FORMAT: "these bytes were written by a newer version",
  TOO_LARGE: "too large to reach others",
  BAD_VALUE: "a document cannot hold this",
  OUT_OF_RANGE: "the number is no integer, too large, or would make the counter overflow",
  SCHEMA: "the document holds another kind of field under this name",
  WRONG_DOCUMENT: "these bytes belong to another document",
  UNAVAILABLE: "too much waits to be stored",
  STORAGE: "the store failed",
};

let ready = false;
let instance = 0;
/** It broke, and nothing stands in its place yet. */
let spoilt = false;
const breaks = new Listeners<[cause: unknown]>();

/** Which instance runs: the memory of an earlier one is lost. */
export function currentInstance(): number {
  return instance;
}

/** Calls after an instance broke, when another one is there. */
export function onBroken(listener: (cause: unknown) => void): void {
  breaks.add(listener);
}

function refused(code: number): CrdtError {
  const name = CODES[code];
  if (!name) throw new Error(`the seam gave the unknown code ${code}`);
  return new CrdtError(name, MESSAGES[name] ?? name);
}

/** A number that Rust answered. */
export function ok(answer: number): number {
  if (answer < 0) throw refused(-answer);
  return answer;
}

/** Bytes that Rust answered, without the code. */
export function bytesOf(answer: Bytes): Bytes {
  if (answer[0] !== 0) throw refused(answer[0] ?? 0);
  return answer.subarray(1);
}

/** Bytes that Rust answered, to be read. */
export function answerOf(answer: Bytes): Reader {
  return new Reader(bytesOf(answer));
}

/** What may be handed in at once: a memory of 4 GiB has room for this and for what becomes of it. */
const BYTES_MAX = 256 << 20;

/** Those that take bytes of any length from outside, and of any depth. All others take what was measured when it was made. */
const TAKES_ANY: readonly string[] = ["load", "merge", "delta_since", "link_receive", "scope_of", "gossip"];

/**
 * Every function of the seam, guarded: before the bytes are there it is `NOT_READY`, and a trap, which is a bug of ours,
 * gives up the instance, whose memory nobody can trust any more, and begins a new one.
 */
export const seam: Omit<typeof raw, "default" | "initSync" | "__wbg_reset_state"> = Object.fromEntries(
  Object.entries(raw).map(([name, f]) => [name, guard(f as Call, TAKES_ANY.includes(name))]),
) as never;

/** As many arguments as any of them takes: one list of all would be made anew for each call. */
type Call = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown) => unknown;

function guard(call: Call, takesAny: boolean): Call {
  return (a, b, c, d, e, f, g) => {
    if (!ready) throw new CrdtError("NOT_READY", "await init(…) first: the slim entry brings no bytes of its own");
    if (spoilt) renew();
    if (takesAny) {
      for (const bytes of [a, b, c, e]) checkLength(bytes);
      largeRoom();
    } else room();
    try {
      return call(a, b, c, d, e, f, g);
    } catch (cause) {
      // Nothing else is done here: where the stack is full, it would fail halfway.
      instance++;
      spoilt = true;
      lost = cause;
      soon(renew);
      throw new CrdtError("POISONED", "a bug in crdt-wasm: documents without a store are lost, the others open again", { cause });
    }
  };
}

let lost: unknown;

/** Puts a new instance in place of one that broke, and has it told. */
function renew(): void {
  if (!spoilt) return;
  raw.__wbg_reset_state();
  spoilt = false;
  const cause = lost;
  soon(() => breaks.emit(cause));
}

function checkLength(bytes: unknown): void {
  if (isBytes(bytes)) checkTotal(bytes.length);
}

/** @throws `TOO_LARGE` for more than memory has room for. */
export function checkTotal(bytes: number): void {
  if (bytes > BYTES_MAX) throw new CrdtError("TOO_LARGE", `${bytes} bytes; no more than ${BYTES_MAX} are taken at once`);
}

/** What wasm can be made from at once. */
export type WasmSource = object;

function blocked(cause: unknown): unknown {
  // The rules of a page show as this, and as nothing else does.
  const text = String(cause);
  if (!/Content Security Policy|unsafe-eval|CompileError.*(blocked|disallowed)/i.test(text)) return cause;
  const message = "the page's policy forbids WebAssembly: it needs script-src 'wasm-unsafe-eval'";
  return new CrdtError("WASM_BLOCKED", message, { cause });
}

/** Starts it from bytes or a compiled module. Later calls do nothing. */
export function startSync(module: WasmSource): void {
  if (ready) return;
  try {
    raw.initSync({ module });
  } catch (cause) {
    throw blocked(cause);
  }
  ready = true;
}

/** Starts it from anything that leads to bytes. One that failed may be tried again. */
export async function start(source: unknown): Promise<void> {
  if (ready) return;
  try {
    await raw.default({ module_or_path: await source });
  } catch (cause) {
    throw blocked(cause);
  }
  ready = true;
}

// Two copies in one program have two memories: documents of one are strangers to the other, which is easily overlooked.
const COPY = Symbol.for("crdt-wasm");
const host = globalThis as unknown as { [COPY]?: boolean; console?: { warn(text: string): void } };
if (host[COPY]) host.console?.warn("crdt-wasm was loaded twice: a bundler or two versions made a second copy of it");
host[COPY] = true;
