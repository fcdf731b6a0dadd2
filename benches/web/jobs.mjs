// What is measured, and how: each job takes a contestant and the number of keys, and answers with nanoseconds, or bytes, for one
// of what its row names. It checks that what it measured happened.
//
// What may be compared. All contestants get the same keys in the same order and answer the same questions; each by the calls that
// its own documentation shows. A delta is what its author would send to somebody who has all but this edit, by no link: Yjs' and
// json-joy's begin with nothing but the client's number, ours and Automerge's name the replica by 16 bytes in full and say what
// they were made on, Loro's say it with a checksum. Yjs and Loro put off work: Yjs sorts what it deleted when it encodes, Loro
// writes its log out when it is asked for bytes. So a row alone says little; all of them together say more.
import { strict as assert } from "node:assert";

/** Elements of a set, keys of a map: 10 characters each. */
export const keys = (n, from = 0) => Array.from({ length: n }, (_, at) => `key-${String(from + at).padStart(6, "0")}`);

const MANY = 200;

function timed(n, f) {
  const start = process.hrtime.bigint();
  const result = f();
  return { each: Number(process.hrtime.bigint() - start) / n, result };
}

const filled = (peer, n, from = 0) => {
  const doc = peer.make();
  peer.inOne(doc, () => keys(n, from).forEach((key) => peer.add(doc, key)));
  return doc;
};

/** A job that fills an empty document: `each` and `check` say with what. */
const fills = (together, each, count) => (peer, n) => {
  const doc = peer.make();
  const names = keys(n);
  const all = () => names.forEach((key, at) => each(peer, doc, key, at));
  const { each: ns } = timed(n, () => (together ? peer.inOne(doc, all) : all()));
  assert.equal(count(peer, doc), n);
  peer.dispose(doc);
  return ns;
};

const add = (peer, doc, key) => peer.add(doc, key);
const setKey = (peer, doc, key, at) => peer.setKey(doc, key, at);
const tags = (peer, doc) => peer.tags(doc);

/** Edits on a set of n, each with its delta; then what `use` does with those at a replica that had the set. */
async function deltas(peer, n) {
  const doc = filled(peer, n);
  const there = peer.load(peer.encode(doc));
  const next = peer.deltas(doc);
  const names = keys(MANY, n);
  // The first one is not like the others: whatever was put off until then is done for it.
  const first = await next(() => peer.add(doc, "another"));
  peer.merge(there, first);
  const made = [];
  const start = process.hrtime.bigint();
  for (const key of names) made.push(await next(() => peer.add(doc, key)));
  const ns = Number(process.hrtime.bigint() - start) / MANY;
  return { doc, there, made, ns };
}

