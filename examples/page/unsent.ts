// Marks what was edited here and is not known to be stored anywhere else: products, the cart, the seats.
import type { Stall } from "./market.ts";

export function unsent(stall: Stall): () => void {
  // As long as the edits exist only here, so does this, also over a reload: under the id that they were made with.
  const place = () => `only here: ${stall.replicaId}`;
  const edited = new Set<unknown>(JSON.parse(localStorage.getItem(place()) ?? "[]") as unknown[]);
  stall.onChange(({ changes, local }) => {
    if (!local) return;
    for (const { path } of changes) edited.add(path[0]);
    localStorage.setItem(place(), JSON.stringify([...edited]));
  });
  return () => {
    if (edited.size > 0 && stall.status.snapshot().unacked === 0) {
      edited.clear();
      localStorage.removeItem(place());
    }
    for (const mark of document.querySelectorAll<HTMLElement>(".only-here")) {
      const of = mark.closest<HTMLElement>("[data-product], [data-field]")?.dataset ?? {};
      mark.hidden = !edited.has(of.product ?? of.field);
    }
  };
}
