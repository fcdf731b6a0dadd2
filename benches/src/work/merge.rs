//! Merging: whole sets of a million that agree, nearly agree or share nothing,
//! and deltas of one edit.
//!
//! Comparable: all four hold add-wins sets and end with the same elements.
//! Not comparable: crdt-kit keeps tombstones; crdts has no deltas and applies an
//! operation, which must arrive in causal order; crdt-kit and dson look at the
//! whole state for each delta. crdts and dson consume the other state, so that
//! dropping it is part of their merge; we and crdt-kit borrow it. The bare table
//! looks every key of the other up and inserts what it lacks.

use super::{REDUCED, SIZE};
use crate::contestant::{crdt_kit as kit, crdts as peer, dson as dots, ours};
use crate::row::{MICROSECOND, MILLISECOND, Row, Target};
use crate::workload::{Pair, numbers, pair, shuffled};
use crate::{Job, Who};
use crdt_core::{Causal, Delta, Merge, OrSet};
use crdt_kit::{Crdt, DeltaCrdt};
use crdts::{CmRDT, CvRDT};
use hashbrown::HashSet;

static IDENTICAL: Row =
    Row::time("merge/identical", "merge two whole sets of 10⁶ `u64`, identical", Target::AtMost(0.1 * MILLISECOND));
static ONE_PERCENT: Row = Row::time(
    "merge/one_percent",
    "the same, 1 % different (10⁴ added on each side)",
    Target::AtMost(5.0 * MILLISECOND),
);
static ONE_PERCENT_REMOVED: Row = Row::time(
    "merge/one_percent_removed",
    "the same, 1 % different (10⁴ removed on each side)",
    Target::AtMost(5.0 * MILLISECOND),
);
static DISJOINT: Row = Row::time("merge/disjoint", "the same, disjoint", Target::AtMost(150.0 * MILLISECOND));
static INSERT_DELTA: Row =
    Row::time("merge/insert_delta", "merge a delta of one insert into 10⁶", Target::AtMost(MICROSECOND));
static REMOVE_DELTA: Row =
    Row::time("merge/remove_delta", "merge a delta of one remove into 10⁶", Target::AtMost(MICROSECOND));

/// Elements that each side has alone.
const ALONE: usize = SIZE / 100;
/// Deltas merged in one run, for those that find their place at once …
pub const DELTAS: usize = 256;
/// … and for those that walk the whole state for each.
const SLOW_DELTAS: usize = 4;

pub fn jobs() -> Vec<Job> {
    let mut jobs = Vec::new();
    jobs.extend(whole(&IDENTICAL, 0));
    jobs.extend(whole(&ONE_PERCENT, ALONE));
    jobs.extend(one_percent_removed());
    jobs.extend(whole(&DISJOINT, SIZE));
    jobs.extend(insert_delta());
    jobs.extend(remove_delta());
    jobs
}

/// Two whole sets with `alone` elements on one side only.
fn whole(row: &'static Row, alone: usize) -> Vec<Job> {
    let both = move || pair(SIZE, alone);
    let mut jobs = vec![
        Job::time(
            row,
            Who::Ours,
            1,
            move || {
                let Pair { shared, left, right } = both();
                let base = ours::set_of(&shared);
                let (mut one, mut other) = (base.clone(), Causal::<OrSet<u64>>::with_seed(1));
                other.merge(&base);
                ours::extend(&mut one, &mut ours::writer(5), &left);
                ours::extend(&mut other, &mut ours::writer(6), &right);
                (one, other)
            },
            |(one, _)| one.clone(),
            |(_, other), one| one.merge(other),
        ),
        Job::time(
            row,
            Who::Hashbrown,
            1,
            move || {
                let Pair { shared, left, right } = both();
                let base: HashSet<u64> = shared.into_iter().collect();
                let (mut one, mut other) = (base.clone(), base);
                one.extend(left);
                other.extend(right);
                (one, other)
            },
            |(one, _)| one.clone(),
            |(_, other), one| {
                for element in other {
                    if !one.contains(element) {
                        one.insert(*element);
                    }
                }
            },
        ),
        Job::time(
            row,
            Who::Crdts,
            1,
            move || {
                let Pair { shared, left, right } = both();
                let base = peer::set_of(&shared);
                let (mut one, mut other) = (base.clone(), base);
                peer::extend(&mut one, 5, &left);
                peer::extend(&mut other, 6, &right);
                (one, other)
            },
            |(one, other)| (one.clone(), Some(other.clone())),
            |_, (one, other)| one.merge(other.take().expect("one run per input")),
        ),
        Job::time(
            row,
            Who::Dson,
            1,
            move || {
                let Pair { shared, left, right } = both();
                let base = dots::set_of(&shared);
                let (mut one, mut other) = (base.clone(), base);
                dots::extend(&mut one, 5, &left);
                dots::extend(&mut other, 6, &right);
                (one, other)
            },
            |(one, other)| (one.clone(), Some(other.clone())),
            |_, (one, other)| dots::join(one, other.take().expect("one run per input")),
        ),
    ];
    jobs.push(Job::time(
        row,
        Who::CrdtKit,
        1,
        move || {
            let Pair { shared, left, right } = both();
            let base = kit::set_of(&shared);
            let (mut one, mut other) = (kit::copy_for(&base, 5), kit::copy_for(&base, 6));
            kit::extend(&mut one, &left);
            kit::extend(&mut other, &right);
            (one, other)
        },
        |(one, _)| one.clone(),
        |(_, other), one| one.merge(other),
    ));
    jobs
}

