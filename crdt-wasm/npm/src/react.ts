import { useMemo, useSyncExternalStore } from "react";

import type { Field } from "./field.js";

/** What can be read and watched: a field, a document, a presence. */
export type Watched<V> = Pick<Field<V>, "snapshot" | "subscribe">;

/** What a part of a page can follow as a whole: a document, a link. */
export interface HasStatus<V> {
  readonly status: Watched<V>;
}

const START_SNAPSHOT = Symbol.for("crdt-wasm start snapshot");

/**
 * What a server drew, and what a page draws until React has taken over its HTML: the field as `initial` said, whatever arrived
 * since. Else React finds HTML that it would not have made, and throws it away.
 */
function startOf<V>(field: Watched<V>): () => V {
  return (field as { [START_SNAPSHOT]?: () => V })[START_SNAPSHOT] ?? field.snapshot;
}

/** Reads through a selection that is made once for each snapshot: with a new object each time React would render for ever. */
function selecting<V>(read: () => V, select: (snapshot: V) => unknown): () => unknown {
  let last: { snapshot: V; selected: unknown } | undefined;
  return () => {
    const snapshot = read();
    if (!last || last.snapshot !== snapshot) last = { snapshot, selected: select(snapshot) };
    return last.selected;
  };
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
export function useField<V>(field: Watched<V>): V;
export function useField<V, R>(field: Watched<V>, select: (snapshot: V) => R): R;
export function useField<V>(field: Watched<V>, select: (snapshot: V) => unknown = same): unknown {
  const [read, readStart] = useMemo(
    () => [selecting(field.snapshot, select), selecting(startOf(field), select)] as const,
    [field, select],
  );
  return useSyncExternalStore(field.subscribe, read, readStart);
}

/**
 * How it stands with a document or a link; the component renders again when that changes.
 *
 * ```tsx
 * const { link, unsaved, unacked } = useStatus(doc);
 * ```
 */
export function useStatus<V>({ status }: HasStatus<V>): V {
  return useSyncExternalStore(status.subscribe, status.snapshot, startOf(status));
}
