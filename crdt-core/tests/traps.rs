//! How CRDT libraries lost their users' data: each trap that concerns values, by its number, at the smallest size that
//! shows it. Those about transport, bytes and the browser have their tests where those live; T4 and T23 are also the
//! reason why the law suite draws histories.

mod replica;

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::{
    BoundedCounter, Causal, Causality, Counter, Delta, DotSet, EditError, EwFlag, GCounter, HybridClock, LwwRegister,
    Merge, MvRegister, OrMap, OrSet, PnCounter, Timestamp, VersionVector, Writer,
};
use replica::{Replica, done, id};

type Tags = OrSet<String>;

fn at(ms: u64) -> Timestamp {
    Timestamp::new(ms, 0)
}

/// Two clones of one set under one id added different elements: after a mutual merge both sets were empty, and another
/// library panicked.
#[test]
fn t1_an_id_used_twice_is_noticed_and_settled_alike_everywhere() {
    let (mut one, mut clone) = (Replica::<Tags>::new(1), Replica::<Tags>::new(1));
    let x = one.edit(|tags| done(tags.insert("x")));
    let y = clone.edit(|tags| done(tags.insert("y")));
    assert_eq!(one.state.equivocations(&y).len(), 1, "one dot, two values");
    one.merge(&y);
    clone.merge(&x);
    assert_eq!(one.state, clone.state);
    assert!(one.state.iter().eq(["y"]), "the greater value stays: one of the two, not none");
    let further = clone.edit(|tags| done(tags.insert("z")));
    one.merge(&further);
    assert_eq!(one.writer.issued_elsewhere(one.state.seen()).len(), 1, "somebody else writes under this id");
    assert_eq!(clone.writer.issued_elsewhere(clone.state.seen()).len(), 0);
}

/// The writer's id sat inside the state, so equal states never compared equal and a restored copy forged the writer.
#[test]
fn t2_equal_states_have_equal_bytes_whoever_holds_them() {
    let mut a = Replica::<Tags>::new(1);
    let mut b = Replica::<Tags>::new(2);
    let (x, y) = (a.edit(|tags| done(tags.insert("x"))), b.edit(|tags| done(tags.insert("y"))));
    a.merge(&y);
    b.merge(&x);
    assert_eq!(a.state.encode(), b.state.encode());
    assert_eq!(a.state.content_digest(), b.state.content_digest());
    assert_eq!(a.state.dots_digest(), b.state.dots_digest());
}

/// Tags without a replica part: two replicas add x, one removes it, and it is gone on both.
#[test]
fn t3_removing_ones_own_insertion_leaves_the_others() {
    let (mut a, mut b) = (Replica::<Tags>::new(1), Replica::<Tags>::new(2));
    let (first, second) = (a.edit(|tags| done(tags.insert("x"))), b.edit(|tags| done(tags.insert("x"))));
    let removal = a.edit(|tags| done(tags.remove("x")));
    for order in [[&first, &second, &removal], [&second, &removal, &first]] {
        let mut c = Causal::<Tags>::new();
        order.iter().for_each(|delta| done(c.merge(*delta)));
        assert!(c.contains("x"));
    }
    b.merge(&removal);
    assert!(b.state.contains("x"));
}

/// A delta's context covered more than the delta accounted for: what it skipped was deleted at the receiver.
#[test]
fn t4_a_delta_that_overtakes_others_deletes_nothing_of_them() {
    let mut a = Replica::<Tags>::new(1);
    let deltas = ["x", "y", "z"].map(|tag| a.edit(|tags| done(tags.insert(tag))));
    let mut b = Causal::<Tags>::new();
    for (at, count) in [(2, 1), (0, 2), (1, 3)] {
        assert!(b.merge(&deltas[at]));
        assert_eq!(b.len(), count, "each delta adds its own element, whatever is missing before it");
    }
    for (at, delta) in deltas.iter().enumerate() {
        assert_eq!(delta.own().runs().collect::<Vec<_>>(), [(id(1), at as u64 + 1, at as u64 + 1)]);
        assert!(delta.retired().is_empty());
    }
}

