import { hex } from "../bytes.js";
import { randomBytes } from "../host.js";
import { packRows, splitRows, type Kept, type Store } from "./store.js";

/**
 * Keeps documents in memory: for tests, and to see what a store has to do. Documents that are opened again from the same
 * object find what was kept. Ids are lent to one document at a time.
 */
export function memoryStore(): Store {
  interface Document {
    readonly rows: Map<string, readonly [Uint8Array, Uint8Array]>;
    readonly free: Uint8Array[];
  }
  const documents = new Map<string, Document>();
  return {
    async open(documentId): Promise<Kept> {
      const document: Document = documents.get(documentId) ?? { rows: new Map(), free: [] };
      documents.set(documentId, document);
      const id = document.free.pop() ?? randomBytes(16);
      const put = (piece: Uint8Array) => {
        for (const row of splitRows(piece)) document.rows.set(hex(row[0]), row);
      };
      const all = () => packRows([...document.rows.values()]);
      return {
        id,
        sole: false,
        load: async () => [all()],
        append: async (rows) => put(rows),
        compact: async (fold) => {
          const folded = fold(all());
          document.rows.clear();
          put(folded);
        },
        close: async () => void document.free.push(id),
      };
    },
  };
}
