import type { Reader } from "./bytes.js";
import type { Change } from "./change.js";
import type { Path } from "./field.js";
import type { Base } from "./fields/base.js";
import { LwwMap } from "./fields/lwwmap.js";
import { MapField } from "./fields/map.js";
import { StructField } from "./fields/struct.js";
import type { AnyType, Kind } from "./schema.js";
import { readValue, type Value } from "./values.js";

type AnyMap = MapField<unknown, unknown, string | number>;

/** What a reader saw or sees at one place. */
interface Observed {
  readonly tag: number;
  readonly number: number | bigint;
  readonly values: readonly Value[];
}

const enum Seen {
  Absent,
  Present,
  Off,
  On,
  Number,
  Values,
}

const enum Step {
  Field,
  Key,
  Element,
}

/** One change as Rust tells it: from the deepest place with a handle, the way to what is different. */
export interface RawChange {
  readonly handle: number;
  readonly steps: readonly { readonly tag: number; readonly value: Value }[];
  readonly before: Observed;
  readonly after: Observed;
}

export function readChanges(from: Reader): RawChange[] {
  const changes: RawChange[] = [];
  for (let left = from.u32(); left > 0; left--) {
    const handle = from.u32();
    const steps = Array.from({ length: from.byte() }, () => {
      const tag = from.byte();
      return { tag, value: tag === Step.Field ? from.blockText() : readValue(from) };
    });
    changes.push({ handle, steps, before: readObserved(from), after: readObserved(from) });
  }
  return changes;
}

function readObserved(from: Reader): Observed {
  const tag = from.byte();
  return {
    tag,
    number: tag === Seen.Number ? from.i128() : 0,
    values: tag === Seen.Values ? Array.from({ length: from.u32() }, () => readValue(from)) : [],
  };
}

/** All places that exist in the tree on the way to a change, and those above. */
export function* touched(nodes: ReadonlyMap<number, Base<unknown>>, { handle, steps }: RawChange): Iterable<Base<unknown>> {
  let at = nodes.get(handle);
  for (let up = at; up; up = up.up) yield up;
  for (const { value } of steps) {
    at = at?.below(value);
    if (!at) return;
    yield at;
  }
}

/**
 * Changes in the application's words. That a key of a map appeared or vanished is seen by comparing with the keys that were
 * there before, which are therefore kept as long as somebody listens.
 */
export class Telling {
  readonly #nodes: ReadonlyMap<number, Base<unknown>>;
  readonly #known = new Map<string, Set<string | number>>();

  constructor(nodes: ReadonlyMap<number, Base<unknown>>, root: Base<unknown>) {
    this.#nodes = nodes;
    this.#learn(root);
  }

  #learn(at: Base<unknown>): void {
    if (!hasMap(at.type)) return;
    if (at instanceof StructField) for (const name of Object.keys(at.type.fields ?? {})) this.#learn(at.part(name));
    if (at instanceof MapField) {
      const keys = at.keys();
      this.#known.set(idOf(at), new Set(keys));
      if (hasMap(at.type.item)) for (const key of keys) this.#learn(at.entry(key) as Base<unknown>);
    }
  }

  tell(raws: readonly RawChange[]): readonly Change[] {
    const changes: Change[] = [];
    const sets = new Map<string, { added: Value[]; removed: Value[] }>();
    const maps = new Map<AnyMap, Set<string | number>>();
    for (const raw of raws) {
      const place = this.#find(raw, maps);
      if (!place) continue;
      const { at, element, entry } = place;
      if (entry !== undefined) {
        changes.push(registerChange([...at.path, entry], raw));
      } else if (element !== undefined) {
        const id = idOf(at);
        let set = sets.get(id);
        if (!set) {
          set = { added: [], removed: [] };
          sets.set(id, set);
          changes.push({ path: at.path, kind: "set", ...set });
        }
        (raw.after.tag === Seen.Present ? set.added : set.removed).push(element);
      } else {
        const change = changeOf(at, raw);
        if (change) changes.push(change);
      }
    }
    for (const [map, keys] of maps) this.#compare(map, keys, changes);
    return changes;
  }

  #find(
    { handle, steps }: RawChange,
    maps: Map<AnyMap, Set<string | number>>,
  ): { at: Base<unknown>; element?: Value; entry?: string } | undefined {
    let at = this.#nodes.get(handle);
    const touch = (map: AnyMap, key: string | number) => {
      const keys = maps.get(map);
      if (keys) keys.add(key);
      else maps.set(map, new Set([key]));
    };
    for (let below = at; below; below = below.up) if (below.up instanceof MapField) touch(below.up, below.name);
    for (const { tag, value } of steps) {
      if (tag === Step.Element) return at && { at, element: value };
      if (at instanceof LwwMap) return typeof value === "string" ? { at, entry: value } : undefined;
      if (tag === Step.Field && at instanceof StructField) at = at.byKey(value as string);
      else if (tag === Step.Key && at instanceof MapField && (at as AnyMap).takes(value)) {
        touch(at, value);
        at = at.entry(value) as Base<unknown>;
      }
      // What the schema does not name is kept and passed on, and not told.
      else return undefined;
    }
    return at && { at };
  }

  #compare(map: AnyMap, keys: Set<string | number>, changes: Change[]): void {
    const id = idOf(map);
    const known = this.#known.get(id) ?? new Set();
    const [added, removed]: [Value[], Value[]] = [[], []];
    for (const key of keys) {
      const there = map.has(key);
      if (there === known.has(key)) continue;
      (there ? added : removed).push(key);
      if (there) known.add(key);
      else known.delete(key);
    }
    if (known.size > 0) this.#known.set(id, known);
    else this.#known.delete(id);
    if (added.length + removed.length > 0) changes.push({ path: map.path, kind: "map", added, removed });
  }
}

function idOf(at: Base<unknown>): string {
  return JSON.stringify(at.path);
}

function hasMap(type: AnyType | undefined): boolean {
  return type !== undefined && (type.kind === "map" || Object.values(type.fields ?? {}).some(hasMap));
}

const SEEN_OF: Partial<Record<Kind, readonly Seen[]>> = {
  ewFlag: [Seen.Off, Seen.On],
  dwFlag: [Seen.Off, Seen.On],
  lwwRegister: [Seen.Values],
  mvRegister: [Seen.Values],
};

function registerChange(path: Path, { before, after }: Pick<RawChange, "before" | "after">): Change {
  return { path, kind: "register", before: before.values[0], after: after.values[0], conflict: after.values.length > 1 };
}

function changeOf({ path, type: { kind } }: Base<unknown>, { before, after }: RawChange): Change | undefined {
  const seen = [before.tag, after.tag].filter((tag) => tag !== Seen.Absent);
  const wanted = SEEN_OF[kind] ?? (kind.endsWith("ounter") ? [Seen.Number] : []);
  // Another kind under the same name is another field.
  if (seen.length === 0 || !seen.every((tag) => wanted.includes(tag))) return undefined;
  switch (seen[0]) {
    case Seen.Number: {
      const [from, to] = [before.number, after.number];
      const by = typeof from === "number" && typeof to === "number" ? to - from : BigInt(to) - BigInt(from);
      return { path, kind: "counter", by };
    }
    case Seen.Values:
      return registerChange(path, { before, after });
    default:
      return { path, kind: "flag", value: after.tag === Seen.On };
  }
}
