// All that the script says to people, in one place. What never changes is in `index.html`: it is there before any script runs,
// and for who reads the page without one.

const count = (many: number, one: string) => (many === 1 ? `1 ${one}` : `${many} ${one}s`);
const because = (error: unknown) => (error instanceof Error ? error.message : String(error));
/** Up is more, down is fewer. */
const moved = (by: number | bigint) => (by > 0 ? `${by} more` : `${-by} fewer`);

/** As people write prices. */
export const money = (cents: number) => `€ ${(cents / 100).toFixed(2)}`;

export const bytes = (size: number) => (size < 1_000 ? `${size} B` : `${(size / 1_000).toFixed(1)} kB`);

/** What replicas are called. */
export const names = {
  self: "this tab",
  relay: "the relay",
  unknown: (replica: string) => `replica ${replica.slice(0, 6)}`,
  nobody: "somebody",
};

export const trouble = {
  notOpened: (error: unknown) => `The stall could not be opened: ${because(error)}`,
  notMade: (error: unknown) => `That edit was not made: ${because(error)}`,
  storageFailed: "The store of this browser failed: edits are refused from here on.",
  reopened: "The package broke, and this stall was opened again from the store of this browser.",
  replicaChanged: "Somebody else wrote under the id of this tab: it goes on under a fresh one.",
  lost: (saved: number, here: number) => `Lost: ${saved} edits of the killed tab had been saved, and ${here} are here.`,
};

/** What a browser keeps from a page that came over a network in the clear. */
export const insecure =
  "This address is not a secure one (no https, not this machine), so the browser gives no locks: the relay lends this tab an id instead " +
  "of a stored one, and takes it back when the page goes. Everything else works.";

/** After a kill: how many edits are here, and how many had not been saved. */
export const killed = (here: number, gone: number) =>
  `The tab was killed. ${here === 1 ? "The edit" : `All ${here} edits`} that it had saved ${here === 1 ? "is" : "are"} here. ` +
  (gone > 0
    ? `${count(gone, "edit")} that ${gone === 1 ? "was" : "were"} not saved yet ${gone === 1 ? "is" : "are"} gone; nobody had seen ${gone === 1 ? "it" : "them"}.`
    : "Nothing was unsaved.");

export const card = {
  onlyHere: "not sent yet",
  lookers: (of: string) => `Who looks at ${of}`,
  title: (of: string) => `Title of ${of}`,
  open: "For sale",
  openLabel: (of: string) => `${of} is for sale`,
  price: "Price",
  prices: (many: number) => (many > 1 ? `${many} prices` : "no price yet"),
  pricesLabel: (of: string) => `Prices of ${of} that were written at once`,
  highest: "Take the highest",
  highestLabel: (of: string) => `Take the highest price for ${of}`,
  stock: "In stock",
  stockLabel: (of: string) => `Stock of ${of}`,
  less: (of: string) => `One ${of} less`,
  more: (of: string) => `One ${of} more`,
  like: (of: string) => ` likes. Like ${of}`,
  newTag: "Add a tag",
  newTagLabel: (of: string) => `New tag for ${of}`,
  addTag: "Add",
  addTagLabel: (of: string) => `Add this tag to ${of}`,
  removeTag: (tag: string, of: string) => `Remove the tag ${tag} of ${of}`,
  toCart: "Put in cart",
  toCartLabel: (of: string) => `Put in cart: ${of}`,
};

export const conflict = {
  title: "Written without seeing each other:",
  choice: (letter: string, value: string) => `${letter}: ${value}`,
  by: (who: string) => ` by ${who}`,
  keep: (letter: string) => `Keep ${letter}`,
  keepLabel: (letter: string, value: string, who: string, of: string) => `Keep ${letter}: ${value} by ${who}, for ${of}`,
};

export const cart = {
  pieces: (of: string) => `How many ${of}`,
  less: (of: string) => `One ${of} less in the cart`,
  more: (of: string) => `One ${of} more in the cart`,
  remove: (of: string) => `Take ${of} out of the cart`,
  note: "Note",
  noteLabel: (of: string) => `Note on ${of}`,
  notes: (many: number) => (many > 1 ? `${many} notes` : "no note yet"),
  notesLabel: (of: string) => `Notes on ${of} that were written at once`,
  quote: (note: string) => `“${note}”`,
  all: "Keep all",
  allLabel: (of: string) => `Keep all notes on ${of}`,
};

const left = (seats: number) => `${count(seats, "seat")} left`;

export const seats = {
  sold: (seats: number) => `Sold. ${left(seats)}.`,
  none: "Refused: no seat is left.",
  noRight: (seats: number) => `Refused: ${left(seats)}, but the right to sell is held by another replica. If both could sell without asking, one seat would be sold twice.`,
  added: "One seat more, and the right to sell it is here.",
  handed: (to: string) => `${to} may sell one seat more, this tab one less.`,
  nothingToHand: "There is no right here to hand over.",
  nobody: "nobody yet",
};

export const here = {
  looks: (who: string) => `${who} looks at this`,
  looksAt: (title: string) => `looks at ${title}`,
  alone: "Nobody else. Open another tab, or this page in another browser.",
  offline: "Offline: nobody can be seen.",
};

