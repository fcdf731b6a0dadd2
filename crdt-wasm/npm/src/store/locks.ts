interface LockManager {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean; signal?: unknown },
    held: (lock: unknown) => Promise<T>,
  ): Promise<T>;
}
declare const AbortSignal: { timeout(ms: number): unknown };

/** An id that nobody else on this origin has until it is released. */
export interface Lease {
  readonly id: string;
  release(): void;
}

/** The lock of a tab that was closed is still held for a moment; only after this is a new id made. */
const PATIENCE_MS = 250;

/**
 * Takes an id out of a pool, or makes a new one if all are in use. `undefined` where there are no locks: then two pages could
 * take the same one.
 *
 * Nothing is kept with the page itself: a duplicated tab would have it, too.
 */
export async function lendId(
  prefix: string,
  pool: { known(): Promise<string[]>; fresh(): string },
): Promise<Lease | undefined> {
  const { navigator } = globalThis as { navigator?: { locks?: LockManager } };
  const locks = navigator?.locks;
  if (!locks) return undefined;
  const known = await pool.known();
  for (const id of known) {
    const lease = await take(locks, prefix, id, { ifAvailable: true });
    if (lease) return lease;
  }
  if (known.length > 0) {
    const waits = known.map((id) => take(locks, prefix, id, { signal: AbortSignal.timeout(PATIENCE_MS) }));
    const first = await Promise.any(waits.map(async (wait) => (await wait) ?? Promise.reject())).catch(() => undefined);
    // Of several that came free at once, one is enough.
    for (const wait of waits) void wait.then((lease) => lease !== first && lease?.release());
    if (first) return first;
  }
  return take(locks, prefix, pool.fresh(), { ifAvailable: true });
}

function take(
  locks: LockManager,
  prefix: string,
  id: string,
  options: { ifAvailable?: boolean; signal?: unknown },
): Promise<Lease | undefined> {
  return new Promise((resolve) => {
    locks
      .request(`${prefix}:${id}`, options, (lock) => {
        if (!lock) return Promise.resolve(resolve(undefined));
        // Held for as long as this promise is open; the browser ends it with the page.
        return new Promise<void>((release) => resolve({ id, release }));
      })
      .catch(() => resolve(undefined));
  });
}
