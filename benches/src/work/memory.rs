//! Memory: per element, and after much came and went.
//!
//! The figure is what the allocator was asked for and has not got back
//! ([`crate::allocation`]), over the elements in the set. The limit is a bare table
//! from each element to a dot of 16 bytes: the least that can answer which edit
//! put it there.
//!
//! Not comparable: crdt-kit keeps a tombstone for everything removed (its churn is
//! a tenth of the others'). dson is measured without the cache of dots which its
//! first join fills; it has no churn row because its edits walk the whole set.

use super::{REDUCED, SIZE};
use crate::allocation::bytes_kept;
use crate::contestant::{crdt_kit as kit, crdts as peer, dson as dots, ours};
use crate::row::{Row, Target};
use crate::workload::{Random, numbers};
use crate::{Job, Who};
use crdt_core::Causal;
use crdt_kit::ORSet;
use hashbrown::HashMap;
use std::hint::black_box;

static ELEMENT: Row = Row::bytes("memory/element", "memory per element of 10⁶ `u64`", Target::AtMost(70.0));
static FRESH: Row = Row::bytes("memory/fresh", "memory per element of 10⁴, nothing removed yet", Target::Open);
static CHURN: Row = Row::bytes(
    "memory/churn",
    "the same after 10⁷ inserted and all but 10⁴ removed, a random one at a time",
    Target::TimesRow(2.0, "memory/fresh"),
);
static SCATTERED: Row = Row::bytes(
    "memory/scattered",
    "the same when 10⁷ were inserted first and every thousandth is left",
    Target::TimesRow(4.0, "memory/fresh"),
);
static CHURN_TIME: Row =
    Row::time("memory/churn_time", "one insert and one remove while 10⁴ are held, delta produced", Target::Open);

/// Elements inserted and removed.
const CHURNED: usize = 10_000_000;
/// Elements left.
const LEFT: usize = 10_000;

pub fn jobs() -> Vec<Job> {
    [element(), fresh(), churn(), scattered(), churn_time()].into_iter().flatten().collect()
}

fn element() -> Vec<Job> {
    kept_per_element(&ELEMENT, SIZE)
}

fn fresh() -> Vec<Job> {
    kept_per_element(&FRESH, LEFT)
}

fn kept_per_element(row: &'static Row, size: usize) -> Vec<Job> {
    let each = move |bytes: usize| bytes as f64 / size as f64;
    let all = move || numbers(1, size);
    vec![
        Job::count(row, Who::Ours, move || each(bytes_kept(|| ours::set_of(&all())))),
        Job::count(row, Who::Hashbrown, move || {
            each(bytes_kept(|| {
                let mut table = HashMap::<u64, (u64, u64)>::new();
                table.extend(all().into_iter().map(|element| (element, (1, 1))));
                table
            }))
        }),
        Job::count(row, Who::Crdts, move || each(bytes_kept(|| peer::set_of(&all())))),
        Job::count(row, Who::CrdtKit, move || each(bytes_kept(|| kit::set_of(&all())))),
        Job::count(row, Who::Dson, move || each(bytes_kept(|| dots::set_of(&all())))),
    ]
}

/// Inserts `count` numbers; each beyond the first `LEFT` takes the place of a random one.
fn replace_at_random(count: usize, mut insert: impl FnMut(u64), mut remove: impl FnMut(u64)) {
    let mut random = Random::new(7);
    let mut held = Vec::with_capacity(LEFT);
    for element in numbers(1, count) {
        insert(element);
        if held.len() < LEFT {
            held.push(element);
        } else {
            remove(std::mem::replace(&mut held[random.below(LEFT)], element));
        }
    }
}

fn churn() -> Vec<Job> {
    let each = |bytes: usize| bytes as f64 / LEFT as f64;
    vec![
        Job::count(&CHURN, Who::Ours, move || {
            each(bytes_kept(|| {
                let set = std::cell::RefCell::new((Causal::new(), ours::writer(1)));
                replace_at_random(
                    CHURNED,
                    |element| {
                        let (set, writer) = &mut *set.borrow_mut();
                        drop(ours::insert(set, writer, element));
                    },
                    |element| {
                        let (set, writer) = &mut *set.borrow_mut();
                        drop(ours::remove(set, writer, &element));
                    },
                );
                set
            }))
        }),
        Job::count(&CHURN, Who::Crdts, move || {
            each(bytes_kept(|| {
                let set = std::cell::RefCell::new(peer::Set::new());
                replace_at_random(
                    CHURNED,
                    |element| drop(peer::insert(&mut set.borrow_mut(), 1, element)),
                    |element| drop(peer::remove(&mut set.borrow_mut(), &element)),
                );
                set
            }))
        }),
        Job::count(&CHURN, Who::CrdtKit, move || {
            each(bytes_kept(|| {
                let set = std::cell::RefCell::new(ORSet::new(1));
                replace_at_random(
                    CHURNED / 10,
                    |element| set.borrow_mut().insert(element),
                    |element| assert!(set.borrow_mut().remove(&element)),
                );
                set
            }))
        })
        .reduced_to(CHURNED / 10),
    ]
}

fn scattered() -> Vec<Job> {
    vec![Job::count(&SCATTERED, Who::Ours, || {
        let bytes = bytes_kept(|| {
            let (mut set, mut writer) = (Causal::new(), ours::writer(1));
            let all = numbers(1, CHURNED);
            ours::extend(&mut set, &mut writer, &all);
            for (number, element) in all.iter().enumerate() {
                if number % (CHURNED / LEFT) != 0 {
                    drop(ours::remove(&mut set, &mut writer, element));
                }
            }
            set
        });
        bytes as f64 / LEFT as f64
    })]
}

fn churn_time() -> Vec<Job> {
    const PAIRS: usize = 100_000;
    vec![Job::time(
        &CHURN_TIME,
        Who::Ours,
        PAIRS,
        || {
            let held = numbers(1, REDUCED);
            (ours::set_of(&held), held, numbers(3, PAIRS))
        },
        |(set, held, _)| (set.clone(), held.clone(), ours::writer(5), Random::new(7)),
        |(_, _, fresh), (set, held, writer, random)| {
            for element in fresh {
                drop(black_box(ours::insert(set, writer, *element)));
                let place = random.below(held.len());
                let gone = std::mem::replace(&mut held[place], *element);
                drop(black_box(ours::remove(set, writer, &gone)));
            }
        },
    )]
}
