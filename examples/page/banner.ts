// What everybody has to see, above all else.
import { byId, write } from "./dom.ts";

function show(id: "trouble" | "note", text: string): void {
  const banner = byId(id);
  write(banner.querySelector("span") as HTMLElement, text);
  banner.hidden = false;
}

/** Shows what went wrong. */
export const trouble = (text: string) => show("trouble", text);

/** Shows what is good to know, until it is put away. */
export function note(text: string): void {
  show("note", text);
  byId("note-close").onclick = () => {
    byId("note").hidden = true;
    byId("goods").focus();
  };
}
