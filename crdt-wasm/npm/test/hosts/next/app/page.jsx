// Drawn on the server, one document for each request.
import { createDoc } from "crdt-wasm";

import { schema } from "./schema";
import { Stock } from "./stock";

export const dynamic = "force-dynamic";

export default function Page() {
  const doc = createDoc({ schema, documentId: "a stall" });
  doc.root.stock.increment(5);
  const initial = doc.encode();
  doc.dispose();
  return <Stock initial={initial} />;
}
