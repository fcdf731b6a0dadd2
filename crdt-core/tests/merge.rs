//! What each call on states, deltas and sets of dots says, at the smallest size that tells it from its neighbours: answers
//! that are true, moves and effects that are complete, two values under one dot.

mod replica;

use crdt_core::{
    BoundedCounter, Causal, Counter, Delta, Dot, DotSet, EditError, GCounter, GSet, LwwRegister, Merge, Observed,
    OrMap, OrSet, Path, PnCounter, ReplicaId, Step, Timestamp, Value, VersionVector, Writer,
};
use replica::{Replica, done, id};
use std::collections::HashSet;

type Tags = OrSet<String>;

fn dot(replica: u128, counter: u64) -> Dot {
    Dot::new(id(replica), counter).unwrap()
}

fn dots<const N: usize>(dots: [(u128, u64); N]) -> DotSet {
    dots.into_iter().map(|(replica, counter)| dot(replica, counter)).collect()
}

/// What a second memory under the id 1 wrote as its first edits.
fn imposter<const N: usize>(tags: [&str; N]) -> Delta<Tags> {
    let mut replica = Replica::<Tags>::new(1);
    replica.edit(|set| tags.into_iter().for_each(|tag| done(set.insert(tag))))
}

/// A state in which replica 1 wrote "b" and "d" and replica 2 "m" and "n".
fn four() -> Causal<Tags> {
    let (mut one, mut two) = (Replica::<Tags>::new(1), Replica::<Tags>::new(2));
    let _ = one.edit(|set| ["b", "d"].into_iter().for_each(|tag| done(set.insert(tag))));
    let _ = two.edit(|set| ["m", "n"].into_iter().for_each(|tag| done(set.insert(tag))));
    one.state.merge(&two.state);
    one.state
}

fn joined(parts: impl IntoIterator<Item = Delta<Tags>>) -> Delta<Tags> {
    parts.into_iter().fold(Delta::new(), |mut group, part| {
        group.merge(part);
        group
    })
}

fn retiring(own: DotSet, retired: DotSet) -> Delta<Tags> {
    Delta::retiring(own, retired)
}

fn added(tag: &str) -> Delta<Tags> {
    Replica::<Tags>::new(3).edit(|set| done(set.insert(tag)))
}

/// Each says one thing more than the one before, or two at once: an answer that forgets one of its parts, or counts two
/// as none, is caught.
fn things_to_say() -> Vec<(&'static str, Delta<Tags>)> {
    let known = dots([(2, 1)]);
    let nothing = DotSet::new;
    vec![
        ("nothing", Delta::new()),
        ("what is there", four().to_delta()),
        ("what was said already", retiring(nothing(), dots([]))),
        ("an entry", added("z")),
        ("a removal", retiring(dots([(3, 1)]), known.clone())),
        ("a removal whose own dot is known", retiring(nothing(), known.clone())),
        ("a dot alone", retiring(dots([(3, 1)]), nothing())),
        ("the removal of what was never here", retiring(nothing(), dots([(4, 1)]))),
        ("a dot, and the removal of what was never here", retiring(dots([(3, 1)]), dots([(4, 1)]))),
        ("a greater value under a known dot", imposter(["x"])),
        ("a smaller value under a known dot", imposter(["a"])),
        ("the same value under a known dot", imposter(["b"])),
        ("two greater values", imposter(["x", "y"])),
        ("a greater and a smaller value", imposter(["x", "a"])),
        ("a smaller and a greater value", imposter(["a", "x"])),
        ("a greater value and a removal", joined([imposter(["x"]), retiring(nothing(), known.clone())])),
        ("two removals", retiring(nothing(), dots([(1, 1), (2, 1)]))),
        ("removals of what is here and of what never was", retiring(nothing(), dots([(2, 1), (4, 1)]))),
        ("an entry and a removal", joined([added("z"), retiring(nothing(), known)])),
        ("what was retired at birth", retiring(dots([(1, 2), (3, 1)]), nothing())),
        ("what was retired at birth, beside a value", {
            let mut delta = imposter(["b"]);
            delta.merge(retiring(dots([(1, 2)]), nothing()));
            delta
        }),
    ]
}

