import type { Bytes } from "../bytes.js";

/**
 * One end of a two-way path for frames: what a document talks through. Write one for any medium that carries bytes.
 */
export interface Port {
  /**
   * Whether frames arrive in order, each once, until the path breaks, as on a WebSocket or a MessagePort. Else they may be
   * lost, repeated and reordered, and are kept below 1,200 bytes.
   *
   * Where this says so and it is not true, edits are not lost, but the link breaks and has to be made again.
   */
  readonly ordered: boolean;
  /** Sends one frame. Never throws: a frame that cannot be sent is lost, or the path is closed. */
  send(frame: Bytes): void;
  /**
   * Says what to call with each frame that arrives, and with `null` once when the path is closed.
   * @returns a function that closes this end. It is told whether the other end speaks of something else, so that trying
   * again soon would be of no use.
   */
  open(receive: (frame: Uint8Array | null) => void): (refused?: boolean) => void;
  /**
   * Whether a server that lasts is at the other end. A page that can keep no id of its own asks it for one, and gives that back
   * when it goes.
   */
  readonly server?: boolean;
  /**
   * How many bytes wait to be sent. Above 1 MiB the document sends no more, until it is 256 KiB or less; what is edited meanwhile is left
   * out, and brought afterwards in one.
   */
  readonly buffered?: number;
  /** How long a frame may be on this path, if less than the ends take (1 MiB). Asked for when it is opened. */
  readonly frameMax?: number;
}

/**
 * A medium with ends that come and go: tabs on a channel, connections to a server.
 */
export interface Hub {
  /**
   * Starts to look for others that hold the document, and says what to call with each port to one, and with what is known
   * of the medium.
   * @returns a function that ends this and closes what it made.
   */
  start(documentId: string, host: HubHost): () => void;
}

/** What a {@link Hub} tells. */
export interface HubHost {
  /** There is a way to another one. */
  port(port: Port): void;
  /** How it stands with the medium, where that can be said. */
  status(status: HubStatus): void;
}

/** How it stands with a medium. */
export type HubStatus =
  | { readonly state: "connecting" }
  | { readonly state: "open" }
  | { readonly state: "offline"; /** When it is tried again. */ readonly retryMs: number; readonly cause?: unknown }
  | { readonly state: "refused"; readonly cause: unknown };

/** Whether this is a {@link Hub}. */
export function isHub(link: Port | Hub): link is Hub {
  return "start" in link;
}
