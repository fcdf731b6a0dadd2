import { t } from "crdt-wasm";

export const schema = { stock: t.pnCounter() };
