//! A random history of a few documents, told as the calls of the seam and their answers.
//!
//! `cargo run --example transcript -- SEED STEPS` prints one line per call: the function, its arguments, `=`, its answer;
//! numbers as they are, bytes as `x` and hexadecimal. Whoever makes the same calls elsewhere has to get the same answers: so
//! wasm is compared with native, frame by frame and row by row.
#![allow(clippy::print_stdout, reason = "the transcript belongs on the standard output")]

use std::collections::BTreeMap;
use std::fmt::Write;

use crdt_core::{Canonical, Value};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("SEED STEPS"));
    let (seed, steps) = (arguments.next().unwrap_or(1), arguments.next().unwrap_or(1_000));
    let mut history = History::new(seed);
    for _ in 0..steps {
        history.step();
    }
    history.end();
}

/// One argument or answer.
trait Told {
    fn tell(&self, line: &mut String);
}

impl Told for u32 {
    fn tell(&self, line: &mut String) {
        let _ = write!(line, "{self}");
    }
}

impl Told for f64 {
    fn tell(&self, line: &mut String) {
        // As JavaScript spells it, for all that is used here.
        let _ = write!(line, "{self}");
    }
}

impl Told for [u8] {
    fn tell(&self, line: &mut String) {
        line.push('x');
        for byte in self {
            let _ = write!(line, "{byte:02x}");
        }
    }
}

impl Told for Vec<u8> {
    fn tell(&self, line: &mut String) {
        self.as_slice().tell(line);
    }
}

/// Calls, tells, and gives back the answer.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        let answer = crdt_wasm::$name($($argument),*);
        let mut line = String::from(stringify!($name));
        $(
            line.push(' ');
            Told::tell(&*told(&$argument), &mut line);
        )*
        line.push_str(" = ");
        Told::tell(&*told(&answer), &mut line);
        println!("{line}");
        answer
    }};
}

/// Looks through a reference to bytes, so that arguments and answers are told alike.
fn told<T: ?Sized + Look>(item: &T) -> &T::Told {
    item.look()
}

trait Look {
    type Told: ?Sized + Told;
    fn look(&self) -> &Self::Told;
}

impl Look for u32 {
    type Told = u32;
    fn look(&self) -> &u32 {
        self
    }
}

impl Look for f64 {
    type Told = f64;
    fn look(&self) -> &f64 {
        self
    }
}

impl Look for Vec<u8> {
    type Told = [u8];
    fn look(&self) -> &[u8] {
        self
    }
}

