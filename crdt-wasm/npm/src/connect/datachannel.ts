import type { Port } from "./port.js";

/** What is needed of an `RTCDataChannel`. */
export interface DataChannelLike {
  binaryType: string;
  readonly readyState: string;
  readonly ordered: boolean;
  readonly maxRetransmits: number | null;
  readonly maxPacketLifeTime: number | null;
  readonly bufferedAmount: number;
  addEventListener(type: string, listener: (event: any) => void): void;
  removeEventListener(type: string, listener: (event: any) => void): void;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/**
 * A WebRTC data channel: two browsers without a server between them. How they find each other is the application's business;
 * give the channel when it is open, at both ends.
 *
 * ```ts
 * channel.onopen = () => doc.connect(dataChannel(channel));
 * ```
 * A channel made with `{ ordered: false, maxRetransmits: 0 }` does not wait for what was lost: edits that are missing are asked
 * for, and all others are there at once.
 */
export function dataChannel(channel: DataChannelLike): Port {
  channel.binaryType = "arraybuffer";
  return {
    ordered: channel.ordered && channel.maxRetransmits === null && channel.maxPacketLifeTime === null,
    get buffered() {
      return channel.bufferedAmount;
    },
    send(frame) {
      // What is sent to one who is gone is lost, as it is on the way.
      if (channel.readyState === "open") channel.send(frame);
    },
    open(receive) {
      const message = ({ data }: { data: unknown }) => {
        if (data instanceof ArrayBuffer) receive(new Uint8Array(data));
      };
      const closed = () => receive(null);
      channel.addEventListener("message", message);
      channel.addEventListener("close", closed);
      return () => {
        channel.removeEventListener("message", message);
        channel.removeEventListener("close", closed);
        channel.close();
      };
    },
  };
}
