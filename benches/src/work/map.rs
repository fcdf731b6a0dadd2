//! A map of 10⁴ keys of nine bytes to random `u64`, written again and again.
//!
//! Comparable: all keep, for each key, what was written last, and merge it.
//! Not comparable: crdts has no last-writer register for its map, a multi-value
//! register stands in. yrs, Loro and automerge order concurrent writes by id, not
//! by time, and automerge's bytes hold the whole history, compressed. yrs and Loro
//! merge bytes: decoding counts, encoding does not. automerge commits once per round
//! of writes. dson's maps can't be written by postcard, and its registers are
//! placed directly ([`crate::contestant::dson`]). The limit is a bare table from key
//! to time and value; its bytes are key and value.

use crate::contestant::{automerge as am, crdt_kit as kit, crdts as peer, dson as dots, loro, ours, yrs};
use crate::row::{MILLISECOND, Row, Target};
use crate::work::codec::postcard_length;
use crate::workload::{keys, numbers, shuffled, wall_ms};
use crate::{Job, Who};
use crdt_core::{Causal, Merge};
use crdt_kit::{Crdt, LWWMap};
use crdts::CvRDT;
use hashbrown::HashMap;
use std::hint::black_box;

static OVERWRITE: Row =
    Row::time("map/overwrite", "`OrMap<String, LwwRegister>` of 10⁴ keys: overwrite one, delta produced", Target::Open);
static MERGE: Row = Row::time(
    "map/merge_overwritten",
    "overwrite all ten times, then merge into a replica that has the first round",
    Target::AtMost(1.0 * MILLISECOND),
);
static BYTES_ONCE: Row = Row::bytes("map/bytes_once", "encoded map, each key written once, per key", Target::Open);
static BYTES_OVERWRITTEN: Row = Row::bytes(
    "map/bytes_overwritten",
    "encoded map, each key overwritten ten times in turn, per key",
    Target::TimesRow(1.05, "map/bytes_once"),
);
static BYTES_RANDOM: Row = Row::bytes(
    "map/bytes_random",
    "encoded map after ten overwrites per key in random order, per key",
    Target::AtMost(23.0),
);

const KEYS: usize = 10_000;
const ROUNDS: usize = 10;

