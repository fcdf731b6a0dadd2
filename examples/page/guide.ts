// The guided minute: six steps through what replicas do, in two tabs that follow each other.
import type { Act } from "./card.ts";
import { byId, did, el, keep, onDid, write } from "./dom.ts";
import type { Here } from "./here.ts";
import type { Stall } from "./market.ts";
import { guide as texts } from "./texts.ts";

/** One half of a step: what to do in a tab, what counts as having done it, and a hand for who does not want to. */
interface Half {
  readonly text: string;
  readonly done?: RegExp;
  readonly hand?: () => void;
}

interface Step {
  readonly title: string;
  /** What to look at; the first of them is scrolled to. */
  readonly watch: string;
  /** In the tab that leads. */
  readonly here: Half;
  /** In the others. */
  readonly there: Half;
}

/** Between the tabs of one browser, beside all links of the replicas: the guide goes on while they are cut. */
type Word = { kind: "hello" } | { kind: "step"; at: number; tag: string } | { kind: "did"; at: number } | { kind: "end" };

const BREAD = '[data-product="bread"]';

export class Guide {
  readonly #stall: Stall;
  readonly #here: Here;
  readonly #sum: () => string;
  readonly #act: Act;
  readonly #channel: BroadcastChannel;
  #role: "leads" | "follows" | undefined;
  #at = 0;
  #tag = "";
  #did = { here: false, there: false };
  #compare: ReturnType<typeof setTimeout> | undefined;

