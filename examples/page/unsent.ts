// Marks the products that were edited here and are not known to be stored anywhere else.
import type { Stall } from "./market.ts";

export function unsent(stall: Stall): () => void {
  const edited = new Set<unknown>();
  stall.onChange(({ changes, local }) => {
    if (local) for (const { path } of changes) edited.add(path[0]);
  });
  return () => {
    if (stall.status.snapshot().unacked === 0) edited.clear();
    for (const card of document.querySelectorAll<HTMLElement>("[data-product]")) {
      (card.querySelector(".only-here") as HTMLElement).hidden = !edited.has(card.dataset.product);
    }
  };
}