pub fn jobs() -> Vec<Job> {
    [
        overwrite(),
        merge(),
        bytes(&BYTES_ONCE, || rounds(1)),
        bytes(&BYTES_OVERWRITTEN, || rounds(1 + ROUNDS)),
        bytes(&BYTES_RANDOM, random),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The number of the write, its key, its value.
type Write = (usize, String, u64);

fn numbered(keys: Vec<String>) -> Vec<Write> {
    let values = numbers(8, keys.len());
    keys.into_iter().zip(values).enumerate().map(|(number, (key, value))| (number, key, value)).collect()
}

/// Every key in turn, so many times.
fn rounds(count: usize) -> Vec<Write> {
    let keys = keys(KEYS);
    numbered((0..count).flat_map(|_| keys.clone()).collect())
}

/// Every key once, then ten times as many writes in random order.
fn random() -> Vec<Write> {
    let keys = keys(KEYS);
    let later: Vec<String> = (0..ROUNDS).flat_map(|_| keys.clone()).collect();
    numbered(keys.into_iter().chain(shuffled(9, &later)).collect())
}

fn ours_of(writes: &[Write]) -> Causal<ours::Registers> {
    let (mut map, mut writer) = (Causal::new(), ours::writer(1));
    for (number, key, value) in writes {
        drop(ours::write(&mut map, &mut writer, wall_ms(*number), key, *value));
    }
    map
}

fn table_of(writes: &[Write]) -> HashMap<String, (u64, u64)> {
    writes.iter().map(|(number, key, value)| (key.clone(), (wall_ms(*number), *value))).collect()
}

fn peers_of(writes: &[Write]) -> peer::Registers {
    let mut map = peer::Registers::new();
    for (_, key, value) in writes {
        peer::write(&mut map, 1, key, *value);
    }
    map
}

fn kits_of(writes: &[Write]) -> LWWMap<String, u64> {
    let mut map = LWWMap::new();
    for (number, key, value) in writes {
        kit::write(&mut map, wall_ms(*number), key, *value);
    }
    map
}

fn yrs_of(writes: &[Write]) -> yrs::Document {
    let document = yrs::Document::new(1);
    for (_, key, value) in writes {
        document.write(key, *value);
    }
    document
}

fn loro_of(writes: &[Write]) -> loro::Document {
    let document = loro::Document::new(1);
    for (_, key, value) in writes {
        document.write(key, *value);
    }
    document
}

fn automerge_of(writes: &[Write]) -> automerge::AutoCommit {
    let mut document = am::document(1);
    for (number, key, value) in writes {
        am::write(&mut document, key, *value);
        if number % KEYS == KEYS - 1 {
            document.commit();
        }
    }
    document
}

fn overwrite() -> Vec<Job> {
    fn later() -> Vec<Write> {
        rounds(1 + ROUNDS).split_off(KEYS)
    }
    const WRITES: usize = ROUNDS * KEYS;
    vec![
        Job::time(
            &OVERWRITE,
            Who::Ours,
            WRITES,
            || (ours_of(&rounds(1)), later()),
            |(map, _)| (map.clone(), ours::writer(2)),
            |(_, writes), (map, writer)| {
                for (number, key, value) in writes {
                    drop(black_box(ours::write(map, writer, wall_ms(*number), key, *value)));
                }
            },
        ),
        Job::time(
            &OVERWRITE,
            Who::Hashbrown,
            WRITES,
            || (table_of(&rounds(1)), later()),
            |(table, _)| table.clone(),
            |(_, writes), table| {
                for (number, key, value) in writes {
                    black_box(table.insert(key.clone(), (wall_ms(*number), *value)));
                }
            },
        ),
        Job::time(
            &OVERWRITE,
            Who::Crdts,
            WRITES,
            || (peers_of(&rounds(1)), later()),
            |(map, _)| map.clone(),
            |(_, writes), map| {
                for (_, key, value) in writes {
                    black_box(peer::write(map, 2, key, *value));
                }
            },
        ),
        Job::time(
            &OVERWRITE,
            Who::CrdtKit,
            WRITES,
            || (kits_of(&rounds(1)), later()),
            |(map, _)| map.clone(),
            |(_, writes), map| {
                for (number, key, value) in writes {
                    kit::write(map, wall_ms(*number), key, *value);
                }
            },
        ),
        Job::time(
            &OVERWRITE,
            Who::Yrs,
            WRITES,
            || (yrs_of(&rounds(1)).bytes(), later()),
            |(bytes, _)| yrs::Document::from_bytes(2, bytes),
            |(_, writes), document| {
                for (_, key, value) in writes {
                    document.write(key, *value);
                }
            },
        ),
        Job::time(
            &OVERWRITE,
            Who::Loro,
            WRITES,
            || (loro_of(&rounds(1)).update_bytes(), later()),
            |(bytes, _)| loro::Document::from_bytes(2, bytes),
            |(_, writes), document| {
                for (_, key, value) in writes {
                    document.write(key, *value);
                }
            },
        ),
    ]
}

fn merge() -> Vec<Job> {
    let both = || (rounds(1), rounds(1 + ROUNDS));
    vec![
        Job::time(
            &MERGE,
            Who::Ours,
            1,
            move || (ours_of(&both().0), ours_of(&both().1)),
            |(first, _)| first.clone(),
            |(_, last), map| map.merge(last),
        ),
        Job::time(
            &MERGE,
            Who::Hashbrown,
            1,
            move || (table_of(&both().0), table_of(&both().1)),
            |(first, _)| first.clone(),
            |(_, last), table| {
                for (key, written) in last {
                    let held = table.entry_ref(key.as_str()).or_insert(*written);
                    *held = (*held).max(*written);
                }
            },
        ),
        Job::time(
            &MERGE,
            Who::Crdts,
            1,
            move || (peers_of(&both().0), peers_of(&both().1)),
            |(first, last)| (first.clone(), Some(last.clone())),
            |_, (map, last)| map.merge(last.take().expect("one run per input")),
        ),
        Job::time(
            &MERGE,
            Who::CrdtKit,
            1,
            move || (kits_of(&both().0), kits_of(&both().1)),
            |(first, _)| first.clone(),
            |(_, last), map| map.merge(last),
        ),
        Job::time(
            &MERGE,
            Who::Dson,
            1,
            || (dots::registers_after(&keys(KEYS), 1), dots::registers_after(&keys(KEYS), 1 + ROUNDS)),
            |(first, last)| (first.clone(), Some(last.clone())),
            |_, (map, last)| dots::join(map, last.take().expect("one run per input")),
        ),
        Job::time(
            &MERGE,
            Who::Yrs,
            1,
            move || (yrs_of(&both().0).bytes(), yrs_of(&both().1).bytes()),
            |(first, _)| yrs::Document::from_bytes(2, first),
            |(_, last), document| document.merge(last),
        ),
        Job::time(
            &MERGE,
            Who::Loro,
            1,
            move || (loro_of(&both().0).update_bytes(), loro_of(&both().1).update_bytes()),
            |(first, _)| loro::Document::from_bytes(2, first),
            |(_, last), document| document.merge(last),
        ),
        Job::time(
            &MERGE,
            Who::Automerge,
            1,
            move || {
                let mut first = automerge_of(&both().0);
                let mut last = first.clone();
                for (_, key, value) in &both().1[KEYS..] {
                    am::write(&mut last, key, *value);
                }
                last.commit();
                first.commit();
                (first, last)
            },
            |(first, last)| (first.clone(), last.clone()),
            |_, (document, last)| document.merge(last).expect("one history"),
        ),
    ]
}

fn bytes(row: &'static Row, writes: fn() -> Vec<Write>) -> Vec<Job> {
    let each = |bytes: f64| bytes / KEYS as f64;
    vec![
        Job::count(row, Who::Ours, move || each(ours_of(&writes()).encode().len() as f64)),
        Job::count(row, Who::Hashbrown, || (keys(1)[0].len() + size_of::<u64>()) as f64),
        Job::count(row, Who::Crdts, move || each(postcard_length(&peers_of(&writes())))),
        Job::count(row, Who::CrdtKit, move || each(postcard_length(&kits_of(&writes())))),
        Job::count(row, Who::Yrs, move || each(yrs_of(&writes()).bytes().len() as f64)),
        Job::count(row, Who::Loro, move || each(loro_of(&writes()).state_bytes().len() as f64)),
        Job::count(row, Who::Automerge, move || each(automerge_of(&writes()).save().len() as f64)),
    ]
}