impl Look for &Vec<u8> {
    type Told = [u8];
    fn look(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> Look for &[u8; N] {
    type Told = [u8];
    fn look(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Look for &[u8] {
    type Told = [u8];
    fn look(&self) -> &[u8] {
        self
    }
}

const DOCS: usize = 3;
const NAMES: [(&str, u32); 12] = [
    ("visits", 1),
    ("stock", 2),
    ("seats", 3),
    ("likes", 4),
    ("title", 5),
    ("price", 6),
    ("open", 7),
    ("shut", 8),
    ("ever", 9),
    ("tags", 10),
    ("bans", 11),
    ("prefs", 13),
];

struct Page {
    doc: u32,
    /// The link to each other page.
    links: [u32; DOCS],
    /// Frames on their way from each of them.
    inbox: [Vec<Vec<u8>>; DOCS],
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    version: Vec<u8>,
}

struct History {
    chance: u64,
    now: f64,
    lives: u8,
    pages: Vec<Page>,
    /// Bytes that were seen somewhere, to be tried elsewhere, broken.
    seen: Vec<Vec<u8>>,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut history =
            Self { chance: seed.wrapping_mul(2) + 1, now: 0.0, lives: 0, pages: Vec::new(), seen: Vec::new() };
        for _ in 0..DOCS {
            let page = history.open(BTreeMap::new());
            history.pages.push(page);
        }
        for here in 0..DOCS {
            history.dial(here);
        }
        history
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 11) % bound
    }

    fn wall(&self) -> f64 {
        1.79e12 + self.now
    }

    fn open(&mut self, rows: BTreeMap<Vec<u8>, Vec<u8>>) -> Page {
        self.lives += 1;
        let (id, seed) = ([self.lives; 16], [self.lives ^ 0x3C; 32]);
        let mut packed = (rows.len() as u32).to_le_bytes().to_vec();
        for part in rows.iter().flat_map(|(key, row)| [key, row]) {
            packed.extend((part.len() as u32).to_le_bytes());
            packed.extend(part);
        }
        let load = call!(load_begin(0.75)) as u32;
        call!(load(load, &packed));
        while call!(fold(load))[1..] != [0; 4] {}
        let doc = call!(open(&[7; 16], &id, &seed, 4, load, self.now, self.wall())) as u32;
        let version = call!(version(doc))[1..].to_vec();
        Page { doc, links: [0; DOCS], inbox: Default::default(), rows, version }
    }

    /// Both ends of the links between a page and all others.
    fn dial(&mut self, here: usize) {
        for there in (0..DOCS).filter(|there| *there != here) {
            for (from, to) in [(here, there), (there, here)] {
                let (doc, old) = (self.pages[from].doc, self.pages[from].links[to]);
                if old != 0 {
                    call!(link_close(doc, old, self.now, self.wall()));
                }
                self.pages[from].links[to] = call!(link_open(doc, 0u32, self.now, self.wall())) as u32;
                self.pages[from].inbox[to].clear();
            }
        }
    }

    fn step(&mut self) {
        self.now += self.below(40) as f64;
        let here = self.below(DOCS as u64) as usize;
        match self.below(100) {
            0..45 => self.edit(here),
            45..85 => self.exchange(here),
            85..90 => self.bring(here),
            90..93 => self.harm(here),
            93..95 => self.dial(here),
            95 => self.restart(here),
            _ => self.look(here),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let n = self.below(6);
        let value = match self.below(6) {
            0 => Value::Int(i128::from(n) - 2),
            1 => Value::Text(format!("wort-{n}")),
            2 => Value::Text("ä".repeat(n as usize)),
            3 => Value::Float(crdt_core::Float::new(n as f64 / 3.0).expect("a finite number")),
            4 => Value::List(vec![Value::Null, Value::Bool(n > 2), Value::Bytes(vec![n as u8; 3])]),
            _ => Value::Record(vec![("a".into(), Value::Int(1)), ("b".into(), Value::Int(i128::from(n)))]),
        };
        value.encode()
    }

    /// A place: a field of the root, or one below a key.
    fn place(&mut self, doc: u32) -> u32 {
        if self.below(3) > 0 {
            let (name, kind) = NAMES[self.below(NAMES.len() as u64) as usize];
            return call!(field(doc, 0u32, name.as_bytes(), kind)) as u32;
        }
        let cart = call!(field(doc, 0u32, b"cart".as_slice(), 12u32)) as u32;
        let key = self.value();
        let line = call!(field(doc, cart, &key, 14u32)) as u32;
        let (name, kind) = [("qty", 4), ("note", 6), ("tags", 10)][self.below(3) as usize];
        let at = call!(field(doc, line, name.as_bytes(), kind)) as u32;
        // What is below holds what is above.
        call!(release(doc, line));
        call!(release(doc, cart));
        at
    }

    fn edit(&mut self, here: usize) {
        let doc = self.pages[here].doc;
        call!(begin(doc, self.now, self.wall()));
        for _ in 0..=self.below(4) {
            let at = self.place(doc);
            let value = self.value();
            // Most do not fit the place, and are refused.
            match self.below(8) {
                0 | 1 => {
                    let by = self.below(9) as f64 - 3.0;
                    call!(add(doc, at, by));
                }
                2 => {
                    let on = self.below(2) as u32;
                    call!(set_flag(doc, at, on));
                }
                3 => {
                    call!(write(doc, at, &value));
                }
                4 | 5 => {
                    call!(insert(doc, at, &value));
                }
                6 => {
                    call!(remove(doc, at, &value));
                }
                _ => {
                    let key = self.value();
                    call!(write_entry(doc, at, &key, &value));
                }
            }
            if self.below(3) == 0 {
                call!(read(doc, at));
            }
            if self.below(12) == 0 {
                call!(clear(doc, at));
            }
            call!(release(doc, at));
        }
        let flush = self.below(4) / 3;
        call!(commit(doc, flush as u32));
    }

    /// Takes what has come, and passes on what comes out.
    fn exchange(&mut self, here: usize) {
        for there in 0..DOCS {
            let frames = std::mem::take(&mut self.pages[here].inbox[there]);
            for frame in frames {
                let (doc, link) = (self.pages[here].doc, self.pages[here].links[there]);
                call!(link_receive(doc, link, &frame, self.now, self.wall()));
                self.seen.push(frame);
            }
        }
        self.poll(here);
    }

    fn poll(&mut self, here: usize) {
        loop {
            let doc = self.pages[here].doc;
            let bytes = call!(poll(doc, self.now, self.wall()));
            let mut ticket = None;
            let mut items = Items(&bytes[9..]);
            while let Some(item) = items.next() {
                match item {
                    Item::Transmit(link, frame) => {
                        let there = self.pages[here].links.iter().position(|known| *known == link);
                        if let Some(there) = there {
                            self.pages[there].inbox[here].push(frame);
                        }
                    }
                    Item::Persist(last, rows) => {
                        self.seen.extend(rows.iter().map(|(_, row)| row.clone()));
                        self.pages[here].rows.extend(rows);
                        ticket = Some(last);
                    }
                    Item::Delta(delta) => self.seen.push(delta),
                }
                if items.stopped() {
                    break;
                }
            }
            let Some(ticket) = ticket else { return };
            call!(durable(doc, ticket, self.now, self.wall()));
        }
    }

    /// What another one has, by no link.
    fn bring(&mut self, here: usize) {
        let there = (here + 1) % DOCS;
        let (doc, other) = (self.pages[here].doc, self.pages[there].doc);
        let bytes = match self.below(3) {
            0 => call!(encode(other)),
            1 => call!(state(other)),
            _ => call!(delta_since(other, &self.pages[here].version)),
        };
        call!(merge(doc, &bytes[1..], self.now, self.wall()));
        self.seen.push(bytes[1..].to_vec());
        self.pages[here].version = call!(version(doc))[1..].to_vec();
    }

    /// Bytes that were right somewhere, broken, to every door. Its links are shut by it, so they are dialled again.
    fn harm(&mut self, here: usize) {
        let doc = self.pages[here].doc;
        for _ in 0..8 {
            if self.seen.is_empty() {
                return;
            }
            let at = self.below(self.seen.len() as u64) as usize;
            let mut bytes = self.seen[at].clone();
            for _ in 0..=self.below(3) {
                if bytes.is_empty() {
                    break;
                }
                let at = self.below(bytes.len() as u64) as usize;
                match self.below(3) {
                    0 => bytes[at] = self.below(256) as u8,
                    1 => bytes.truncate(at),
                    _ => bytes.insert(at, self.below(256) as u8),
                }
            }
            // What is not recognisably broken would be a forgery, which members are trusted not to make: only its
            // refusal or its acceptance is told, by a document that nobody hears of.
            let load = call!(load_begin(0.25)) as u32;
            let scratch = call!(open(&[7; 16], &[99; 16], &[1; 32], 2u32, load, self.now, self.wall())) as u32;
            call!(merge(scratch, &bytes, self.now, self.wall()));
            let link = call!(link_open(scratch, 0u32, self.now, self.wall())) as u32;
            call!(link_receive(scratch, link, &bytes, self.now, self.wall()));
            call!(delta_since(scratch, &bytes));
            call!(insert(scratch, 0u32, &bytes));
            let broken = call!(load_begin(0.5)) as u32;
            call!(load(broken, &bytes));
            call!(fold(broken));
            call!(load_drop(broken));
            call!(state(scratch));
            call!(dispose(scratch));
        }
        call!(link_receive(doc, 77u32, b"no link".as_slice(), self.now, self.wall()));
    }

    /// A page is closed, and opened from its rows under another id.
    fn restart(&mut self, here: usize) {
        let doc = self.pages[here].doc;
        call!(flush(doc, self.now, self.wall()));
        self.poll(here);
        call!(dispose(doc));
        let rows = std::mem::take(&mut self.pages[here].rows);
        self.pages[here] = self.open(rows);
        for there in (0..DOCS).filter(|there| *there != here) {
            self.pages[there].inbox[here].clear();
        }
        self.dial(here);
    }

    fn look(&mut self, here: usize) {
        let doc = self.pages[here].doc;
        call!(inspect(doc));
        call!(digest(doc));
        call!(replica(doc));
        let at = self.place(doc);
        call!(read(doc, at));
        call!(size(doc, at));
        call!(flag(doc, at));
        let value = self.value();
        call!(has(doc, at, &value));
        call!(release(doc, at));
        let cart = call!(field(doc, 0u32, b"cart".as_slice(), 12u32)) as u32;
        let line = call!(pass(doc, cart, &value, 14u32)) as u32;
        let quantity = call!(pass(doc, line, b"qty".as_slice(), 4u32)) as u32;
        call!(counter(doc, quantity));
        call!(release(doc, cart));
    }

    /// Until all have the same.
    fn end(&mut self) {
        for here in 0..DOCS {
            self.dial(here);
        }
        for _ in 0..400 {
            self.now += 50.0;
            for here in 0..DOCS {
                self.exchange(here);
            }
        }
        let states: Vec<Vec<u8>> = (0..DOCS).map(|here| call!(state(self.pages[here].doc))).collect();
        let digests: Vec<Vec<u8>> = (0..DOCS).map(|here| call!(digest(self.pages[here].doc))).collect();
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "and equal digests");
        assert!(states.windows(2).all(|pair| pair[0] == pair[1]), "all have the same in the end");
    }
}

enum Item {
    Transmit(u32, Vec<u8>),
    Persist(f64, Vec<(Vec<u8>, Vec<u8>)>),
    Delta(Vec<u8>),
}

/// The items of `poll` that somebody has to act on. Changes and events are only compared.
struct Items<'b>(&'b [u8]);

impl Items<'_> {
    fn take(&mut self, len: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.u32() as usize;
        self.take(len).to_vec()
    }

