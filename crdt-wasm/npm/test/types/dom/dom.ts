// Compiled, never run: what browsers have fits into what the package asks for.
import { createDoc, openDoc, t } from "crdt-wasm";
import { dataChannel, messagePort, webSocket } from "crdt-wasm/connect";
import { indexedDb } from "crdt-wasm/store";

const schema = { n: t.gCounter() };
const doc = createDoc({ schema, documentId: "d" });
doc.connect(dataChannel(new RTCPeerConnection().createDataChannel("edits")));
doc.connect(messagePort(new MessageChannel().port1));
doc.connect(messagePort(new Worker("worker.js", { type: "module" })));
doc.connect(webSocket("wss://example.org", { open: (url, protocols) => new WebSocket(url, protocols) }));
await openDoc({ schema, documentId: "d", store: indexedDb(), signal: AbortSignal.timeout(1000) });
const blob: Blob = new Blob([doc.encode()]);

export { blob };
