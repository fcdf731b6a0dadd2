// What it costs: bytes that went over all links of this tab, and what sending everything would have cost.
import { byId, el, write } from "./dom.ts";
import type { Stall } from "./market.ts";
import { bytes as size, traffic as texts } from "./texts.ts";

/** Draws the figures; `whole` says how large the state is. */
export function traffic(stall: Stall, whole: () => number): () => void {
  const figure = (term: string, gloss: string) => {
    const value = el("dd");
    byId("traffic").append(el("div", {}, el("dt", {}, term), value, el("dd", { class: "gloss" }, gloss)));
    return value;
  };
  const sent = figure(...texts.sent);
  const received = figure(...texts.received);
  const last = figure(...texts.last);
  const all = figure(...texts.whole);

  // What was sent when the oldest edit was made that is not acknowledged yet. Of an edit that waits for a link nobody can say
  // what it costs: it goes with all else that two replicas have to tell each other when they meet.
  let since: number | undefined;
  let cost: number | undefined;
  stall.onChange(({ local }) => {
    if (local && stall.status.snapshot().link === "synced") since ??= stall.inspect().bytes.sent;
  });
  stall.status.subscribe(() => {
    const { unsaved, unacked } = stall.status.snapshot();
    if (stall.status.snapshot().link !== "synced") since = undefined;
    if (since === undefined || unsaved > 0 || unacked > 0) return;
    cost = stall.inspect().bytes.sent - since;
    since = undefined;
  });
  return () => {
    const { bytes } = stall.inspect();
    write(sent, size(bytes.sent));
    write(received, size(bytes.received));
    write(last, since !== undefined ? texts.underWay : cost === undefined ? texts.none : size(cost));
    write(all, whole() > 0 ? size(whole()) : texts.unknown);
  };
}