    fn stopped(&self) -> bool {
        self.0.is_empty()
    }

    fn next(&mut self) -> Option<Item> {
        while !self.0.is_empty() {
            match self.take(1)[0] {
                1 => return Some(Item::Transmit(self.u32(), self.bytes())),
                2 => {
                    let ticket = self.f64();
                    let count = self.u32();
                    return Some(Item::Persist(ticket, (0..count).map(|_| (self.bytes(), self.bytes())).collect()));
                }
                3 => return Some(Item::Delta(self.bytes())),
                4 => self.skip_changes(),
                _ => self.skip_event(),
            }
        }
        None
    }

    fn skip_value(&mut self) {
        let no_ids = crdt_core::codec::Ids::default();
        let mut from = crdt_core::codec::Decoder::new(self.0, &no_ids);
        from.value().expect("a value");
        self.0 = &self.0[from.position()..];
    }

    fn skip_observed(&mut self) {
        match self.take(1)[0] {
            4 => drop(self.take(16).to_vec()),
            5 => (0..self.u32()).for_each(|_| self.skip_value()),
            _ => {}
        }
    }

    fn skip_changes(&mut self) {
        for _ in 0..self.u32() {
            self.u32();
            for _ in 0..self.take(1)[0] {
                match self.take(1)[0] {
                    0 => drop(self.bytes()),
                    _ => self.skip_value(),
                }
            }
            self.skip_observed();
            self.skip_observed();
        }
    }

    fn skip_event(&mut self) {
        let kind = self.take(1)[0];
        let len = match kind {
            1 | 4 => 8,
            2 => 20,
            3 | 7 | 9 | 16 => 24,
            5 | 10 | 11 => 5,
            8 | 12 | 18 => 4,
            13 | 14 => 16,
            _ => 0,
        };
        self.take(len);
        if kind == 18 {
            self.bytes();
        }
    }
}
