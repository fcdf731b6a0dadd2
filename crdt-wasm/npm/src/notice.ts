import type { Path } from "./field.js";
import type { Value } from "./values.js";

/** Something that people who run an application may want to know, and that changes nothing of what a document promises. */
export type Notice =
  /** A value that failed the check of its schema, and is not shown. */
  | { readonly kind: "badValue"; readonly path: Path; readonly value: Value }
  /** Somebody else wrote under the id of this replica (a copied profile, say); it goes on under a fresh one. */
  | { readonly kind: "replicaChanged"; readonly replicaId: string }
  /** Two memories wrote under one id. All replicas settle on the same value, and one of the two is lost. */
  | { readonly kind: "duplicateId"; readonly replica: string; readonly counter: number }
  /** A clock lies ahead of others; its last-writer values win against theirs. */
  | { readonly kind: "clockSkew"; readonly replica: string; readonly aheadMs: number }
  /** Two replicas had the same edits and not the same state: a fault in somebody's memory, which is being mended. */
  | { readonly kind: "diverged" }
  /** A frame that broke the rules came from somebody, and was dropped. */
  | { readonly kind: "badFrame" }
  /**
   * A bug in the compiled part of this package broke it. This document was opened again from its store; the last edits, those that
   * were not stored yet, are gone, and ports that were given to `connect` as such are closed.
   */
  | { readonly kind: "reopened"; readonly cause: unknown }
  /**
   * The same, and what was in this document is lost: it had no store, its store failed, or it broke the package again and again. All
   * calls throw `POISONED`.
   */
  | { readonly kind: "lost"; readonly cause: unknown }
  /**
   * Others and this replica differ in more than one of them takes at once: mostly a fresh replica and a large document. Nothing has
   * changed, edits go on, and it is tried again after ten minutes. Start from `initial`, or raise the limit at the server.
   */
  | { readonly kind: "tooLarge" }
  /**
   * A server lends no id now (it has none left, say), so this replica goes on under one of its own, which stands in every version for
   * ever: `status.identity` stays `ephemeral`. It is asked again with the next link.
   */
  | { readonly kind: "notLent" }
  /** The store failed: this document takes no more edits. */
  | { readonly kind: "storageFailed"; readonly cause: unknown };