/// A peer that had been away for long merged, and what had been removed meanwhile came back.
#[test]
fn t5_a_peer_that_was_away_for_a_year_resurrects_nothing() {
    let mut a = Replica::<OrMap<String, Counter>>::new(1);
    let _ = a.edit(|map| map.entry("k").add(1));
    let away = a.fork(2);
    for _ in 0..1_000 {
        let _ = a.edit(|map| done(map.remove("k")));
        let _ = a.edit(|map| map.entry("k").add(1));
    }
    let _ = a.edit(|map| done(map.remove("k")));
    a.state.merge(&away.state);
    assert!(a.state.is_empty());
    assert_eq!(a.state.live_len(), 0, "and nothing had to be kept for that");
    let mut fresh = Causal::<OrMap<String, Counter>>::new();
    fresh.merge(&a.state);
    assert_eq!(fresh.dots_digest(), a.state.dots_digest(), "a digest that was kept all the way, and a new one");
    let mut back = away;
    back.state.merge(&a.state);
    assert!(back.state.is_empty());
}

/// +5, then remove ∥ +2 gave 7 where children were summed up by a maximal vector; the exact answer is 2.
#[test]
fn t6_removing_a_key_while_its_counter_counts_leaves_the_2() {
    let mut a = Replica::<OrMap<String, Counter>>::new(1);
    let five = a.edit(|map| map.entry("k").add(5));
    let mut b = a.fork(2);
    let two = b.edit(|map| map.entry("k").add(2));
    let removal = a.edit(|map| done(map.remove("k")));
    for order in [[&five, &two, &removal], [&removal, &two, &five], [&two, &removal, &five]] {
        let mut c = Causal::<OrMap<String, Counter>>::new();
        order.iter().for_each(|delta| done(c.merge(*delta)));
        assert_eq!(c.get("k").map(Counter::value), Some(2));
    }
    a.state.merge(&b.state);
    assert_eq!(a.state.get("k").map(Counter::value), Some(2));
}

/// The same with a register: an overwritten value came back, depending on the grouping of merges.
#[test]
fn t6_an_overwritten_value_does_not_come_back_whatever_the_grouping() {
    let mut a = Replica::<OrMap<String, MvRegister<u8>>>::new(1);
    let _ = a.edit(|map| map.entry("k").write(1));
    let (mut b, mut c) = (a.fork(2), a.fork(3));
    let _ = a.edit(|map| done(map.remove("k")));
    let _ = b.edit(|map| map.entry("k").write(2));
    let _ = c.edit(|map| map.entry("k").write(3));
    let _ = c.edit(|map| map.entry("k").write(4));
    let [a, b, c] = [a.state, b.state, c.state];
    type Registers = Causal<OrMap<String, MvRegister<u8>>>;
    let join = |left: &Registers, right: &Registers| {
        let mut joined = left.clone();
        joined.merge(right);
        joined
    };
    for joined in [join(&join(&a, &b), &c), join(&a, &join(&b, &c)), join(&b, &join(&a, &c)), join(&c, &join(&b, &a))] {
        assert_eq!(joined.get("k").unwrap().values(), [&2, &4]);
    }
}

/// Ties were decided by the larger tag: merging a stale peer reverted a newer write, and a ⊔ b was not b ⊔ a.
#[test]
fn t7_a_stale_peer_with_the_greater_id_reverts_nothing() {
    let mut stale = Replica::<LwwRegister<u8>>::new(9);
    let _ = stale.edit(|register| register.write(at(100), 1));
    let mut a = stale.fork(1);
    let _ = a.edit(|register| register.write(at(1), 2));
    let mut there = stale.state.clone();
    there.merge(&a.state);
    a.state.merge(&stale.state);
    assert_eq!((a.state.get(), there.get()), (Some(&2), Some(&2)), "it was written having seen the other");
    assert_eq!(a.state, there);
}

