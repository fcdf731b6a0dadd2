//! Names that are used twice, forged, or used up; and numbers at their limits. Each has a defined result that is the
//! same everywhere, and none is a panic or a long wait.

mod replica;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crdt_core::{
    COUNTER_MAX, Causal, Counter, Delta, Dot, DotSet, Edit, EditError, HybridClock, LwwMap, LwwRegister, Merge,
    MvRegister, OrMap, OrSet, Timestamp, Writer,
};
use replica::{Replica, done, id};

type Tags = OrSet<String>;

fn run(replica: u128, first: u64, last: u64) -> DotSet {
    let mut dots = DotSet::new();
    dots.insert_run(id(replica), first, last);
    dots
}

/// All orders of a few deltas give one state, with and without groups.
fn settles<S: crdt_core::DotStore + std::fmt::Debug>(deltas: &[Delta<S>]) -> Causal<S> {
    let mut expected: Option<Causal<S>> = None;
    let count = deltas.len();
    for start in 0..count {
        for step in (1..=count).filter(|step| gcd(*step, count) == 1) {
            let order: Vec<usize> = (0..count).map(|n| (start + n * step) % count).collect();
            let mut state = Causal::<S>::new();
            for at in &order {
                state.merge(&deltas[*at]);
                state.validate().unwrap();
            }
            let expected = expected.get_or_insert_with(|| state.clone());
            assert_eq!(state, *expected, "{order:?}");
            assert_eq!(state.encode(), expected.encode(), "{order:?}");
        }
    }
    expected.expect("there are deltas")
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn row_51_ones_own_id_with_a_higher_counter_is_reported_and_never_used_again() {
    let mut me = Replica::<Tags>::new(1);
    let _ = me.edit(|tags| done(tags.insert("a")));
    let mut imposter = Replica::<Tags> { writer: Writer::resume(id(1), 9), state: Causal::new() };
    let stolen = imposter.edit(|tags| done(tags.insert("b")));
    me.merge(&stolen);
    assert_eq!(me.writer.issued_elsewhere(me.state.seen()), run(1, 10, 10));
    let next = me.edit(|tags| done(tags.insert("c")));
    assert_eq!(*next.own(), run(1, 11, 11));
    assert!(me.state.iter().eq(["a", "b", "c"]), "nobody's edit is lost");
}

#[test]
fn row_51_a_counter_that_is_absurdly_far_ahead_is_not_followed() {
    let mut me = Replica::<Tags>::new(1);
    me.merge(&Delta::retiring(DotSet::new(), run(1, COUNTER_MAX - 1, COUNTER_MAX)));
    let next = me.edit(|tags| done(tags.insert("a")));
    assert_eq!(*next.own(), run(1, 1, 1));
    assert_eq!(me.writer.issued_elsewhere(me.state.seen()).len(), 2);
}

#[test]
fn row_52_two_replicas_with_one_id_settle_alike_at_every_bystander() {
    let (mut one, mut other) = (Replica::<Tags>::new(1), Replica::<Tags>::new(1));
    let mut deltas = Vec::new();
    for n in 0..3 {
        deltas.push(one.edit(|tags| done(tags.insert(format!("one {n}")))));
        deltas.push(other.edit(|tags| done(tags.insert(format!("other {n}")))));
    }
    let settled = settles(&deltas);
    assert!(settled.iter().eq(["other 0", "other 1", "other 2"]), "the greater of each two");
}

#[test]
fn row_53_a_restored_backup_that_knows_its_dots_goes_on_after_them() {
    let mut me = Replica::<Tags>::new(1);
    let _ = me.edit(|tags| done(tags.insert("a")));
    let backup = me.state.clone();
    // The stored counter is older than the state: what the state has seen counts.
    let mut restored = Replica::<Tags> { writer: Writer::resume(id(1), 0), state: backup };
    let next = restored.edit(|tags| done(tags.insert("b")));
    assert_eq!(*next.own(), run(1, 2, 2));
}

#[test]
fn row_53_a_restored_backup_that_reuses_dots_is_noticed_by_its_peers() {
    let mut me = Replica::<Tags>::new(1);
    let backup = me.state.clone();
    let lost = me.edit(|tags| done(tags.insert("lost")));
    let mut restored = Replica::<Tags> { writer: Writer::new(id(1)), state: backup };
    let again = restored.edit(|tags| done(tags.insert("again")));
    let mut peer = Causal::<Tags>::new();
    peer.merge(&lost);
    assert_eq!(peer.equivocations(&again), [Dot::new(id(1), 1).unwrap()]);
    assert!(settles(&[lost, again]).iter().eq(["again"]), "the greater one by its bytes, which begin with the length");
}

#[test]
fn row_54_a_forged_future_dot_of_a_third_replica_then_its_honest_edit() {
    let forged = Delta::<Tags>::retiring(DotSet::new(), run(3, 1, 5));
    let mut honest = Replica::<Tags>::new(3);
    let edits: Vec<_> = (0..6).map(|n| honest.edit(|tags| done(tags.insert(n.to_string())))).collect();
    let mut deltas = edits;
    deltas.push(forged);
    assert!(settles(&deltas).iter().eq(["5"]), "what was forged away is away everywhere, what follows is not");
}

#[test]
fn row_55_equivocation_is_settled_alike_in_every_type() {
    fn settle<S: crdt_core::DotStore + std::fmt::Debug>(
        one: impl FnOnce(&mut S::Cursor<'_>),
        other: impl FnOnce(&mut S::Cursor<'_>),
    ) -> Causal<S> {
        let deltas = [Replica::<S>::new(1).edit(one), Replica::<S>::new(1).edit(other)];
        let settled = settles(&deltas);
        assert_eq!(settled.live_len(), 1, "one dot, one entry");
        settled
    }
    assert!(settle::<Tags>(|t| done(t.insert("a")), |t| done(t.insert("b"))).contains("b"));
    assert_eq!(settle::<MvRegister<u8>>(|r| r.write(7), |r| r.write(3)).values(), [&7]);
    assert_eq!(settle::<Counter>(|c| c.add(1), |c| c.add(2)).value(), 2);
    let at = |ms| Timestamp::new(ms, 0);
    settle::<LwwRegister<u8>>(move |r| r.write(at(1), 7), move |r| r.write(at(2), 3));
    settle::<LwwMap<u8, u8>>(move |m| m.insert(at(1), 1, 7), move |m| m.remove(at(1), 1));
    settle::<OrMap<String, Counter>>(|m| m.entry("a").add(1), |m| m.entry("b").add(1));
    settle::<OrMap<String, OrSet<u8>>>(|m| done(m.entry("k").insert(1)), |m| done(m.entry("k").insert(2)));
}

#[test]
fn row_56_a_removal_of_dots_nobody_has_seen_takes_just_these_whenever_they_come() {
    let mut a = Replica::<Tags>::new(1);
    let inserts: Vec<_> = (1..=4).map(|n| a.edit(|tags| done(tags.insert(n.to_string())))).collect();
    let mut deltas = inserts;
    deltas.push(Delta::retiring(run(2, 1, 1), run(1, 2, 3)));
    let settled = settles(&deltas);
    assert!(settled.iter().eq(["1", "4"]));
    assert_eq!(settled.seen().len(), 5);
}

#[test]
fn row_57_equal_time_and_replica_with_different_values() {
    let mut registers = [LwwRegister::<String>::new(), LwwRegister::new(), LwwRegister::new()];
    let deltas =
        [("b", 0), ("c", 1), ("a", 2)].map(|(value, at)| registers[at].write_alone(Timestamp::new(1, 0), id(1), value));
    for register in &mut registers {
        deltas.iter().for_each(|delta| done(register.merge(delta)));
        assert_eq!(register.get().unwrap(), "c");
    }
}

#[test]
fn row_58_a_write_at_the_last_moment_of_all_is_written_over_by_the_next() {
    let mut a = Replica::<LwwMap<String, u8>>::new(2);
    let _ = a.edit(|map| map.insert(Timestamp::MAX, "k", 1));
    let mut b = a.fork(1);
    let later = b.edit(|map| map.insert(Timestamp::new(0, 0), "k", 2));
    a.merge(&later);
    assert_eq!((a.state.get("k"), b.state.get("k")), (Some(&2), Some(&2)));
    // Alone there is no causality to go by, and it stays: the type's page says so.
    let mut alone = LwwRegister::<u8>::new();
    let _ = alone.write_alone(Timestamp::MAX, id(1), 1);
    let _ = alone.write_alone(Timestamp::new(0, 0), id(1), 2);
    assert_eq!(alone.get(), Some(&1));
}

#[test]
fn row_59_a_wall_clock_that_goes_backwards_issues_rising_stamps() {
    let mut clock = HybridClock::new(500);
    let hour = 3_600_000;
    let mut last = clock.tick(10 * hour);
    for wall_ms in [9 * hour, 11 * hour, 10 * hour, 0, 11 * hour + 1] {
        for _ in 0..3 {
            let stamp = clock.tick(wall_ms);
            assert!(stamp > last);
            last = stamp;
        }
    }
    let resumed = HybridClock::resume(500, clock.last()).tick(5);
    assert!(resumed > last, "a restart with the stored high-water mark does not fall back either");
}

#[test]
fn rows_28_29_the_last_counter_is_issued_and_none_beyond_it() {
    let mut me = Replica::<Tags> { writer: Writer::resume(id(1), COUNTER_MAX - 1), state: Causal::new() };
    let last = me.edit(|tags| done(tags.insert("last")));
    assert_eq!(*last.own(), run(1, COUNTER_MAX, COUNTER_MAX));
    let before = me.state.clone();
    let beyond = catch_unwind(AssertUnwindSafe(|| me.edit(|tags| done(tags.insert("beyond")))));
    assert!(beyond.is_err(), "2^48 + 1 is not issued");
    assert_eq!(me.state, before);
    me.state.validate().unwrap();
}

#[test]
fn row_30_a_run_of_astronomical_length_costs_no_more_than_a_short_one() {
    let mut a = Replica::<Tags>::new(1);
    let _ = a.edit(|tags| (0..100).for_each(|n| done(tags.insert(n.to_string()))));
    let huge = run(1, 50, COUNTER_MAX);
    assert_eq!(a.state.restrict(&huge).entries().len(), 51);
    assert_eq!(huge.difference(a.state.seen()).len(), COUNTER_MAX - 100);
    a.merge(&Delta::retiring(DotSet::new(), huge.clone()));
    assert_eq!(a.state.len(), 49);
    assert!(huge.is_subset(a.state.seen()));
    assert_eq!(a.state.delta_since(&run(1, 1, COUNTER_MAX)).entries().len(), 0);
    let mut b = Causal::<Tags>::new();
    b.merge(&a.state);
    assert_eq!(b, a.state);
}

#[test]
fn row_34_thousands_of_replicas_are_found_whatever_their_ids() {
    // Ids that differ in their first, their last and their middle bits alone.
    for shift in [0, 60, 64, 112] {
        let mut state = Causal::<Tags>::with_seed(42);
        let mut sum = 0;
        for n in 0..4_097u128 {
            let mut writer = Writer::new(id((n + 1) << shift));
            let _ = state.edit(&mut writer, |tags| tags.insert(n.to_string()));
            sum += 1;
        }
        assert_eq!((state.len(), state.seen().len()), (sum, sum as u64));
        let mut other = Causal::<Tags>::new();
        other.merge(state.delta_since(other.seen()));
        assert_eq!(other.dots_digest(), state.dots_digest());
    }
}

#[test]
fn row_35_every_second_dot_never_becomes_a_run_and_still_merges() {
    let mut a = Replica::<Tags>::new(1);
    let deltas: Vec<_> = (0..2 * 65_537).map(|n| a.edit(|tags| done(tags.insert((n % 100).to_string())))).collect();
    let mut odd = Causal::<Tags>::new();
    deltas.iter().step_by(2).for_each(|delta| done(odd.merge(delta)));
    assert_eq!(odd.seen().runs().count(), 65_537);
    odd.validate().unwrap();
    let mut even = Causal::<Tags>::new();
    deltas.iter().skip(1).step_by(2).for_each(|delta| done(even.merge(delta)));
    even.merge(&odd);
    assert_eq!((even.seen().runs().count(), &even), (1, &a.state), "thousands of runs close the gaps of thousands");
    odd.merge(&a.state);
    assert_eq!(odd, a.state);
    assert_eq!(odd.seen().runs().count(), 1);
}

#[test]
fn rows_41_42_43_replay_reversal_and_ones_own_deltas_change_nothing() {
    let mut a = Replica::<OrMap<String, Counter>>::new(1);
    let deltas: Vec<_> = (0..20)
        .map(|n| {
            a.edit(|map| match n % 4 {
                3 => done(map.remove("k")),
                _ => map.entry("k").add(n),
            })
        })
        .collect();
    let mut b = Causal::<OrMap<String, Counter>>::new();
    deltas.iter().rev().for_each(|delta| done(b.merge(delta)));
    assert_eq!(b, a.state);
    let before = a.state.encode();
    for _ in 0..1_000 {
        assert!(!a.merge(&deltas[7]) && !b.merge(&deltas[3]));
    }
    assert!(deltas.iter().all(|delta| !a.merge(delta)), "one's own");
    assert_eq!((a.state.encode(), b.encode()), (before.clone(), before));
}

#[test]
fn row_61_a_panic_in_an_edit_leaves_a_valid_state_that_others_can_be_told_of() {
    let mut a = Replica::<Tags>::new(1);
    let start = a.edit(|tags| ["x", "y"].into_iter().for_each(|tag| done(tags.insert(tag))));
    let mut b = Causal::<Tags>::new();
    b.merge(&start);
    let panics = |a: &mut Replica<Tags>, edit: fn(&mut Edit<'_, Tags>)| {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            a.edit(|tags| {
                edit(tags);
                panic!("the caller's mistake");
            })
        }));
        assert!(unwound.is_err());
        a.state.validate().unwrap();
    };
    // Also where it had only removed: equal sets of seen dots must go on to mean equal states.
    let edits: [fn(&mut Edit<'_, Tags>); 2] = [|tags| done(tags.insert("z")), |tags| done(tags.remove("x"))];
    for edit in edits {
        panics(&mut a, edit);
        assert_ne!(a.state.seen(), b.seen());
        b.merge(a.state.delta_since(b.seen()));
        assert_eq!(b, a.state);
    }
    assert!(a.state.iter().eq(["y", "z"]));
    // An edit that may fail takes everything back.
    let before = (a.state.clone(), a.writer.last());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        a.state.try_edit(&mut a.writer, |tags| -> Result<(), EditError> {
            tags.insert("w");
            tags.remove("y");
            panic!("the caller's mistake");
        })
    }));
    assert!(unwound.is_err());
    assert_eq!((a.state, a.writer.last()), before);
}
