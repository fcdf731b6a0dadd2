import type { Port } from "./port.js";

/** What is needed of a `MessagePort`: a page's, a worker's, Node's, or a worker itself. */
export interface MessagePortLike {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: any) => void): void;
  removeEventListener(type: string, listener: (event: any) => void): void;
  start?(): void;
  close?(): void;
}

/**
 * A port to another thread: a worker that holds the document, a frame, another `MessageChannel` end.
 *
 * Frames arrive in order. That the other end is gone is not always told by the engine (pages do, Node does); until then
 * what is sent is kept by the engine.
 */
export function messagePort(port: MessagePortLike): Port {
  return {
    ordered: true,
    send(frame) {
      port.postMessage(frame);
    },
    open(receive) {
      const message = ({ data }: { data: unknown }) => {
        if (data === null || data instanceof Uint8Array) receive(data);
      };
      const closed = () => receive(null);
      port.addEventListener("message", message);
      port.addEventListener("close", closed);
      // Ports that got a listener in this way hold messages back until they are started.
      port.start?.();
      return () => {
        port.removeEventListener("message", message);
        port.removeEventListener("close", closed);
        // Where the other end is not told by the engine, it is told by this.
        port.postMessage(null);
        port.close?.();
      };
    },
  };
}
