import { CrdtError } from "../errors.js";
import { later } from "../host.js";
import type { Hub, Port } from "./port.js";

/** What is needed of a `WebSocket`. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(data: Uint8Array<ArrayBuffer> | string): void;
  close(code?: number, reason?: string): void;
}

declare const WebSocket: (new (url: string, protocols: string[]) => WebSocketLike) | undefined;
declare function addEventListener(type: string, listener: () => void): void;
declare function removeEventListener(type: string, listener: () => void): void;
declare const document: { readonly visibilityState: string } | undefined;

/** Options of {@link webSocket}. */
export interface WebSocketOptions {
  /**
   * Opens a socket. Needed where the platform has none (Node 20): `(url, protocols) => new WS(url, protocols)` with one of the usual
   * packages.
   */
  open?: (url: string, protocols: string[]) => WebSocketLike;
  /**
   * What lets this client into the document, or how to get it, anew for each socket. It is the first thing that is sent: in the
   * address it would stand in logs.
   */
  token?: string | (() => string | Promise<string>);
}

/** The frames of version 1. */
const PROTOCOLS = ["crdt.v1"];

/** The first pause; each next one is at most twice as long, up to the last. */
const [RETRY_MS, RETRY_MS_MAX] = [250, 30_000];
/** Who refused this document will do so again. */
const REFUSED_MS = 600_000;
/** A link that held for this long was a good one: the pauses start anew. */
const GOOD_MS = 10_000;
/**
 * With nothing heard for this long the socket is doubted: a laptop that slept leaves sockets half open, and pings are not shown to
 * pages. Replicas that are in step speak at least every 10 seconds, and are answered; so does this one at the latest when it
 * wakes, and if that is not answered either the socket is dead.
 */
const [SILENCE_MS, ANSWER_MS] = [45_000, 10_000];
/** What is between the ends found a frame too long (1009): so much shorter each time, down to this. */
const [FRAME_BYTES, FRAME_BYTES_MIN] = [1 << 20, 4 << 10];

/**
 * A link to a server: `crdt-relay`, which holds any number of documents, or a program of your own in Rust. Each message is one
 * frame; a token, if there is one, is a text in front.
 *
 * When the socket breaks it is opened again, after a pause that grows from a quarter of a second to 30 with a random part,
 * and at once when the browser says that it is online again or the page becomes visible.
 *
 * A server that closes with 4001 does not let this client in: the link stays down, with `UNAUTHORIZED`. After 1009, a frame was too long,
 * they are kept shorter.
 */
export function webSocket(url: string, options: WebSocketOptions = {}): Hub {
  return {
    start(_documentId, host) {
      const open = options.open ?? openOf(typeof WebSocket === "undefined" ? undefined : WebSocket);
      let pauseMax = RETRY_MS;
      let frameMax = FRAME_BYTES;
      let cancel = () => {};
      let end: (() => void) | undefined;
      let stopped = false;

      const again = (refused: boolean, cause: unknown) => {
        if (stopped) return;
        const retryMs = refused ? REFUSED_MS : Math.random() * pauseMax;
        pauseMax = Math.min(2 * pauseMax, RETRY_MS_MAX);
        cancel = later(dial, retryMs);
        host.status({ state: "offline", retryMs, cause });
      };

      const dial = () => {
        cancel();
        if (stopped || end) return;
        host.status({ state: "connecting" });
        let socket: WebSocketLike;
        try {
          socket = open(url, PROTOCOLS);
        } catch (cause) {
          return again(false, cause);
        }
        end = carry(socket, host, options.token, frameMax, (openMs, code, refused, cause) => {
          end = undefined;
          if (code === 4001) {
            stop();
            const cause = new CrdtError("UNAUTHORIZED", `${url} does not let this client in`);
            return host.status({ state: "refused", cause });
          }
          if (code === 1009) frameMax = Math.max(frameMax / 4, FRAME_BYTES_MIN);
          if (openMs >= GOOD_MS) pauseMax = RETRY_MS;
          again(refused, cause);
        });
      };

      const now = () => {
        if (typeof document === "undefined" || document.visibilityState === "visible") {
          pauseMax = RETRY_MS;
          dial();
        }
      };
      const listens = typeof addEventListener === "function";
      if (listens) for (const type of WAKING) addEventListener(type, now);
      const stop = () => {
        stopped = true;
        cancel();
        if (listens) for (const type of WAKING) removeEventListener(type, now);
        end?.();
      };
      dial();
      return stop;
    },
  };
}

const WAKING = ["online", "visibilitychange", "pageshow"];

function openOf(constructor: typeof WebSocket): (url: string, protocols: string[]) => WebSocketLike {
  return (url, protocols) => {
    if (!constructor) throw new Error("there is no WebSocket here: give { open }");
    return new constructor(url, protocols);
  };
}

/** One socket from opening to closing, as a port. Returns how to close it. */
function carry(
  socket: WebSocketLike,
  host: { port(port: Port): void; status(status: { state: "open" }): void },
  token: WebSocketOptions["token"],
  frameMax: number,
  closed: (openMs: number, code: number | undefined, refused: boolean, cause: unknown) => void,
): () => void {
  socket.binaryType = "arraybuffer";
  let receive: ((frame: Uint8Array | null) => void) | undefined;
  let opened: number | undefined;
  let hush = () => {};
  let over = false;
  const end = (code?: number, cause?: unknown, refused = false) => {
    if (over) return;
    over = true;
    hush();
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    receive?.(null);
    closed(opened === undefined ? 0 : Date.now() - opened, code, refused, cause);
  };
  const heard = () => {
    hush();
    hush = later(() => {
      hush = later(() => end(undefined, new Error("nothing was heard for too long")), ANSWER_MS);
    }, SILENCE_MS);
  };
  heard();
  socket.onclose = (event: { code?: number; reason?: string }) =>
    end(event.code, new Error(`closed with ${event.code} ${event.reason ?? ""}`));
  socket.onmessage = ({ data }: { data: unknown }) => {
    heard();
    if (data instanceof ArrayBuffer) receive?.(new Uint8Array(data));
  };
  const port: Port = {
    ordered: true,
    server: true,
    ...(frameMax < FRAME_BYTES && { frameMax }),
    get buffered() {
      return socket.bufferedAmount;
    },
    send(frame) {
      if (!over) socket.send(frame);
    },
    open(onFrame) {
      receive = onFrame;
      return (refused) => end(undefined, undefined, refused);
    },
  };
  socket.onopen = async () => {
    opened = Date.now();
    heard();
    try {
      const word = typeof token === "function" ? await token() : token;
      if (over) return;
      if (word !== undefined) socket.send(word);
    } catch (cause) {
      return end(undefined, cause);
    }
    host.status({ state: "open" });
    host.port(port);
  };
  return () => end();
}
