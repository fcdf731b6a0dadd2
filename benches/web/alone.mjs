// What needs a process of its own, for one contestant: `node --expose-gc alone.mjs (import | memory) file name`. Prints a number.
const [what, file, name] = process.argv.slice(2);
const start = performance.now();
const peer = (await import(`./contestant/${file}.mjs`))[name];
if (what === "import") {
  console.log((performance.now() - start) * 1e6);
} else {
  const DOCS = 2_000;
  const make = (at) => {
    const doc = peer.make();
    peer.count(doc);
    peer.add(doc, `key-${at}`);
    return doc;
  };
  const used = () => {
    global.gc();
    return process.memoryUsage.rss();
  };
  // What is needed once, however many there are, and what the first ones make the engine compile.
  const all = Array.from({ length: 200 }, (_, at) => make(at));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const before = used();
  for (let at = 0; at < DOCS; at++) all.push(make(at));
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.log((used() - before) / DOCS);
  if (all.length !== DOCS + 200) throw new Error("they have to be there until now");
}
