// A tab that dies without a last word, and what is there when it is opened again.
import { note, trouble } from "./banner.ts";
import type { Disk } from "./disk.ts";
import { byId } from "./dom.ts";
import { editsOf, type Stall } from "./market.ts";

/** Where the next page finds what the dead one had been told was saved. */
const GRAVE = "killed";

interface Grave {
  readonly replica: string;
  readonly saved: number;
  readonly unsaved: number;
}

export function killable(stall: Stall, disk: Disk): void {
  byId("kill").addEventListener("click", () => {
    const { unsaved } = stall.status.snapshot();
    const grave: Grave = { replica: stall.replicaId, saved: editsOf(stall, stall.replicaId) - unsaved, unsaved };
    sessionStorage.setItem(GRAVE, JSON.stringify(grave));
    disk.pull();
    location.reload();
  });
  const slow = byId("slow");
  slow.addEventListener("click", () => {
    disk.slow = !disk.slow;
    slow.setAttribute("aria-checked", String(disk.slow));
  });

  const found = sessionStorage.getItem(GRAVE);
  if (!found) return;
  sessionStorage.removeItem(GRAVE);
  const { replica, saved, unsaved } = JSON.parse(found) as Grave;
  const here = editsOf(stall, replica);
  if (here < saved) return trouble(`Lost: ${saved} edits of the killed tab had been saved, and ${here} are here.`);
  const gone = unsaved + saved - here;
  const edits = (count: number) => (count === 1 ? "1 edit" : `${count} edits`);
  note(
    `The tab was killed. ${here === 1 ? "The edit" : `All ${here} edits`} that it had saved ${here === 1 ? "is" : "are"} here. ` +
      (gone > 0 ? `${edits(gone)} that ${gone === 1 ? "was" : "were"} not saved yet ${gone === 1 ? "is" : "are"} gone; nobody had seen ${gone === 1 ? "it" : "them"}.` : "Nothing was unsaved."),
  );
}
