//! A page without JavaScript: it calls the seam, keeps rows, and reads what comes out.

use std::collections::BTreeMap;

use crdt_core::{Canonical, Value};

/// One document as a page holds it.
pub(crate) struct Page {
    pub(crate) doc: u32,
    pub(crate) now: f64,
    /// What the store keeps.
    pub(crate) rows: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) deadline: f64,
}

/// What one `poll` said.
#[derive(Default, Debug)]
pub(crate) struct Polled {
    pub(crate) transmits: Vec<(u32, Vec<u8>)>,
    pub(crate) tickets: Vec<f64>,
    pub(crate) deltas: Vec<Vec<u8>>,
    pub(crate) changes: Vec<Seen>,
    pub(crate) events: Vec<u8>,
}

/// One change: handle, steps and what was and is there, the last three as their bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) handle: u32,
    pub(crate) steps: Vec<u8>,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

pub(crate) fn ok(answer: f64) -> u32 {
    assert!(answer >= 0.0, "refused with code {}", -answer);
    answer as u32
}

pub(crate) fn answer(bytes: Vec<u8>) -> Vec<u8> {
    assert_eq!(bytes[0], 0, "refused");
    bytes[1..].to_vec()
}

pub(crate) fn value(item: impl Into<Value>) -> Vec<u8> {
    item.into().encode()
}

pub(crate) const MEMORY: u32 = 2;
pub(crate) const DELTAS: u32 = 4;

pub(crate) fn pack(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut packed = (rows.len() as u32).to_le_bytes().to_vec();
    for part in rows.iter().flat_map(|(key, row)| [key, row]) {
        packed.extend((part.len() as u32).to_le_bytes());
        packed.extend(part);
    }
    packed
}

/// The same rows in fewer.
pub(crate) fn fold(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let load = ok(crdt_wasm::load_begin(0.5));
    ok(crdt_wasm::load(load, &pack(rows)));
    let mut folded = BTreeMap::new();
    loop {
        let some = answer(crdt_wasm::fold(load));
        let mut from = From(&some);
        let count = from.u32();
        folded.extend((0..count).map(|_| (from.bytes().to_vec(), from.bytes().to_vec())));
        if count == 0 {
            ok(crdt_wasm::load_drop(load));
            return folded;
        }
    }
}

impl Page {
    pub(crate) fn open(id: u8, flags: u32) -> Self {
        Self::reopen(id, flags, BTreeMap::new(), 1_000.0)
    }

    pub(crate) fn reopen(id: u8, flags: u32, rows: BTreeMap<Vec<u8>, Vec<u8>>, now: f64) -> Self {
        let load = ok(crdt_wasm::load_begin(f64::from(id)));
        ok(crdt_wasm::load(load, &pack(&rows)));
        let doc = ok(crdt_wasm::open(&[7; 16], &[id; 16], &[id ^ 0x5A; 32], flags, load, now, 1.79e12 + now));
        Self { doc, now, rows, deadline: -1.0 }
    }

    pub(crate) fn field(&self, parent: u32, name: &str, kind: u32) -> u32 {
        ok(crdt_wasm::field(self.doc, parent, name.as_bytes(), kind))
    }

    pub(crate) fn key(&self, parent: u32, key: impl Into<Value>, kind: u32) -> u32 {
        ok(crdt_wasm::field(self.doc, parent, &value(key), kind))
    }

    pub(crate) fn begin(&self) {
        ok(crdt_wasm::begin(self.doc, self.now, 1.79e12 + self.now));
    }

    pub(crate) fn commit(&self) -> Vec<Seen> {
        let bytes = answer(crdt_wasm::commit(self.doc, 0));
        let mut from = From(&bytes[8 + 16 + 8 + 8..]);
        let changes = from.changes();
        assert!(from.0.is_empty());
        changes
    }

    /// Everything that has gathered; rows are stored at once.
    pub(crate) fn poll(&mut self) -> Polled {
        let mut all = Polled::default();
        loop {
            let one = self.poll_once();
            let done = one.tickets.is_empty();
            all.transmits.extend(one.transmits);
            all.tickets.extend(one.tickets.iter());
            all.deltas.extend(one.deltas);
            all.changes.extend(one.changes);
            all.events.extend(one.events);
            if done {
                return all;
            }
            for ticket in one.tickets {
                ok(crdt_wasm::durable(self.doc, ticket, self.now, 1.79e12 + self.now));
            }
        }
    }

    pub(crate) fn poll_once(&mut self) -> Polled {
        let bytes = answer(crdt_wasm::poll(self.doc, self.now, 1.79e12 + self.now));
        let mut from = From(&bytes);
        let mut polled = Polled::default();
        self.deadline = from.f64();
        while !from.0.is_empty() {
            match from.u8() {
                1 => {
                    let link = from.u32();
                    polled.transmits.push((link, from.bytes().to_vec()));
                }
                2 => {
                    polled.tickets.push(from.f64());
                    for _ in 0..from.u32() {
                        let (key, row) = (from.bytes().to_vec(), from.bytes().to_vec());
                        self.rows.insert(key, row);
                    }
                }
                3 => polled.deltas.push(from.bytes().to_vec()),
                4 => polled.changes.extend(from.changes()),
                5 => {
                    let kind = from.u8();
                    polled.events.push(kind);
                    from.event(kind);
                }
                other => panic!("no item has the tag {other}"),
            }
        }
        polled
    }

