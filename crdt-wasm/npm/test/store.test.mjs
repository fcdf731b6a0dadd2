// Documents that are kept: what survives, what is shown when, and what happens when a store fails.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { openDoc } from "crdt-wasm";
import { memoryStore, packRows, splitRows } from "crdt-wasm/store";
import { fileStore } from "crdt-wasm/store/file";
import { portPair } from "crdt-wasm/testing";
import * as raw from "../dist/raw.js";
import { hex, make, schema, sleep, until } from "./help.mjs";

const folder = mkdtempSync(join(tmpdir(), "crdt-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

const open = (store, options = {}) => openDoc({ schema, documentId: "a document", store, ...options });
const stores = { memory: memoryStore, file: () => fileStore(join(folder, `${count++}`)) };

for (const [name, fresh] of Object.entries(stores)) {
  test(`what is stored is there again, under the same id (${name})`, async () => {
    const store = fresh();
    const doc = await open(store);
    assert.deepEqual(doc.snapshot(), make().snapshot());
    const id = doc.replicaId;
    doc.root.cart.get("milk").quantity.increment(2);
    doc.root.tags.add("gone");
    doc.root.tags.delete("gone");
    await doc.edit(() => doc.root.price.set({ amount: 9 })).stored;
    assert.equal(doc.status.snapshot().unsaved, 0);
    doc.root.stock.increment(); // not waited for: closing does
    const bytes = hex(make({ initial: await doc.encode() }).encode());
    await doc.dispose();
    const again = await open(store);
    assert.equal(again.replicaId, id);
    assert.equal(again.status.snapshot().identity, "stored");
    assert.equal(again.status.snapshot().unacked, again.inspect().seen[id][0][1], "it is no less unsent for having been closed");
    await until(() => again.status.snapshot().storage === "saved");
    assert.equal(again.root.stock.value, 1);
    assert.equal(hex(await again.encode()), bytes);
    again.root.stock.increment();
    await again.dispose();
    const third = await open(store);
    assert.equal(third.root.stock.value, 2);
    assert.deepEqual(third.inspect().seen, { [id]: [[1, third.inspect().seen[id][0][1]]] }, "no dot was used twice, none left out");
    await third.dispose();
  });

  test(`many edits are folded into few rows, and nothing is lost by it (${name})`, async () => {
    const store = fresh();
    const kept = [];
    const watched = {
      async open(id) {
        const inner = await store.open(id);
        return { ...inner, compact: (fold) => inner.compact((rows) => (kept.push(rows.length), fold(rows))) };
      },
    };
    const doc = await open(watched);
    for (let n = 0; n < 400; n++) {
      doc.root.tags.add(n % 50);
      await doc.edit(() => doc.root.stock.increment()).stored;
      if (n % 50 === 0) doc.root.tags.delete(n % 7);
    }
    const before = hex(await doc.encode());
    await until(() => kept.length > 0, "it was folded");
    doc.root.visits.increment(3);
    await doc.dispose();
    const again = await open(store);
    assert.equal(again.root.visits.value, 3);
    assert.equal(again.root.stock.value, 400);
    again.root.visits.snapshot();
    const without = make({ initial: await again.encode() });
    assert.notEqual(hex(without.encode()), before);
    await again.dispose();
  });
}

test("nothing is shown to anybody before it is stored", async () => {
  let release;
  const inner = memoryStore();
  const slow = {
    async open(id) {
      const kept = await inner.open(id);
      return { ...kept, append: async (rows) => (await new Promise((f) => (release = f)), kept.append(rows)) };
    },
  };
  const doc = await open(slow);
  const [left, right, counts] = portPair();
  const other = make();
  const deltas = [];
  doc.onDelta((bytes) => deltas.push(bytes));
  doc.connect(left);
  other.connect(right);
  const pump = setInterval(() => release?.(), 1);
  await until(() => doc.status.snapshot().link === "synced");
  await until(() => doc.status.snapshot().storage === "saved");
  clearInterval(pump);
  await sleep(20);
  release = undefined;
  const { stored } = doc.edit(() => doc.root.stock.increment());
  const bytes = doc.encode();
  let done = "";
  void stored.then(() => (done += "stored "));
  void bytes.then(() => (done += "bytes "));
  await until(() => release !== undefined);
  await sleep(100);
  assert.equal(doc.root.stock.value, 1, "it is visible here at once");
  assert.equal(doc.status.snapshot().unsaved, 1);
  assert.equal(doc.status.snapshot().storage, "saving");
  assert.deepEqual([other.root.stock.value, deltas.length, done], [0, 0, ""]);
  assert.ok(counts.sent > 0);
  setInterval(() => release(), 1).unref();
  await until(() => other.root.stock.value === 1);
  await bytes;
  assert.equal(done, "stored bytes ");
  assert.equal(deltas.length, 1);
  other.dispose();
  await doc.dispose();
});

test("a store that fails stops edits, shows nothing of what it lost, and says so", async () => {
  const inner = memoryStore();
  let full = false;
  const failing = {
    async open(id) {
      const kept = await inner.open(id);
      return { ...kept, append: async (rows) => { if (full) throw new Error("quota"); return kept.append(rows); } };
    },
  };
  const doc = await open(failing);
  const other = make();
  const [left, right] = portPair();
  doc.connect(left);
  other.connect(right);
  doc.root.stock.increment();
  await until(() => other.root.stock.value === 1);
  const notices = [];
  doc.onNotice(({ kind, cause }) => notices.push([kind, cause.message]));
  full = true;
  await assert.rejects(doc.edit(() => doc.root.stock.increment()).stored, { code: "STORAGE" });
  assert.deepEqual(notices, [["storageFailed", "quota"]]);
  assert.equal(doc.status.snapshot().storage, "failed");
  assert.throws(() => doc.root.stock.increment(), { code: "STORAGE" });
  await assert.rejects(doc.encode(), { code: "STORAGE" });
  await sleep(50);
  assert.equal(other.root.stock.value, 1);
  await doc.dispose();
  full = false;
  const again = await open(failing);
  assert.equal(again.root.stock.value, 1);
  again.root.stock.increment();
  await again.edit(() => again.root.tags.add("x")).stored;
  assert.equal(again.root.stock.value, 2);
  await again.dispose();
  other.dispose();
});

test("two documents on one store have two ids, and both find all of it later", async () => {
  const store = memoryStore();
  const docs = await Promise.all([open(store), open(store)]);
  assert.notEqual(docs[0].replicaId, docs[1].replicaId);
  const [left, right] = portPair();
  docs[0].connect(left);
  docs[1].connect(right);
  docs.forEach((doc, at) => doc.root.stock.increment(1 + at));
  await until(() => docs.every((doc) => doc.root.stock.value === 3));
  await Promise.all(docs.map((doc) => doc.dispose()));
  const again = await open(store);
  assert.equal(again.root.stock.value, 3);
  assert.ok(docs.length === 2);
  await again.dispose();
});

test("a folder belongs to one process at a time, and one that died leaves no lock", async () => {
  const path = join(folder, "locked");
  const doc = await open(fileStore(path));
  await assert.rejects(open(fileStore(path)), { code: "STORAGE" });
  await doc.dispose();
  const place = join(path, readdirSync(path)[0]);
  assert.deepEqual(readdirSync(place).sort(), ["id", "rows"]);
  writeFileSync(join(place, "lock"), "999999999 gone");
  const again = await open(fileStore(path));
  await again.dispose();
  await assert.rejects(open(fileStore("/dev/null/nowhere")), { code: "STORAGE" });
});

test("a document that is opened and a full member count each other's receipt", async () => {
  const doc = await open(fileStore(join(folder, "member")));
  const other = make();
  const [left, right] = portPair();
  doc.connect(left);
  other.connect(right);
  other.root.stock.increment();
  assert.equal(other.status.snapshot().unacked, 1);
  await until(() => other.status.snapshot().unacked === 0, "the file store has it");
  assert.equal(doc.root.stock.value, 1);
  other.dispose();
  await doc.dispose();
});

test("a write that was cut is forgotten, and damage is told", async () => {
  const path = join(folder, "cut");
  const doc = await open(fileStore(path));
  await doc.edit(() => doc.root.stock.increment(5)).stored;
  await doc.dispose();
  const rows = join(path, readdirSync(path)[0], "rows");
  const good = readFileSync(rows);
  const { size } = statSync(rows);
  appendFileSync(rows, good.subarray(0, 11));
  const again = await open(fileStore(path));
  assert.equal(again.root.stock.value, 5);
  await again.edit(() => again.root.stock.increment()).stored;
  await again.dispose();
  assert.ok(statSync(rows).size > size);
  const third = await open(fileStore(path));
  assert.equal(third.root.stock.value, 6, "what came after it can be read");
  await third.dispose();
  const bad = readFileSync(rows);
  bad[12] ^= 1;
  writeFileSync(rows, Buffer.concat([bad, good]));
  await assert.rejects(open(fileStore(path)), { code: "STORAGE" });
});

test("killed at any moment: what was said to be stored is there, and no dot is used twice", async () => {
  const path = join(folder, "killed");
  const program = `
    import { openDoc, t } from "crdt-wasm";
    import { fileStore } from "crdt-wasm/store/file";
    const doc = await openDoc({ schema: { tags: t.orSet() }, documentId: "d", store: fileStore(${JSON.stringify(path)}) });
    for (let n = doc.root.tags.size; ; n++) {
      await doc.edit(() => doc.root.tags.add(n)).stored;
      process.stdout.write(n + "\\n");
    }`;
  let said = -1;
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (text) => (out += text));
    await until(() => out.split("\n").length > 10 + 7 * round);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("close", resolve));
    const numbers = out.split("\n").filter(Boolean).map(Number);
    assert.ok(numbers[0] >= said + 1, "goes on after the last");
    said = numbers.at(-1);
    const doc = await openDoc({ schema: { tags: schema.tags }, documentId: "d", store: fileStore(path) });
    const all = new Set(doc.root.tags);
    for (let n = 0; n <= said; n++) assert.ok(all.has(n), `${n} was said to be stored`);
    const { seen } = doc.inspect();
    assert.deepEqual(Object.values(seen), [[[1, all.size]]], "one id, one dot for each");
    await doc.dispose();
  }
});