/// A send buffer that forgets at sending: one lost message, and the receiver never caught up.
#[test]
fn t8_what_was_lost_can_be_asked_for_again() {
    let mut a = Replica::<Tags>::new(1);
    let deltas: Vec<_> = (0..10)
        .map(|n| a.edit(|tags| if n % 3 == 2 { done(tags.remove("t0")) } else { done(tags.insert(format!("t{n}"))) }))
        .collect();
    let mut b = Causal::<Tags>::new();
    for at in [9, 3, 3, 0, 7, 1, 9] {
        b.merge(&deltas[at]);
    }
    assert_ne!(b, a.state);
    let mut by_difference = b.clone();
    by_difference.merge(a.state.diff(&by_difference.summary()));
    b.merge(a.state.delta_since(b.seen()));
    assert_eq!(b, a.state);
    assert_eq!(by_difference, a.state);
}

/// Equal time stamps diverged silently.
#[test]
fn t9_equal_stamps_are_ranked_by_the_full_id_and_then_by_value() {
    let near = (1u128 << 127, 1u128 << 127 | 1);
    for (less, greater) in [near, (1, 2), (1, 1 << 64), ((1 << 64) - 1, 1 << 64)] {
        let mut a = Replica::<LwwRegister<u8>>::new(less);
        let mut b = Replica::<LwwRegister<u8>>::new(greater);
        let (one, other) = (a.edit(|r| r.write(at(5), 9)), b.edit(|r| r.write(at(5), 1)));
        a.merge(&other);
        b.merge(&one);
        assert_eq!((a.state.get(), b.state.get()), (Some(&1), Some(&1)), "{less} {greater}");
    }
    // Alone there is no dot: of one writer's equal stamps the greater value stays.
    let (mut one, mut other) = (LwwRegister::<u8>::new(), LwwRegister::new());
    let (low, high) = (one.write_alone(at(5), id(1), 3), other.write_alone(at(5), id(1), 4));
    one.merge(&high);
    other.merge(&low);
    assert_eq!((one.get(), other.get()), (Some(&4), Some(&4)));
}

/// One stamp from the far future won for ever, and dragged every clock along.
#[test]
fn t9_a_stamp_from_the_far_future_is_healed_by_the_next_write() {
    let mut mad = Replica::<LwwRegister<u8>>::new(1);
    let poison = mad.edit(|register| register.write(Timestamp::MAX, 1));
    let mut clock = HybridClock::new(60_000);
    let mut sane = Replica::<LwwRegister<u8>>::new(2);
    assert!(clock.observe(1_000, Timestamp::MAX).is_err(), "the clock does not follow");
    sane.merge(&poison);
    assert_eq!(sane.state.get(), Some(&1), "but the data is merged, or replicas would differ");
    let stamp = clock.tick(1_000);
    let heal = sane.edit(|register| register.write(stamp, 2));
    mad.merge(&heal);
    assert_eq!((mad.state.get(), sane.state.get()), (Some(&2), Some(&2)));
}

/// Deltas applied over a gap; a later merge of everything did not repair it.
#[test]
fn t10_a_gap_is_repaired_by_a_later_merge_of_everything() {
    let mut a = Replica::<Tags>::new(1);
    let deltas = ["a", "b", "c", "d"].map(|tag| a.edit(|tags| done(tags.insert(tag))));
    for missing in 0..4 {
        let mut b = Causal::<Tags>::new();
        for (_, delta) in deltas.iter().enumerate().filter(|(at, _)| *at != missing) {
            b.merge(delta);
        }
        assert_eq!((b.len(), b.seen().version().get(id(1))), (3, missing as u64), "the gap shows");
        b.merge(&a.state);
        assert_eq!(b, a.state);
        assert_eq!(b.len(), 4);
    }
}