    pub(crate) fn state(&self) -> Vec<u8> {
        answer(crdt_wasm::state(self.doc))
    }

    pub(crate) fn merge(&self, bytes: &[u8]) -> Result<(bool, u32), u8> {
        let bytes = crdt_wasm::merge(self.doc, bytes, self.now, 1.79e12 + self.now);
        if bytes[0] != 0 {
            return Err(bytes[0]);
        }
        Ok((bytes[1] == 1, u32::from_le_bytes(bytes[2..6].try_into().unwrap())))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        crdt_wasm::dispose(self.doc);
    }
}

/// Two pages over one link, until nothing is said any more.
pub(crate) struct Pair {
    pub(crate) pages: [Page; 2],
    links: [u32; 2],
    pub(crate) changes: [Vec<Seen>; 2],
}

impl Pair {
    pub(crate) fn connect(pages: [Page; 2]) -> Self {
        let links = [0, 1].map(|at: usize| ok(crdt_wasm::link_open(pages[at].doc, 0, pages[at].now, 1.79e12)));
        Self { pages, links, changes: [Vec::new(), Vec::new()] }
    }

    pub(crate) fn run(&mut self, ms: u32) {
        for _ in 0..ms {
            for page in &mut self.pages {
                page.now += 1.0;
            }
            let mut quiet = false;
            while !quiet {
                quiet = true;
                for here in [0, 1] {
                    let polled = self.pages[here].poll();
                    self.changes[here].extend(polled.changes);
                    for (link, frame) in polled.transmits {
                        assert_eq!(link, self.links[here]);
                        let there = &self.pages[1 - here];
                        let link = self.links[1 - here];
                        ok(crdt_wasm::link_receive(there.doc, link, &frame, there.now, 1.79e12 + there.now));
                        quiet = false;
                    }
                }
            }
        }
    }
}

/// Reads what the seam wrote.
pub(crate) struct From<'b>(pub(crate) &'b [u8]);

impl<'b> From<'b> {
    pub(crate) fn raw(&mut self, len: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.raw(1)[0]
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.raw(4).try_into().unwrap())
    }

    pub(crate) fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.raw(8).try_into().unwrap())
    }

    pub(crate) fn i128(&mut self) -> i128 {
        i128::from_le_bytes(self.raw(16).try_into().unwrap())
    }

    pub(crate) fn bytes(&mut self) -> &'b [u8] {
        let len = self.u32() as usize;
        self.raw(len)
    }

    /// The bytes that one thing took.
    fn span(&mut self, read: impl FnOnce(&mut Self)) -> Vec<u8> {
        let before = self.0;
        read(self);
        before[..before.len() - self.0.len()].to_vec()
    }

    pub(crate) fn value(&mut self) -> Value {
        let no_ids = crdt_core::codec::Ids::default();
        let mut decoder = crdt_core::codec::Decoder::new(self.0, &no_ids);
        let value = decoder.value().unwrap();
        self.0 = &self.0[decoder.position()..];
        value
    }

    fn step(&mut self) {
        match self.u8() {
            0 => {
                self.bytes();
            }
            1 | 2 => {
                self.value();
            }
            other => panic!("no step has the tag {other}"),
        }
    }

    fn observed(&mut self) {
        match self.u8() {
            0..=3 => {}
            4 => {
                self.i128();
            }
            5 => {
                for _ in 0..self.u32() {
                    self.value();
                }
            }
            other => panic!("nothing observed has the tag {other}"),
        }
    }

    pub(crate) fn changes(&mut self) -> Vec<Seen> {
        let count = self.u32();
        let mut changes = Vec::new();
        for _ in 0..count {
            let handle = self.u32();
            let steps = self.u8();
            changes.push(Seen {
                handle,
                steps: self.span(|from| (0..steps).for_each(|_| from.step())),
                before: self.span(Self::observed),
                after: self.span(Self::observed),
            });
        }
        changes
    }

    fn event(&mut self, kind: u8) {
        match kind {
            1 | 4 => drop(self.f64()),
            2 => drop(self.raw(20)),
            3 | 7 | 9 | 16 => drop(self.raw(24)),
            5 | 10 | 11 | 20 => drop(self.raw(5)),
            6 | 15 | 17 => {}
            8 | 12 | 19 => drop(self.raw(4)),
            13 | 14 => drop(self.raw(16)),
            18 => {
                self.u32();
                self.bytes();
            }
            other => panic!("no event has the kind {other}"),
        }
    }
}
