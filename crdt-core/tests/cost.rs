//! L16: a merge touches what differs, not what is held. Counted, not timed: every entry that a store puts in, takes out,
//! copies or walks over. And what is kept follows what is live, not what once was.

mod replica;

use std::cell::Cell;

use crdt_core::codec::{Decoder, Encoder};
use crdt_core::{
    Causal, Counter, DecodeError, Delta, Dot, DotStore, Edit, EditError, Kind, Merge, Observed, OrMap, OrSet, Path,
    Removable,
};
use replica::{Replica, done};

thread_local! {
    static TOUCHED: Cell<u64> = const { Cell::new(0) };
}

fn touch() {
    TOUCHED.with(|touched| touched.set(touched.get() + 1));
}

/// How many entries `f` touches.
fn touched<R>(f: impl FnOnce() -> R) -> u64 {
    TOUCHED.with(|touched| touched.set(0));
    f();
    TOUCHED.with(Cell::get)
}

/// A store that counts.
#[derive(Clone, Default)]
struct Counted<S>(S);

impl<S: DotStore> DotStore for Counted<S> {
    type Entry = S::Entry;
    type Place = S::Place;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = S::KIND;

    fn with_seed(seed: u64) -> Self {
        Self(S::with_seed(seed))
    }

    fn is_bottom(&self) -> bool {
        self.0.is_bottom()
    }

    fn graft(&mut self, dot: Dot, entry: S::Entry) -> S::Place {
        touch();
        self.0.graft(dot, entry)
    }

    fn graft_from(&mut self, dot: Dot, from: &Self, place: &S::Place) -> S::Place {
        touch();
        self.0.graft_from(dot, &from.0, place)
    }

    fn prune(&mut self, dot: Dot, place: &S::Place) {
        touch();
        self.0.prune(dot, place);
    }

    fn entry(&self, dot: Dot, place: &S::Place) -> S::Entry {
        touch();
        self.0.entry(dot, place)
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, S::Place)) {
        self.0.visit(&mut |dot, place| {
            touch();
            visit(dot, place);
        });
    }

    fn observe(&self, entry: &S::Entry, path: &mut Path) -> Observed {
        self.0.observe(entry, path)
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        S::encode_many(&stores.iter().map(|store| &store.0).collect::<Vec<_>>(), to);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        Ok(S::decode_many(count, from)?.into_iter().map(Self).collect())
    }

    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

impl<S: Removable> Removable for Counted<S> {}

/// What each kind of merge touches where `size` entries are held, `entry` naming the entries.
fn curve<S: DotStore>(size: u64, entry: fn(u64) -> S::Entry) -> Vec<(&'static str, u64)> {
    let mut a = Replica::<Counted<S>>::new(1);
    let _ = a.edit(|store| (0..size).for_each(|n| store.put(entry(n))));
    let mut b = a.fork(2);
    let first = Dot::new(replica::id(1), size / 2).unwrap();
    let old = a.state.clone();
    let mut counts = Vec::new();

    let (mut insert, mut removal) = (Delta::new(), Delta::new());
    counts.push(("an edit that inserts", touched(|| insert = a.edit(|store| store.put(entry(size))))));
    counts.push(("an edit that removes", touched(|| removal = a.edit(|store| store.retire(first)))));
    counts.push(("merging an insertion", touched(|| b.merge(&insert))));
    counts.push(("merging a removal", touched(|| b.merge(&removal))));
    counts.push(("merging them again", touched(|| (b.merge(&insert), b.merge(&removal)))));
    let mut by_value = old.clone();
    counts
        .push(("merging both by value", touched(|| (by_value.merge(insert.clone()), by_value.merge(removal.clone())))));
    let mut told = old.clone();
    counts.push(("merging with changes", touched(|| (told.merge_changes(&insert), told.merge_changes(&removal)))));
    let mut behind = old.clone();
    counts.push(("whole states two edits apart", touched(|| behind.merge(&a.state))));
    counts.push(("whole states that are equal", touched(|| behind.merge(&a.state))));
    counts.push(("a stale whole state", touched(|| behind.merge(&old))));
    let mut delta = Delta::new();
    counts.push(("the difference of two edits", touched(|| delta = a.state.diff(&old.summary()))));
    counts.push(("what is new since then", touched(|| delta = a.state.delta_since(old.seen()))));
    let mut behind = old;
    counts.push(("merging that", touched(|| behind.merge(&delta))));
    let mut writer = crdt_core::Writer::new(replica::id(3));
    let failed = touched(|| {
        behind.try_edit(&mut writer, |store| -> Result<(), EditError> {
            store.put(entry(size + 1));
            Err(EditError::Overflow)
        })
    });
    counts.push(("an edit that fails", failed));
    counts
}