  constructor(stall: Stall, act: Act, here: Here, sum: () => string) {
    this.#stall = stall;
    this.#act = act;
    this.#here = here;
    this.#sum = sum;
    this.#channel = new BroadcastChannel(`guide of ${stall.documentId}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data as Word);
    byId("guide-start").addEventListener("click", () => this.#lead());
    byId("guide-close").addEventListener("click", () => this.#close());
    byId("guide-back").addEventListener("click", () => this.#go(this.#at - 1));
    byId("guide-next").addEventListener("click", () => (this.#at + 1 < this.#steps.length ? this.#go(this.#at + 1) : this.#close()));
    byId("guide-do").addEventListener("click", () => this.#half?.hand?.());
    addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.#role) this.#close();
    });
    addEventListener("pagehide", () => this.#role === "leads" && this.#say({ kind: "end" }));
    onDid((what) => {
      if (!this.#half?.done?.test(what)) return;
      if (this.#role === "follows") this.#say({ kind: "did", at: this.#at });
      this.#tick(this.#role === "leads" ? "here" : "there");
    });
    this.#say({ kind: "hello" });
  }

  get #steps(): readonly Step[] {
    const { bread } = this.#stall.root;
    const edit = (part: string, f: () => void) => () => {
      this.#act(f);
      did(`bread ${part}`);
    };
    const press = (id: string) => () => byId(id).click();
    const line = (on: boolean) => () => {
      if ((byId("online").getAttribute("aria-checked") === "true") !== on) byId("online").click();
    };
    const dearer = (cents: number) => () => bread.price.set(Math.max(0, ...bread.price.values.map(({ value }) => value)) + cents);
    const tag = this.#tag;
    return [
      {
        title: texts.twoTabs.title,
        watch: `${BREAD}, #news-panel`,
        here: { text: texts.twoTabs.here, done: /^bread /, hand: edit("stock", () => bread.stock.decrement()) },
        there: { text: texts.twoTabs.there, done: /^bread /, hand: edit("likes", () => bread.likes.increment()) },
      },
      {
        title: texts.cut.title,
        watch: "#online, #state",
        here: { text: texts.cut.here, done: /^offline$/, hand: line(false) },
        there: { text: texts.cut.there },
      },
      {
        title: texts.prices.title,
        watch: `${BREAD} .price-field, #counts`,
        here: { text: texts.prices.here, done: /^bread price$/, hand: edit("price", dearer(20)) },
        there: { text: texts.prices.there, done: /^bread price$/, hand: edit("price", dearer(70)) },
      },
      {
        title: texts.tags.title,
        watch: `${BREAD} .tags, ${BREAD} .tag-form`,
        here: { text: texts.tags.here(tag), done: /^bread tags$/, hand: edit("tags", () => void bread.tags.add(tag)) },
        there: { text: texts.tags.there(tag), done: /^bread tags$/, hand: edit("tags", () => void bread.tags.delete(tag)) },
      },
      {
        title: texts.seat.title,
        watch: "#seats",
        here: { text: texts.seat.here, done: /^seats sell$/, hand: press("seats-sell") },
        there: { text: texts.seat.there, done: /^seats sell$/, hand: press("seats-sell") },
      },
      {
        title: texts.back.title,
        watch: `${BREAD}, #seats`,
        here: { text: texts.back.here, done: /^online$/, hand: line(true) },
        there: { text: texts.back.there },
      },
    ];
  }

  get #half(): Half | undefined {
    const step = this.#steps[this.#at];
    return this.#role && step && (this.#role === "leads" ? step.here : step.there);
  }

  #say(word: Word): void {
    this.#channel.postMessage(word);
  }

  #hear(word: Word): void {
    switch (word.kind) {
      case "hello":
        if (this.#role === "leads") this.#say({ kind: "step", at: this.#at, tag: this.#tag });
        break;
      case "step":
        // Somebody is in the middle of something here: the guide comes up, and leaves the focus where it is.
        this.#role = "follows";
        this.#tag = word.tag;
        if (word.at !== this.#at || byId("guide").hidden) this.#show(word.at);
        break;
      case "did":
        if (this.#role === "leads" && word.at === this.#at) this.#tick("there");
        break;
      case "end":
        if (this.#role === "follows") this.#end();
        break;
    }
  }

  #lead(): void {
    const { bread, seats } = this.#stall.root;
    this.#role = "leads";
    this.#tag = [...bread.tags][0] ?? texts.tag;
    // Two of the steps need something to begin with.
    if (!bread.tags.has(this.#tag)) this.#act(() => void bread.tags.add(this.#tag));
    if (seats.rights === 0) this.#act(() => seats.increment());
    this.#go(0);
  }

  #go(at: number): void {
    this.#say({ kind: "step", at, tag: this.#tag });
    this.#show(at);
    byId("guide-title").focus({ preventScroll: true });
  }

  #show(at: number): void {
    const step = this.#steps[at];
    if (!step) return;
    this.#at = at;
    this.#did = { here: false, there: false };
    clearTimeout(this.#compare);
    const [half, leads, last] = [this.#half, this.#role === "leads", at + 1 === this.#steps.length];
    byId("guide").hidden = false;
    document.documentElement.dataset.guide = "on";
    write(byId("guide-at"), texts.at(leads, at + 1, this.#steps.length));
    write(byId("guide-title"), step.title);
    write(byId("guide-text"), half?.text ?? "");
    byId("guide-do").hidden = !half?.hand;
    byId("guide-tab").hidden = !leads || at > 0;
    byId("guide-back").hidden = !leads || at === 0;
    byId("guide-next").hidden = !leads;
    write(byId("guide-next"), last ? texts.finish : texts.next);
    byId("guide-equal").replaceChildren();
    this.#ticks();
    this.#watch(step.watch);
    if (last) this.#same();
  }

  #tick(who: "here" | "there"): void {
    this.#did[who] = true;
    this.#ticks();
  }

  #ticks(): void {
    const step = this.#steps[this.#at];
    const tick = (half: Half | undefined, done: boolean, text: (done: boolean) => string) =>
      half?.done ? [el("span", { class: "tick", "data-done": done }, text(done))] : [];
    const { here, there } = this.#did;
    byId("guide-ticks").replaceChildren(
      ...(this.#role === "leads"
        ? [...tick(step?.here, here, texts.here), ...tick(step?.there, there, texts.there)]
        : tick(step?.there, there, texts.here)),
    );
  }

  #watch(selector: string): void {
    for (const element of document.querySelectorAll(".watch")) element.classList.remove("watch");
    if (!selector) return;
    const watched = document.querySelectorAll(selector);
    for (const element of watched) element.classList.add("watch");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const whole = watched[0]?.closest("[data-product], .panel") ?? watched[0];
    whole?.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  }

  /** Looks until all that can be asked have the same bytes. */
  async #same(): Promise<void> {
    const ours = this.#sum();
    const natives = this.#online ? await replicas() : [];
    const all = [...(this.#online ? this.#here.others : []), ...natives].map(({ name, sum }) => ({ name, same: sum === ours }));
    if (!this.#role || this.#at + 1 !== this.#steps.length) return;
    const list = byId("guide-equal");
    const items = keep(list, all.map(({ name }, at) => `${at} ${name}`), () => el("li"));
    all.forEach(({ name, same }, at) => {
      const item = items[at] as HTMLElement;
      write(item, texts.bytes(name, same));
      item.dataset.done = String(same);
    });
    const equal = all.length > 1 && all.every(({ same }) => same);
    list.dataset.equal = String(equal);
    // Warehouse and Kiosk go on with their work, so it is only for a moment that all are looked at in one state.
    if (!equal) this.#compare = setTimeout(() => void this.#same(), 400);
  }

  get #online(): boolean {
    return document.documentElement.dataset.offline !== "true";
  }

  #close(): void {
    if (this.#role === "leads") this.#say({ kind: "end" });
    this.#end();
    byId("guide-start").focus({ preventScroll: true });
  }

  #end(): void {
    this.#role = undefined;
    clearTimeout(this.#compare);
    byId("guide").hidden = true;
    delete document.documentElement.dataset.guide;
    this.#watch("");
  }
}

/** What the replicas in Rust have, as they say. */
async function replicas(): Promise<{ name: string; sum: string }[]> {
  try {
    return (await (await fetch("/replicas.json")).json()) as { name: string; sum: string }[];
  } catch {
    return []; // the server is gone
  }
}