export const JOBS = [
  {
    name: "map/each",
    work: "N keys written to a map, each an edit; per key",
    run: fills(false, setKey, (peer, doc) => peer.keys(doc)),
  },
  { name: "map/one", work: "the same in one edit", run: fills(true, setKey, (peer, doc) => peer.keys(doc)) },
  {
    name: "set/each",
    work: "N elements added to a set, each an edit; per element",
    target: { of: "yjs", times: 0.5 },
    run: fills(false, add, tags),
  },
  { name: "set/one", work: "the same in one edit", target: { of: "yjs", times: 1 }, run: fills(true, add, tags) },
  {
    name: "counter/each",
    work: "N increments of a counter, each an edit; per increment",
    target: { of: "best", times: 0.25 },
    run: fills(false, (peer, doc) => peer.count(doc), (peer, doc) => peer.counted(doc)),
  },
  { name: "counter/one", work: "the same in one edit", run: fills(true, (peer, doc) => peer.count(doc), (peer, doc) => peer.counted(doc)) },
  {
    name: "delta/make",
    work: "one element more in a set of N, and what to send for it",
    target: { of: "yjs", times: 1 },
    async run(peer, n) {
      const { doc, there, ns } = await deltas(peer, n);
      peer.dispose(doc), peer.dispose(there);
      return ns;
    },
  },
  {
    name: "delta/bytes",
    work: "how long that is",
    unit: "B",
    target: { atMost: 48 },
    async run(peer, n) {
      const { doc, there, made } = await deltas(peer, n);
      peer.dispose(doc), peer.dispose(there);
      return made.at(-1).length;
    },
  },
  {
    name: "delta/merge",
    work: "merging that into the set of N elsewhere",
    target: { of: "yjs", times: 1 },
    async run(peer, n) {
      const { doc, there, made } = await deltas(peer, n);
      const { each } = timed(MANY, () => made.forEach((delta) => peer.merge(there, delta)));
      assert.equal(peer.tags(there), n + MANY + 1);
      peer.dispose(doc), peer.dispose(there);
      return each;
    },
  },
  {
    name: "merge/large",
    work: "merging a set of N into one of N others",
    run(peer, n) {
      if (peer.wholeIsNoUpdate) return undefined;
      const [doc, other] = [filled(peer, n), filled(peer, n, n)];
      const bytes = peer.encode(other);
      const { each } = timed(1, () => peer.merge(doc, bytes));
      assert.equal(peer.tags(doc), 2 * n);
      peer.dispose(doc), peer.dispose(other);
      return each;
    },
  },
  {
    name: "merge/again",
    work: "merging all of N again: nothing is new",
    target: { atMost: 200_000 },
    run(peer, n) {
      if (peer.wholeIsNoUpdate) return undefined;
      const doc = filled(peer, n);
      const bytes = peer.encode(doc);
      const there = peer.load(bytes);
      const { each } = timed(1, () => peer.merge(there, bytes));
      assert.equal(peer.tags(there), n);
      peer.dispose(doc), peer.dispose(there);
      return each;
    },
  },
  {
    name: "encode",
    work: "encoding a set of N",
    target: { of: "yjs", times: 0.2 },
    run(peer, n) {
      const doc = filled(peer, n);
      const { each } = timed(1, () => peer.encode(doc));
      peer.dispose(doc);
      return each;
    },
  },
  {
    name: "load",
    work: "a new document from those bytes",
    target: { of: "yjs", times: 0.3 },
    run(peer, n) {
      const doc = filled(peer, n);
      const bytes = peer.encode(doc);
      const { each, result } = timed(1, () => peer.load(bytes));
      assert.equal(peer.tags(result), n);
      peer.dispose(doc), peer.dispose(result);
      return each;
    },
  },
  {
    name: "bytes",
    work: "how long those bytes are",
    unit: "B",
    target: { atMost: 130_000 },
    run(peer, n) {
      const doc = filled(peer, n);
      const { length } = peer.encode(doc);
      peer.dispose(doc);
      return length;
    },
  },
  {
    name: "read/changed",
    work: "all of N as plain data, after one change",
    target: { of: "yjs", times: 1 },
    run(peer, n) {
      const doc = filled(peer, n);
      peer.read(doc);
      peer.add(doc, "another");
      const { each, result } = timed(1, () => peer.read(doc));
      assert.equal(Array.isArray(result) ? result.length : Object.keys(result).length, n + 1);
      peer.dispose(doc);
      return each;
    },
  },
  {
    name: "read/again",
    work: "the same again, nothing changed; 100 times, each",
    target: { atMost: 1_000 },
    run(peer, n) {
      const doc = filled(peer, n);
      peer.read(doc);
      const { each } = timed(100, () => {
        for (let times = 0; times < 100; times++) peer.read(doc);
      });
      peer.dispose(doc);
      return each;
    },
  },
  {
    name: "life",
    work: "a document is made, counted in, encoded and disposed of",
    target: { of: "yjs", times: 0.25 },
    run(peer) {
      const { each } = timed(MANY, () => {
        for (let times = 0; times < MANY; times++) {
          const doc = peer.make();
          peer.count(doc);
          assert.ok(peer.encode(doc).length > 0);
          peer.dispose(doc);
        }
      });
      return each;
    },
  },
];