/// The same cost in the other direction. crdt-kit is left out: for each of the
/// other's tombstones it walks all elements, which takes minutes.
fn one_percent_removed() -> Vec<Job> {
    let removals = || {
        let mut gone = shuffled(2, &numbers(1, SIZE));
        gone.truncate(2 * ALONE);
        let right = gone.split_off(ALONE);
        (gone, right)
    };
    vec![
        Job::time(
            &ONE_PERCENT_REMOVED,
            Who::Ours,
            1,
            move || {
                let (left, right) = removals();
                let base = ours::set_of(&numbers(1, SIZE));
                let (mut one, mut other) = (base.clone(), base);
                let (mut first, mut second) = (ours::writer(5), ours::writer(6));
                left.iter().for_each(|element| drop(ours::remove(&mut one, &mut first, element)));
                right.iter().for_each(|element| drop(ours::remove(&mut other, &mut second, element)));
                (one, other)
            },
            |(one, _)| one.clone(),
            |(_, other), one| one.merge(other),
        ),
        Job::time(
            &ONE_PERCENT_REMOVED,
            Who::Crdts,
            1,
            move || {
                let (left, right) = removals();
                let base = peer::set_of(&numbers(1, SIZE));
                let (mut one, mut other) = (base.clone(), base);
                left.iter().for_each(|element| drop(peer::remove(&mut one, element)));
                right.iter().for_each(|element| drop(peer::remove(&mut other, element)));
                (one, other)
            },
            |(one, other)| (one.clone(), Some(other.clone())),
            |_, (one, other)| one.merge(other.take().expect("one run per input")),
        ),
        Job::time(
            &ONE_PERCENT_REMOVED,
            Who::Dson,
            1,
            move || {
                let (left, right) = removals();
                let base = dots::set_of(&numbers(1, SIZE));
                let (mut one, mut other) = (base.clone(), base);
                left.iter().for_each(|element| drop(one.store.remove(element)));
                right.iter().for_each(|element| drop(other.store.remove(element)));
                (one, other)
            },
            |(one, other)| (one.clone(), Some(other.clone())),
            |_, (one, other)| dots::join(one, other.take().expect("one run per input")),
        ),
    ]
}

fn insert_delta() -> Vec<Job> {
    let fresh = |count| numbers(3, count);
    vec![
        Job::time(
            &INSERT_DELTA,
            Who::Ours,
            DELTAS,
            || ours_with_inserts(SIZE, DELTAS),
            |(set, _)| set.clone(),
            |(_, deltas), set| deltas.iter().filter(|delta| set.merge(*delta)).count(),
        ),
        Job::time(
            &INSERT_DELTA,
            Who::Hashbrown,
            DELTAS,
            || table_with_inserts(SIZE, DELTAS),
            |(set, _)| set.clone(),
            |(_, elements), set| elements.iter().filter(|element| set.insert(**element)).count(),
        ),
        Job::time(
            &INSERT_DELTA,
            Who::Crdts,
            DELTAS,
            move || {
                let set = peer::set_of(&numbers(1, SIZE));
                let mut other = set.clone();
                let ops: Vec<_> =
                    fresh(DELTAS).into_iter().map(|element| peer::insert(&mut other, 6, element)).collect();
                (set, ops)
            },
            |(set, ops)| (set.clone(), ops.clone()),
            |_, (set, ops)| ops.drain(..).for_each(|op| set.apply(op)),
        ),
        Job::time(
            &INSERT_DELTA,
            Who::CrdtKit,
            SLOW_DELTAS,
            move || {
                let set = kit::set_of(&numbers(1, SIZE));
                let mut other = kit::copy_for(&set, 6);
                let deltas: Vec<_> = fresh(SLOW_DELTAS)
                    .into_iter()
                    .map(|element| {
                        let before = other.clone();
                        other.insert(element);
                        other.delta(&before)
                    })
                    .collect();
                (set, deltas)
            },
            |(set, _)| set.clone(),
            |(_, deltas), set| deltas.iter().for_each(|delta| set.apply_delta(delta)),
        ),
        Job::time(
            &INSERT_DELTA,
            Who::Dson,
            SLOW_DELTAS,
            move || {
                let set = dots::set_of(&numbers(1, REDUCED));
                let mut other = set.clone();
                let deltas: Vec<_> = fresh(SLOW_DELTAS)
                    .into_iter()
                    .map(|element| {
                        let delta = dots::insertion(&other, 6, element);
                        dots::join(&mut other, delta.clone());
                        delta
                    })
                    .collect();
                (set, deltas)
            },
            |(set, deltas)| (set.clone(), deltas.clone()),
            |_, (set, deltas)| deltas.drain(..).for_each(|delta| dots::join(set, delta)),
        )
        .reduced_to(REDUCED),
    ]
}