/// "Both sides contain it, so keep it" kept what both had for different reasons.
#[test]
fn t11_presence_on_both_sides_is_not_liveness() {
    // Each side has an enable that the other side's disable has seen.
    let (mut a, mut b) = (Replica::<EwFlag>::new(1), Replica::<EwFlag>::new(2));
    let from_a = a.edit(|flag| flag.enable());
    let from_b = b.edit(|flag| flag.enable());
    let mut c = Replica::<EwFlag>::new(3);
    let mut d = Replica::<EwFlag>::new(4);
    c.merge(&from_a);
    d.merge(&from_b);
    let (off_a, off_b) = (c.edit(|flag| flag.disable()), d.edit(|flag| flag.disable()));
    a.merge(&off_b);
    b.merge(&off_a);
    assert!(a.state.is_set() && b.state.is_set());
    a.state.merge(&b.state);
    assert!(!a.state.is_set(), "both were set, and each was disabled elsewhere");
}

/// One dot for several members of a bulk insertion: its own validator called it spent twice.
#[test]
fn t12_each_element_of_a_bulk_insertion_has_a_dot_of_its_own() {
    let mut a = Replica::<Tags>::new(1);
    let bulk = a.edit(|tags| (0..100).for_each(|n| done(tags.insert(n.to_string()))));
    assert_eq!((bulk.own().len(), bulk.entries().len()), (100, 100));
    let dots: BTreeSet<_> = bulk.entries().map(|(dot, _)| dot).collect();
    assert_eq!(dots.len(), 100);
    let mut b = Replica::<Tags>::new(2);
    b.merge(&bulk);
    let removal = b.edit(|tags| assert_eq!(tags.remove("42"), 1));
    a.merge(&removal);
    assert_eq!((a.state.len(), a.state.contains("42")), (99, false));
    a.state.validate().unwrap();
}

/// Bytes depended on hash order or on the order of merges.
#[test]
fn t13_bytes_depend_neither_on_hash_seeds_nor_on_the_order_of_merges() {
    let mut a = Replica::<OrMap<String, Tags>>::new(1);
    let deltas: Vec<_> = (0..40)
        .map(|n| a.edit(|map| done(map.entry(format!("k{}", n % 7)).insert(format!("t{}", n * 31 % 40)))))
        .collect();
    for seed in 1..5 {
        let mut other = Causal::<OrMap<String, Tags>>::with_seed(seed);
        let start = seed as usize * 7;
        for at in 0..deltas.len() {
            other.merge(&deltas[(start + at * 11) % deltas.len()]);
        }
        assert_eq!(other.encode(), a.state.encode());
    }
}

/// Overflow wrapped in release builds, and a forged total pinned a counter for good.
#[test]
fn t16_an_overflow_is_an_error_of_the_edit_and_sums_do_not_overflow() {
    let mut alone = GCounter::new();
    let _ = alone.increment(id(1), u64::MAX).unwrap();
    let before = alone.clone();
    assert_eq!(alone.increment(id(1), 1).unwrap_err(), EditError::Overflow);
    assert_eq!(alone, before);
    for replica in 2..=5 {
        let _ = alone.increment(id(replica), u64::MAX).unwrap();
    }
    assert_eq!(alone.value(), 5 * u128::from(u64::MAX));

    let mut both = PnCounter::new();
    for replica in 1..=4 {
        let _ = both.decrement(id(replica), u64::MAX).unwrap();
    }
    let _ = both.increment(id(1), u64::MAX - 1).unwrap();
    assert_eq!(both.value(), -3 * i128::from(u64::MAX) - 1);
    assert_eq!(both.increment(id(1), 2).unwrap_err(), EditError::Overflow);
    assert_eq!(both.decrement(id(1), 1).unwrap_err(), EditError::Overflow);

    let mut exact = Replica::<Counter>::new(1);
    let _ = exact.edit(|counter| (0..4).for_each(|_| counter.sub(i64::MIN)));
    assert_eq!(exact.state.value(), 4 * -i128::from(i64::MIN));

    let mut stock = BoundedCounter::new();
    let _ = stock.mint(id(1), u64::MAX).unwrap();
    assert_eq!(stock.mint(id(1), 1).unwrap_err(), EditError::Overflow);
    let _ = stock.mint(id(2), u64::MAX).unwrap();
    let _ = stock.grant(id(2), id(1), u64::MAX).unwrap();
    assert_eq!((stock.value(), stock.available(id(1))), (2 * i128::from(u64::MAX), u64::MAX));

    // In a causal store the failed edit leaves no trace, and a forged total stops only the id it was forged for.
    let mut victim = Replica::<GCounter>::new(1);
    let forged = Replica::<GCounter>::new(1).edit(|counter| counter.increment(u64::MAX).unwrap());
    victim.merge(&forged);
    let before = (victim.state.clone(), victim.writer.last());
    let refused = victim.state.try_edit(&mut victim.writer, |counter| counter.increment(1));
    assert_eq!(refused.unwrap_err(), EditError::Overflow);
    assert_eq!((victim.state.clone(), victim.writer.last()), before);
    let mut fresh = victim.fork(7);
    let _ = fresh.edit(|counter| counter.increment(1).unwrap());
    assert_eq!(fresh.state.value(), u128::from(u64::MAX) + 1);
}

