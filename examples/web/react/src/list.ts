import { openDoc, t } from "crdt-wasm";
import { broadcast, webSocket } from "crdt-wasm/connect";
import { indexedDb } from "crdt-wasm/store";

/** What is on the list. The key of an item is its name: two people who write down milk mean the same milk. */
const schema = {
  title: t.lwwRegister<string>(),
  items: t.map(t.struct({ amount: t.counter(), bought: t.ewFlag() })),
};

// `?relay=ws://127.0.0.1:8787` in the address links with a server, too: `crdt-relay`.
const relay = new URLSearchParams(location.search).get("relay");

/** Kept in the browser, linked with the other tabs. No network is waited for. */
export const list = await openDoc({
  schema,
  documentId: "a list in React",
  store: indexedDb(),
  links: [broadcast(), ...(relay ? [webSocket(relay)] : [])],
});

export type Item = ReturnType<typeof list.root.items.get>;