#[test]
fn merging_a_delta_says_whether_the_state_grew_by_value_and_by_reference() {
    let mut grown = 0;
    for (what, delta) in things_to_say() {
        let before = four();
        let (mut by_ref, mut by_value) = (before.clone(), before.clone());
        let answers = (by_ref.merge(&delta), by_value.merge(delta.clone()));
        let grew = by_ref.encode() != before.encode();
        assert_eq!(answers, (grew, grew), "{what}");
        assert_eq!(by_ref, by_value, "{what}");
        by_ref.validate().unwrap();
        by_value.validate().unwrap();
        assert_eq!((by_ref.merge(&delta), by_value.merge(delta)), (false, false), "{what}, again");
        grown += usize::from(grew);
    }
    assert!((12..18).contains(&grown), "{grown}");
}

#[test]
fn merging_a_state_says_whether_this_one_grew() {
    let base = four();
    let mut other = base.fork_state(3);
    let answers = |other: &Causal<Tags>| {
        let (mut by_ref, mut by_value) = (base.clone(), base.clone());
        let answers = (by_ref.merge(other), by_value.merge(other.clone()));
        assert_eq!(by_ref, *other);
        assert_eq!(by_value, *other);
        answers
    };
    assert_eq!(answers(&base), (false, false));
    let _ = other.edit(|set| done(set.remove("m")));
    assert_eq!(answers(&other.state), (true, true), "a removal");
    let _ = other.edit(|set| done(set.insert("z")));
    assert_eq!(answers(&other.state), (true, true), "a removal and an entry");
}

trait Fork {
    fn fork_state(&self, number: u128) -> Replica<Tags>;
}

impl Fork for Causal<Tags> {
    fn fork_state(&self, number: u128) -> Replica<Tags> {
        Replica { writer: Writer::new(id(number)), state: self.clone() }
    }
}

