import { useState, type FormEvent } from "react";
import { useField, useStatus } from "crdt-wasm/react";

import { type Item, list } from "./list";

export function App() {
  // The names only: an item that changes draws itself.
  const names = useField(list.root.items, (items) => Object.keys(items).sort().join("\n"));
  return (
    <>
      <Title />
      <ul>
        {names.split("\n").filter(Boolean).map((name) => (
          <Row key={name} name={name} item={list.root.items.get(name)} />
        ))}
      </ul>
      <Add />
      <Standing />
    </>
  );
}

function Title() {
  const title = useField(list.root.title) ?? "";
  return <input className="title" aria-label="Title" placeholder="A list" value={title} onChange={({ target }) => list.root.title.set(target.value)} />;
}

function Row({ name, item }: { name: string; item: Item }) {
  const { amount, bought } = useField(item);
  return (
    <li className={bought ? "bought" : ""}>
      <label>
        <input type="checkbox" checked={bought} onChange={({ target }) => item.bought.set(target.checked)} />
        {name}
      </label>
      <button aria-label={`one ${name} less`} onClick={() => item.amount.decrement()}>−</button>
      <output aria-label={`how many ${name}`}>{String(amount)}</output>
      <button aria-label={`one ${name} more`} onClick={() => item.amount.increment()}>+</button>
      <button aria-label={`no ${name}`} onClick={() => list.root.items.delete(name)}>×</button>
    </li>
  );
}

function Add() {
  const [name, setName] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    // Lines part the names above.
    const key = name.trim().replace(/\s+/g, " ");
    if (key) list.root.items.get(key).amount.increment();
    setName("");
  };
  return (
    <form onSubmit={add}>
      <input aria-label="What else" placeholder="What else?" value={name} onChange={({ target }) => setName(target.value)} />
      <button>Add</button>
    </form>
  );
}

/** Is it saved, is anybody there, what exists only here? */
function Standing() {
  const { link, storage, unacked } = useStatus(list);
  return (
    <footer role="status">
      {storage} · {link === "synced" ? "in step with others" : "nobody else is here"}
      {unacked > 0 && ` · edits that no server has: ${unacked}`}
    </footer>
  );
}
