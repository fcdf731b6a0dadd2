// What wasm-bindgen makes of crdt-wasm/src: its own declarations are not shipped, so that none of them becomes public.
// SEAM.md says what each function does. A number below 0, or a first byte other than 0, is the code of an error.
type Bytes = Uint8Array<ArrayBuffer>;

export function open(
  scope: Uint8Array,
  fresh: Uint8Array,
  seed: Uint8Array,
  flags: number,
  load: number,
  steady: number,
  wall: number,
): number;
export function load_begin(seed: number): number;
export function load(load: number, rows: Uint8Array): number;
export function fold(load: number): Bytes;
export function load_drop(load: number): number;
export function dispose(doc: number): number;
export function scope_of(name: Uint8Array): Bytes;
export function replica(doc: number): Bytes;
export function adopt(doc: number, id: Uint8Array, next: number, steady: number, wall: number): number;
export function set_deltas(doc: number, on: number): number;

export function pass(doc: number, parent: number, key: Uint8Array, kind: number): number;
export function field(doc: number, parent: number, key: Uint8Array, kind: number): number;
export function release(doc: number, handle: number): number;

export function begin(doc: number, steady: number, wall: number): number;
export function add(doc: number, handle: number, by: number): number;
export function grant(doc: number, handle: number, to: Uint8Array, amount: number): number;
export function set_flag(doc: number, handle: number, on: number): number;
export function write(doc: number, handle: number, value: Uint8Array): number;
export function write_entry(doc: number, handle: number, key: Uint8Array, value: Uint8Array): number;
export function insert(doc: number, handle: number, value: Uint8Array): number;
export function remove(doc: number, handle: number, value: Uint8Array): number;
export function clear(doc: number, handle: number): number;
export function commit(doc: number, flush: number): Bytes;
export function end(doc: number): number;
export function set_changes(doc: number, on: number): number;
export function flush(doc: number, steady: number, wall: number): number;

export function counter(doc: number, handle: number): number;
export function flag(doc: number, handle: number): number;
export function size(doc: number, handle: number): number;
export function has(doc: number, handle: number, value: Uint8Array): number;
export function read(doc: number, handle: number): Bytes;

export function encode(doc: number): Bytes;
export function state(doc: number): Bytes;
export function digest(doc: number): Bytes;
export function version(doc: number): Bytes;
export function delta_since(doc: number, version: Uint8Array): Bytes;
export function merge(doc: number, bytes: Uint8Array, steady: number, wall: number): Bytes;

export function link_open(doc: number, kind: number, steady: number, wall: number): number;
export function link_receive(doc: number, link: number, frame: Uint8Array, steady: number, wall: number): number;
export function link_close(doc: number, link: number, steady: number, wall: number): number;
export function link_backlog(doc: number, link: number, bytes: number): number;
export function link_frames(doc: number, link: number, bytesMax: number): number;
export function borrow(doc: number, link: number): number;
export function give_back(doc: number, link: number, steady: number, wall: number): number;
export function gossip(doc: number, link: number, bytes: Uint8Array): number;

export function poll(doc: number, steady: number, wall: number): Bytes;
export function durable(doc: number, ticket: number, steady: number, wall: number): number;
export function store_failed(doc: number): number;

export function inspect(doc: number): Bytes;

export function initSync(options: { module: unknown }): unknown;
export default function init(options: { module_or_path: unknown }): Promise<unknown>;
export function __wbg_reset_state(): void;
