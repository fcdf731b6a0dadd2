/// <reference types="node" />
import { randomUUID } from "node:crypto";
import { type FileHandle, link, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { hex, unhex } from "../bytes.js";
import { CrdtError } from "../errors.js";
import { randomBytes } from "../host.js";
import { joinRows, type Kept, type Store } from "./store.js";

/** Before each piece of rows in the file: its length and a check, so that a write that was cut is found. */
const HEAD = 8;

/**
 * Keeps documents in a folder, for Node: each in a folder of its own, which one process may have open at a time. What was
 * written survives a loss of power when `edit(…).stored` resolves.
 *
 * Do not copy a folder to run both copies: copy a document with `encode` and `initial`, or two replicas would write under one
 * id.
 */
export function fileStore(folder: string): Store {
  return {
    async open(documentId): Promise<Kept> {
      // Any name makes a safe folder's name, and no two make the same.
      const place = join(folder, encodeURIComponent(documentId).replaceAll(".", "%2E").replaceAll("*", "%2A"));
      await mkdir(place, { recursive: true });
      const unlock = await lock(join(place, "lock"));
      try {
        const id = await readOrMake(place);
        const path = join(place, "rows");
        let file = await open(path, "a+");
        return {
          id,
          sole: true,
          load: () => load(file),
          append: (rows) => write(file, rows),
          async compact(fold) {
            const pieces = await load(file);
            const next = `${path}.new`;
            const fresh = await open(next, "w");
            await write(fresh, fold(joinRows(pieces)));
            await fresh.close();
            await rename(next, path);
            await syncFolder(place);
            await file.close();
            file = await open(path, "a+");
          },
          async close() {
            await file.close();
            await unlock();
          },
        };
      } catch (error) {
        await unlock();
        throw error;
      }
    },
  };
}

async function write(file: FileHandle, rows: Uint8Array): Promise<void> {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(rows.length, 0);
  head.writeUInt32LE(crc32(rows), 4);
  // One write: a piece is there whole, or is the cut end of the file.
  await file.appendFile(Buffer.concat([head, rows]));
  await file.datasync();
}

/** All whole pieces. What was cut at the end was never said to be stored; anything else that is broken is damage. */
async function load(file: FileHandle): Promise<Uint8Array[]> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0, size, 0);
  const pieces: Uint8Array[] = [];
  let at = 0;
  while (at < size) {
    const end = at + HEAD <= size ? at + HEAD + bytes.readUInt32LE(at) : Infinity;
    if (end > size) break;
    const piece = bytes.subarray(at + HEAD, end);
    if (crc32(piece) !== bytes.readUInt32LE(at + 4)) {
      if (end === size) break;
      throw new CrdtError("STORAGE", `the file is damaged at byte ${at}`);
    }
    pieces.push(new Uint8Array(piece));
    at = end;
  }
  if (at < size) {
    await file.truncate(at);
    await file.datasync();
  }
  return pieces;
}

async function readOrMake(place: string): Promise<Uint8Array> {
  const path = join(place, "id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f]{32}$/.test(known)) return unhex(known);
  const id = randomBytes(16);
  const file = await open(`${path}.new`, "w");
  await file.writeFile(hex(id));
  await file.datasync();
  await file.close();
  await rename(`${path}.new`, path);
  await syncFolder(place);
  return id;
}

/** Makes new names in a folder survive a loss of power. */
async function syncFolder(place: string): Promise<void> {
  // Windows can't, and needs no such thing.
  if (process.platform === "win32") return;
  const folder = await open(place, "r");
  await folder.sync();
  await folder.close();
}

/** Makes this the only process that has the folder. A process that died does not keep it. */
async function lock(path: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${randomUUID()}`;
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, mine);
  try {
    for (;;) {
      try {
        // Of all who try, one makes the name.
        await link(own, path);
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = await readFile(path, "utf8").catch(() => "");
      const pid = parseInt(holder, 10);
      if (holder && isRunning(pid)) throw new CrdtError("STORAGE", `in use by process ${pid}`);
      if (holder) await takeAway(path, holder);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes the lock of a process that is gone, and only that: somebody else may have taken it over just now. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => {});
  const moved = await readFile(aside, "utf8").catch(() => holder);
  if (moved !== holder) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
