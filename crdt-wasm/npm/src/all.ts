// What both entries give.
export type { Batch, Change } from "./change.js";
export type { Bytes } from "./bytes.js";
export type { Hub, HubHost, HubStatus, Port } from "./connect/port.js";
export {
  createDoc,
  type Doc,
  type DocOptions,
  type Inspection,
  type MemoryDoc,
  newDocumentId,
  openDoc,
  type OpenOptions,
  type Receipt,
  type Signal,
  type StoredDoc,
} from "./doc.js";
export { CrdtError, type CrdtErrorCode } from "./errors.js";
export type { Field, Path } from "./field.js";
export type { BoundedCounter, Counter, GCounter, PnCounter } from "./fields/counter.js";
export type { Flag } from "./fields/flag.js";
export type { LwwMap } from "./fields/lwwmap.js";
export type { MapField } from "./fields/map.js";
export type { LwwRegister, MvRegister, Written } from "./fields/register.js";
export type { GrowSet, ValueSet } from "./fields/set.js";
export type { Link, LinkStatus } from "./link.js";
export type { Progress } from "./load.js";
export type { Notice } from "./notice.js";
export type { Presence, PresenceOptions, Present } from "./presence.js";
export {
  type FieldOf,
  type FieldOptions,
  type FieldType,
  type KeyName,
  type KeyOf,
  type Root,
  type Schema,
  type Snapshot,
  type SnapshotOf,
  type Struct,
  t,
  type ValueOptions,
} from "./schema.js";
export type { Status } from "./status.js";
export type { Kept, Store } from "./store/store.js";
export type { Value } from "./values.js";
