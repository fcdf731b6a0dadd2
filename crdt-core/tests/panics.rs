//! Row 61: a user's own comparison panics, at any of its calls. What it was called for does not happen; the state stays
//! valid and says the same as before, or as after.

mod replica;

use std::cell::Cell;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crdt_core::{
    Causal, DotStore, Edit, Element, EwFlag, GSet, LwwMap, LwwRegister, Merge, MvRegister, OrMap, OrSet, RwSet,
    Timestamp, Value,
};
use replica::{Replica, done};

thread_local! {
    /// How many comparisons are left until one panics.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// An element whose order is asked for at its peril.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Touchy(u8);

impl PartialOrd for Touchy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Touchy {
    fn cmp(&self, other: &Self) -> Ordering {
        LEFT.with(|left| match left.get() {
            Some(0) => panic!("the author's mistake"),
            Some(more) => left.set(Some(more - 1)),
            None => {}
        });
        self.0.cmp(&other.0)
    }
}

impl Element for Touchy {
    fn to_value(&self) -> Value {
        Value::Int(self.0.into())
    }

    fn from_value(value: Value) -> Option<Self> {
        u8::from_value(value).map(Touchy)
    }
}

/// Runs it with a comparison that panics at its `n`-th call; false if it did not come to that.
fn panics_at(n: u32, run: impl FnOnce()) -> bool {
    LEFT.with(|left| left.set(Some(n)));
    let unwound = catch_unwind(AssertUnwindSafe(run)).is_err();
    LEFT.with(|left| left.set(None));
    unwound
}

/// What is done with a state, and what that is called.
type Way<'w, S> = (&'static str, &'w dyn Fn(&mut Causal<S>));

/// Two replicas edit; everything that one can do with what it has and hears is tried with a panic at each comparison.
fn survives<S: DotStore + PartialEq + std::fmt::Debug>(edit: fn(&mut S::Cursor<'_>, u8)) -> u32 {
    let (mut mine, mut theirs) = (Replica::<S>::new(1), Replica::<S>::new(2));
    let _ = mine.edit(|at| (0..12).for_each(|n| edit(at, n)));
    let delta = theirs.edit(|at| (6..20).rev().for_each(|n| edit(at, n)));
    let before = mine.state.clone();
    let mut after = before.clone();
    after.merge(&delta);
    let ways: [Way<'_, S>; 6] = [
        ("merging a delta", &|state| done(state.merge(&delta))),
        ("merging a delta by value", &|state| done(state.merge(delta.clone()))),
        ("merging a state", &|state| done(state.merge(&theirs.state))),
        ("encoding", &|state| done(state.encode())),
        ("printing", &|state| done(format!("{state:?}"))),
        ("asking for what is new", &|state| done(state.delta_since(theirs.state.seen()))),
    ];
    let mut panicked = 0;
    for (what, way) in ways {
        for n in 0.. {
            let mut state = before.clone();
            let unwound = panics_at(n, || way(&mut state));
            state.validate().unwrap_or_else(|error| panic!("{what}, {n}: {error}"));
            let same = if what.starts_with("merging") { &after } else { &before };
            assert!(state == before || state == *same, "{what}, {n}");
            // And it goes on as if nothing had been.
            state.merge(&delta);
            assert_eq!(state.encode(), after.encode(), "{what}, {n}");
            if !unwound {
                break;
            }
            panicked += 1;
        }
    }
    // An edit that may fail is undone.
    for n in 0..50 {
        let (mut state, mut writer) = (before.clone(), crdt_core::Writer::new(replica::id(3)));
        let mut tried = None;
        let unwound = panics_at(n, || {
            tried = state
                .try_edit(&mut writer, |at| {
                    edit(at, 30);
                    edit(at, 3);
                    Ok::<(), crdt_core::EditError>(())
                })
                .ok();
        });
        state.validate().unwrap();
        assert!(unwound == tried.is_none() && (!unwound || state == before), "an edit, {n}");
    }
    panicked
}

#[test]
fn row_61_a_panic_of_a_users_order_leaves_every_type_as_it_was() {
    const NOW: Timestamp = Timestamp::new(1, 0);
    let panicked = [
        survives::<OrSet<Touchy>>(|at, n| {
            if n % 5 == 4 {
                at.remove(&Touchy(n - 1));
            } else {
                at.insert(Touchy(n));
            }
        }),
        survives::<GSet<Touchy>>(|at, n| done(at.insert(Touchy(n)))),
        survives::<RwSet<Touchy>>(|at, n| at.insert(Touchy(n))),
        survives::<OrMap<Touchy, EwFlag>>(|at, n| at.entry(Touchy(n)).enable()),
        survives::<OrMap<u8, MvRegister<Touchy>>>(|at: &mut Edit<'_, OrMap<u8, MvRegister<Touchy>>>, n| {
            at.entry(n % 3).write(Touchy(n));
        }),
        survives::<LwwMap<Touchy, Touchy>>(|at, n| at.insert(NOW, Touchy(n), Touchy(n))),
        survives::<LwwRegister<Touchy>>(|at, n| at.write(NOW, Touchy(n))),
        survives::<MvRegister<Touchy>>(|at, n| at.write(Touchy(n))),
    ];
    assert!(panicked.iter().sum::<u32>() > 100, "{panicked:?}");
}
