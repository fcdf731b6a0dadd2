//! A grow-only counter: counting alone, and merging counts of many replicas.
//!
//! Comparable: all hold a total per replica and merge by the greater. Ours and
//! crdts yield what another replica needs, crdt-kit does not. Ours knows replicas by
//! 128 bits, the others by 64. The limit counts in one number, and merges two bare
//! tables from id to total.

use crate::contestant::ours;
use crate::row::{Row, Target};
use crate::workload::numbers;
use crate::{Job, Who};
use crdt_core::{GCounter, Merge};
use crdt_kit::Crdt;
use crdts::{CmRDT, CvRDT};
use hashbrown::HashMap;
use std::hint::black_box;

static INCREMENT: Row = Row::time("counter/increment", "grow-only counter: increment, delta used", Target::AtMost(2.8));
static MERGE_1000: Row =
    Row::time("counter/merge_1000", "merge the totals of 1 000 replicas, per entry", Target::AtMost(6.5));
static MERGE_100000: Row = Row::time("counter/merge_100000", "the same, 100 000 replicas", Target::AtMost(6.5));

const INCREMENTS: usize = 1_000_000;

pub fn jobs() -> Vec<Job> {
    [increment(), merge(&MERGE_1000, 1_000), merge(&MERGE_100000, 100_000)].into_iter().flatten().collect()
}

fn increment() -> Vec<Job> {
    vec![
        Job::time(
            &INCREMENT,
            Who::Ours,
            INCREMENTS,
            || ours::writer(1).id(),
            |_| GCounter::new(),
            |id, counter| {
                for _ in 0..INCREMENTS {
                    let _ = black_box(counter.increment(*id, 1));
                }
            },
        ),
        Job::time(
            &INCREMENT,
            Who::Hashbrown,
            INCREMENTS,
            || (),
            |()| 0_u64,
            |(), total| {
                for _ in 0..INCREMENTS {
                    *black_box(&mut *total) += 1;
                }
            },
        ),
        Job::time(
            &INCREMENT,
            Who::Crdts,
            INCREMENTS,
            || (),
            |()| crdts::GCounter::<u64>::new(),
            |(), counter| {
                for _ in 0..INCREMENTS {
                    let op = counter.inc(black_box(1));
                    counter.apply(op);
                    black_box(op);
                }
            },
        ),
        Job::time(
            &INCREMENT,
            Who::CrdtKit,
            INCREMENTS,
            || (),
            |()| crdt_kit::GCounter::new(1),
            |(), counter| {
                for _ in 0..INCREMENTS {
                    black_box(&mut *counter).increment();
                }
            },
        ),
    ]
}

fn merge(row: &'static Row, replicas: usize) -> Vec<Job> {
    // Half of the totals are greater on one side, half on the other.
    let totals = move || {
        let ids = numbers(1, replicas);
        let one: Vec<_> = ids.iter().map(|id| (*id, 1 + (id >> 8) % 100)).collect();
        let other: Vec<_> = ids.iter().map(|id| (*id, 1 + (id >> 16) % 100)).collect();
        (one, other)
    };
    vec![
        Job::time(
            row,
            Who::Ours,
            replicas,
            move || {
                let count = |totals: Vec<(u64, u64)>| {
                    let mut counter = GCounter::new();
                    for (id, total) in totals {
                        let _ = counter.increment(ours::writer(id).id(), total);
                    }
                    counter
                };
                let (one, other) = totals();
                (count(one), count(other))
            },
            |(one, _)| one.clone(),
            |(_, other), one| one.merge(other),
        ),
        Job::time(
            row,
            Who::Hashbrown,
            replicas,
            move || {
                let (one, other) = totals();
                (one.into_iter().collect::<HashMap<_, _>>(), other.into_iter().collect::<HashMap<_, _>>())
            },
            |(one, _)| one.clone(),
            |(_, other), one| {
                for (id, total) in other {
                    let held = one.entry(*id).or_insert(0);
                    *held = (*held).max(*total);
                }
            },
        ),
        Job::time(
            row,
            Who::Crdts,
            replicas,
            move || {
                let count = |totals: Vec<(u64, u64)>| {
                    let mut counter = crdts::GCounter::new();
                    totals.into_iter().for_each(|(id, total)| counter.apply(counter.inc_many(id, total)));
                    counter
                };
                let (one, other) = totals();
                (count(one), count(other))
            },
            |(one, other)| (one.clone(), Some(other.clone())),
            |_, (one, other)| one.merge(other.take().expect("one run per input")),
        ),
        Job::time(
            row,
            Who::CrdtKit,
            replicas,
            move || {
                let count = |totals: Vec<(u64, u64)>| {
                    let mut counter = crdt_kit::GCounter::new(0);
                    for (id, total) in totals {
                        let mut alone = crdt_kit::GCounter::new(id);
                        alone.increment_by(total);
                        counter.merge(&alone);
                    }
                    counter
                };
                let (one, other) = totals();
                (count(one), count(other))
            },
            |(one, _)| one.clone(),
            |(_, other), one| one.merge(other),
        ),
    ]
}
