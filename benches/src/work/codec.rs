//! Bytes: how many, and how long they take.
//!
//! Comparable: all bytes hold the whole state, and what was decoded merges and
//! edits on. Not comparable: ours are canonical, carry their version and the types
//! of what they hold, and are checked while decoding; the peers' come from
//! postcard, which knows neither, and write small integers for ids where ours are
//! 128 bits. The limit is the elements alone: eight bytes each, copied, or
//! copied into a bare table.

use super::SIZE;
use crate::contestant::{crdt_kit as kit, crdts as peer, dson as dots, ours};
use crate::row::{MILLISECOND, Row, Target};
use crate::workload::{numbers, shuffled};
use crate::{Job, Who};
use crdt_core::{Causal, Delta, Merge, OrSet};
use crdt_kit::{DeltaCrdt, ORSet};
use hashbrown::HashSet;
use serde::Serialize;

static BYTES: Row = Row::bytes("codec/bytes", "encoded set of 10⁶ `u64`, per element", Target::AtMost(9.0));
static BYTES_HALF: Row =
    Row::bytes("codec/bytes_half", "the same after removing half, per element left", Target::AtMost(9.0));
static ENCODE: Row = Row::time("codec/encode", "encode 10⁶", Target::AtMost(20.0 * MILLISECOND));
static DECODE: Row = Row::time("codec/decode", "decode 10⁶", Target::AtMost(70.0 * MILLISECOND));
static DELTA: Row =
    Row::bytes("codec/delta", "delta of one insert into 10⁶, with its frame", Target::AtMost(8.0 + 24.0));
static DELTA_BATCH: Row =
    Row::bytes("codec/delta_batch", "the same in a batch of 100, per insert", Target::AtMost(8.0 + 8.0));

const BATCH: usize = 100;

pub fn jobs() -> Vec<Job> {
    [bytes(), bytes_half(), encode(), decode(), delta(), delta_batch()].into_iter().flatten().collect()
}

/// The length in postcard's format, for the peers that have none of their own.
pub fn postcard_length(value: &impl Serialize) -> f64 {
    postcard::to_stdvec(value).expect("postcard writes it").len() as f64
}

fn bytes() -> Vec<Job> {
    let all = || numbers(1, SIZE);
    let each = |bytes: f64| bytes / SIZE as f64;
    vec![
        Job::count(&BYTES, Who::Ours, move || each(ours::set_of(&all()).encode().len() as f64)),
        Job::count(&BYTES, Who::Hashbrown, || size_of::<u64>() as f64),
        Job::count(&BYTES, Who::Crdts, move || each(postcard_length(&peer::set_of(&all())))),
        Job::count(&BYTES, Who::CrdtKit, move || each(postcard_length(&kit::set_of(&all())))),
        Job::count(&BYTES, Who::Dson, move || each(postcard_length(&dots::set_of(&all())))),
    ]
}

fn bytes_half() -> Vec<Job> {
    let gone = || shuffled(2, &numbers(1, SIZE)).split_off(SIZE / 2);
    let each = |bytes: f64| bytes / (SIZE / 2) as f64;
    vec![
        Job::count(&BYTES_HALF, Who::Ours, move || {
            let (mut set, mut writer) = (ours::set_of(&numbers(1, SIZE)), ours::writer(5));
            gone().iter().for_each(|element| drop(ours::remove(&mut set, &mut writer, element)));
            each(set.encode().len() as f64)
        }),
        Job::count(&BYTES_HALF, Who::Hashbrown, || size_of::<u64>() as f64),
        Job::count(&BYTES_HALF, Who::Crdts, move || {
            let mut set = peer::set_of(&numbers(1, SIZE));
            gone().iter().for_each(|element| drop(peer::remove(&mut set, element)));
            each(postcard_length(&set))
        }),
        Job::count(&BYTES_HALF, Who::CrdtKit, move || {
            let mut set = kit::set_of(&numbers(1, SIZE));
            gone().iter().for_each(|element| assert!(set.remove(element)));
            each(postcard_length(&set))
        }),
        Job::count(&BYTES_HALF, Who::Dson, move || {
            let mut set = dots::set_of(&numbers(1, SIZE));
            gone().iter().for_each(|element| drop(set.store.remove(element)));
            each(postcard_length(&set))
        }),
    ]
}

