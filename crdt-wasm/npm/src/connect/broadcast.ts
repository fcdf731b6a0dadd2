import { hex } from "../bytes.js";
import { later, randomBytes } from "../host.js";
import type { Hub, Port } from "./port.js";

/** What is needed of a `BroadcastChannel`. */
interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
  unref?(): void;
}

declare const BroadcastChannel: (new (name: string) => Channel) | undefined;
declare function addEventListener(type: string, listener: () => void): void;
declare function removeEventListener(type: string, listener: () => void): void;

type Message =
  | { kind: "here" | "hello" | "gone"; from: string; to?: string }
  | { kind: "frame"; from: string; to: string; frame: Uint8Array };

/**
 * Links all tabs and workers of one origin that hold the same document.
 *
 * Each pair of tabs has a link of its own on one shared channel. A tab that arrives says so; the others answer after a few
 * milliseconds, each at its own time, and both sides then exchange what the other lacks.
 *
 * @throws nothing: where the browser has no `BroadcastChannel`, `refused` is told as the state of the link.
 */
export function broadcast(): Hub {
  const hub: Hub = {
    start(documentId, host) {
      if (typeof BroadcastChannel === "undefined") {
        host.status({ state: "refused", cause: new Error("there is no BroadcastChannel here") });
        return () => {};
      }
      const channel = new BroadcastChannel(`crdt:${documentId}`);
      // Drawn at each start and never kept: a tab may be duplicated with all it keeps.
      const me = hex(randomBytes(12));
      const others = new Map<string, (frame: Uint8Array | null) => void>();
      const post = (message: Message) => channel.postMessage(message);

      const meet = (other: string) => {
        if (others.has(other)) return;
        // Until the document opens the port, nothing is missed: what arrives is kept.
        let early: (Uint8Array | null)[] = [];
        others.set(other, (frame) => early.push(frame));
        const port: Port = {
          ordered: true,
          send: (frame) => post({ kind: "frame", from: me, to: other, frame }),
          open(receive) {
            for (const frame of early) receive(frame);
            early = [];
            if (others.has(other)) others.set(other, receive);
            return () => {
              if (others.delete(other)) post({ kind: "gone", from: me, to: other });
            };
          },
        };
        host.port(port);
      };

      const leave = (other: string) => {
        const receive = others.get(other);
        others.delete(other);
        receive?.(null);
      };

      let closed = false;
      channel.onmessage = ({ data }) => {
        const message = data as Message;
        if (closed || message.from === me || (message.to !== undefined && message.to !== me)) return;
        switch (message.kind) {
          case "here":
            // All that are there would answer at once.
            later(() => {
              if (closed) return;
              post({ kind: "hello", from: me, to: message.from });
              meet(message.from);
            }, Math.random() * 30);
            break;
          case "hello":
            meet(message.from);
            break;
          case "frame":
            // Somebody who was away for long, frozen in the background, goes on as if nothing had been.
            if (others.has(message.from)) others.get(message.from)?.(message.frame);
            else post({ kind: "gone", from: me, to: message.from });
            break;
          case "gone":
            leave(message.from);
            break;
        }
      };
      const stop = () => {
        if (closed) return;
        closed = true;
        post({ kind: "gone", from: me });
        channel.close();
        if (typeof removeEventListener === "function") {
          removeEventListener("pagehide", hide);
          removeEventListener("pageshow", show);
        }
        for (const other of [...others.keys()]) leave(other);
      };
      // A page that is kept in the back/forward cache comes back as a new arrival.
      let away = false;
      const hide = () => {
        away = true;
        post({ kind: "gone", from: me });
        for (const other of [...others.keys()]) leave(other);
      };
      const arrive = () => post({ kind: "here", from: me });
      // The first showing of a page is no return.
      const show = () => {
        if (away) arrive();
        away = false;
      };
      if (typeof addEventListener === "function") {
        addEventListener("pagehide", hide);
        addEventListener("pageshow", show);
      }
      host.status({ state: "open" });
      arrive();
      return stop;
    },
  };
  made.add(hub);
  return hub;
}

/** All that were made here: one is enough. */
const made = new WeakSet<object>();

/** Whether a link is one of these. */
export function isBroadcast(link: Port | Hub): boolean {
  return made.has(link);
}
