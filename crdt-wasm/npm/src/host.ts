// What every host has, in the smallest form: the types work without those of a browser or of Node.
interface Crypto {
  getRandomValues<T extends Uint8Array>(bytes: T): T;
}
interface Performance {
  now(): number;
}

interface Global {
  readonly crypto: Crypto;
  readonly performance: Performance;
  readonly setTimeout: (f: () => void, ms: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  readonly queueMicrotask: (f: () => void) => void;
  readonly MessageChannel?: new () => { readonly port1: Port; readonly port2: Port };
}
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
  close(): void;
}

const host = globalThis as unknown as Global;

/** Milliseconds of a clock that never jumps. */
export function steady(): number {
  return host.performance.now();
}

/** Bytes that nobody can guess or draw again. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return host.crypto.getRandomValues(new Uint8Array(length));
}

/** Calls once, later. In Node it keeps the program running only if that is said. */
export function later(f: () => void, ms: number, running = false): () => void {
  const timer = host.setTimeout(f, ms);
  if (!running) (timer as { unref?(): void }).unref?.();
  return () => host.clearTimeout(timer);
}

/** Makes a class fit for `using`, where the engine has the symbol: else it would have a method called "undefined". */
export function disposable(prototype: object, dispose: () => unknown, symbol: symbol | undefined = Symbol.dispose): void {
  if (symbol) Object.defineProperty(prototype, symbol, { value: dispose });
}

/** Something that the engine may collect, as long as nobody else holds it. */
export interface Weak<T> {
  deref(): T | undefined;
}

/** Holds it weakly; where the engine has no such thing (some at the edge have not), firmly: then only `dispose` frees it. */
export function weak<T extends object>(value: T): Weak<T> {
  return typeof WeakRef === "undefined" ? { deref: () => value } : new WeakRef(value);
}

/** Calls after what runs now. */
export function soon(f: () => void): void {
  host.queueMicrotask(f);
}

/**
 * Lets the host do what else is to be done: draw, take in what was typed, and what waits for its turn. A timer would come late where
 * many are set, and `scheduler.yield` would go on before others.
 */
export function breathe(): Promise<void> {
  const { MessageChannel } = host;
  return new Promise((resolve) => {
    if (!MessageChannel) return void host.setTimeout(resolve, 0);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