fn encode() -> Vec<Job> {
    let all = || numbers(1, SIZE);
    vec![
        Job::time(&ENCODE, Who::Ours, 1, move || ours::set_of(&all()), |_| (), |set, ()| set.encode()),
        Job::time(
            &ENCODE,
            Who::Hashbrown,
            1,
            all,
            |_| (),
            |elements, ()| {
                let mut bytes = Vec::with_capacity(elements.len() * size_of::<u64>());
                elements.iter().for_each(|element| bytes.extend_from_slice(&element.to_le_bytes()));
                bytes
            },
        ),
        Job::time(&ENCODE, Who::Crdts, 1, move || peer::set_of(&all()), |_| (), |set, ()| postcard::to_stdvec(set)),
        Job::time(&ENCODE, Who::CrdtKit, 1, move || kit::set_of(&all()), |_| (), |set, ()| postcard::to_stdvec(set)),
        Job::time(&ENCODE, Who::Dson, 1, move || dots::set_of(&all()), |_| (), |set, ()| postcard::to_stdvec(set)),
    ]
}

fn decode() -> Vec<Job> {
    fn written(value: &impl Serialize) -> Vec<u8> {
        postcard::to_stdvec(value).expect("postcard writes it")
    }
    let all = || numbers(1, SIZE);
    vec![
        Job::time(
            &DECODE,
            Who::Ours,
            1,
            move || ours::set_of(&all()).encode(),
            |_| (),
            |bytes, ()| Causal::<OrSet<u64>>::decode(bytes).expect("its own bytes"),
        ),
        Job::time(
            &DECODE,
            Who::Hashbrown,
            1,
            move || all().into_iter().flat_map(u64::to_le_bytes).collect::<Vec<u8>>(),
            |_| (),
            |bytes, ()| {
                let (elements, _) = bytes.as_chunks::<8>();
                elements.iter().map(|element| u64::from_le_bytes(*element)).collect::<HashSet<u64>>()
            },
        ),
        Job::time(
            &DECODE,
            Who::Crdts,
            1,
            move || written(&peer::set_of(&all())),
            |_| (),
            |bytes, ()| postcard::from_bytes::<peer::Set<u64>>(bytes).expect("its own bytes"),
        ),
        Job::time(
            &DECODE,
            Who::CrdtKit,
            1,
            move || written(&kit::set_of(&all())),
            |_| (),
            |bytes, ()| postcard::from_bytes::<ORSet<u64>>(bytes).expect("its own bytes"),
        ),
        Job::time(
            &DECODE,
            Who::Dson,
            1,
            move || written(&dots::set_of(&all())),
            |_| (),
            |bytes, ()| postcard::from_bytes::<dots::Set<u64>>(bytes).expect("its own bytes"),
        ),
    ]
}

fn delta() -> Vec<Job> {
    vec![
        Job::count(&DELTA, Who::Ours, || {
            let mut set = ours::set_of(&numbers(1, SIZE));
            ours::insert(&mut set, &mut ours::writer(6), numbers(3, 1)[0]).encode().len() as f64
        }),
        Job::count(&DELTA, Who::Crdts, || {
            let mut set = peer::set_of(&numbers(1, SIZE));
            postcard_length(&peer::insert(&mut set, 6, numbers(3, 1)[0]))
        }),
        Job::count(&DELTA, Who::CrdtKit, || {
            let mut set = kit::set_of(&numbers(1, SIZE));
            let before = set.clone();
            set.insert(numbers(3, 1)[0]);
            postcard_length(&set.delta(&before))
        }),
        Job::count(&DELTA, Who::Dson, || {
            let set = dots::set_of(&numbers(1, SIZE));
            postcard_length(&dots::insertion(&set, 6, numbers(3, 1)[0]))
        }),
    ]
}

fn delta_batch() -> Vec<Job> {
    let each = |bytes: f64| bytes / BATCH as f64;
    vec![
        Job::count(&DELTA_BATCH, Who::Ours, move || {
            let (mut set, mut writer) = (ours::set_of(&numbers(1, SIZE)), ours::writer(6));
            let mut batch = Delta::<OrSet<u64>>::default();
            for element in numbers(3, BATCH) {
                batch.merge(ours::insert(&mut set, &mut writer, element));
            }
            each(batch.encode().len() as f64)
        }),
        Job::count(&DELTA_BATCH, Who::Crdts, move || {
            let mut set = peer::set_of(&numbers(1, SIZE));
            let ops: Vec<_> = numbers(3, BATCH).into_iter().map(|element| peer::insert(&mut set, 6, element)).collect();
            each(postcard_length(&ops))
        }),
        Job::count(&DELTA_BATCH, Who::CrdtKit, move || {
            let mut set = kit::set_of(&numbers(1, SIZE));
            let before = set.clone();
            kit::extend(&mut set, &numbers(3, BATCH));
            each(postcard_length(&set.delta(&before)))
        }),
        Job::count(&DELTA_BATCH, Who::Dson, move || {
            let mut batch = dots::Set::default();
            for element in numbers(3, BATCH) {
                let delta = dots::insertion(&batch, 6, element);
                dots::join(&mut batch, delta);
            }
            each(postcard_length(&batch))
        }),
    ]
}
