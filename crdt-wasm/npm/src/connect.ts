/** What documents talk through. */
export { broadcast } from "./connect/broadcast.js";
export { dataChannel, type DataChannelLike } from "./connect/datachannel.js";
export { messagePort, type MessagePortLike } from "./connect/messageport.js";
export type { Hub, HubHost, HubStatus, Port } from "./connect/port.js";
export { webSocket, type WebSocketLike, type WebSocketOptions } from "./connect/websocket.js";
