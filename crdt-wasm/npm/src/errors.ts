/**
 * Why a call failed. The list is closed, so a `switch` over it is checked by the compiler.
 *
 * | code | meaning |
 * |---|---|
 * | `NOT_READY` | the slim entry was used before `init` |
 * | `DISPOSED` | the document was disposed |
 * | `POISONED` | the compiled part of the package broke (our bug): a document with a store opens again by itself, one without is lost; a notice says so |
 * | `WASM_BLOCKED` | the page forbids compiling: its policy needs `script-src 'wasm-unsafe-eval'` |
 * | `BAD_BYTES` | bytes that are none of ours, cut short or broken |
 * | `UNSUPPORTED_FORMAT` | bytes of a newer version of the format |
 * | `TOO_LARGE` | a value, a key or bytes above a limit |
 * | `BAD_VALUE` | something that a document cannot hold |
 * | `OUT_OF_RANGE` | a number outside of what this call takes or can answer |
 * | `SCHEMA` | a schema that contradicts itself or the document |
 * | `WRONG_DOCUMENT` | bytes or a link of another document |
 * | `ASYNC_EDIT` | the function given to `edit` returned a promise |
 * | `UNAVAILABLE` | edits cannot be taken now: too much waits to be stored |
 * | `STORAGE` | the store failed |
 * | `UNAUTHORIZED` | the server does not let this client in |
 */
export type CrdtErrorCode =
  | "NOT_READY"
  | "DISPOSED"
  | "POISONED"
  | "WASM_BLOCKED"
  | "BAD_BYTES"
  | "UNSUPPORTED_FORMAT"
  | "TOO_LARGE"
  | "BAD_VALUE"
  | "OUT_OF_RANGE"
  | "SCHEMA"
  | "WRONG_DOCUMENT"
  | "ASYNC_EDIT"
  | "UNAVAILABLE"
  | "STORAGE"
  | "UNAUTHORIZED";

/**
 * What this package refuses with. Except after `ASYNC_EDIT`, `STORAGE` and `POISONED`, the call that threw it changed nothing.
 *
 * Beside it there is what does not come from here: what functions of yours throw, the reason of a `signal`, what loading wasm fails
 * with, a `RangeError` of the engine whose stack or memory is full, and a `TypeError` for calls that TypeScript would have refused.
 */
export class CrdtError extends Error {
  override readonly name = "CrdtError";

  constructor(
    /** Why, for programs. */
    readonly code: CrdtErrorCode,
    /** Why, for people. */
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /**
   * Whether something caught is one of these. Unlike `instanceof` it also knows those of a second copy of this package.
   */
  static is(error: unknown): error is CrdtError {
    return error instanceof Error && error.name === "CrdtError" && "code" in error;
  }
}