/// Predictable names let a peer remove what a victim was going to add.
#[test]
fn t17_a_victim_that_hears_of_a_forged_removal_writes_past_it() {
    let mut victim = Replica::<Tags>::new(1);
    let _ = victim.edit(|tags| done(tags.insert("a")));
    let mut future = DotSet::new();
    future.insert_run(id(1), 2, 50);
    let forged = Delta::<Tags>::retiring(DotSet::new(), future);
    victim.merge(&forged);
    assert_eq!(victim.writer.issued_elsewhere(victim.state.seen()).len(), 49, "it is told of the forger");
    let next = victim.edit(|tags| done(tags.insert("b")));
    assert!(next.own().iter().all(|dot| dot.counter() == 51), "not one of the dots that were removed beforehand");
    let mut other = Causal::<Tags>::new();
    other.merge(&forged);
    other.merge(&next);
    assert!(other.contains("b"));
}

/// What can't be known: a removal of dots of which their writer has not heard. The addition is lost, but everywhere.
#[test]
fn t17_what_a_forger_removed_unheard_is_at_least_removed_everywhere() {
    let mut victim = Replica::<Tags>::new(1);
    let mut future = DotSet::new();
    future.insert_run(id(1), 1, 1);
    let forged = Delta::<Tags>::retiring(DotSet::new(), future);
    let honest = victim.edit(|tags| done(tags.insert("a")));
    let mut other = Causal::<Tags>::new();
    other.merge(&forged);
    other.merge(&honest);
    victim.merge(&forged);
    assert_eq!(victim.state, other);
    assert!(other.is_empty());
}

/// Version vectors grew with every edit's tab and every restart.
#[test]
fn t18_what_is_kept_of_the_seen_grows_with_writers_and_not_with_edits() {
    let mut a = Replica::<Tags>::new(1);
    let mut sizes = Vec::new();
    for n in 0..3_000 {
        let _ = a.edit(|tags| done(tags.insert("x")));
        let _ = a.edit(|tags| done(tags.remove("x")));
        if n % 1_000 == 999 {
            sizes.push((a.state.seen().runs().count(), a.state.heap_bytes()));
        }
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]) && sizes[0].0 == 1, "{sizes:?}");
}

/// A removed key could not be used again, or its tombstone stayed for ever.
#[test]
fn t19_a_key_is_removed_and_used_again_for_ever_at_constant_size() {
    let mut a = Replica::<OrMap<String, OrMap<String, Counter>>>::new(1);
    let mut sizes = BTreeSet::new();
    for _ in 0..500 {
        let _ = a.edit(|map| map.entry("outer").entry("inner").add(1));
        assert_eq!(a.state.get("outer").unwrap().get("inner").unwrap().value(), 1);
        let _ = a.edit(|map| done(map.remove("outer")));
        assert!(a.state.is_empty());
        sizes.insert(a.state.heap_bytes());
    }
    assert!(sizes.len() == 1, "{sizes:?}");
    assert!(a.state.encode().len() <= 32, "{}", a.state.encode().len());
}

