import { Base } from "./base.js";
import { utf8 } from "../bytes.js";
import type { Core } from "../core.js";
import { type Path, START_SNAPSHOT } from "../field.js";
import type { AnyType, Schema } from "../schema.js";
import type { Value } from "../values.js";

type Plain = { readonly [name: string]: unknown };

/** Fixed fields under names. Users see its {@link StructField.face}, which has nothing but the fields and three names. */
export class StructField extends Base<Plain> {
  /** By their names in the bytes. */
  readonly #parts = new Map<string, Base<unknown>>();
  readonly #face: object;

  /** @internal */
  constructor(core: Core, up: Base<unknown> | undefined, name: string | number, key: Uint8Array, type: AnyType, handle?: number) {
    super(core, up, name, key, type, handle);
    this.#face = new (faceOf(type.fields as Schema, up === undefined))(this);
  }

  override get face(): unknown {
    return this.#face;
  }

  /** The part with that name in the schema. */
  part(name: string): Base<unknown> {
    const type = (this.type.fields as Schema)[name] as AnyType;
    const key = type.key ?? name;
    let part = this.#parts.get(key);
    if (!part) {
      part = this.core.make(this as Base<unknown>, name, utf8(key), type);
      this.#parts.set(key, part);
    }
    return part;
  }

  override child(name: string | number): Base<unknown> {
    return this.part(name as string);
  }

  override settle(below: Base<unknown>): Base<unknown> {
    return below.up === this ? below : this.part(below.name as string);
  }

  /** The part with that name in the bytes, if the schema has one. */
  byKey(key: string): Base<unknown> | undefined {
    const field = Object.entries(this.type.fields as Schema).find(([name, type]) => (type.key ?? name) === key);
    return field && this.part(field[0]);
  }

  override below(key: Value): Base<unknown> | undefined {
    return this.#parts.get(key as string);
  }

  override drop(): void {
    super.drop();
    for (const part of this.#parts.values()) part.drop();
  }

  override make(last: Plain | undefined): Plain {
    const names = Object.keys(this.type.fields as Schema);
    const values = names.map((name): [string, unknown] => [name, this.part(name).current()]);
    if (last && values.every(([name, value]) => last[name] === value)) return last;
    return Object.freeze(Object.fromEntries(values));
  }
}

type Face = new (struct: StructField) => object;

/** One class for all structs of a type: a map may have many of them. */
const faces = new WeakMap<Schema, Face>();

function faceOf(fields: Schema, isRoot: boolean): Face {
  let face = faces.get(fields);
  if (!face) {
    face = makeFace(fields, isRoot);
    faces.set(fields, face);
  }
  return face;
}

function makeFace(fields: Schema, isRoot: boolean): Face {
  class Face {
    readonly #struct: StructField;

    constructor(struct: StructField) {
      this.#struct = struct;
    }

    static define(name: string | symbol, get: (struct: StructField) => unknown): void {
      Object.defineProperty(Face.prototype, name, {
        enumerable: typeof name === "string",
        get(this: Face) {
          return get(this.#struct);
        },
      });
    }
  }
  // The document itself has these, so that a field of its root may have any name.
  if (!isRoot) {
    Face.define("path", (struct): Path => struct.path);
    Face.define("snapshot", (struct) => struct.snapshot);
    Face.define("subscribe", (struct) => struct.subscribe);
    Face.define(START_SNAPSHOT, (struct) => struct[START_SNAPSHOT]);
  }
  for (const name of Object.keys(fields)) Face.define(name, (struct) => struct.part(name).face);
  return Face;
}
