//! A realistic nested struct over a bad network: deltas are lost, repeated, late and out of order, whole states and
//! repairs come between, peers read it without its Rust type; and at the end every replica shows exactly what a naive
//! account of the edits says, in the same bytes.

mod replica;

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::{
    Causal, Counter, Delta, Document, EwFlag, LwwRegister, Merge, MvRegister, OrMap, OrSet, PnCounter, Timestamp,
    decode,
};
use quickcheck::{Arbitrary, Gen};
use replica::{Replica, done};

crdt_core::fields! {
    /// A shared list of things to buy.
    struct Shopping {
        items: OrMap<String, Counter>,
        tags: OrMap<String, OrSet<String>>,
        note: MvRegister<String>,
        shop: LwwRegister<String>,
        done: EwFlag,
        visits: PnCounter,
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add(u8, i8),
    RemoveItem(u8),
    Tag(u8, u8),
    Untag(u8, u8),
    RemoveTags(u8),
    Note(u8),
    Shop(u8, u8),
    Done(bool),
    Visit(i8),
}

fn below(g: &mut Gen, bound: usize) -> u8 {
    (usize::arbitrary(g) % bound) as u8
}

impl Op {
    fn draw(g: &mut Gen) -> Self {
        let amount = |g: &mut Gen| [1, 2, 5, -1, -3][usize::from(below(g, 5))];
        match below(g, 12) {
            0 | 1 => Self::Add(below(g, 3), amount(g)),
            2 => Self::RemoveItem(below(g, 3)),
            3 | 4 => Self::Tag(below(g, 2), below(g, 3)),
            5 => Self::Untag(below(g, 2), below(g, 3)),
            6 => Self::RemoveTags(below(g, 2)),
            7 | 8 => Self::Note(below(g, 4)),
            9 => Self::Shop(below(g, 4), below(g, 4)),
            10 => Self::Done(bool::arbitrary(g)),
            _ => Self::Visit(amount(g)),
        }
    }

    fn perform(&self, shopping: &mut <Shopping as crdt_core::DotStore>::Cursor<'_>) {
        let name = |number: &u8| format!("name {number}");
        match self {
            Self::Add(item, amount) => shopping.items().entry(name(item)).add(i64::from(*amount)),
            Self::RemoveItem(item) => done(shopping.items().remove(&name(item))),
            Self::Tag(item, tag) => done(shopping.tags().entry(name(item)).insert(name(tag))),
            Self::Untag(item, tag) => done(shopping.tags().entry(name(item)).remove(&name(tag))),
            Self::RemoveTags(item) => done(shopping.tags().remove(&name(item))),
            Self::Note(text) => shopping.note().write(name(text)),
            Self::Shop(stamp, text) => shopping.shop().write(Timestamp::new(u64::from(*stamp), 0), name(text)),
            Self::Done(true) => shopping.done().enable(),
            Self::Done(false) => shopping.done().disable(),
            Self::Visit(amount) if *amount < 0 => shopping.visits().decrement(amount.unsigned_abs().into()).unwrap(),
            Self::Visit(amount) => shopping.visits().increment(amount.unsigned_abs().into()).unwrap(),
        }
    }
}

/// An edit as the naive account has it: who made it, and which edits were known there.
struct Event {
    writer: usize,
    op: Op,
    knew: BTreeSet<usize>,
}

/// What a reader sees.
#[derive(PartialEq, Debug, Default)]
struct Shown {
    items: BTreeMap<u8, i64>,
    tags: BTreeMap<u8, BTreeSet<u8>>,
    note: Vec<u8>,
    shop: Option<u8>,
    done: bool,
    visits: i64,
}

/// The naive account: no dots, no merge, only which edits are known and which of them knew of which.
fn account(events: &[Event], known: &BTreeSet<usize>) -> Shown {
    let mut shown = Shown::default();
    // An edit stays unless a known one that takes it away knew of it.
    let left = |at: usize, takes: &dyn Fn(&Op) -> bool| {
        !known.iter().any(|later| takes(&events[*later].op) && events[*later].knew.contains(&at))
    };
    let mut notes = Vec::new();
    let mut shops = Vec::new();
    for &at in known {
        let Event { writer, op, .. } = &events[at];
        match *op {
            Op::Add(item, amount) if left(at, &|op| matches!(op, Op::RemoveItem(it) if *it == item)) => {
                *shown.items.entry(item).or_default() += i64::from(amount);
            }
            Op::Tag(item, tag) => {
                let taken = |op: &Op| match *op {
                    Op::Untag(it, other) => (it, other) == (item, tag),
                    Op::RemoveTags(it) => it == item,
                    _ => false,
                };
                if left(at, &taken) {
                    shown.tags.entry(item).or_default().insert(tag);
                }
            }
            Op::Note(text) if left(at, &|op| matches!(op, Op::Note(_))) => notes.push((*writer, at, text)),
            Op::Shop(stamp, text) if left(at, &|op| matches!(op, Op::Shop(..))) => shops.push((stamp, *writer, text)),
            Op::Done(true) if left(at, &|op| matches!(op, Op::Done(false))) => shown.done = true,
            Op::Visit(amount) => shown.visits += i64::from(amount),
            _ => {}
        }
    }
    notes.sort_unstable();
    shown.note = notes.into_iter().map(|(.., text)| text).collect();
    shown.shop = shops.into_iter().max().map(|(.., text)| text);
    shown
}

fn read(shopping: &Shopping) -> Shown {
    let number = |name: &String| name.strip_prefix("name ").unwrap().parse::<u8>().unwrap();
    let tags = |set: &OrSet<String>| set.iter().map(number).collect();
    Shown {
        items: shopping.items().iter().map(|(item, counter)| (number(item), counter.value() as i64)).collect(),
        tags: shopping.tags().iter().map(|(item, set)| (number(item), tags(set))).collect(),
        note: shopping.note().values().into_iter().map(number).collect(),
        shop: shopping.shop().get().map(number),
        done: shopping.done().is_set(),
        visits: shopping.visits().value() as i64,
    }
}

#[derive(Default, Debug)]
struct Met {
    edits: usize,
    concurrent: usize,
    lost: usize,
    repeated: usize,
    early: usize,
    states: usize,
    repairs: usize,
    compared: usize,
    untyped: usize,
}

struct Network {
    replicas: Vec<(Replica<Shopping>, BTreeSet<usize>)>,
    events: Vec<Event>,
    /// Each edit's delta, with the edit; those that changed nothing have none and travel with what follows.
    deltas: Vec<(usize, Delta<Shopping>)>,
    idle: BTreeSet<usize>,
    met: Met,
}

impl Network {
    fn edit(&mut self, at: usize, op: Op) {
        let event = self.events.len();
        let (replica, known) = &mut self.replicas[at];
        let delta = replica.edit(|shopping| op.perform(shopping));
        self.events.push(Event { writer: at, op, knew: known.clone() });
        known.insert(event);
        if delta.is_empty() {
            self.idle.insert(event);
        } else {
            self.deltas.push((event, delta));
        }
        self.met.edits += 1;
    }

    /// Merges a delta if all that its edit knew is here: what happens to one that is early is told apart below.
    fn deliver(&mut self, which: usize, to: usize) {
        let (event, delta) = &self.deltas[which];
        let (replica, known) = &mut self.replicas[to];
        let needs = &self.events[*event].knew;
        if !needs.iter().all(|cause| known.contains(cause) || self.idle.contains(cause)) {
            // Early: merged into a copy it must leave that copy valid, and be no obstacle to what comes later.
            let mut early = replica.state.clone();
            early.merge(delta);
            early.validate().unwrap();
            let mut whole = early.clone();
            whole.merge(&replica.state);
            assert_eq!(whole, early);
            self.met.early += 1;
            return;
        }
        let grew = replica.merge(delta);
        self.met.repeated += usize::from(known.contains(event));
        assert_eq!(grew, !known.contains(event), "a delta is news exactly once");
        known.insert(*event);
        known.extend(needs);
    }

    fn check(&mut self, at: usize) {
        let (replica, known) = &self.replicas[at];
        assert_eq!(read(&replica.state), account(&self.events, known), "replica {at}, which knows {known:?}");
        replica.state.validate().unwrap();
        self.met.compared += 1;
    }
}

fn run(seed: u64, met: &mut Met) {
    let g = &mut Gen::from_size_and_seed(60, seed);
    let count = 3 + usize::from(below(g, 3));
    let mut network = Network {
        replicas: (0..count).map(|at| (Replica::new(at as u128 + 1), BTreeSet::new())).collect(),
        events: Vec::new(),
        deltas: Vec::new(),
        idle: BTreeSet::new(),
        met: Met::default(),
    };
    for _ in 0..60 {
        let (at, to) = (usize::from(below(g, count)), usize::from(below(g, count)));
        match below(g, 20) {
            0..10 => network.edit(at, Op::draw(g)),
            10..16 if !network.deltas.is_empty() => {
                let back = usize::from(below(g, 8)) % network.deltas.len();
                network.deliver(network.deltas.len() - 1 - back, to);
            }
            16 if at != to => {
                let (state, known) = (network.replicas[at].0.state.clone(), network.replicas[at].1.clone());
                network.replicas[to].0.state.merge(&state);
                network.replicas[to].1.extend(known);
                network.met.states += 1;
            }
            17 if at != to => {
                let (giver, receiver) = (&network.replicas[at].0.state, &network.replicas[to].0.state);
                let delta = if bool::arbitrary(g) {
                    giver.delta_since(receiver.seen())
                } else {
                    giver.diff(&receiver.summary())
                };
                let known = network.replicas[at].1.clone();
                network.replicas[to].0.merge(&Delta::decode(&delta.encode()).unwrap());
                network.replicas[to].1.extend(known);
                network.met.repairs += 1;
            }
            // A peer without the Rust type reads, merges and passes on the same bytes.
            18 => {
                let (mine, theirs) = (&network.replicas[at].0.state, &network.replicas[to].0.state);
                let mut untyped: Causal<Document> = decode(&mine.encode()).unwrap();
                untyped.merge(&decode::<Causal<Document>>(&theirs.encode()).unwrap());
                let mut typed = mine.clone();
                typed.merge(theirs);
                assert_eq!(untyped.encode(), typed.encode());
                network.met.untyped += 1;
            }
            _ => continue,
        }
        network.check(to);
        network.check(at);
    }
    let concurrent = |one: usize| (0..one).filter(|other| !network.events[one].knew.contains(other)).count();
    network.met.concurrent = (0..network.events.len()).map(concurrent).sum();
    let heard = |event: &usize| network.replicas.iter().all(|(_, known)| known.contains(event));
    network.met.lost = network.deltas.iter().filter(|(event, _)| !heard(event)).count();

    // The network heals: each hears from each, by another way each.
    let (states, known): (Vec<_>, Vec<_>) =
        network.replicas.iter().map(|(it, known)| (it.state.clone(), known.clone())).unzip();
    let everything: BTreeSet<usize> = known.into_iter().flatten().collect();
    for (at, (replica, known)) in network.replicas.iter_mut().enumerate() {
        for (from, state) in states.iter().enumerate() {
            match (at + from) % 3 {
                0 => done(replica.state.merge(state)),
                1 => done(replica.state.merge(state.diff(&replica.state.summary()))),
                _ => done(replica.state.merge(state.delta_since(replica.state.seen()))),
            }
        }
        known.clone_from(&everything);
    }
    for at in 0..count {
        network.check(at);
        let (first, this) = (&network.replicas[0].0.state, &network.replicas[at].0.state);
        assert_eq!(first.encode(), this.encode());
        assert_eq!(first.dots_digest(), this.dots_digest());
    }
    let Met { edits, concurrent, lost, repeated, early, states, repairs, compared, untyped } = network.met;
    met.edits += edits;
    met.concurrent += concurrent;
    met.lost += lost;
    met.repeated += repeated;
    met.early += early;
    met.states += states;
    met.repairs += repairs;
    met.compared += compared;
    met.untyped += untyped;
}

/// `CONVERGE_HISTORIES` asks for more of them; a failing seed is named in the message.
#[test]
fn replicas_of_a_nested_struct_show_what_a_naive_account_says_and_converge() {
    let histories: u64 = std::env::var("CONVERGE_HISTORIES").map_or(1_000, |count| count.parse().unwrap());
    let mut met = Met::default();
    for seed in 0..histories {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, &mut met)));
        assert!(ran.is_ok(), "seed {seed} fails: see above");
    }
    eprintln!("{histories} histories: {met:?}");
    let each = usize::try_from(histories).unwrap();
    assert!(met.edits >= 20 * each && met.concurrent >= 50 * each && met.compared >= 60 * each, "{met:?}");
    assert!(met.lost >= each && met.repeated >= each && met.early >= each, "{met:?}");
    assert!(met.states >= each && met.repairs >= each && met.untyped >= each, "{met:?}");
}
