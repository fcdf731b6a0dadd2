// Documents that talk: over message ports, paths that lose and reorder, and hubs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";

import { createDoc, t } from "crdt-wasm";
import { broadcast, messagePort, webSocket } from "crdt-wasm/connect";
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

test("who asked a server for an id and got none is told so, once for each link, and goes on under its own", async () => {
  const [tab, server] = [make(), make()];
  const notices = [];
  tab.onNotice(({ kind }) => notices.push(kind));
  const id = tab.replicaId;
  for (let link = 1; link <= 2; link++) {
    const [left, right] = portPair();
    // It says that it is one that lasts, and has nothing to lend.
    const ends = [tab.connect(Object.assign(left, { server: true })), server.connect(right)];
    await until(() => notices.length >= link, "it is told");
    await sleep(20);
    assert.deepEqual(notices, Array(link).fill("notLent"));
    for (const end of ends) end.close();
  }
  assert.deepEqual([tab.status.snapshot().identity, tab.replicaId], ["ephemeral", id]);
  tab.root.stock.increment();
  assert.equal(tab.root.stock.value, 1);
  tab.dispose();
  server.dispose();
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

/** A port that says how much it has to send, and keeps it until it is told. */
function slowPort(other) {
  const sent = [];
  let close = () => {};
  return {
    ordered: true,
    sent,
    get buffered() {
      return sent.reduce((sum, frame) => sum + frame.length, 0);
    },
    send: (frame) => sent.push(frame),
    open: (receive) => (close = other.open(receive)),
    drain(count = sent.length) {
      for (const frame of sent.splice(0, count)) other.send(frame);
    },
  };
}

test("a port with a megabyte to send gets no more until it is down to a quarter, and all arrives in the end", async () => {
  const [a, b] = [make(), make()];
  const [left, right] = portPair();
  const slow = slowPort(left);
  const [here] = [a.connect(slow), b.connect(right)];
  await until(() => (slow.drain(), here.status.snapshot().state === "synced"));
  let most = 0;
  for (let n = 0; n < 80; n++) {
    a.root.tags.add(`${n}`.padEnd(100_000, "x"));
    await sleep(8);
    most = Math.max(most, slow.buffered);
  }
  assert.ok(most > 1 << 20 && most < 1.3 * (1 << 20), `${most} bytes`);
  // A little less is not enough to go on.
  while (slow.buffered > 700_000) slow.drain(1);
  const left_ = slow.buffered;
  await sleep(100);
  assert.equal(slow.buffered, left_);
  await until(() => {
    slow.drain();
    return same(a, b);
  });
  assert.equal(b.root.tags.size, 80);
  for (const doc of [a, b]) doc.dispose();
});

test("frames are as short as the path wants them", async () => {
  const [a, b] = [make(), make()];
  for (let n = 0; n < 3_000; n++) a.root.tags.add(`element ${n}`);
  const [left, right] = portPair();
  let longest = 0;
  const short = { ...left, frameMax: 5_000, send: (frame) => ((longest = Math.max(longest, frame.length)), left.send(frame)) };
  a.connect(short);
  b.connect(right);
  await until(() => same(a, b));
  a.edit(() => {
    for (let n = 0; n < 3_000; n++) a.root.tags.delete(`element ${n}`);
  });
  await until(() => same(a, b));
  assert.ok(longest > 2_000 && longest <= 5_000, `${longest} bytes`);
  for (const doc of [a, b]) doc.dispose();
});

/** A socket as far as the client looks at it. */
function fakeSockets() {
  const sockets = [];
  const open = () => {
    const socket = { bufferedAmount: 0, sent: [], closed: false, send: (data) => socket.sent.push(data), close: () => (socket.closed = true) };
    sockets.push(socket);
    return socket;
  };
  return { sockets, open };
}

test("a socket that is silent is doubted after 45 seconds and given up after 10 more; what was too long is sent in less", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, open } = fakeSockets();
  const frames = [];
  const stop = webSocket("ws://nowhere", { open }).start("d", { status() {}, port: (port) => (frames.push(port.frameMax), port.open(() => {})) });
  // In steps, as a timer that is set in a tick begins at its end.
  const pass = (seconds) => {
    for (let ms = 0; ms < 1000 * seconds; ms += 100) context.mock.timers.tick(100);
  };
  const next = async () => {
    // Whatever the pause is.
    for (let n = 0; n < 600 && sockets.at(-1).closed; n++) pass(0.1);
    await sockets.at(-1).onopen();
    return sockets.at(-1);
  };
  const first = await next();
  pass(44);
  first.onmessage({ data: new ArrayBuffer(1) });
  pass(54.8);
  assert.equal(first.closed, false);
  pass(0.4);
  assert.equal(first.closed, true);
  const second = await next();
  assert.notEqual(second, first);
  pass(46);
  second.onmessage({ data: new ArrayBuffer(1) });
  pass(46);
  assert.equal(second.closed, false, "it answered");
  for (let times = 0; times < 6; times++) {
    const socket = sockets.at(-1);
    socket.closed = true;
    socket.onclose({ code: 1009 });
    await next();
  }
  assert.deepEqual(frames, [undefined, undefined, ...[256, 64, 16, 4, 4, 4].map((kib) => kib * 1024)]);
  stop();
});

test("a page on a channel leaves nothing behind that listens, and says once that it is here", async (context) => {
  const listeners = new Map();
  globalThis.addEventListener = (type, f) => listeners.set(f, type);
  globalThis.removeEventListener = (type, f) => listeners.delete(f);
  context.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const fire = (type) => [...listeners].forEach(([f, of]) => of === type && f());
  const heard = [];
  const ear = new BroadcastChannel("crdt:one page");
  ear.onmessage = ({ data }) => heard.push(data.kind);
  const stop = broadcast().start("one page", { port() {}, status() {} });
  fire("pageshow");
  await until(() => heard.length > 0);
  await sleep(20);
  assert.deepEqual(heard, ["here"], "the first showing is no return");
  fire("pagehide");
  fire("pageshow");
  await until(() => heard.length === 3);
  assert.deepEqual(heard.slice(1), ["gone", "here"]);
  stop();
  assert.deepEqual([...listeners.values()], []);
  ear.close();
});

test("a link ends with the block that it was made in", () => {
  const doc = make();
  const link = doc.connect(portPair()[0]);
  link[Symbol.dispose ?? "close"]();
  assert.equal(link.status.snapshot().state, "closed");
  doc.dispose();
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
