//! Sets inside a map: 10⁶ dots under 10⁴ string keys.
//!
//! Comparable: crdts' map of its add-wins sets. Not comparable: its one-edit
//! delta is an operation. crdt-kit can't nest; dson's maps hold no sets. The limit
//! is a bare table of bare tables.

use super::SIZE;
use crate::contestant::{crdts as peer, ours};
use crate::row::{MICROSECOND, MILLISECOND, Row, Target};
use crate::work::merge::DELTAS;
use crate::workload::{Random, keys, numbers};
use crate::{Job, Who};
use crdt_core::{Causal, Delta, Merge};
use crdts::{CmRDT, CvRDT};
use hashbrown::{HashMap, HashSet};

static ONE_EDIT: Row = Row::time(
    "nested/one_edit_delta",
    "`OrMap<String, OrSet<u64>>`, 10⁶ dots under 10⁴ keys: merge a delta of one edit",
    Target::AtMost(2.0 * MICROSECOND),
);
static ONE_PERCENT: Row = Row::time(
    "nested/one_percent",
    "the same: merge whole states 1 % apart (10⁴ added on each side)",
    Target::AtMost(10.0 * MILLISECOND),
);

const KEYS: usize = 10_000;
const ALONE: usize = SIZE / 100;

pub fn jobs() -> Vec<Job> {
    [one_edit(), one_percent()].into_iter().flatten().collect()
}

/// Elements, each with the key it goes under.
fn placed(seed: u64, size: usize, keys: &[String]) -> Vec<(String, u64)> {
    let mut random = Random::new(!seed);
    numbers(seed, size).into_iter().map(|element| (keys[random.below(keys.len())].clone(), element)).collect()
}

/// As many elements under each key, whatever the size.
fn keys_for(size: usize) -> Vec<String> {
    keys((size / (SIZE / KEYS)).max(1))
}

fn ours_of(size: usize) -> Causal<ours::Sets> {
    let (mut sets, mut writer) = (Causal::new(), ours::writer(1));
    for (key, element) in placed(1, size, &keys_for(size)) {
        drop(ours::insert_under(&mut sets, &mut writer, &key, element));
    }
    sets
}

fn peers_of(size: usize) -> peer::Sets {
    let mut sets = peer::Sets::new();
    for (key, element) in placed(1, size, &keys_for(size)) {
        peer::insert_under(&mut sets, 1, &key, element);
    }
    sets
}

/// Bare tables in a bare table.
pub type Tables = HashMap<String, HashSet<u64>>;

/// Inserts into a bare table in a bare table.
pub fn insert(tables: &mut Tables, key: &str, element: u64) -> bool {
    tables.entry_ref(key).or_default().insert(element)
}

fn tables_of(size: usize) -> Tables {
    let mut tables = Tables::new();
    for (key, element) in placed(1, size, &keys_for(size)) {
        insert(&mut tables, &key, element);
    }
    tables
}

/// Sets of `size` dots in all, and deltas of one edit each.
pub fn ours_with_edits(size: usize, count: usize) -> (Causal<ours::Sets>, Vec<Delta<ours::Sets>>) {
    let sets = ours_of(size);
    let (mut other, mut writer) = (sets.clone(), ours::writer(6));
    let edit = |(key, element): (String, u64)| ours::insert_under(&mut other, &mut writer, &key, element);
    let deltas = placed(3, count, &keys_for(size)).into_iter().map(edit).collect();
    (sets, deltas)
}

/// The same in bare tables, and the same edits.
pub fn tables_with_edits(size: usize, count: usize) -> (Tables, Vec<(String, u64)>) {
    (tables_of(size), placed(3, count, &keys_for(size)))
}

fn one_edit() -> Vec<Job> {
    vec![
        Job::time(
            &ONE_EDIT,
            Who::Ours,
            DELTAS,
            || ours_with_edits(SIZE, DELTAS),
            |(sets, _)| sets.clone(),
            |(_, deltas), sets| deltas.iter().filter(|delta| sets.merge(*delta)).count(),
        ),
        Job::time(
            &ONE_EDIT,
            Who::Hashbrown,
            DELTAS,
            || tables_with_edits(SIZE, DELTAS),
            |(tables, _)| tables.clone(),
            |(_, edits), tables| edits.iter().filter(|(key, element)| insert(tables, key, *element)).count(),
        ),
        Job::time(
            &ONE_EDIT,
            Who::Crdts,
            DELTAS,
            || {
                let sets = peers_of(SIZE);
                let mut other = sets.clone();
                let ops: Vec<_> = placed(3, DELTAS, &keys_for(SIZE))
                    .into_iter()
                    .map(|(key, element)| peer::insert_under(&mut other, 6, &key, element))
                    .collect();
                (sets, ops)
            },
            |(sets, ops)| (sets.clone(), ops.clone()),
            |_, (sets, ops)| ops.drain(..).for_each(|op| sets.apply(op)),
        ),
    ]
}

fn one_percent() -> Vec<Job> {
    fn edits(seed: u64) -> Vec<(String, u64)> {
        placed(seed, ALONE, &keys_for(SIZE))
    }
    vec![
        Job::time(
            &ONE_PERCENT,
            Who::Ours,
            1,
            || {
                let mut one = ours_of(SIZE);
                let mut other = one.clone();
                let (mut first, mut second) = (ours::writer(5), ours::writer(6));
                edits(5)
                    .iter()
                    .for_each(|(key, element)| drop(ours::insert_under(&mut one, &mut first, key, *element)));
                edits(6)
                    .iter()
                    .for_each(|(key, element)| drop(ours::insert_under(&mut other, &mut second, key, *element)));
                (one, other)
            },
            |(one, _)| one.clone(),
            |(_, other), one| one.merge(other),
        ),
        Job::time(
            &ONE_PERCENT,
            Who::Hashbrown,
            1,
            || {
                let mut one = tables_of(SIZE);
                let mut other = one.clone();
                edits(5).iter().for_each(|(key, element)| assert!(insert(&mut one, key, *element)));
                edits(6).iter().for_each(|(key, element)| assert!(insert(&mut other, key, *element)));
                (one, other)
            },
            |(one, _)| one.clone(),
            |(_, other), one| {
                for (key, elements) in other {
                    let table = one.entry_ref(key.as_str()).or_default();
                    for element in elements {
                        if !table.contains(element) {
                            table.insert(*element);
                        }
                    }
                }
            },
        ),
        Job::time(
            &ONE_PERCENT,
            Who::Crdts,
            1,
            || {
                let mut one = peers_of(SIZE);
                let mut other = one.clone();
                edits(5).iter().for_each(|(key, element)| drop(peer::insert_under(&mut one, 5, key, *element)));
                edits(6).iter().for_each(|(key, element)| drop(peer::insert_under(&mut other, 6, key, *element)));
                (one, other)
            },
            |(one, other)| (one.clone(), Some(other.clone())),
            |_, (one, other)| one.merge(other.take().expect("one run per input")),
        ),
    ]
}
