// What the README shows for Svelte, Vue and Solid: the blocks as they stand there, bundled with the framework as for a page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { build } from "esbuild";

import { make } from "./help.mjs";

const here = new URL("..", import.meta.url).pathname;
const README = readFileSync(`${here}README.md`, "utf8");

/** The block that begins with this comment, and what a page would take of the framework beside it. */
async function page(framework, beside) {
  const [, block] = README.match(new RegExp(`\`\`\`javascript\\n(// ${framework}[\\s\\S]*?)\`\`\``)) ?? assert.fail(`no block for ${framework}`);
  const { outputFiles } = await build({
    stdin: { contents: block + beside, resolveDir: here },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const doc = make();
after(() => doc.dispose());
const { stock } = doc.root;

test("Svelte: a store that tells its value at once, and what it becomes", async () => {
  const { storeOf, derived } = await page("Svelte", 'export { derived } from "svelte/store";');
  const told = [];
  const twice = derived(storeOf(stock), (value) => 2 * value);
  const start = stock.snapshot();
  const stop = twice.subscribe((value) => told.push(value));
  stock.increment(3);
  stop();
  stock.increment();
  assert.deepEqual(told, [2 * start, 2 * (start + 3)]);
});

test("Vue: a reference that follows, until its scope is gone", async () => {
  const { useField, effectScope, nextTick, watchEffect } = await page("Vue", 'export { effectScope, nextTick, watchEffect } from "vue";');
  const [told, scope, start] = [[], effectScope(), stock.snapshot()];
  const value = scope.run(() => {
    const value = useField(stock);
    watchEffect(() => told.push(value.value));
    return value;
  });
  stock.increment(3);
  await nextTick();
  scope.stop();
  stock.increment();
  await nextTick();
  assert.deepEqual(told, [start, start + 3]);
  assert.equal(value.value, start + 3, "nobody listens any more");
});

test("Solid: a signal that follows, until its owner is gone", async () => {
  const { useField, createRoot, createRenderEffect } = await page("Solid", 'export { createRenderEffect, createRoot } from "solid-js";');
  const [told, start] = [[], stock.snapshot()];
  const [value, dispose] = createRoot((dispose) => {
    const value = useField(stock);
    createRenderEffect(() => told.push(value()));
    return [value, dispose];
  });
  stock.increment(3);
  dispose();
  stock.increment();
  assert.deepEqual(told, [start, start + 3]);
  assert.equal(value(), start + 3, "nobody listens any more");
});
