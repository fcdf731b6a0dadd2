//! A set of strings of 16 bytes: bytes and memory.
//!
//! Not comparable: yrs, Loro and automerge have no set; a map from string to `true`
//! stands in, where a concurrent write and removal are decided by id. Their sets hold
//! 10⁵ strings. yrs and automerge write what was removed as well.

use super::SIZE;
use crate::allocation::bytes_kept;
use crate::contestant::{automerge as am, crdt_kit as kit, crdts as peer, dson as dots, loro, ours, yrs};
use crate::row::{Row, Target};
use crate::work::codec::postcard_length;
use crate::workload::{names, shuffled};
use crate::{Job, Who};
use hashbrown::HashMap;

static BYTES: Row =
    Row::bytes("string/bytes", "encoded set of 10⁶ strings of 16 bytes, per element", Target::AtMost(17.5));
static BYTES_HALF: Row =
    Row::bytes("string/bytes_half", "the same after removing half, per element left", Target::AtMost(17.5));
static MEMORY: Row = Row::bytes("string/memory", "memory per string of 16 bytes", Target::AtMost(120.0));

/// Strings in the documents.
const FEWER: usize = 100_000;

pub fn jobs() -> Vec<Job> {
    [bytes(), bytes_half(), memory()].into_iter().flatten().collect()
}

fn all(size: usize) -> Vec<String> {
    names(1, size)
}

fn gone(size: usize) -> Vec<String> {
    shuffled(2, &all(size)).split_off(size / 2)
}

fn table() -> HashMap<String, (u64, u64)> {
    let mut table = HashMap::new();
    table.extend(all(SIZE).into_iter().map(|name| (name, (1, 1))));
    table
}

fn yrs_of(names: &[String]) -> yrs::Document {
    let document = yrs::Document::new(1);
    names.iter().for_each(|name| document.write(name, 1));
    document
}

fn loro_of(names: &[String]) -> loro::Document {
    let document = loro::Document::new(1);
    names.iter().for_each(|name| document.write(name, 1));
    document
}

fn automerge_of(names: &[String]) -> automerge::AutoCommit {
    let mut document = am::document(1);
    names.iter().for_each(|name| am::write(&mut document, name, 1));
    document.commit();
    document
}

fn bytes() -> Vec<Job> {
    let each = |bytes: f64| bytes / SIZE as f64;
    let fewer = |bytes: usize| bytes as f64 / FEWER as f64;
    vec![
        Job::count(&BYTES, Who::Ours, move || each(ours::set_of(&all(SIZE)).encode().len() as f64)),
        Job::count(&BYTES, Who::Hashbrown, || 16.0),
        Job::count(&BYTES, Who::Crdts, move || each(postcard_length(&peer::set_of(&all(SIZE))))),
        Job::count(&BYTES, Who::CrdtKit, move || each(postcard_length(&kit::set_of(&all(SIZE))))),
        Job::count(&BYTES, Who::Dson, move || each(postcard_length(&dots::set_of(&all(SIZE))))),
        Job::count(&BYTES, Who::Yrs, move || fewer(yrs_of(&all(FEWER)).bytes().len())).reduced_to(FEWER),
        Job::count(&BYTES, Who::Loro, move || fewer(loro_of(&all(FEWER)).state_bytes().len())).reduced_to(FEWER),
        Job::count(&BYTES, Who::Automerge, move || fewer(automerge_of(&all(FEWER)).save().len())).reduced_to(FEWER),
    ]
}

fn bytes_half() -> Vec<Job> {
    let each = |bytes: f64| bytes / (SIZE / 2) as f64;
    let fewer = |bytes: usize| bytes as f64 / (FEWER / 2) as f64;
    vec![
        Job::count(&BYTES_HALF, Who::Ours, move || {
            let (mut set, mut writer) = (ours::set_of(&all(SIZE)), ours::writer(5));
            gone(SIZE).iter().for_each(|name| drop(ours::remove(&mut set, &mut writer, name)));
            each(set.encode().len() as f64)
        }),
        Job::count(&BYTES_HALF, Who::Hashbrown, || 16.0),
        Job::count(&BYTES_HALF, Who::Crdts, move || {
            let mut set = peer::set_of(&all(SIZE));
            gone(SIZE).iter().for_each(|name| drop(peer::remove(&mut set, name)));
            each(postcard_length(&set))
        }),
        Job::count(&BYTES_HALF, Who::CrdtKit, move || {
            let mut set = kit::set_of(&all(SIZE));
            gone(SIZE).iter().for_each(|name| assert!(set.remove(name)));
            each(postcard_length(&set))
        }),
        Job::count(&BYTES_HALF, Who::Dson, move || {
            let mut set = dots::set_of(&all(SIZE));
            gone(SIZE).iter().for_each(|name| drop(set.store.remove(name)));
            each(postcard_length(&set))
        }),
        Job::count(&BYTES_HALF, Who::Yrs, move || {
            let document = yrs_of(&all(FEWER));
            gone(FEWER).iter().for_each(|name| document.remove(name));
            fewer(document.bytes().len())
        })
        .reduced_to(FEWER),
        Job::count(&BYTES_HALF, Who::Loro, move || {
            let document = loro_of(&all(FEWER));
            gone(FEWER).iter().for_each(|name| document.remove(name));
            fewer(document.state_bytes().len())
        })
        .reduced_to(FEWER),
        Job::count(&BYTES_HALF, Who::Automerge, move || {
            let mut document = automerge_of(&all(FEWER));
            gone(FEWER).iter().for_each(|name| am::remove(&mut document, name));
            fewer(document.save().len())
        })
        .reduced_to(FEWER),
    ]
}

fn memory() -> Vec<Job> {
    let each = |bytes: usize| bytes as f64 / SIZE as f64;
    let fewer = |bytes: usize| bytes as f64 / FEWER as f64;
    vec![
        Job::count(&MEMORY, Who::Ours, move || each(bytes_kept(|| ours::set_of(&all(SIZE))))),
        Job::count(&MEMORY, Who::Hashbrown, move || each(bytes_kept(table))),
        Job::count(&MEMORY, Who::Crdts, move || each(bytes_kept(|| peer::set_of(&all(SIZE))))),
        Job::count(&MEMORY, Who::CrdtKit, move || each(bytes_kept(|| kit::set_of(&all(SIZE))))),
        Job::count(&MEMORY, Who::Dson, move || each(bytes_kept(|| dots::set_of(&all(SIZE))))),
        Job::count(&MEMORY, Who::Yrs, move || fewer(bytes_kept(|| yrs_of(&all(FEWER))))).reduced_to(FEWER),
        Job::count(&MEMORY, Who::Loro, move || fewer(bytes_kept(|| loro_of(&all(FEWER))))).reduced_to(FEWER),
        Job::count(&MEMORY, Who::Automerge, move || fewer(bytes_kept(|| automerge_of(&all(FEWER))))).reduced_to(FEWER),
    ]
}
