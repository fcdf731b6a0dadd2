//! What a fixed change costs in states of 10³ to 10⁶: flat is the goal.
//!
//! Each delta finds the caches full of other work ([`Job::time_cold`]). In a tight loop
//! a small state would lie in the caches and a large one would not: that shows the
//! processor, and there a bare table grows tenfold.

use crate::row::{Row, Target};
use crate::work::{merge, nested};
use crate::{Job, Who};
use crdt_core::Merge;

/// A row for each size; the first says what flat is measured against.
macro_rules! curve {
    ($name:literal, $work:literal) => {
        [
            (1_000, Row::time(concat!($name, "/1000"), concat!($work, " 10³"), Target::Open)),
            (10_000, curve!($name, "/10000", $work, " 10⁴")),
            (100_000, curve!($name, "/100000", $work, " 10⁵")),
            (1_000_000, curve!($name, "/1000000", $work, " 10⁶")),
        ]
    };
    ($name:literal, $size:literal, $work:literal, $words:literal) => {
        Row::time(concat!($name, $size), concat!($work, $words), Target::TimesRow(2.0, concat!($name, "/1000")))
    };
}

static INSERT: [(usize, Row); 4] = curve!("curve/insert", "merge a delta of one insert, set of");
static REMOVE: [(usize, Row); 4] = curve!("curve/remove", "merge a delta of one remove, set of");
static NESTED: [(usize, Row); 4] =
    curve!("curve/nested", "merge a delta of one edit, map of sets (100 dots per key), dots in all");

/// Deltas merged in one run. The state is as good as unchanged after them, even the smallest.
const STEPS: usize = 16;

pub fn jobs() -> Vec<Job> {
    let insert = INSERT.iter().flat_map(|(size, row)| insert(row, *size));
    let remove = REMOVE.iter().flat_map(|(size, row)| remove(row, *size));
    let nested = NESTED.iter().flat_map(|(size, row)| nested(row, *size));
    insert.chain(remove).chain(nested).collect()
}

fn insert(row: &'static Row, size: usize) -> [Job; 2] {
    [
        Job::time_cold(
            row,
            Who::Ours,
            STEPS,
            move || merge::ours_with_inserts(size, STEPS),
            |(set, _)| set.clone(),
            |(_, deltas), set, step| set.merge(&deltas[step]),
        ),
        Job::time_cold(
            row,
            Who::Hashbrown,
            STEPS,
            move || merge::table_with_inserts(size, STEPS),
            |(set, _)| set.clone(),
            |(_, elements), set, step| set.insert(elements[step]),
        ),
    ]
}

fn remove(row: &'static Row, size: usize) -> [Job; 2] {
    [
        Job::time_cold(
            row,
            Who::Ours,
            STEPS,
            move || merge::ours_with_removes(size, STEPS),
            |(set, _)| set.clone(),
            |(_, deltas), set, step| set.merge(&deltas[step]),
        ),
        Job::time_cold(
            row,
            Who::Hashbrown,
            STEPS,
            move || merge::table_with_removes(size, STEPS),
            |(set, _)| set.clone(),
            |(_, gone), set, step| set.remove(&gone[step]),
        ),
    ]
}

fn nested(row: &'static Row, size: usize) -> [Job; 2] {
    [
        Job::time_cold(
            row,
            Who::Ours,
            STEPS,
            move || nested::ours_with_edits(size, STEPS),
            |(sets, _)| sets.clone(),
            |(_, deltas), sets, step| sets.merge(&deltas[step]),
        ),
        Job::time_cold(
            row,
            Who::Hashbrown,
            STEPS,
            move || nested::tables_with_edits(size, STEPS),
            |(tables, _)| tables.clone(),
            |(_, edits), tables, step| nested::insert(tables, &edits[step].0, edits[step].1),
        ),
    ]
}