fn remove_delta() -> Vec<Job> {
    let gone = |size, count| {
        let mut gone = shuffled(2, &numbers(1, size));
        gone.truncate(count);
        gone
    };
    vec![
        Job::time(
            &REMOVE_DELTA,
            Who::Ours,
            DELTAS,
            || ours_with_removes(SIZE, DELTAS),
            |(set, _)| set.clone(),
            |(_, deltas), set| deltas.iter().filter(|delta| set.merge(*delta)).count(),
        ),
        Job::time(
            &REMOVE_DELTA,
            Who::Hashbrown,
            DELTAS,
            || table_with_removes(SIZE, DELTAS),
            |(set, _)| set.clone(),
            |(_, gone), set| gone.iter().filter(|element| set.remove(*element)).count(),
        ),
        Job::time(
            &REMOVE_DELTA,
            Who::Crdts,
            DELTAS,
            move || {
                let set = peer::set_of(&numbers(1, SIZE));
                let mut other = set.clone();
                let ops: Vec<_> = gone(SIZE, DELTAS).iter().map(|element| peer::remove(&mut other, element)).collect();
                (set, ops)
            },
            |(set, ops)| (set.clone(), ops.clone()),
            |_, (set, ops)| ops.drain(..).for_each(|op| set.apply(op)),
        ),
        Job::time(
            &REMOVE_DELTA,
            Who::CrdtKit,
            SLOW_DELTAS,
            move || {
                let set = kit::set_of(&numbers(1, SIZE));
                let mut other = kit::copy_for(&set, 6);
                let deltas: Vec<_> = gone(SIZE, SLOW_DELTAS)
                    .iter()
                    .map(|element| {
                        let before = other.clone();
                        other.remove(element);
                        other.delta(&before)
                    })
                    .collect();
                (set, deltas)
            },
            |(set, _)| set.clone(),
            |(_, deltas), set| deltas.iter().for_each(|delta| set.apply_delta(delta)),
        ),
        Job::time(
            &REMOVE_DELTA,
            Who::Dson,
            SLOW_DELTAS,
            move || {
                let set = dots::set_of(&numbers(1, REDUCED));
                let deltas: Vec<_> =
                    gone(REDUCED, SLOW_DELTAS).iter().map(|element| dots::removal(&set, element)).collect();
                (set, deltas)
            },
            |(set, deltas)| (set.clone(), deltas.clone()),
            |_, (set, deltas)| deltas.drain(..).for_each(|delta| dots::join(set, delta)),
        )
        .reduced_to(REDUCED),
    ]
}

/// A set of `size`, and deltas of one insert each.
pub fn ours_with_inserts(size: usize, count: usize) -> (Causal<OrSet<u64>>, Vec<Delta<OrSet<u64>>>) {
    let set = ours::set_of(&numbers(1, size));
    let (mut other, mut writer) = (set.clone(), ours::writer(6));
    let insert = |element| ours::insert(&mut other, &mut writer, element);
    let deltas = numbers(3, count).into_iter().map(insert).collect();
    (set, deltas)
}

/// A set of `size`, and deltas of one remove each.
pub fn ours_with_removes(size: usize, count: usize) -> (Causal<OrSet<u64>>, Vec<Delta<OrSet<u64>>>) {
    let elements = numbers(1, size);
    let set = ours::set_of(&elements);
    let (mut other, mut writer) = (set.clone(), ours::writer(6));
    let remove = |element| ours::remove(&mut other, &mut writer, element);
    let deltas = shuffled(2, &elements).iter().take(count).map(remove).collect();
    (set, deltas)
}

/// A bare table of `size`, and what is to be inserted.
pub fn table_with_inserts(size: usize, count: usize) -> (HashSet<u64>, Vec<u64>) {
    (numbers(1, size).into_iter().collect(), numbers(3, count))
}

/// A bare table of `size`, and what is to be removed.
pub fn table_with_removes(size: usize, count: usize) -> (HashSet<u64>, Vec<u64>) {
    let elements = numbers(1, size);
    let gone = shuffled(2, &elements).into_iter().take(count).collect();
    (elements.into_iter().collect(), gone)
}