/// Undo as the inverse of a merge brought back what others had deleted.
#[test]
fn t20_undoing_is_an_edit_and_brings_back_only_what_it_says() {
    let mut alice = Replica::<Tags>::new(1);
    let _ = alice.edit(|tags| ["a", "b"].into_iter().for_each(|tag| done(tags.insert(tag))));
    let mut bob = alice.fork(2);
    let removed_a = alice.edit(|tags| done(tags.remove("a")));
    let removed_b = bob.edit(|tags| done(tags.remove("b")));
    alice.merge(&removed_b);
    bob.merge(&removed_a);
    let undo = alice.edit(|tags| done(tags.insert("a")));
    bob.merge(&undo);
    assert!(bob.state.iter().eq(["a"]) && alice.state.iter().eq(["a"]), "b stays deleted");
    // Undoing an insertion takes one's own, not the other's.
    let mine = alice.edit(|tags| done(tags.insert("c")));
    let theirs = bob.edit(|tags| done(tags.insert("c")));
    let undo = alice.edit(|tags| done(tags.remove("c")));
    bob.merge(&mine);
    bob.merge(&undo);
    alice.merge(&theirs);
    assert!(alice.state.contains("c") && bob.state.contains("c"));
}

/// A state that was rebuilt from plain data is a second history, and everything doubles; one restored from its bytes is
/// the same history.
#[test]
fn t21_a_state_restored_from_its_bytes_doubles_nothing_and_a_rebuilt_one_does() {
    let mut a = Replica::<OrMap<String, Counter>>::new(1);
    let _ = a.edit(|map| map.entry("k").add(5));
    let mut restored = Causal::<OrMap<String, Counter>>::decode(&a.state.encode()).unwrap();
    restored.merge(&a.state);
    assert_eq!(restored.get("k").unwrap().value(), 5);
    let mut rebuilt = Replica::<OrMap<String, Counter>>::new(2);
    let _ = rebuilt.edit(|map| map.entry("k").add(5));
    rebuilt.state.merge(&a.state);
    assert_eq!(rebuilt.state.get("k").unwrap().value(), 10, "so an import must say under which identity it writes");
}

/// A removal arrives before the insertion that it covers. That insertion is then known, and what it had itself replaced
/// stayed for ever.
#[test]
fn t25_an_insertion_that_is_known_already_still_takes_what_it_replaced() {
    let mut a = Replica::<Tags>::new(1);
    let first = a.edit(|tags| done(tags.insert("x")));
    let second = a.edit(|tags| done(tags.insert("x")));
    let removal = a.edit(|tags| done(tags.remove("x")));
    for order in [[0, 2, 1], [2, 0, 1], [2, 1, 0], [1, 2, 0], [1, 0, 2], [0, 1, 2]] {
        let mut b = Causal::<Tags>::new();
        for at in order {
            b.merge([&first, &second, &removal][at]);
        }
        assert!(b.is_empty(), "{order:?}");
        assert_eq!(b, a.state, "{order:?}");
    }
}

/// The set of many tutorials: per element and writer, how often it was added and removed, merged by maximum.
#[derive(Clone, Default)]
struct TutorialSet {
    writer: u8,
    counts: BTreeMap<(&'static str, u8), (u32, u32)>,
}

impl TutorialSet {
    fn new(writer: u8) -> Self {
        Self { writer, ..Self::default() }
    }

    fn add(&mut self, element: &'static str) {
        self.counts.entry((element, self.writer)).or_default().0 += 1;
    }

    fn remove(&mut self, element: &'static str) {
        self.counts.entry((element, self.writer)).or_default().1 += 1;
    }

    fn contains(&self, element: &str) -> bool {
        let of_element = self.counts.iter().filter(|((it, _), _)| *it == element);
        let (adds, removes) = of_element.fold((0, 0), |sums, (_, counts)| (sums.0 + counts.0, sums.1 + counts.1));
        adds > removes
    }