test("opening is given up at any step, at once, and nothing stays open", async () => {
  // A store that is as slow as is wanted, at the step that is wanted.
  for (const slow of ["open", "load"]) {
    const calls = [];
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    const inner = memoryStore();
    const store = {
      async open(id) {
        calls.push("open");
        if (slow === "open") await gate;
        const kept = await inner.open(id);
        return {
          ...kept,
          async load() {
            calls.push("load");
            if (slow === "load") await gate;
            calls.push("loaded");
            return kept.load();
          },
          close: () => (calls.push("close"), kept.close()),
        };
      },
    };
    const controller = new AbortController();
    const opening = open(store, { signal: controller.signal });
    await sleep(1);
    controller.abort(new Error("the page was left"));
    await assert.rejects(opening, { message: "the page was left" });
    assert.ok(!calls.includes("close"), "a step that is under way is not disturbed");
    release();
    await until(() => calls.includes("close"));
    assert.deepEqual(calls, slow === "open" ? ["open", "close"] : ["open", "load", "loaded", "close"]);
    calls.length = 0;
    await assert.rejects(open(store, { signal: controller.signal }), { message: "the page was left" });
    assert.deepEqual(calls, [], "nothing is begun");
  }
});

/** A store with a document of many tags, folded as a page leaves it. */
async function large(tags) {
  const store = memoryStore();
  const doc = await open(store);
  doc.edit(() => {
    for (let n = 0; n < tags; n++) doc.root.tags.add(`a tag with the number ${n}`);
  });
  await doc.encode();
  const rows = async () => {
    const kept = await store.open("a document");
    const [all] = await kept.load();
    await kept.close();
    return Array.from(splitRows(all), ([key, row]) => [String.fromCharCode(key[0]), row.length]);
  };
  await until(async () => (await rows()).every(([key]) => key !== "r" && key !== "d"), "it was folded");
  await doc.dispose();
  return { store, rows: await rows() };
}

