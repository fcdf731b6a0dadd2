// Documents that talk: over message ports, paths that lose and reorder, and hubs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";

import { createDoc, t } from "crdt-wasm";
import { broadcast, messagePort } from "crdt-wasm/connect";
import { portPair } from "crdt-wasm/testing";
import { hex, make, sleep, until } from "./help.mjs";

const same = (...docs) => new Set(docs.map((doc) => hex(doc.encode()))).size === 1;

test("two documents on a message channel become equal byte for byte, and stay so", async () => {
  const [a, b] = [make(), make()];
  a.root.cart.get("milk").quantity.increment(2);
  b.root.price.set(1);
  const { port1, port2 } = new MessageChannel();
  const [left, right] = [a.connect(messagePort(port1)), b.connect(messagePort(port2))];
  await until(() => left.status.snapshot().state === "synced" && right.status.snapshot().state === "synced");
  assert.deepEqual(left.status.snapshot().peers, [b.replicaId]);
  assert.ok(same(a, b));
  const heard = [];
  b.onChange(({ changes, origin, local }) => heard.push([changes[0].path.join("."), origin, local]));
  a.root.stock.increment();
  await until(() => b.root.stock.value === 1);
  assert.deepEqual(heard, [["stock", right, false]]);
  for (let n = 0; n < 100; n++) {
    a.root.tags.add(n);
    b.root.tags.delete(n - 1);
    b.root.cart.get(`k${n % 3}`).note.set(n);
  }
  await until(() => same(a, b));
  assert.equal(a.status.snapshot().link, "synced");
  left.close();
  await until(() => right.status.snapshot().state === "closed");
  a.root.stock.increment();
  await sleep(30);
  assert.equal(b.root.stock.value, 1);
  assert.ok(a.status.snapshot().unacked > 100, "another document in memory is no lasting replica");
  assert.equal(a.status.snapshot().link, "offline");
  a.dispose();
  b.dispose();
});

test("edits made apart meet when the link comes back", async () => {
  const [a, b] = [make(), make()];
  const link = () => {
    const [left, right] = portPair();
    return [a.connect(left), b.connect(right)];
  };
  const first = link();
  a.root.stock.increment();
  await until(() => b.root.stock.value === 1);
  first.forEach((end) => end.close());
  a.root.price.set("a");
  b.root.price.set("b");
  b.root.stock.increment();
  link();
  await until(() => same(a, b));
  assert.equal(a.root.price.conflict, true);
  assert.equal(a.root.stock.value, 2);
  a.dispose();
  b.dispose();
});

for (const seed of [1, 2, 3]) {
  test(`a path that loses a third, repeats and reorders loses no edit (seed ${seed})`, async () => {
    const [a, b] = [make(), make()];
    const [left, right, counts] = portPair({ lossy: { loss: 0.33, repeat: 0.2, delayMs: 20, seed } });
    a.connect(left);
    b.connect(right);
    for (let n = 0; n < 60; n++) {
      a.root.tags.add(n);
      b.root.stock.increment();
      if (n % 4 === 0) b.root.tags.delete(n - 8);
      await sleep(2);
    }
    await until(() => same(a, b), "both are equal", 30_000);
    assert.equal(a.root.stock.value, 60);
    assert.ok(counts.lost > 10, `${counts.lost} of ${counts.sent} frames were lost`);
    a.dispose();
    b.dispose();
  });
}

test("a link in the middle carries edits onward, and not back to where they came from", async () => {
  const docs = [make(), make(), make()];
  const [a, b, c] = docs;
  const counts = [];
  for (const [left, right] of [[a, b], [b, c]]) {
    const [one, two, count] = portPair();
    counts.push(count);
    left.connect(one);
    right.connect(two);
  }
  a.root.stock.increment();
  await until(() => c.root.stock.value === 1);
  await until(() => [a, b, c].every((doc) => doc.status.snapshot().link === "synced"));
  await sleep(300);
  const before = counts.map(({ sent }) => sent);
  const bytes = docs.map((doc) => doc.inspect().bytes.sent);
  a.root.tags.add("x".repeat(500));
  await until(() => c.root.tags.size === 1);
  await sleep(300);
  const grown = docs.map((doc, at) => doc.inspect().bytes.sent - bytes[at]);
  assert.ok(grown[1] < 1000, `the one in the middle sent the element once, not back: ${grown}`);
  assert.ok(grown[2] < 300, `the last one sent it to nobody: ${grown}`);
  assert.ok(counts.every(({ sent }, at) => sent > before[at]));
  docs.forEach((doc) => doc.dispose());
});

