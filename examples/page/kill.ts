// A tab that dies without a last word, and what is there when it is opened again.
import * as banner from "./banner.ts";
import type { Disk } from "./disk.ts";
import { byId } from "./dom.ts";
import { editsOf, type Stall } from "./market.ts";
import { killed, trouble } from "./texts.ts";

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
  if (here < saved) return banner.trouble(trouble.lost(saved, here));
  banner.note(killed(here, unsaved + saved - here));
}
