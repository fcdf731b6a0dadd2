//! A set of dots as a table: one row for each run, under its replica and first counter.
//!
//! A commit touches the rows of the runs that it joins, so it costs what it adds, however large the set has grown.

use crdt_core::{COUNTER_MAX, DotSet, ReplicaId};
use redb::{ReadableTable, Table};

use super::key::{Key, key, parse};
use crate::StorageError;

pub(super) fn add(table: &mut Table<'_, &'static Key, u64>, dots: &DotSet) -> Result<(), redb::StorageError> {
    for (replica, first, last) in dots.runs() {
        add_run(table, replica, first, last)?;
    }
    Ok(())
}

fn add_run(
    table: &mut Table<'_, &'static Key, u64>,
    replica: ReplicaId,
    mut first: u64,
    mut last: u64,
) -> Result<(), redb::StorageError> {
    // The last run that begins no later than this one, if it reaches it.
    if let Some(row) = table.range::<&Key>(&key(replica, 0)..=&key(replica, first))?.next_back() {
        let (at, end) = row?;
        if end.value().saturating_add(1) >= first {
            first = parse(*at.value()).1;
            last = last.max(end.value());
        }
    }
    // Those that begin inside it, or right behind it.
    let mut inside = Vec::new();
    for row in table.range::<&Key>(&key(replica, first.saturating_add(1))..=&key(replica, last.saturating_add(1)))? {
        let (at, end) = row?;
        inside.push(*at.value());
        last = last.max(end.value());
    }
    for at in inside {
        table.remove(&at)?;
    }
    table.insert(&key(replica, first), last)?;
    Ok(())
}

pub(super) fn read(table: &impl ReadableTable<&'static Key, u64>, name: &str) -> Result<DotSet, StorageError> {
    let mut dots = DotSet::new();
    for row in table.iter()? {
        let (at, last) = row?;
        let (replica, first) = parse(*at.value());
        if first == 0 || first > last.value() || last.value() > COUNTER_MAX {
            return Err(StorageError::Corrupt(format!(
                "a run of {name} that starts at {first} and ends at {}",
                last.value()
            )));
        }
        dots.insert_run(replica, first, last.value());
    }
    Ok(dots)
}