test("another document at the other end is refused, and nothing of it gets in", async () => {
  const a = make();
  const b = createDoc({ schema: { stock: t.pnCounter() }, documentId: "another" });
  b.root.stock.increment();
  const [left, right] = portPair();
  const [one, two] = [a.connect(left), b.connect(right)];
  await until(() => [one, two].some((link) => link.status.snapshot().state === "refused"));
  const { cause } = [one, two].map((link) => link.status.snapshot()).find(({ state }) => state === "refused");
  assert.equal(cause.code, "WRONG_DOCUMENT");
  await until(() => [one, two].every((link) => ["refused", "closed"].includes(link.status.snapshot().state)));
  assert.equal(a.root.stock.value, 0);
  a.dispose();
  b.dispose();
});

test("frames that are none are dropped, with a notice", async () => {
  const a = make();
  const notices = [];
  a.onNotice(({ kind }) => notices.push(kind));
  let receive;
  a.connect({ ordered: true, send() {}, open: (f) => ((receive = f), () => {}) });
  receive(new Uint8Array([1, 2, 3]));
  receive(new Uint8Array());
  assert.ok(notices.includes("badFrame"));
  a.root.stock.increment();
  assert.equal(a.root.stock.value, 1);
  a.dispose();
});

test("documents on one broadcast channel find each other, late ones too", async () => {
  const docs = [make(), make()];
  docs.forEach((doc, at) => {
    doc.connect(broadcast());
    doc.root.tags.add(at);
  });
  await until(() => same(...docs) && docs[0].root.tags.size === 2);
  docs[0].root.stock.increment();
  const late = make();
  late.root.tags.add("late");
  const link = late.connect(broadcast());
  await until(() => same(...docs, late) && late.root.tags.size === 3);
  await until(() => link.status.snapshot().state === "synced");
  assert.equal(link.status.snapshot().peers.length, 2);
  docs[1].dispose();
  await until(() => link.status.snapshot().peers.length === 1);
  late.root.stock.increment();
  await until(() => docs[0].root.stock.value === 2);
  for (const doc of [...docs, late]) doc.dispose();
});

test("a worker holds a document, and the page has a replica of it", async () => {
  const worker = new Worker(
    `import { createDoc, t } from "crdt-wasm";
     import { messagePort } from "crdt-wasm/connect";
     import { parentPort } from "node:worker_threads";
     const doc = createDoc({ schema: { stock: t.pnCounter() }, documentId: "shared" });
     parentPort.once("message", (port) => doc.connect(messagePort(port)));
     doc.subscribe(() => { if (doc.root.stock.value === 1) doc.root.stock.increment(41); });`,
    { eval: true, type: "module", execArgv: ["--input-type=module"] },
  );
  const doc = createDoc({ schema: { stock: t.pnCounter() }, documentId: "shared" });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  const link = doc.connect(messagePort(port1));
  doc.root.stock.increment();
  await until(() => doc.root.stock.value === 42);
  await worker.terminate();
  await until(() => link.status.snapshot().state === "closed");
  doc.dispose();
});

test("presence reaches all that are linked in any way, and goes when its owner does", async () => {
  const docs = [make(), make(), make()];
  const links = [];
  for (const [left, right] of [[0, 1], [1, 2]]) {
    const [one, two] = portPair();
    links.push(docs[left].connect(one), docs[right].connect(two));
  }
  const all = docs.map((doc) => doc.presence({ timeoutMs: 300 }));
  all[0].set({ name: "Ann", at: [1, 2] });
  all[2].set({ name: "Bob" });
  const seen = (at) => all[at].snapshot().map(({ state }) => state.name).sort().join();
  await until(() => seen(2) === "Ann" && seen(0) === "Bob" && seen(1) === "Ann,Bob");
  assert.equal(all[2].snapshot()[0].replica, docs[0].replicaId);
  const before = all[2].snapshot();
  await sleep(500);
  assert.equal(all[2].snapshot(), before, "kept by its heartbeats, and the same object");
  all[0].set({ name: "Anna" });
  await until(() => seen(2) === "Anna");
  all[0].close();
  await until(() => seen(1) === "Bob" && seen(2) === "");
  links.forEach((link) => link.close());
  await until(() => seen(1) === "", "who is cut off is gone after a while");
  assert.throws(() => all[1].set("x".repeat(5000)), { code: "TOO_LARGE" });
  assert.ok(docs[0].encode().length < 60, "nothing of it is in the document");
  all.forEach((presence) => presence.close());
  docs.forEach((doc) => doc.dispose());
});