    fn merge(&mut self, other: &Self) {
        for (place, theirs) in &other.counts {
            let mine = self.counts.entry(*place).or_default();
            *mine = (mine.0.max(theirs.0), mine.1.max(theirs.1));
        }
    }
}

#[test]
fn t26_add_add_remove_leaves_nothing() {
    let mut sketch = TutorialSet::new(1);
    sketch.add("x");
    sketch.add("x");
    sketch.remove("x");
    assert!(sketch.contains("x"), "the tutorial's set fails");

    let mut a = Replica::<Tags>::new(1);
    let _ = a.edit(|tags| done(tags.insert("x")));
    let _ = a.edit(|tags| done(tags.insert("x")));
    let _ = a.edit(|tags| done(tags.remove("x")));
    assert!(!a.state.contains("x"));
}

#[test]
fn t26_removing_what_was_never_seen_cancels_no_later_addition() {
    let mut sketch = TutorialSet::new(1);
    sketch.remove("x");
    sketch.add("x");
    assert!(!sketch.contains("x"), "the tutorial's set fails");

    let mut a = Replica::<Tags>::new(1);
    let nothing = a.edit(|tags| assert_eq!(tags.remove("x"), 0));
    assert!(nothing.is_empty() && a.writer.last() == 0, "an edit that changes nothing takes no dot");
    let _ = a.edit(|tags| done(tags.insert("x")));
    assert!(a.state.contains("x"));
}

#[test]
fn t26_a_concurrent_addition_is_not_lost() {
    let (mut one, mut other) = (TutorialSet::new(1), TutorialSet::new(2));
    one.add("x");
    other.merge(&one);
    other.remove("x");
    other.remove("x");
    one.add("x");
    one.merge(&other);
    assert!(!one.contains("x"), "the tutorial's set fails");

    let (mut a, mut b) = (Replica::<Tags>::new(1), Replica::<Tags>::new(2));
    let add = a.edit(|tags| done(tags.insert("x")));
    b.merge(&add);
    let removal = b.edit(|tags| done(tags.remove("x")));
    let _ = b.edit(|tags| done(tags.remove("x")));
    let _ = a.edit(|tags| done(tags.insert("x")));
    a.merge(&removal);
    assert!(a.state.contains("x"));
}

/// Versions were compared over one side's keys only, and equal ones were "before" each other.
#[test]
fn t27_versions_compare_as_the_sets_of_dots_that_they_stand_for() {
    let counts = 0..27u64;
    let version = |n: u64| -> VersionVector { (0..3).map(|at| (id(at + 1), n / 3u64.pow(at as u32) % 3)).collect() };
    let naive = |n: u64| -> BTreeSet<(u32, u64)> {
        (0..3).flat_map(|at| (1..=n / 3u64.pow(at) % 3).map(move |counter| (at, counter))).collect()
    };
    let mut met = BTreeMap::new();
    for one in counts.clone() {
        for other in counts.clone() {
            let (mine, theirs) = (naive(one), naive(other));
            let expected = match (mine.is_subset(&theirs), theirs.is_subset(&mine)) {
                (true, true) => Causality::Equal,
                (true, false) => Causality::Before,
                (false, true) => Causality::After,
                (false, false) => Causality::Concurrent,
            };
            assert_eq!(version(one).compare(&version(other)), expected, "{one} {other}");
            *met.entry(format!("{expected:?}")).or_insert(0) += 1;
        }
    }
    assert_eq!(met.len(), 4, "all four outcomes: {met:?}");
}

/// Only an edit takes a dot: neither a merge nor a read ticks.
#[test]
fn t27_a_merge_takes_no_dot() {
    let mut a = Replica::<Tags>::new(1);
    let mut b = Replica::<Tags>::new(2);
    let first = a.edit(|tags| done(tags.insert("x")));
    b.merge(&first);
    b.merge(&first);
    assert_eq!((b.writer.last(), b.state.seen().version().get(id(2))), (0, 0));
    let _ = b.edit(|tags| done(tags.insert("y")));
    let (older, newer) = (a.state.seen().version(), b.state.seen().version());
    assert_eq!(older.compare(&newer), Causality::Before);
    assert!(older < newer);
    assert_eq!(older.compare(&older), Causality::Equal, "equal is not before");
    let _: Writer = a.writer;
}
