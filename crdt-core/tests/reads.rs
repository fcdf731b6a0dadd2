//! Reading each type: what is there, how much of it, and when two of them are equal.

mod replica;

use crdt_core::{
    Causal, Counter, Document, DotSet, DotStore, DwFlag, Edit, EwFlag, GCounter, GSet, Kind, LwwMap, LwwRegister,
    Merge, MvRegister, OrMap, OrSet, PnCounter, ReplicaId, RwSet, Timestamp, Value, Writer,
};
use replica::{concurrently, done, id};

const fn at(ms: u64) -> Timestamp {
    Timestamp::new(ms, 0)
}

/// The state after these edits of one replica.
fn after<S: DotStore>(edit: impl FnOnce(&mut S::Cursor<'_>)) -> Causal<S> {
    let mut state = Causal::<S>::new();
    let _ = state.edit(&mut Writer::new(id(1)), edit);
    state
}

type How<'h, S> = &'h dyn Fn(&mut <S as DotStore>::Cursor<'_>);

/// All of these read differently, and each equals itself.
fn differ<S: DotStore + PartialEq + std::fmt::Debug>(edits: &[How<'_, S>]) {
    for (one, first) in edits.iter().enumerate() {
        for (two, second) in edits.iter().enumerate() {
            let (left, right) = (after::<S>(|at| first(at)), after::<S>(|at| second(at)));
            // The stores by themselves, not what was seen.
            assert_eq!(*left == *right, one == two, "{left:?} and {right:?}");
        }
    }
}

#[test]
fn values_are_equal_if_and_only_if_they_read_alike() {
    differ::<Counter>(&[&|_| {}, &|c| c.add(1), &|c| c.add(2), &|c| c.sub(1)]);
    differ::<LwwRegister<u8>>(&[&|_| {}, &|r| r.write(at(1), 1), &|r| r.write(at(1), 2)]);
    differ::<MvRegister<u8>>(&[&|_| {}, &|r| r.write(1), &|r| r.write(2)]);
    differ::<EwFlag>(&[&|_| {}, &|f| f.enable()]);
    differ::<DwFlag>(&[&|_| {}, &|f| f.enable()]);
    differ::<GSet<u8>>(&[&|_| {}, &|s| done(s.insert(1)), &|s| done(s.insert(2)), &|s| {
        done(s.insert(1) | s.insert(2))
    }]);
    differ::<OrSet<u8>>(&[&|_| {}, &|s| done(s.insert(1)), &|s| done(s.insert(2)), &|s| {
        done(s.insert(1) | s.insert(2))
    }]);
    differ::<RwSet<u8>>(&[&|_| {}, &|s| s.insert(1), &|s| s.insert(2), &|s| {
        s.insert(1);
        s.insert(2);
    }]);
    differ::<OrMap<u8, Counter>>(&[
        &|_| {},
        &|m| m.entry(1).add(1),
        &|m| m.entry(1).add(2),
        &|m| m.entry(2).add(1),
        &|m| {
            m.entry(1).add(1);
            m.entry(2).add(1);
        },
    ]);
    differ::<LwwMap<u8, u8>>(&[
        &|_| {},
        &|m| m.insert(at(1), 1, 1),
        &|m| m.insert(at(1), 1, 2),
        &|m| m.insert(at(1), 2, 1),
        &|m| {
            m.insert(at(1), 1, 1);
            m.insert(at(1), 2, 1);
        },
    ]);
    differ::<Document>(&[
        &|_| {},
        &|d| d.counter("a").add(1),
        &|d| d.counter("a").add(2),
        &|d| d.counter("b").add(1),
        &|d| done(d.set("a").insert(1u8)),
        &|d| {
            d.counter("a").add(1);
            d.counter("b").add(1);
        },
    ]);
}

#[test]
fn totals_are_equal_if_and_only_if_each_replica_has_counted_the_same() {
    let [me, you] = [1, 2].map(ReplicaId::from_u128);
    let likes = |counts: &[(ReplicaId, u64)]| {
        let mut likes = GCounter::new();
        counts.iter().for_each(|(who, amount)| done(likes.increment(*who, *amount).unwrap()));
        likes
    };
    assert_eq!(likes(&[(me, 1), (you, 2)]), likes(&[(you, 2), (me, 1)]));
    assert_ne!(likes(&[(me, 1), (you, 2)]), likes(&[(me, 2), (you, 1)]));
    assert_ne!(likes(&[(me, 1)]), likes(&[(you, 1)]));
    assert_ne!(likes(&[(me, 1)]), likes(&[]));
    let balance = |up: u64, down: u64| {
        let mut balance = PnCounter::new();
        done((balance.increment(me, up).unwrap(), balance.decrement(me, down).unwrap()));
        balance
    };
    assert_eq!(balance(2, 1), balance(2, 1));
    assert_ne!(balance(2, 1), balance(3, 2));
}

#[test]
fn totals_of_several_replicas_merge_row_by_row() {
    let ids: Vec<ReplicaId> = (1..=6).map(ReplicaId::from_u128).collect();
    let of = |rows: &[(usize, u64)]| {
        let mut likes = GCounter::new();
        rows.iter().for_each(|(who, amount)| done(likes.increment(ids[*who], *amount).unwrap()));
        likes
    };
    // Each bit says whether a replica is in; all pairs of sides, so every order of rows occurs.
    for left in 0..64u64 {
        for right in 0..64u64 {
            let rows = |bits: u64, factor: u64| {
                let rows: Vec<(usize, u64)> =
                    (0..6).filter(|n| bits >> n & 1 == 1).map(|n| (n, factor * (n as u64 + 1) % 5 + 1)).collect();
                rows
            };
            let (mine, theirs) = (rows(left, 2), rows(right, 3));
            let mut merged = of(&mine);
            let before = merged.clone();
            let grew = merged.merge(&of(&theirs));
            for (n, replica) in ids.iter().enumerate() {
                let held =
                    |rows: &[(usize, u64)]| rows.iter().find(|(who, _)| *who == n).map_or(0, |(_, count)| *count);
                assert_eq!(merged.of(*replica), held(&mine).max(held(&theirs)), "{left:b} {right:b}");
            }
            assert_eq!(grew, merged != before, "{left:b} {right:b}");
        }
    }
}

#[test]
fn counters_and_flags_say_what_they_are_and_take_back_what_is_seen() {
    let mut visits = after::<Counter>(|c| (0..3).for_each(|_| c.add(2)));
    assert_eq!(visits.value(), 6);
    let (_, taken) = visits.edit(&mut Writer::new(id(2)), |c| c.clear());
    assert_eq!((taken, visits.value()), (3, 0));
    assert!(!Causal::<DwFlag>::new().is_set() && after::<DwFlag>(|f| f.enable()).is_set());
    assert!(!after::<DwFlag>(|f| f.disable()).is_set());
    assert!(!Causal::<EwFlag>::new().is_set() && after::<EwFlag>(|f| f.enable()).is_set());
    assert!(concurrently::<EwFlag>(|f| f.enable(), |f| f.disable(), |f| f.enable()).is_set());
    assert!(!concurrently::<DwFlag>(|f| f.enable(), |f| f.disable(), |f| f.enable()).is_set());
}

#[test]
fn sets_are_counted_and_asked() {
    let empty = Causal::<OrSet<u8>>::new();
    assert!(empty.is_empty() && empty.iter().next().is_none());
    let some = after::<OrSet<u8>>(|s| (1..=3).for_each(|n| done(s.insert(n))));
    assert!(some.len() == 3 && !some.is_empty() && some.contains(&2) && !some.contains(&4));
    let empty = Causal::<GSet<u8>>::new();
    assert!((empty.is_empty(), empty.len()) == (true, 0));
    let some = after::<GSet<u8>>(|s| (1..=3).for_each(|n| done(s.insert(n))));
    assert!(some.len() == 3 && !some.is_empty() && some.contains(&2) && !some.contains(&4));
    let mut banned = after::<RwSet<u8>>(|s| (1..=3).for_each(|n| s.insert(n)));
    assert!(banned.len() == 3 && !banned.is_empty() && banned.contains(&2) && banned.iter().eq(&[1, 2, 3]));
    let _ = banned.edit(&mut Writer::new(id(2)), |s| (1..=3).for_each(|n| s.remove(n)));
    assert!((banned.is_empty(), banned.len()) == (true, 0) && !banned.contains(&2));
}

#[test]
fn an_edit_of_a_grow_only_set_that_fails_leaves_no_element() {
    let mut log = after::<GSet<u8>>(|s| done(s.insert(1)));
    let before = (log.clone(), log.encode());
    let failed = log.try_edit(&mut Writer::new(id(2)), |s| {
        assert!(s.insert(2) && s.insert(3) && !s.insert(1));
        Err::<(), _>(crdt_core::EditError::Overflow)
    });
    assert!(failed.is_err());
    assert_eq!((log.clone(), log.encode()), before);
    assert_eq!((log.len(), log.contains(&2)), (1, false));
}

#[test]
fn maps_are_counted_and_asked() {
    let empty = Causal::<OrMap<u8, Counter>>::new();
    assert!((empty.is_empty(), empty.len()) == (true, 0) && !empty.contains_key(&1));
    let some = after::<OrMap<u8, Counter>>(|m| (1..=3).for_each(|n| m.entry(n).add(1)));
    assert!(!some.is_empty() && some.len() == 3 && some.contains_key(&1) && some.keys().eq(&[1, 2, 3]));
    let empty = Causal::<LwwMap<u8, u8>>::new();
    assert!((empty.is_empty(), empty.len()) == (true, 0) && !empty.contains_key(&1) && empty.get(&1).is_none());
    let some = after::<LwwMap<u8, u8>>(|m| (1..=3).for_each(|n| m.insert(at(1), n, n * 2)));
    assert!(!some.is_empty() && some.len() == 3 && some.contains_key(&1) && some.get(&3) == Some(&6));
    assert!(some.iter().eq([(&1, &2), (&2, &4), (&3, &6)]));
    let mut less = some.clone();
    let _ = less.edit(&mut Writer::new(id(2)), |m| m.remove(at(2), 3));
    assert!(less.len() == 2 && !less.contains_key(&3) && less.get(&3).is_none() && less.iter().count() == 2);
}

#[test]
fn registers_say_whether_there_is_anything_and_whether_it_is_in_conflict() {
    let empty = Causal::<MvRegister<u8>>::new();
    assert!(empty.is_empty() && !empty.is_conflict());
    let one = after::<MvRegister<u8>>(|r| r.write(1));
    assert!(!one.is_empty() && !one.is_conflict() && one.values() == [&1]);
    let mut two = concurrently::<MvRegister<u8>>(|r| r.write(1), |r| r.write(2), |r| r.write(3));
    assert!(two.is_conflict() && two.values() == [&2, &3]);
    // Only what was looked at is written over.
    let looked_at: DotSet = two.live().iter().take(1).collect();
    let _ = two.edit(&mut Writer::new(id(9)), |r| r.write_over(&looked_at, 4));
    assert_eq!(two.values(), [&3, &4]);
    let title = after::<LwwRegister<u8>>(|r| r.write(at(7), 1));
    assert_eq!((title.get(), title.stamp()), (Some(&1), Some(at(7))));
    assert_eq!(Causal::<LwwRegister<u8>>::new().stamp(), None);
}

#[test]
fn documents_find_what_they_hold_by_name_and_kind() {
    let empty = Causal::<Document>::new();
    assert!((empty.is_empty(), empty.len()) == (true, 0));
    let page = after::<Document>(|d: &mut Edit<'_, Document>| {
        d.counter("visits").add(1);
        d.record("meta").counter("edits").add(2);
        d.map("stock").counter("milk").add(3);
    });
    assert!(!page.is_empty() && page.len() == 3 && page.iter().count() == 3);
    assert!(page.get("visits", Kind::Counter).is_some() && page.get("visits", Kind::OrSet).is_none());
    assert_eq!(page.record("meta").and_then(|meta| meta.counter("edits")).map(Counter::value), Some(2));
    assert!(page.record("visits").is_none());
    assert_eq!(page.map("stock").and_then(|map| map.counter(Value::from("milk"))).map(Counter::value), Some(3));
}

#[test]
fn an_edit_of_a_set_sees_what_it_wrote() {
    let _ = after::<OrSet<u8>>(|set| {
        assert!(!set.contains(&1));
        done(set.insert(1));
        assert!(set.contains(&1) && !set.contains(&2));
        done(set.remove(&1));
        assert!(!set.contains(&1));
    });
}