/** What came from elsewhere; `of` is the title of a product. */
export const news = {
  many: (changes: number) => `${changes} things changed`,
  liked: (of: string) => `${of}: liked`,
  stock: (of: string, by: number | bigint) => `${of}: ${moved(by)} in stock`,
  open: (of: string, open: boolean) => `${of}: ${open ? "for sale" : "not for sale"}`,
  tagAdded: (of: string, tag: unknown) => `${of}: tag “${tag}” added`,
  tagRemoved: (of: string, tag: unknown) => `${of}: tag “${tag}” removed`,
  title: (title: unknown) => `A title is now “${title}”`,
  prices: (of: string) => `${of}: several prices were written at once`,
  price: (of: string, cents: number) => `${of}: now ${money(cents)}`,
  inCart: (of: string) => `${of}: put in the cart`,
  outOfCart: (of: string) => `${of}: taken out of the cart`,
  pieces: (of: string, by: number | bigint) => `${of}: ${moved(by)} in the cart`,
  notes: (of: string) => `${of}: several notes were written at once`,
  note: (of: string, note: unknown) => `${of}: note “${note}”`,
  noNote: (of: string) => `${of}: its note was taken away`,
};

export const tab = {
  /** What tabs call themselves, until somebody knows better. */
  birds: [
    ...["Avocet", "Bittern", "Dipper", "Dunlin", "Egret", "Fieldfare", "Goldcrest", "Heron", "Hoopoe", "Kestrel", "Knot", "Linnet"],
    ...["Martin", "Merlin", "Nightjar", "Osprey", "Plover", "Redstart", "Robin", "Siskin", "Swift", "Teal", "Wagtail", "Wren"],
  ],
  colours: ["Brick", "Fern", "Lake", "Ochre", "Plum", "Teal"],
  link: {
    offline: "Offline: edits wait here",
    connecting: "Looking for the others…",
    syncing: "Finding out what differs…",
    synced: "In step with the others",
  },
  storage: { memory: "in memory only", saving: "saving…", saved: "saved in this browser", failed: "failed: edits are refused" },
  identity: {
    stored: "stored: a later tab goes on with it",
    home: "lent by the relay, and given back",
    ephemeral: "ephemeral: of this page alone",
  },
  unsaved: ["Unsaved", "lost in a crash"],
  unsent: ["Unsent", "only in this browser"],
  acknowledged: ["Acknowledged", "stored elsewhere"],
  facts: ["Storage", "Replica id", "Kind of id", "State"],
  unknown: "…",
} as const;

export const who = {
  strip: (name: string, has: number, of: number) => `${name} ${has}/${of}`,
  caption: "How many edits of each writer a replica is known to have",
  replica: "Replica",
  writer: (name: string) => `by ${name}`,
  cell: (has: number, of: number) => `${has} of ${of}`,
};

export const traffic = {
  sent: ["Sent", "since this tab was opened"],
  received: ["Received", "since this tab was opened"],
  last: ["Last edit online", "sent on all links until it was acknowledged"],
  whole: ["Whole state", "what sending everything would cost, on each link"],
  underWay: "on its way…",
  none: "–",
  unknown: "…",
} as const;

export const guide = {
  at: (leads: boolean, step: number, of: number) => `${leads ? "Guided minute" : "Guided minute, led by the other tab"} · ${step} of ${of}`,
  next: "Next",
  finish: "Finish",
  here: (done: boolean) => (done ? "✓ done here" : "○ to do here"),
  there: (done: boolean) => (done ? "✓ done in the other tab" : "○ to do in the other tab"),
  bytes: (name: string, same: boolean) => (same ? `= ${name} has the same bytes` : `≠ ${name} has others yet`),
  /** The tag that one tab adds while the other removes it, if there is none yet. */
  tag: "baked today",
  twoTabs: {
    title: "Two tabs, one stall",
    here: "Open another tab and put it beside this one. Take a loaf out of stock here, and like the bread over there: each sees the other’s edit at once.",
    there: "Like the bread here. The other tab sees it at once.",
  },
  cut: {
    title: "Cut the line",
    here: "Go offline. Only the links of this tab are cut: the other one goes on, and so do Warehouse and Kiosk.",
    there: "The other tab cuts its links now. This one stays online.",
  },
  prices: {
    title: "Both write a price",
    here: "Write another price for the bread here, and yet another in the other tab. Neither can know of the other; what is unsent is counted under “This tab”.",
    there: "Write another price for the bread here as well. The other tab can’t know of it.",
  },
  tags: {
    title: "Add against remove",
    here: (tag: string) => `Add the tag “${tag}” to the bread once more here, and remove it in the other tab. Who will win?`,
    there: (tag: string) => `Remove the tag “${tag}” from the bread here. The other tab adds it at the same time.`,
  },
  seat: {
    title: "Sell the last seat twice",
    here: "The right to sell a seat is in this tab. Sell it here, without asking anybody; then try to sell it in the other tab, which still shows it.",
    there: "This tab still shows the seat. Try to sell it: without the right to it, it is refused.",
  },
  back: {
    title: "Come back",
    here: "Go online. Both prices stand side by side until somebody decides, the tag that was added stays, the seat was sold once, and everybody ends with the same bytes:",
    there: "The other tab comes back. Both prices stand side by side, the tag that was added stays, the seat was sold once.",
  },
};