test("a large document is opened in slices, and says how far it is; all of it is there at the end", async () => {
  const tags = 30_000;
  const { store, rows } = await large(tags);
  assert(rows.length > 20 && rows.every(([, length]) => length < 40_000), `no long row: ${rows}`);
  const told = [];
  let turns = 0;
  const turn = () => (turns++, (timer = setImmediate(turn)));
  let timer = setImmediate(turn);
  const doc = await open(store, { onProgress: (progress) => told.push({ ...progress, turns }) });
  clearImmediate(timer);
  assert.equal(doc.root.tags.size, tags);
  const [fetched, ...read] = told;
  assert.deepEqual([fetched.phase, fetched.done, fetched.total], ["store", 0, 0]);
  assert(read.length > 4 && read.every(({ phase, total }) => phase === "merge" && total === read[0].total), JSON.stringify(read));
  assert(read.every(({ done }, at) => at === 0 || done > read[at - 1].done), "it only grows");
  assert.equal(read.at(-1).done, read[0].total);
  assert(new Set(read.slice(1).map(({ turns }) => turns)).size > 3, "others had their turn in between");
  await doc.dispose();
});

test("opening is given up between two slices: nothing stays open, and nothing of it is kept in memory", async () => {
  const { store } = await large(30_000);
  const calls = [];
  const watched = {
    async open(id) {
      const kept = await store.open(id);
      return { ...kept, close: () => (calls.push("close"), kept.close()) };
    },
  };
  for (let round = 0; round < 3; round++) {
    const controller = new AbortController();
    const told = [];
    const onProgress = ({ phase, done }) => {
      told.push(done);
      if (phase === "merge" && done > 0) controller.abort(new Error("the page was left"));
    };
    await assert.rejects(open(watched, { signal: controller.signal, onProgress }), { message: "the page was left" });
    await until(() => calls.length === round + 1, "it was closed");
    const { length } = told;
    await sleep(20);
    assert.equal(told.length, length, "nothing is said after that");
  }
  const wasmBytes = () => raw.initSync().memory.buffer.byteLength;
  const before = wasmBytes();
  for (let round = 0; round < 10; round++) {
    const controller = new AbortController();
    const onProgress = ({ done }) => done > 0 && controller.abort(new Error("the page was left"));
    await assert.rejects(open(watched, { signal: controller.signal, onProgress }), { message: "the page was left" });
    await until(() => calls.length === round + 4, "it was closed");
  }
  assert.equal(wasmBytes(), before);
  const doc = await open(watched);
  assert.equal(doc.root.tags.size, 30_000);
  await doc.dispose();
});

