//! Editing one element at a time, and looking one up.
//!
//! Comparable: each edit changes the state; ours, crdts' and dson's also yield
//! what another replica needs, which is dropped at once, as after sending it.
//! Not comparable: crdt-kit yields nothing for another replica. dson walks the
//! whole map for each edit and is measured on 10⁴ elements. crdts' `contains`
//! copies two clocks.

use super::{REDUCED, SIZE};
use crate::contestant::{crdt_kit as kit, crdts as peer, dson as dots, ours};
use crate::row::{Row, Target};
use crate::workload::{numbers, shuffled};
use crate::{Job, Who};
use crdt_kit::ORSet;
use hashbrown::HashSet;
use std::hint::black_box;

static INSERT: Row = Row::time("edit/insert", "insert 10⁶ one by one, delta produced", Target::AtMost(130.0));
static REMOVE: Row = Row::time("edit/remove", "remove 10⁶ one by one, delta produced", Target::AtMost(160.0));
static CONTAINS: Row = Row::time("edit/contains", "contains, half of them absent", Target::TimesLimit(1.6));

/// Edits in one run of a contestant that walks the whole state for each.
const SLOW_EDITS: usize = 16;

pub fn jobs() -> Vec<Job> {
    [insert(), remove(), contains()].into_iter().flatten().collect()
}

fn insert() -> Vec<Job> {
    vec![
        Job::time(
            &INSERT,
            Who::Ours,
            SIZE,
            || numbers(1, SIZE),
            |_| (crdt_core::Causal::new(), ours::writer(1)),
            |elements, (set, writer)| {
                for element in elements {
                    drop(black_box(ours::insert(set, writer, *element)));
                }
            },
        ),
        Job::time(
            &INSERT,
            Who::Hashbrown,
            SIZE,
            || numbers(1, SIZE),
            |_| HashSet::new(),
            |elements, set: &mut HashSet<u64>| {
                for element in elements {
                    black_box(set.insert(*element));
                }
            },
        ),
        Job::time(
            &INSERT,
            Who::Crdts,
            SIZE,
            || numbers(1, SIZE),
            |_| peer::Set::new(),
            |elements, set| {
                for element in elements {
                    black_box(peer::insert(set, 1, *element));
                }
            },
        ),
        Job::time(
            &INSERT,
            Who::CrdtKit,
            SIZE,
            || numbers(1, SIZE),
            |_| ORSet::new(1),
            |elements, set| {
                for element in elements {
                    set.insert(*element);
                }
            },
        ),
        Job::time(
            &INSERT,
            Who::Dson,
            SLOW_EDITS,
            || (dots::set_of(&numbers(1, REDUCED)), numbers(3, SLOW_EDITS)),
            |(set, _)| set.clone(),
            |(_, elements), set| {
                for element in elements {
                    let delta = dots::insertion(set, 2, *element);
                    dots::join(set, delta.clone());
                    black_box(delta);
                }
            },
        )
        .reduced_to(REDUCED),
    ]
}

fn remove() -> Vec<Job> {
    fn order(size: usize) -> Vec<u64> {
        shuffled(2, &numbers(1, size))
    }
    vec![
        Job::time(
            &REMOVE,
            Who::Ours,
            SIZE,
            || (ours::set_of(&numbers(1, SIZE)), order(SIZE)),
            |(set, _)| (set.clone(), ours::writer(5)),
            |(_, order), (set, writer)| {
                for element in order {
                    drop(black_box(ours::remove(set, writer, element)));
                }
            },
        ),
        Job::time(
            &REMOVE,
            Who::Hashbrown,
            SIZE,
            || (numbers(1, SIZE).into_iter().collect::<HashSet<u64>>(), order(SIZE)),
            |(set, _)| set.clone(),
            |(_, order), set| {
                for element in order {
                    black_box(set.remove(element));
                }
            },
        ),
        Job::time(
            &REMOVE,
            Who::Crdts,
            SIZE,
            || (peer::set_of(&numbers(1, SIZE)), order(SIZE)),
            |(set, _)| set.clone(),
            |(_, order), set| {
                for element in order {
                    black_box(peer::remove(set, element));
                }
            },
        ),
        Job::time(
            &REMOVE,
            Who::CrdtKit,
            SIZE,
            || (kit::set_of(&numbers(1, SIZE)), order(SIZE)),
            |(set, _)| set.clone(),
            |(_, order), set| {
                for element in order {
                    black_box(set.remove(element));
                }
            },
        ),
        Job::time(
            &REMOVE,
            Who::Dson,
            SLOW_EDITS,
            || (dots::set_of(&numbers(1, REDUCED)), order(REDUCED)),
            |(set, _)| set.clone(),
            |(_, order), set| {
                for element in &order[..SLOW_EDITS] {
                    let delta = dots::removal(set, element);
                    dots::join(set, delta.clone());
                    black_box(delta);
                }
            },
        )
        .reduced_to(REDUCED),
    ]
}

fn contains() -> Vec<Job> {
    /// Half of the set's elements and as many others, in random order.
    fn questions() -> Vec<u64> {
        let mut questions = shuffled(2, &numbers(1, SIZE));
        questions.truncate(SIZE / 2);
        questions.extend(numbers(3, SIZE / 2));
        shuffled(4, &questions)
    }
    vec![
        Job::time(
            &CONTAINS,
            Who::Ours,
            SIZE,
            || (ours::set_of(&numbers(1, SIZE)), questions()),
            |_| (),
            |(set, questions), ()| questions.iter().filter(|element| set.contains(*element)).count(),
        ),
        Job::time(
            &CONTAINS,
            Who::Hashbrown,
            SIZE,
            || (numbers(1, SIZE).into_iter().collect::<HashSet<u64>>(), questions()),
            |_| (),
            |(set, questions), ()| questions.iter().filter(|element| set.contains(*element)).count(),
        ),
        Job::time(
            &CONTAINS,
            Who::Crdts,
            SIZE,
            || (peer::set_of(&numbers(1, SIZE)), questions()),
            |_| (),
            |(set, questions), ()| questions.iter().filter(|element| set.contains(element).val).count(),
        ),
        Job::time(
            &CONTAINS,
            Who::CrdtKit,
            SIZE,
            || (kit::set_of(&numbers(1, SIZE)), questions()),
            |_| (),
            |(set, questions), ()| questions.iter().filter(|element| set.contains(element)).count(),
        ),
        Job::time(
            &CONTAINS,
            Who::Dson,
            SIZE,
            || (dots::set_of(&numbers(1, SIZE)), questions()),
            |_| (),
            |(set, questions), ()| questions.iter().filter(|element| set.store.has(*element)).count(),
        ),
    ]
}
