// What the script says to people stands in one file.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const PAGE = new URL("../", import.meta.url);

/** Names that only programs read: a key, what the guide waits for, places in the store of the browser, a channel, classes. */
const NAMES = ["Escape", "bread ", "seats sell", "hue of ", "only here: ", "guide of ", "strip grew"];

/** What a source is made of, as far as it matters here: what is skipped (comments, imports, classes of elements), and texts. */
const PARTS = /\/\/.*|\/\*[^]*?\*\/|^import [^;]*;|class: [^,}]*|"(?<plain>(?:[^"\\\n]|\\.)*)"|`(?<template>(?:[^`\\]|\\.)*)`/gm;

/** Whether a text is read by people: it begins like a sentence, or has words side by side or beside a value. */
const isSaid = (text) => !NAMES.includes(text) && /^\s*\p{Lu}\p{Ll}|\p{L}{2,} \p{L}|^ \p{L}{2,}|\p{L}{2,} $/u.test(text);

function saidIn(name) {
  const found = readFileSync(new URL(name, PAGE), "utf8").matchAll(PARTS);
  const texts = [...found].flatMap(({ groups: { plain, template } }) => (plain === undefined ? (template ?? "").split(/\$\{[^}]*\}/) : [plain]));
  return texts.filter(isSaid);
}

test("all that the script says is in one file", () => {
  const sources = readdirSync(PAGE).filter((name) => name.endsWith(".ts") && name !== "texts.ts");
  assert.deepEqual(sources.flatMap((name) => saidIn(name).map((text) => `${name}: ${text}`)), []);
  // A check that finds nothing has to be able to find something.
  assert.ok(saidIn("texts.ts").length > 80, "what is said is found where it is");
});
