//! The work of every row, one file per subject, all contestants of a row side by side.

pub mod cluster;
pub mod codec;
pub mod counter;
pub mod curve;
pub mod edit;
pub mod map;
pub mod memory;
pub mod merge;
pub mod nested;
pub mod reach;
pub mod register;
pub mod spread;
pub mod string;
pub mod sync;

use crate::Job;

/// Elements in a large state.
pub const SIZE: usize = 1_000_000;

/// Elements in the state of a contestant whose edits cost what is held.
pub const REDUCED: usize = 10_000;

/// All jobs, in the order of the table.
pub fn jobs() -> Vec<Job> {
    [
        merge::jobs(),
        edit::jobs(),
        codec::jobs(),
        nested::jobs(),
        memory::jobs(),
        map::jobs(),
        register::jobs(),
        string::jobs(),
        counter::jobs(),
        curve::jobs(),
        sync::jobs(),
        spread::jobs(),
        cluster::jobs(),
        reach::jobs(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
