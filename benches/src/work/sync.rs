//! Two replicas that drifted apart become equal again.

use crate::contestant::sync::{Automerge, Crdts, Dson, Linked, Loro, Ours, Two, Yrs};
use crate::row::{MILLISECOND, Row, Target::*};
use crate::workload::names;
use crate::{Job, Who};
use crdt_core::{Dot, DotSet, ReplicaId};
use crdt_sync::sketch::{Alphabet, LiveSketch, SketchKey, cells_of, peel};
use std::cell::RefCell;

const SHARED: usize = 100_000;

static TEN: Row =
    Row::ratio("sync/ten-new", "10⁵ strings of 16 B, 10 new on each side, first contact: bytes ÷ payload", AtMost(1.9));
static THOUSAND: Row = Row::ratio("sync/thousand-new", "the same, 1 000 new on each side", AtMost(1.15));
static KNOWN: Row = Row::ratio(
    "sync/ten-new-ids-known",
    "the same, 10 new, on a link that is up and knows all ids: what was pushed is lost, a repair brings it",
    AtMost(1.4),
);
static DELETED: Row = Row::ratio(
    "sync/ten-new-after-deletions",
    "the same, 10 new, after a tenth was deleted",
    TimesRow(1.05, "sync/ten-new"),
);
static EQUAL: Row = Row::bytes("sync/equal", "finding out that both are equal, on a link that is up", AtMost(64.0));
static CPU: Row =
    Row::time("sync/cpu", "10⁵ strings, 10 new on each side: both sides' work", AtMost(0.5 * MILLISECOND));
static CPU_LARGE: Row = Row::time("sync/cpu-large", "the same, 10⁶ strings", TimesRow(2.0, "sync/cpu"));
static PASS_ON: Row = Row::time(
    "sync/pass-on",
    "10⁵ strings on a link that is up, one more: both sides' work until the peer has it",
    Open,
);
static UPKEEP: Row = Row::time("sync/sketch-upkeep", "one dot into or out of the sketch that is kept", AtMost(500.0));
static DECODE: Row = Row::time("sync/sketch-decode", "1 000 differences out of 1 500 cells", AtMost(MILLISECOND));

/// A row for each size; the first says what flat is measured against.
macro_rules! curve {
    ($row:ident, $name:literal, $work:literal, $times:literal) => {
        [
            (1_000, Row::$row(concat!($name, "/1000"), concat!($work, " 10³"), Open)),
            (10_000, curve!($row, $name, "/10000", $work, " 10⁴", $times)),
            (100_000, curve!($row, $name, "/100000", $work, " 10⁵", $times)),
            (1_000_000, curve!($row, $name, "/1000000", $work, " 10⁶", $times)),
        ]
    };
    ($row:ident, $name:literal, $size:literal, $work:literal, $words:literal, $times:literal) => {
        Row::$row(concat!($name, $size), concat!($work, $words), TimesRow($times, concat!($name, "/1000")))
    };
}

static CURVE_CPU: [(usize, Row); 4] =
    curve!(time, "curve/sync-cpu", "10 new strings on each side, both sides' work until equal, set of", 2.0);
/// Counters and counts grow by a byte now and then.
static CURVE_BYTES: [(usize, Row); 4] =
    curve!(ratio, "curve/sync-bytes", "10 new strings on each side, first contact: bytes ÷ payload, set of", 1.1);

/// Bytes of meeting after each side added `alone`, over the bytes of those.
fn ratio<T: Two>(alone: usize, deleted: usize) -> f64 {
    ratio_among::<T>(SHARED, alone, deleted)
}

fn ratio_among<T: Two>(count: usize, alone: usize, deleted: usize) -> f64 {
    let shared = names(1, count);
    let mut two = T::sharing(&shared);
    if let Some(step) = count.checked_div(deleted) {
        // Here and there, as people do: one range of dots would be cheap to name.
        let gone: Vec<String> = shared.iter().step_by(step).cloned().collect();
        two.remove(0, &gone);
        two.meet();
    }
    two.insert(0, &names(2, alone));
    two.insert(1, &names(3, alone));
    two.meet() as f64 / (2 * 16 * alone) as f64
}

/// The same where nobody has to say who it is.
fn ratio_where_ids_are_known(alone: usize) -> f64 {
    let mut two = Ours::sharing(&names(1, SHARED));
    // Each side has told something of its own over this link.
    two.insert(0, &names(4, 1));
    two.insert(1, &names(5, 1));
    two.meet();
    two.repair();
    two.insert_and_lose(0, &names(2, alone));
    two.insert_and_lose(1, &names(3, alone));
    two.repair() as f64 / (2 * 16 * alone) as f64
}

/// What a fixed difference costs in states of 10³ to 10⁶.
fn curves() -> Vec<Job> {
    let bytes = CURVE_BYTES.iter().flat_map(|(size, row)| {
        [
            Job::count(row, Who::Ours, || ratio_among::<Ours>(*size, 10, 0)),
            Job::count(row, Who::Yrs, || ratio_among::<Yrs>(*size, 10, 0)),
        ]
    });
    let work = CURVE_CPU.iter().flat_map(|(size, row)| {
        let mut jobs = vec![cpu::<Ours>(row, Who::Ours, *size), cpu::<Yrs>(row, Who::Yrs, *size)];
        // It takes seconds for each exchange of a million.
        if *size < 1_000_000 {
            jobs.push(cpu::<Loro>(row, Who::Loro, *size));
        }
        jobs
    });
    bytes.chain(work).collect()
}

