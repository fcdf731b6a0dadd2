// The React binding: on a server, in a tree that is updated, and with selectors that make new objects.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createElement, StrictMode, useState } from "react";
import { renderToString } from "react-dom/server";

import { useField } from "crdt-wasm/react";
import { make } from "./help.mjs";

function Stock({ doc }) {
  const stock = useField(doc.root.stock);
  const { names } = useField(doc, pick);
  return createElement("p", null, `${stock} ${names.join()}`);
}
const pick = ({ tags }) => ({ names: tags.map((tag) => tag.toUpperCase()) });

test("a server renders what the document holds", () => {
  const doc = make();
  doc.root.stock.increment(3);
  doc.root.tags.add("a");
  const other = make({ initial: doc.encode() });
  assert.equal(renderToString(createElement(StrictMode, null, createElement(Stock, { doc: other }))), "<p>3 A</p>");
});