fn assert_flat(small: &[(&str, u64)], large: &[(&str, u64)], most: u64) {
    assert_eq!(small, large, "the same at 10^3 and at 10^6");
    for (what, count) in small {
        let least = u64::from(!what.contains("equal") && !what.contains("stale"));
        assert!((least..=most).contains(count), "{what} touches {count} entries");
    }
}

#[test]
fn l16_a_flat_set_touches_the_same_at_a_thousand_and_at_a_million() {
    let counts = [1_000, 1_000_000].map(|size| curve::<OrSet<u64>>(size, |n| n * 7));
    eprintln!("{:?}", counts[1]);
    assert_flat(&counts[0], &counts[1], 6);
}

#[test]
fn l16_a_nested_map_touches_the_same_at_a_thousand_and_at_a_million() {
    // Counted at both levels: a hundred keys, or a thousand times as many.
    type Nested = OrMap<u64, Counted<OrSet<u64>>>;
    let counts = [1_000, 1_000_000].map(|size| curve::<Nested>(size, |n| (n / 10, n)));
    eprintln!("{:?}", counts[1]);
    assert_flat(&counts[0], &counts[1], 12);
}

#[test]
fn l16_twice_the_difference_costs_twice_the_entries() {
    let merged = |apart: u64| {
        let mut a = Replica::<Counted<OrSet<u64>>>::new(1);
        let _ = a.edit(|set| (0..10_000).for_each(|n| set.put(n)));
        let mut b = a.fork(2);
        let _ = b.edit(|set| (0..apart).for_each(|n| set.put(1 << 20 | n)));
        touched(|| a.state.merge(&b.state))
    };
    let counts = [500, 1_000, 2_000, 4_000].map(merged);
    assert_eq!(counts, [500, 1_000, 2_000, 4_000]);
}

/// How many to insert and remove; the environment may ask for ten times as many.
fn churned() -> u64 {
    std::env::var("CHURN").map_or(1_000_000, |count| count.parse().unwrap())
}

const LIVE: u64 = 10_000;

#[test]
fn ten_thousand_live_after_many_inserted_and_removed_at_constant_memory() {
    let mut a = Replica::<OrSet<u64>>::new(1);
    let mut b = Causal::<OrSet<u64>>::new();
    let mut sizes = Vec::new();
    for n in 0..churned() {
        let insert = a.edit(|set| done(set.insert(n)));
        b.merge(insert);
        if n >= LIVE {
            // Each once, but not in order, so that it is not always the oldest page that empties.
            let due = n - LIVE;
            let victim = due / 64 * 64 + due % 64 * 29 % 64;
            let removal = a.edit(|set| assert_eq!(set.remove(&victim), 1));
            b.merge(removal);
            if n % 20_000 == 0 {
                sizes.push([a.state.heap_bytes(), b.heap_bytes(), a.state.encode().len()]);
            }
        }
    }
    assert_constant(&sizes);
    let live = a.state.live_len() as u64;
    assert_eq!((live, b.live_len() as u64), (LIVE, LIVE));
    let per_element = a.state.heap_bytes() as u64 / live;
    assert!(per_element < 200, "{per_element} bytes for each of {live}");
}

#[test]
fn a_map_of_counters_that_come_and_go_keeps_constant_memory() {
    let mut a = Replica::<OrMap<u64, Counter>>::new(1);
    let mut sizes = Vec::new();
    for n in 0..churned() / 5 {
        let _ = a.edit(|map| map.entry(n).add(1));
        if n >= LIVE {
            let _ = a.edit(|map| assert_eq!(map.remove(&(n - LIVE)), 1));
            if n % 10_000 == 0 {
                sizes.push([a.state.heap_bytes(), a.state.live_len(), a.state.encode().len()]);
            }
        }
    }
    assert_constant(&sizes);
    assert_eq!(a.state.live_len() as u64, LIVE);
}

fn assert_constant(sizes: &[[usize; 3]]) {
    eprintln!("{:?} … {:?}", sizes.first(), sizes.last());
    assert!(sizes.len() >= 5);
    for size in sizes {
        for (now, first) in size.iter().zip(sizes[0]) {
            assert!(*now <= first + first / 2, "grew from {:?} to {size:?}", sizes[0]);
        }
    }
}
