// A market stall with two devices: the till keeps its document in files, the phone has it in memory only. Both sell without
// asking each other, and end with the same count.
//
//   node stall.mjs                       the devices are linked directly
//   node stall.mjs ws://127.0.0.1:8787   they meet at a server: `crdt-relay`
//
// Each run goes on from what the runs before have left in ./data (or where DATA says).
import { createDoc, openDoc, t } from "crdt-wasm";
import { messagePort, webSocket } from "crdt-wasm/connect";
import { fileStore } from "crdt-wasm/store/file";
import WebSocket from "ws";

const schema = {
  apples: t.pnCounter(),
  price: t.mvRegister(),
  sold: t.map(t.counter()), // by day
};
const documentId = "a stall in Node";
const relay = process.argv[2];

const till = await openDoc({ schema, documentId, store: fileStore(process.env.DATA ?? "data") });
const phone = createDoc({ schema, documentId });

// Both edit before they have ever heard of each other.
const today = new Date().toISOString().slice(0, 10);
till.edit(() => {
  if (till.root.price.values.length === 0) till.root.price.set(2);
  till.root.apples.increment(20); // a new box
});
sell(phone, 3);
sell(till, 1);

if (relay) {
  for (const doc of [till, phone]) doc.connect(webSocket(relay, { open: (url, protocols) => new WebSocket(url, protocols) }));
} else {
  const { port1, port2 } = new MessageChannel();
  till.connect(messagePort(port1));
  phone.connect(messagePort(port2));
}
await same(till, phone);

console.log(JSON.stringify(till.snapshot()));
phone.dispose();
await till.dispose(); // resolves when all is in the files

function sell(doc, apples) {
  doc.edit(() => {
    doc.root.apples.decrement(apples);
    doc.root.sold.get(today).increment(apples);
  });
}

/** Resolves when each has all that the other has: then their versions are the same bytes. */
async function same(a, b) {
  while (Buffer.compare(await a.version(), await b.version()) !== 0) await new Promise((resolve) => setTimeout(resolve, 10));
}