test("folding lets others have their turn, keeps what is written meanwhile, and leaves a store alone that another tab folded", async () => {
  const tags = 30_000;
  for (const rival of [false, true]) {
    const inner = memoryStore();
    let [turns, loads, compacted, reading, rows] = [0, 0, 0, undefined, 0];
    const kept = await inner.open("a document");
    const store = {
      open: async () => ({
        ...kept,
        async load() {
          if (loads++ > 0) reading = turns;
          return kept.load();
        },
        async compact(fold) {
          compacted = turns;
          // Another tab has put other rows in place of these.
          if (rival) {
            const [all] = await kept.load();
            const its = ([key]) => key[0] === 0x72;
            const renamed = Array.from(splitRows(all), (row) => (its(row) ? [Uint8Array.of(...row[0], 9), row[1]] : row));
            await kept.compact(() => packRows(renamed));
          }
          await kept.compact((all) => {
            const next = fold(all);
            assert.equal(next === all, rival);
            return next;
          });
          rows = Array.from(splitRows((await kept.load())[0]), ([key]) => String.fromCharCode(key[0]));
        },
        close: async () => {},
      }),
    };
    const doc = await open(store);
    doc.edit(() => {
      for (let n = 0; n < tags; n++) doc.root.tags.add(`a tag with the number ${n}`);
    });
    await doc.encode();
    const turn = () => {
      turns++;
      // While it is folded.
      if (reading !== undefined && turns === reading + 2) doc.root.title.set("written meanwhile");
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    await until(() => compacted > 0 && rows.length > 0, "it was folded");
    clearImmediate(timer);
    assert(compacted - reading > 3, `${compacted - reading} turns`);
    if (!rival) assert(rows.includes("s") && rows.includes("r"), `what came meanwhile stays as it is: ${rows.join("")}`);
    await doc.dispose();
    const again = await open(store);
    assert.deepEqual([again.root.tags.size, again.root.title.value], [tags, "written meanwhile"]);
    await again.dispose();
  }
});

test("damage in the middle of a store is told, and what was read before it is let go", async () => {
  const { store } = await large(10_000);
  const calls = [];
  const damaged = {
    async open(id) {
      const kept = await store.open(id);
      return {
        ...kept,
        load: async () => [...(await kept.load()), packRows([[Uint8Array.of(0x73, 1), Uint8Array.of(1, 2)]])],
        close: () => (calls.push("close"), kept.close()),
      };
    },
  };
  await assert.rejects(open(damaged), { code: "BAD_BYTES" });
  assert.deepEqual(calls, ["close"]);
});

test("a signal that comes after a document was opened leaves it alone; a throwing link closes what was opened", async () => {
  const store = memoryStore();
  const controller = new AbortController();
  const doc = await open(store, { signal: controller.signal });
  controller.abort();
  doc.root.stock.increment();
  await doc.dispose();
  const broken = { start() { throw new Error("no such medium"); } };
  await assert.rejects(open(store, { links: [broken], signal: new AbortController().signal }), { message: "no such medium" });
  const again = await open(store);
  assert.equal(again.root.stock.value, 1);
  await again.dispose();
});

test("a store that was copied and runs twice is found out: one goes on under another id, and both end with the same", async () => {
  const [here, there] = [join(folder, "original"), join(folder, "copy")];
  const doc = await open(fileStore(here));
  await doc.edit(() => doc.root.stock.increment(5)).stored;
  const id = doc.replicaId;
  await doc.dispose();
  cpSync(here, there, { recursive: true });
  const docs = [await open(fileStore(here)), await open(fileStore(there))];
  assert.deepEqual(docs.map(({ replicaId }) => replicaId), [id, id]);
  // Each has an edit under the same name that the other has not: one of the two is lost, and that is told.
  await docs[0].edit(() => docs[0].root.tags.add("original")).stored;
  await docs[1].edit(() => docs[1].root.tags.add("copy")).stored;
  const notices = docs.map((doc) => {
    const kinds = [];
    doc.onNotice((notice) => kinds.push(notice.kind));
    return kinds;
  });
  const links = () => {
    const [left, right] = portPair();
    return [docs[0].connect(left), docs[1].connect(right)];
  };
  let ends = links();
  await until(() => notices.flat().includes("replicaChanged"), "somebody notices");
  assert.notEqual(docs[0].replicaId, docs[1].replicaId);
  for (const end of ends) end.close();
  ends = links();
  await docs[0].edit(() => docs[0].root.stock.increment()).stored;
  await docs[1].edit(() => docs[1].root.stock.increment()).stored;
  await until(async () => hex(await docs[0].encode()) === hex(await docs[1].encode()), "both have the same");
  assert.equal(docs[0].root.stock.value, 7);
  await until(() => notices.flat().includes("duplicateId") || notices.flat().includes("diverged"), "that one edit was lost is told");
  const changed = docs.map(({ replicaId }) => replicaId);
  for (const doc of docs) await doc.dispose();
  const again = await open(fileStore(there));
  assert.equal(again.root.stock.value, 7);
  await again.dispose();
  assert.ok(changed.some((now) => now !== id));
});
