import { useMemo, useSyncExternalStore } from "react";

import type { Field } from "./field.js";

/** What a part of a page can follow as a whole: a document, a link. */
export interface HasStatus<V> {
  readonly status: Pick<Field<V>, "snapshot" | "subscribe">;
}

const same = <V>(value: V): V => value;

/**
 * What a field holds, or a part of it; the component renders again when that changes.
 *
 * ```tsx
 * const stock = useField(doc.root.stock);
 * const open = useField(doc, (all) => all.open);
 * ```
 *
 * @param select picks a part, or makes something of it. It is called once for each state of the field, so it may make new
 * objects; define it outside of the component, or with `useCallback`, where that is expensive.
 */
export function useField<V>(field: Field<V>): V;
export function useField<V, R>(field: Field<V>, select: (snapshot: V) => R): R;
export function useField<V>(field: Field<V>, select: (snapshot: V) => unknown = same): unknown {
  // A function that gave a new object each time it is asked would make React render for ever.
  const read = useMemo(() => {
    let last: { snapshot: V; selected: unknown } | undefined;
    return () => {
      const snapshot = field.snapshot();
      if (!last || last.snapshot !== snapshot) last = { snapshot, selected: select(snapshot) };
      return last.selected;
    };
  }, [field, select]);
  // On a server, and until a page is hydrated, the document is read as it is: render from one made with `initial`.
  return useSyncExternalStore(field.subscribe, read, read);
}

/**
 * How it stands with a document or a link; the component renders again when that changes.
 *
 * ```tsx
 * const { link, unsaved, unacked } = useStatus(doc);
 * ```
 */
export function useStatus<V>({ status }: HasStatus<V>): V {
  return useSyncExternalStore(status.subscribe, status.snapshot, status.snapshot);
}