#[test]
fn moves_and_effects_name_all_that_a_merge_does() {
    for (what, delta) in things_to_say() {
        let before = four();
        let mut after = before.clone();
        let moves = before.moves_of(&delta);
        let effect = after.merge_effect(&delta);
        let value = |state: &Causal<Tags>, dot: Dot| {
            let part = state.restrict(&[dot].into_iter().collect());
            part.entries().next().map(|(_, tag)| tag.clone())
        };
        let all: Vec<Dot> = before.seen().iter().chain(delta.own().iter()).chain(delta.retired().iter()).collect();
        let (mut came, mut went, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
        let mut effects = (Vec::new(), Vec::new());
        for dot in all.into_iter().collect::<std::collections::BTreeSet<_>>() {
            let (old, new) = (value(&before, dot), value(&after, dot));
            match (&old, &new) {
                (None, Some(_)) => came.push(dot),
                (Some(_), None) => went.push(dot),
                (Some(old), Some(new)) if old != new => replaced.push(dot),
                _ => {}
            }
            if old != new {
                effects.0.extend(new.map(|tag| (dot, tag)));
                effects.1.extend(old.map(|tag| (dot, tag)));
            }
        }
        let sorted = |mut dots: Vec<Dot>| {
            dots.sort_unstable();
            dots
        };
        assert_eq!(sorted(moves.added), came, "{what}");
        assert_eq!(sorted(moves.removed), went, "{what}");
        assert_eq!(sorted(moves.replaced), replaced, "{what}");
        assert_eq!(effect.is_empty(), effects.0.is_empty() && effects.1.is_empty(), "{what}");
        assert_eq!((effect.added, effect.removed), effects, "{what}");
    }
}

#[test]
fn two_values_under_one_dot_are_reported_and_the_greater_stays() {
    for (theirs, told, left) in [
        (["x", "y"], vec![dot(1, 1), dot(1, 2)], ["m", "n", "x", "y"]),
        (["x", "d"], vec![dot(1, 1)], ["d", "m", "n", "x"]),
        (["a", "y"], vec![dot(1, 1), dot(1, 2)], ["b", "m", "n", "y"]),
        (["b", "d"], vec![], ["b", "d", "m", "n"]),
    ] {
        let mut state = four();
        let delta = imposter(theirs);
        assert_eq!(state.equivocations(&delta), told, "{theirs:?}");
        state.merge(&delta);
        assert!(state.iter().eq(left), "{theirs:?}: {state:?}");
    }
    assert!(four().equivocations(&added("z")).is_empty(), "a dot that is new here has one value");
}

#[test]
fn changes_are_told_for_what_a_reader_sees_differently_and_for_nothing_else() {
    let mut state = four();
    let changes = state.merge_changes(&joined([added("b"), retiring(DotSet::new(), dots([(2, 1)]))]));
    assert_eq!(changes.len(), 1, "\"b\" was in: {changes:?}");
    assert_eq!((&changes[0].before, &changes[0].after), (&Observed::Present, &Observed::Absent));
    assert!(state.iter().eq(["b", "d", "n"]));
    assert_eq!(four().merge_changes(&added("b")).len(), 0, "it was in");
    assert_eq!(four().merge_changes(&added("z")).len(), 1);
}

#[test]
fn the_places_of_a_delta_are_those_where_it_changes_something() {
    let mut shelf = Replica::<OrMap<String, Tags>>::new(1);
    let first = shelf.edit(|shelf| done(shelf.entry("a").insert("one")));
    let second = shelf.edit(|shelf| done(shelf.entry("b").insert("two")));
    let removal = shelf.edit(|shelf| done(shelf.remove("a")));
    let at = |key: &str| Path::from([Step::Key(Value::from(key))].as_slice());
    let mut state = Causal::<OrMap<String, Tags>>::new();
    assert_eq!(state.places_of(&first), [Path::new()], "of nothing only the root is said");
    assert!(state.places_of(&removal).is_empty());
    state.merge(&first);
    assert_eq!(state.places_of(&second), [at("b")], "what is new");
    assert!(state.places_of(&first).is_empty(), "what is known");
    assert_eq!(state.places_of(&removal), [at("a")]);
    let mut both = second.clone();
    both.merge(removal);
    assert_eq!(state.places_of(&both), [at("a"), at("b")]);
    // Another value under the same dot: told where it wins, and not where it loses.
    let greater = Replica::<OrMap<String, Tags>>::new(1).edit(|shelf| done(shelf.entry("a").insert("other")));
    let mut other = Causal::<OrMap<String, Tags>>::new();
    other.merge(&greater);
    assert_eq!((state.places_of(&greater), other.places_of(&first)), (vec![at("a")], Vec::new()));
}

#[test]
fn a_group_of_deltas_says_whether_it_grew() {
    let say = [
        ("an entry", added("z")),
        ("its removal", retiring(dots([(4, 1)]), dots([(3, 1)]))),
        ("its removal without a dot", retiring(DotSet::new(), dots([(3, 1)]))),
        ("a dot", retiring(dots([(5, 1)]), DotSet::new())),
        ("another removal", retiring(DotSet::new(), dots([(6, 1)]))),
        ("two entries", imposter(["p", "q"])),
        ("one of the two", imposter(["p"])),
        ("nothing", Delta::new()),
    ];
    let mut grown = 0;
    for (first, one) in &say {
        for (second, two) in &say {
            for (third, three) in &say {
                let mut group = one.clone();
                group.merge(two);
                let before = group.clone();
                let (mut by_ref, mut by_value) = (group.clone(), group);
                let answers = (by_ref.merge(three), by_value.merge(three.clone()));
                let grew = by_ref.encode() != before.encode();
                assert_eq!(answers, (grew, grew), "{first}, {second}, {third}");
                assert_eq!(by_ref, by_value);
                assert!(!by_ref.clone().merge(three), "{first}, {second}, {third}, again");
                let sorted = by_ref.entries().map(|(dot, _)| dot).is_sorted_by(|left, right| left < right);
                assert!(sorted, "each entry once, by dot: {by_ref:?}");
                grown += usize::from(grew);
            }
        }
    }
    assert!((50..400).contains(&grown), "{grown}");
}

#[test]
fn a_group_drops_an_entry_that_the_other_one_knows_and_has_no_more() {
    let mut author = Replica::<Tags>::new(1);
    let add = author.edit(|set| done(set.insert("a")));
    let gone = joined([add.clone(), author.edit(|set| done(set.remove("a")))]);
    for mut group in [joined([add.clone(), gone.clone()]), joined([gone.clone(), add])] {
        assert_eq!((group.entries().len(), group.own(), group.retired().len()), (0, gone.own(), 0));
        assert!(!group.merge(&gone));
    }
}

#[test]
fn what_is_written_and_removed_in_one_edit_leaves_its_dots_alone() {
    let mut author = Replica::<Tags>::new(1);
    let delta = author.edit(|set| {
        ["a", "b", "c", "d"].into_iter().for_each(|tag| done(set.insert(tag)));
        ["a", "c"].into_iter().for_each(|tag| done(set.remove(tag)));
    });
    let named: Vec<Dot> = delta.entries().map(|(dot, _)| dot).collect();
    assert_eq!(named, [dot(1, 2), dot(1, 4)]);
    assert_eq!((delta.own().len(), delta.retired().len()), (4, 0));
    assert_eq!(Delta::decode(&delta.encode()), Ok(delta.clone()));
    let mut state = Causal::<Tags>::new();
    state.merge(delta);
    assert_eq!(state, author.state);
}

#[test]
fn a_group_without_the_removed_entry_removes_it_where_it_is_by_value_as_well() {
    let mut author = Replica::<Tags>::new(1);
    let add = author.edit(|set| done(set.insert("a")));
    let group = joined([add.clone(), author.edit(|set| done(set.remove("a")))]);
    assert_eq!((group.entries().len(), group.own().len()), (0, 2));
    let mut state = Causal::<Tags>::new();
    state.merge(add);
    assert!(state.merge(group));
    assert!(state.is_empty());
}

#[test]
fn deltas_are_equal_if_and_only_if_entries_and_both_sets_of_dots_are() {
    let base = || retiring(dots([(1, 1)]), dots([(2, 1)]));
    assert_eq!(base(), base());
    assert_ne!(base(), retiring(dots([(1, 2)]), dots([(2, 1)])));
    assert_ne!(base(), retiring(dots([(1, 1)]), dots([(2, 2)])));
    assert_ne!(imposter(["a"]), imposter(["b"]));
    assert_ne!(imposter(["a"]), retiring(dots([(1, 1)]), DotSet::new()));
    assert!(Delta::<Tags>::new().is_empty());
    assert!(!retiring(dots([(1, 1)]), DotSet::new()).is_empty());
    assert!(!retiring(DotSet::new(), dots([(1, 1)])).is_empty());
}

#[test]
fn states_are_equal_if_and_only_if_entries_dots_and_what_was_seen_are() {
    let state = four();
    let mut more_seen = state.clone();
    more_seen.merge(retiring(dots([(9, 1)]), DotSet::new()));
    assert_ne!(state, more_seen);
    let mut other_value = Causal::<Tags>::new();
    other_value.merge(imposter(["x", "d"]));
    other_value.merge(&four());
    assert_eq!((state.seen(), state.live()), (other_value.seen(), other_value.live()));
    assert_ne!(state, other_value, "equal dots, but one names another value");
    let mut fewer_live = state.clone();
    fewer_live.merge(retiring(DotSet::new(), dots([(2, 1)])));
    assert_eq!(state.seen(), fewer_live.seen());
    assert_ne!(state, fewer_live);
    assert_ne!(fewer_live, state);
}

#[test]
fn what_is_live_is_counted_listed_and_found() {
    let mut state = four();
    state.merge(retiring(dots([(3, 1)]), dots([(1, 2)])));
    let live = dots([(1, 1), (2, 1), (2, 2)]);
    assert_eq!((state.live_len(), state.live()), (3, live.clone()));
    assert_eq!((state.summary().seen, state.summary().live), (state.seen().clone(), live));
    assert!(state.is_live(dot(1, 1)) && !state.is_live(dot(1, 2)) && !state.is_live(dot(7, 7)));
    let digest = state.live_digest();
    assert_ne!(digest, four().live_digest());
    let mut back = four();
    back.merge(retiring(DotSet::new(), dots([(1, 2)])));
    assert_eq!(back.live_digest(), digest, "of the live dots alone");
    assert_eq!(Causal::<Tags>::new().live_digest(), 0);
}

#[test]
fn the_delta_to_a_peer_is_what_it_lacks_and_no_more() {
    let mut peer = four();
    let mut state = peer.clone();
    state.merge(retiring(dots([(3, 1)]), dots([(1, 2)])));
    state.merge(Replica::<Tags> { writer: Writer::resume(id(3), 1), state: Causal::new() }.edit(|set| {
        done(set.insert("z"));
    }));
    let delta = state.diff_to(&peer);
    assert_eq!(delta, state.diff(&peer.summary()));
    assert_eq!(delta.entries().map(|(dot, _)| dot).collect::<Vec<_>>(), [dot(3, 2)]);
    assert_eq!((delta.own(), delta.retired()), (&dots([(3, 1), (3, 2)]), &dots([(1, 2)])));
    peer.merge(delta);
    assert_eq!(peer, state);
    let part = state.restrict(&dots([(1, 1), (1, 2), (2, 2), (8, 8)]));
    assert_eq!(part.entries().map(|(_, tag)| tag.as_str()).collect::<Vec<_>>(), ["b", "n"]);
    assert_eq!((part.own(), part.retired()), (&dots([(1, 1), (2, 2)]), &DotSet::new()));
}

#[test]
fn sets_of_dots_are_disjoint_if_they_share_none_and_one_run_if_they_are() {
    let some = dots([(1, 1), (1, 2), (1, 5), (2, 7)]);
    for (other, disjoint) in [
        (dots([]), true),
        (dots([(1, 3), (1, 4), (1, 6), (2, 1), (3, 1)]), true),
        (dots([(1, 4), (1, 5)]), false),
        (dots([(3, 9), (2, 7)]), false),
    ] {
        assert_eq!((some.is_disjoint(&other), other.is_disjoint(&some)), (disjoint, disjoint), "{other:?}");
    }
    assert_eq!(dots([(1, 4), (1, 5), (1, 6)]).only_run(), Some((id(1), 4, 6)));
    for several in [dots([]), dots([(1, 4), (1, 6)]), dots([(1, 4), (2, 4)])] {
        assert_eq!(several.only_run(), None);
    }
}

#[test]
fn sets_of_dots_count_compare_and_join() {
    let (some, more) = (dots([(1, 1), (1, 2), (1, 5), (2, 7)]), dots([(1, 1), (1, 2), (1, 5), (2, 7), (2, 9)]));
    assert_eq!((some.run_count(), more.run_count(), DotSet::new().run_count()), (3, 4, 0));
    assert!(some != more && some != dots([(1, 1), (1, 2), (1, 5), (2, 8)]));
    assert_ne!(some, dots([(1, 1), (1, 2), (1, 5), (3, 7)]));
    assert_ne!(some, dots([(1, 1), (1, 2), (1, 5)]));
    let mut joined = some.clone();
    assert_eq!((joined.merge(&more), joined.merge(&more), joined.merge(&some)), (true, false, false));
    let mut joined = some.clone();
    assert_eq!(
        (joined.merge(more.clone()), joined.merge(more.clone()), joined.merge(some.clone())),
        (true, false, false)
    );
    assert_eq!(joined, more);
    // Equal sets are one element of a hash set, however they came about.
    let set: HashSet<DotSet> = [some.clone(), more.clone(), joined, some.iter().collect()].into();
    assert_eq!(set.len(), 2);
    let hashes: HashSet<u64> = (1..40).map(|n| hash(&dots([(1, n)]))).collect();
    assert_eq!(hashes.len(), 39);
    let version: VersionVector = [(id(1), 2), (id(2), 3)].into_iter().collect();
    let all = dots([(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]);
    assert_eq!((DotSet::from(&version), DotSet::from(version)), (all.clone(), all));
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

/// Merging `theirs` says `grew`, by reference and by value, and then that there is nothing more.
fn answers<T>(mine: &T, theirs: &T, grew: bool)
where
    T: Clone + for<'a> Merge<&'a T> + Merge,
{
    let (mut by_ref, mut by_value) = (mine.clone(), mine.clone());
    assert_eq!((by_ref.merge(theirs), by_value.merge(theirs.clone())), (grew, grew));
    assert_eq!((by_ref.merge(theirs), by_value.merge(theirs.clone())), (false, false));
}

#[test]
fn values_that_stand_alone_say_whether_they_grew() {
    let me = ReplicaId::from_u128(1);
    let other = ReplicaId::from_u128(2);
    let mut likes = GCounter::new();
    let _ = likes.increment(me, 3);
    let mut more = likes.clone();
    let _ = more.increment(me, 1);
    answers(&likes, &more, true);
    answers(&more, &likes, false);

    let mut copy = GCounter::new();
    assert!(copy.merge(likes.increment(me, 2).unwrap()));
    assert_eq!((copy.value(), copy.of(me)), (5, 5), "a delta holds the total");

    let mut balance = PnCounter::new();
    let _ = balance.increment(me, 3);
    for (up, down) in [(1, 0), (0, 1), (1, 1)] {
        let mut more = balance.clone();
        let _ = more.increment(me, up);
        let _ = more.decrement(me, down);
        answers(&balance, &more, true);
        answers(&more, &balance, false);
    }

    let mut seats = BoundedCounter::new();
    let _ = seats.mint(me, 100);
    for (mint, spend, grant) in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1), (0, 1, 1)] {
        let mut more = seats.clone();
        let _ = more.mint(me, mint);
        let _ = more.spend(me, spend);
        let _ = more.grant(me, other, grant);
        answers(&seats, &more, true);
        answers(&more, &seats, false);
    }

    let mut log = GSet::<u8>::new();
    let _ = log.insert(1);
    let mut more = log.clone();
    let _ = more.insert(2);
    answers(&log, &more, true);
    answers(&more, &log, false);

    let mut title = LwwRegister::<u8>::new();
    let _ = title.write_alone(Timestamp::new(1, 0), me, 1);
    let mut more = title.clone();
    let _ = more.write_alone(Timestamp::new(2, 0), me, 2);
    answers(&title, &more, true);
    answers(&more, &title, false);
}

#[test]
fn a_bounded_counter_adds_up_what_was_minted_spent_and_granted() {
    let [me, you, they] = [1, 2, 3].map(ReplicaId::from_u128);
    let mut seats = BoundedCounter::new();
    let _ = seats.mint(me, 100).unwrap();
    let _ = seats.grant(me, you, 30).unwrap();
    let _ = seats.grant(me, they, 5).unwrap();
    let _ = seats.spend(me, 10).unwrap();
    let _ = seats.spend(you, 7).unwrap();
    let _ = seats.grant(you, me, 3).unwrap();
    assert_eq!(seats.value(), 100 - 10 - 7);
    assert_eq!([me, you, they].map(|who| seats.available(who)), [100 - 30 - 5 - 10 + 3, 30 - 7 - 3, 5]);
}

#[test]
fn a_run_of_equal_increments_gives_up_its_ends_and_its_middle() {
    let mut author = Replica::<Counter>::new(1);
    for _ in 0..7 {
        let _ = author.edit(|counter| counter.add(5));
    }
    let mut left = (1..=7).collect::<Vec<u64>>();
    for gone in [7, 1, 4, 6, 3, 2, 5] {
        author.state.merge(Delta::retiring(DotSet::new(), dots([(1, gone)])));
        left.retain(|counter| *counter != gone);
        let expected: Causal<Counter> = left.iter().fold(Causal::new(), |mut state, counter| {
            let (delta, ()) = Causal::<Counter>::new().edit(&mut Writer::resume(id(1), counter - 1), |at| at.add(5));
            state.merge(delta);
            state
        });
        assert_eq!(author.state.value(), 5 * left.len() as i128, "without {gone}");
        assert_eq!(author.state.live(), expected.live());
        assert_eq!(
            author.state.to_delta().entries().collect::<Vec<_>>(),
            expected.to_delta().entries().collect::<Vec<_>>()
        );
        author.state.validate().unwrap();
    }
    assert!(author.state.live().is_empty());
    // An edit that fails takes increments from the end of a run.
    let mut author = Replica::<Counter>::new(1);
    let _ = author.edit(|counter| counter.add(5));
    let before = author.state.encode();
    let failed = author.state.try_edit(&mut author.writer, |counter| {
        (0..3).for_each(|_| counter.add(5));
        Err::<(), _>(EditError::Overflow)
    });
    assert!(failed.is_err());
    assert_eq!(author.state.encode(), before);
    author.state.validate().unwrap();
}