/// The work of both sides from meeting to being equal.
fn cpu<T: Two + 'static>(row: &'static Row, who: Who, count: usize) -> Job {
    let prepare = move || RefCell::new((T::sharing(&names(1, count)), 10));
    let apart = |two: &RefCell<(T, u64)>| {
        let (two, seed) = &mut *two.borrow_mut();
        *seed += 2;
        two.insert(0, &names(*seed, 10));
        two.insert(1, &names(*seed + 1, 10));
    };
    Job::time(row, who, 1, prepare, apart, |two, ()| two.borrow_mut().0.meet())
}

/// The work of both sides for one change, on a link that is up.
fn pass_on<T: Linked + 'static>(who: Who) -> Job {
    const TIMES: usize = 100;
    let prepare = || {
        let mut two = T::sharing(&names(1, SHARED));
        two.meet();
        RefCell::new((two, 10))
    };
    let fresh = |two: &RefCell<(T, u64)>| {
        let seed = &mut two.borrow_mut().1;
        *seed += 1;
        names(*seed, TIMES)
    };
    Job::time(&PASS_ON, who, TIMES, prepare, fresh, |two, names: &mut Vec<String>| {
        let two = &mut two.borrow_mut().0;
        names.iter().for_each(|name| two.pass_on(name));
    })
}

fn dots(count: u64) -> DotSet {
    let id = ReplicaId::from_u128(7 << 64 | 9);
    (1..=count).filter_map(|n| Dot::new(id, n * 37)).collect()
}

fn upkeep() -> Job {
    let prepare = || (LiveSketch::of(SketchKey::new(1), &dots(100_000)), dots(11_000).iter().skip(1_000).collect());
    let input = |(sketch, _): &(LiveSketch, Vec<Dot>)| sketch.clone();
    Job::time(&UPKEEP, Who::Ours, 20_000, prepare, input, |(_, dots), sketch: &mut LiveSketch| {
        dots.iter().for_each(|dot| sketch.remove(*dot));
        dots.iter().for_each(|dot| sketch.add(*dot));
    })
}

fn decode() -> Job {
    let prepare = || {
        let gone = dots(1_000);
        let alphabet = Alphabet::of(&gone).expect("one id");
        let cells = cells_of(&gone, &alphabet, SketchKey::new(1), 0..1_500);
        (cells, alphabet)
    };
    Job::time(
        &DECODE,
        Who::Ours,
        1,
        prepare,
        |_| (),
        |(cells, alphabet), ()| peel(cells, alphabet, SketchKey::new(1)).expect("enough cells"),
    )
}

pub fn jobs() -> Vec<Job> {
    let mut jobs = vec![
        Job::count(&TEN, Who::Ours, || ratio::<Ours>(10, 0)),
        Job::count(&TEN, Who::Dson, || ratio::<Dson>(10, 0)),
        Job::count(&TEN, Who::Crdts, || ratio::<Crdts>(10, 0)),
        Job::count(&TEN, Who::Yrs, || ratio::<Yrs>(10, 0)),
        Job::count(&TEN, Who::Loro, || ratio::<Loro>(10, 0)),
        Job::count(&TEN, Who::Automerge, || ratio::<Automerge>(10, 0)),
        Job::count(&KNOWN, Who::Ours, || ratio_where_ids_are_known(10)),
        Job::count(&THOUSAND, Who::Ours, || ratio::<Ours>(1_000, 0)),
        Job::count(&THOUSAND, Who::Dson, || ratio::<Dson>(1_000, 0)),
        Job::count(&THOUSAND, Who::Yrs, || ratio::<Yrs>(1_000, 0)),
        Job::count(&THOUSAND, Who::Loro, || ratio::<Loro>(1_000, 0)),
        Job::count(&THOUSAND, Who::Automerge, || ratio::<Automerge>(1_000, 0)),
        Job::count(&DELETED, Who::Ours, || ratio::<Ours>(10, SHARED / 10)),
        Job::count(&DELETED, Who::Yrs, || ratio::<Yrs>(10, SHARED / 10)),
        Job::count(&DELETED, Who::Loro, || ratio::<Loro>(10, SHARED / 10)),
        Job::count(&DELETED, Who::Automerge, || ratio::<Automerge>(10, SHARED / 10)),
        Job::count(&EQUAL, Who::Ours, || Ours::sharing(&names(1, SHARED)).repair() as f64),
        cpu::<Ours>(&CPU, Who::Ours, SHARED),
        cpu::<Dson>(&CPU, Who::Dson, SHARED),
        cpu::<Yrs>(&CPU, Who::Yrs, SHARED),
        cpu::<Loro>(&CPU, Who::Loro, SHARED),
        cpu::<Automerge>(&CPU, Who::Automerge, SHARED),
        cpu::<Ours>(&CPU_LARGE, Who::Ours, 10 * SHARED),
        pass_on::<Ours>(Who::Ours),
        pass_on::<Yrs>(Who::Yrs),
        pass_on::<Loro>(Who::Loro),
        pass_on::<Automerge>(Who::Automerge),
        upkeep(),
        decode(),
    ];
    jobs.extend(curves());
    jobs
}
