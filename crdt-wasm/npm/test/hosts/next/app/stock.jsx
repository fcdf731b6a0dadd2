"use client";
import { useState } from "react";
import { createDoc } from "crdt-wasm";
import { useField } from "crdt-wasm/react";

import { schema } from "./schema";

export function Stock({ initial }) {
  const [doc] = useState(() => createDoc({ schema, documentId: "a stall", initial }));
  const stock = useField(doc.root.stock);
  return <button onClick={() => doc.root.stock.increment()}>{`stock ${stock}`}</button>;
}
