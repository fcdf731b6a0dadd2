//! Frames that somebody made up: each is refused with its reason, and nothing is taken in beyond the limits.

mod samples;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crdt_core::{Causal, Counter, DecodeErrorKind, Delta, Dot, DotSet, OrMap, OrSet, ReplicaId, Writer};
use crdt_sync::{
    Cell, Extension, FrameError, FrameReader, FrameWriter, Limits, LinkKind, Message, Open, Own, Payload, Record,
    RepairId,
};
use samples::{A, B, C, MS, SCOPE, dots, varint};

type Set = OrSet<u64>;

const SCOPED: u8 = 1;
const NEW_IDS: u8 = 2;

/// A frame that stands alone: of a link that is somebody else's message system.
fn alone(kind: u8, ids: &[ReplicaId], body: &[u8]) -> Vec<u8> {
    let mut frame = vec![1, kind, SCOPED | if ids.is_empty() { 0 } else { NEW_IDS }];
    frame.extend(SCOPE.to_bytes());
    if !ids.is_empty() {
        frame.extend(varint(ids.len() as u64));
        ids.iter().for_each(|id| frame.extend([&[0][..], &id.to_bytes()].concat()));
    }
    frame.extend(body);
    frame
}

fn read(frame: &[u8]) -> Result<Option<Message<Set>>, FrameError> {
    read_within(frame, &Limits::default())
}

fn read_within(frame: &[u8], limits: &Limits) -> Result<Option<Message<Set>>, FrameError> {
    FrameReader::new(LinkKind::Hint, SCOPE, limits).read(frame)
}

fn fault(frame: &[u8]) -> DecodeErrorKind {
    match read(frame) {
        Err(FrameError::Malformed(error)) => error.kind,
        other => panic!("not refused for its form: {other:?}"),
    }
}

fn too_large(limit: &'static str, allowed: u64) -> Result<Option<Message<Set>>, FrameError> {
    Err(FrameError::TooLarge { limit, allowed })
}

/// Both ends of a stream that was opened.
fn stream(limits: &Limits) -> (FrameWriter, FrameReader) {
    let (mut writer, mut reader) =
        (FrameWriter::new(LinkKind::Stream, SCOPE, limits), FrameReader::new(LinkKind::Stream, SCOPE, limits));
    let open = Message::<Set>::Open(Open::new(A, 1, &crdt_sync::Config::new(SCOPE)));
    reader.read::<Set>(&writer.write(&open)).unwrap();
    (writer, reader)
}

fn inserts(count: u64) -> Delta<Set> {
    let (delta, ()) = Causal::<Set>::new().edit(&mut Writer::new(A), |set| {
        (0..count).for_each(|key| {
            set.insert(key);
        });
    });
    delta
}

fn record(delta: Delta<Set>) -> Record<Set> {
    let (replica, first, last) = delta.own().runs().next().expect("it creates a dot");
    Record {
        own: Own { replica, first, last },
        after: DotSet::new(),
        time: crdt_core::Timestamp::new(MS, 0),
        payload: Payload::Edit(delta),
        extensions: Vec::new(),
    }
}

fn push(record: Record<Set>) -> Message<Set> {
    Message::Push(vec![Arc::new(record)])
}

#[test]
fn what_is_no_frame_is_refused_with_its_reason() {
    assert_eq!(fault(&[]), DecodeErrorKind::TooShort);
    assert_eq!(read(&[2, 6, 1]), Err(FrameError::Version(2)));
    assert_eq!(read(&[0xC1, 6, 1]), Err(FrameError::Version(0xC1)));
    assert_eq!(fault(&[1, 6, 1]), DecodeErrorKind::TooShort);
    assert_eq!(fault(&[1, 6, 1 << 4]), DecodeErrorKind::Unknown(1 << 4));
    assert_eq!(fault(&[1, 6, 0]), DecodeErrorKind::NotCanonical, "a frame alone names its scope");
    let mut other = alone(6, &[], &[]);
    other[3] ^= 1;
    assert_eq!(read(&other), Err(FrameError::OtherScope));
    assert_eq!(fault(&[alone(6, &[], &[]), alone(6, &[], &[])].concat()), DecodeErrorKind::TooLong);
    let mut forgets = alone(6, &[], &[]);
    forgets[2] |= 4;
    assert_eq!(fault(&forgets), DecodeErrorKind::NotCanonical, "there is nothing to forget");
}

#[test]
fn kinds_of_later_versions_are_refused_below_128_and_skipped_above() {
    for kind in [26, 63, 64, 127] {
        assert_eq!(read(&alone(kind, &[], &[1, 2, 3])), Err(FrameError::Unsupported(kind)));
    }
    for kind in [128, 255] {
        assert_eq!(read(&alone(kind, &[A], &[1, 2, 3])), Ok(None));
    }
}

#[test]
fn extensions_with_odd_tags_must_be_understood_and_others_are_left_out() {
    let extended = |tag: u8| {
        let mut frame = alone(6, &[], &[1, tag, 2, 7, 7]);
        frame[2] |= 8;
        frame
    };
    assert_eq!(read(&extended(2)), Ok(Some(Message::Prune)));
    assert_eq!(read(&extended(3)), Err(FrameError::Extension { tag: 3 }));
    let mut none = alone(6, &[], &[0]);
    none[2] |= 8;
    assert_eq!(fault(&none), DecodeErrorKind::NotCanonical);

    let with = |tag| {
        let mut record = record(inserts(1));
        record.extensions = vec![Extension { tag, bytes: vec![1, 2] }];
        FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).write(&push(record))
    };
    assert_eq!(read(&with(5)), Err(FrameError::Extension { tag: 5 }));
    let Ok(Some(Message::Push(records))) = read(&with(4)) else { panic!("it need not be understood") };
    assert_eq!(records[0].extensions, [Extension { tag: 4, bytes: vec![1, 2] }], "kept, to be relayed");
}

#[test]
fn ids_of_a_frame_ascend_and_are_all_used() {
    let have = |ids: &[ReplicaId], rows: &[u8]| {
        let body: Vec<u8> = [vec![rows.len() as u8], rows.iter().flat_map(|at| [*at, 1, 0]).collect()].concat();
        alone(3, ids, &body)
    };
    assert!(read(&have(&[C, A], &[0, 1])).is_ok());
    assert_eq!(fault(&have(&[A, C], &[1, 0])), DecodeErrorKind::NotCanonical, "not ascending");
    assert_eq!(fault(&have(&[A, A], &[0, 1])), DecodeErrorKind::NotCanonical, "one twice");
    assert_eq!(fault(&have(&[C, A], &[0])), DecodeErrorKind::NotCanonical, "one that is not used");
    assert_eq!(fault(&have(&[C, A], &[0, 2])), DecodeErrorKind::UnknownId);
    assert_eq!(fault(&have(&[C, A], &[1, 0])), DecodeErrorKind::NotCanonical, "rows not ascending");
    let mut provisional = have(&[A], &[0]);
    provisional[20] = 1;
    assert_eq!(fault(&provisional), DecodeErrorKind::Unknown(1), "reserved for tabs");
}

#[test]
fn integers_have_one_spelling_and_fit() {
    let same = |bytes: &[u8]| alone(9, &[], bytes);
    assert_eq!(read(&same(&[0x7f])), Ok(Some(Message::Same(RepairId(0x7f)))));
    assert_eq!(fault(&same(&[0x80, 0])), DecodeErrorKind::NotCanonical);
    let most = varint(u64::MAX);
    assert_eq!(read(&same(&most)), Ok(Some(Message::Same(RepairId(u64::MAX)))));
    assert_eq!(fault(&same(&[&[0xff; 9][..], &[2]].concat())), DecodeErrorKind::TooLarge);
    assert_eq!(fault(&same(&[0xff; 11])), DecodeErrorKind::TooShort);
}

#[test]
fn counters_lie_between_1_and_2_to_the_48() {
    let have = |first: u64| alone(3, &[A], &[vec![1, 0, 0, 1], varint(first - 2), vec![0]].concat());
    assert!(read(&have(1 << 48)).is_ok());
    assert_eq!(fault(&have((1 << 48) + 1)), DecodeErrorKind::Counter);
    // 1 ..= 2^63: claimed in a dozen bytes, and never walked.
    assert_eq!(fault(&alone(3, &[A], &[vec![1, 0], varint(1 << 63), vec![0]].concat())), DecodeErrorKind::Counter);
    let long = alone(3, &[A], &[vec![1, 0], varint(1 << 48), vec![0]].concat());
    assert_eq!(read(&long), Ok(Some(Message::Have(dots(&[(A, 1, 1 << 48)])))));
}

/// 32: a count of 2^32 − 1 with a few bytes left; 33: lengths that overflow when they are added to a place.
#[test]
fn counts_and_lengths_are_held_against_what_is_left() {
    for count in [6, 1 << 20, u64::from(u32::MAX), u64::from(u32::MAX) << 1, u64::MAX >> 1, u64::MAX] {
        // Push, Have, Cells, LiveSet, Known, Retirements, Gossip, Refuse.
        for (kind, before) in
            [(2, &[][..]), (3, &[]), (12, &[5, 0]), (13, &[5]), (18, &[]), (19, &[]), (25, &[]), (1, &[0, 0])]
        {
            let body = [before, &varint(count), &[0; 5]].concat();
            assert_eq!(fault(&alone(kind, &[], &body)), DecodeErrorKind::TooShort, "kind {kind}, count {count}");
        }
        let mut ids = alone(6, &[], &[varint(count), vec![0; 5]].concat());
        ids[2] |= NEW_IDS;
        assert_eq!(fault(&ids), DecodeErrorKind::TooShort, "{count} ids");
        let mut extensions = alone(6, &[], &[varint(count), vec![0; 5]].concat());
        extensions[2] |= 8;
        assert_eq!(fault(&extensions), DecodeErrorKind::TooShort, "{count} extensions");
        // An entry's text: kind of a set, dot, tag of texts, length.
        let entries = [&[5, 0, 10, 0x80, 8][..], &varint(count), &[0; 3]].concat();
        let text = FrameReader::new(LinkKind::Hint, SCOPE, &Limits::default()).read::<OrSet<String>>(&alone(
            11,
            &[A],
            &entries,
        ));
        assert!(
            matches!(text, Err(FrameError::Malformed(error)) if error.kind == DecodeErrorKind::TooShort),
            "{count}"
        );
    }
}

/// 34: more replicas in a set than the limit.
#[test]
fn replicas_of_a_set_are_bounded() {
    let limits = Limits { set_replicas_max: 100, ..Limits::default() };
    let all: Vec<(ReplicaId, u64, u64)> = (1..=101).map(|n| (ReplicaId::from_u128(n), 1, 9)).collect();
    for (count, fits) in [(99, true), (100, true), (101, false)] {
        let set = dots(&all[..count]);
        let frame = FrameWriter::new(LinkKind::Hint, SCOPE, &limits).write::<Set>(&Message::Have(set.clone()));
        let expected = if fits { Ok(Some(Message::Have(set))) } else { too_large("set_replicas_max", 100) };
        assert_eq!(read_within(&frame, &limits), expected, "{count} replicas");
    }
}

/// 35: every second dot never becomes a run.
#[test]
fn runs_of_a_set_are_bounded() {
    for (count, fits) in [(65_535, true), (65_536, true), (65_537, false)] {
        let set: DotSet = (1..=count).filter_map(|n| Dot::new(A, 2 * n)).collect();
        let frame =
            FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).write::<Set>(&Message::Have(set.clone()));
        let expected = if fits { Ok(Some(Message::Have(set))) } else { too_large("set_runs_max", 65_536) };
        assert_eq!(read(&frame), expected, "{count} runs");
    }
}

/// 36: 40 000 ids that had one hash, whatever the seed. Each would have been compared with all before it: 800 million
/// comparisons. Linear work takes a few hundredths of a second even without optimisation.
#[test]
fn ids_that_were_chosen_to_collide_cost_no_more_than_others() {
    let chosen = |n: u64| ReplicaId::from_u128(u128::from(n) << 64 | 0xc0ac_29b7_c97c_50dd);
    let all: Vec<(ReplicaId, u64, u64)> = (1..=40_000).map(|n| (chosen(n), 1, 1)).collect();
    let message = Message::<Set>::Have(dots(&all));
    let frame = FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).seeded(7).write(&message);
    let start = Instant::now();
    let read = FrameReader::new(LinkKind::Hint, SCOPE, &Limits::default()).seeded(7).read::<Set>(&frame);
    assert_eq!(read, Ok(Some(message)));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// 40: sketches of no cells, of 2^31 cells, of all ones.
#[test]
fn absurd_sketches_are_refused_or_plain_values() {
    assert_eq!(
        read(&alone(12, &[], &[5, 0, 0])),
        Ok(Some(Message::Cells { repair: RepairId(5), from: 0, cells: Vec::new() }))
    );
    assert_eq!(fault(&alone(12, &[], &[vec![5, 0], varint(1 << 32)].concat())), DecodeErrorKind::TooShort);
    assert_eq!(read(&alone(14, &[], &[vec![5, 0], varint(1 << 31)].concat())), too_large("window_cells_max", 4_096));
    let ones = Cell { symbol: u128::MAX, check: u32::MAX, count: u8::MAX };
    let frame = alone(12, &[], &[&[5, 0, 3][..], &[0xff; 21]].concat());
    assert_eq!(read(&frame), Ok(Some(Message::Cells { repair: RepairId(5), from: 0, cells: vec![ones] })));
    let wide_for_nothing = alone(12, &[], &[&[5, 0, 3][..], &[0xff; 8], &[0; 8], &[0xff; 5]].concat());
    assert_eq!(fault(&wide_for_nothing), DecodeErrorKind::NotCanonical);
}

/// A message with `n` of what a limit counts, the limit, and how much it allows.
type Case = (&'static str, fn(u64) -> Message<Set>, fn(&mut Limits, u64), u64);

fn many(n: u64) -> Vec<(ReplicaId, u64)> {
    (1..=n).map(|n| (ReplicaId::from_u128(u128::from(n)), 1)).collect()
}

const CASES: &[Case] = &[
    ("record_dots_max", |n| push(record(inserts(n))), |limits, n| limits.record_dots_max = n, 20),
    (
        "push_records_max",
        |n| {
            Message::Push(
                (1..=n).map(|n| Arc::new(record(Delta::retiring(dots(&[(A, n, n)]), DotSet::new())))).collect(),
            )
        },
        |limits, n| limits.push_records_max = n as usize,
        20,
    ),
    (
        "frame_entries_max",
        |n| Message::Entries { repair: RepairId(1), index: 0, entries: inserts(n) },
        |limits, n| limits.frame_entries_max = n,
        20,
    ),
    ("set_replicas_max", |n| Message::Retirements(many(n)), |limits, n| limits.set_replicas_max = n as usize, 20),
    (
        "roster_max",
        |n| Message::Known(many(n).into_iter().map(|(id, _)| (id, DotSet::new())).collect()),
        |limits, n| limits.roster_max = n as usize,
        20,
    ),
    ("dictionary_ids_max", |n| Message::Retirements(many(n)), |limits, n| limits.dictionary_ids_max = n as usize, 20),
    (
        "after_dots_max",
        |n| push(Record { after: dots(&[(B, 1, n)]), ..record(inserts(1)) }),
        |limits, n| limits.after_dots_max = n as usize,
        20,
    ),
    (
        "extensions_max",
        |n| {
            let extensions = (1..=n).map(|n| Extension { tag: 2 * n, bytes: Vec::new() }).collect();
            push(Record { extensions, ..record(inserts(1)) })
        },
        |limits, n| limits.extensions_max = n as usize,
        20,
    ),
    (
        "extension_bytes_max",
        |n| {
            let extension = |n: u64| Extension { tag: 2, bytes: vec![7; n as usize] };
            push(Record { extensions: vec![extension(n / 2), extension(n - n / 2)], ..record(inserts(1)) })
        },
        |limits, n| limits.extension_bytes_max = n as usize,
        20,
    ),
    (
        "want_runs_max",
        |n| Message::Want((1..=n).filter_map(|n| Dot::new(A, 2 * n)).collect()),
        |limits, n| limits.want_runs_max = n as usize,
        20,
    ),
    (
        "live_set_bytes_max",
        |n| Message::LiveSet { repair: RepairId(1), live: (1..=n / 16).filter_map(|n| Dot::new(A, 9 * n)).collect() },
        |limits, n| limits.live_set_bytes_max = n as usize,
        320,
    ),
    (
        "window_cells_max",
        |n| Message::Cells { repair: RepairId(1), from: 0, cells: vec![Cell::default(); n as usize] },
        |limits, n| limits.window_cells_max = n as usize,
        20,
    ),
    ("write_bytes_max", |n| Message::Write(vec![7; n as usize]), |_, _| {}, 64 << 10),
];

#[test]
fn each_limit_is_met_exactly() {
    for (limit, message, set, allowed) in CASES {
        let mut limits = Limits::default();
        set(&mut limits, *allowed);
        // Runs in a set of live dots take 16 bytes each.
        let step = if *limit == "live_set_bytes_max" { 16 } else { 1 };
        for (count, fits) in [(allowed - step, true), (*allowed, true), (allowed + step, false)] {
            let message = message(count);
            let frame = FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).write(&message);
            let expected = if fits { Ok(Some(message)) } else { too_large(limit, *allowed) };
            assert_eq!(read_within(&frame, &limits), expected, "{limit}: {count} of {allowed}");
        }
    }
}

/// A value of the tables of limits in `PROTOCOL.md`; durations in milliseconds.
fn documented(value: &str) -> u64 {
    if value == "2³²" {
        return 1 << 32;
    }
    let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
    let number: u64 = number.replace(',', "").parse().unwrap_or_else(|_| panic!("no number: {value}"));
    number
        * match unit {
            "" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "d" => 24 * 3_600 * 1_000,
            other => panic!("no unit: {other}"),
        }
}

/// Each field of a `Limits`, by name. A new one does not compile before it stands here.
macro_rules! fields {
    ($limits:expr, $($field:ident),*; $($duration:ident),*) => {{
        let Limits { $($field,)* $($duration),* } = $limits;
        [$((stringify!($field), u64::try_from($field).unwrap()),)* $((stringify!($duration), $duration.as_millis() as u64)),*]
    }};
}

#[test]
fn every_default_stands_in_the_protocol() {
    let defaults = fields!(Limits::default(),
        frame_bytes_max, datagram_bytes_max, record_bytes_max, record_dots_max, flush_bytes, push_records_max,
        frame_entries_max, copied_bytes_max, set_replicas_max, set_runs_max, dictionary_ids_max, datagram_ids_max,
        counter_jump_max, extensions_max, extension_bytes_max, after_dots_max, inbox_records_max, inbox_bytes_max,
        held_bytes_max, link_bytes_max, log_bytes_max, log_memory_bytes_max, want_runs_max, want_bytes_max,
        live_set_bytes_max, whole_bytes_max, repairs_max, part_bytes_max, staged_bytes_max, window_cells_max,
        links_max, roster_max, roster_runs_max, retired_max, lent_ids_max, skew_ms_max, strikes_max; log_age_max);
    let text = include_str!("../PROTOCOL.md");
    let section = text.split("\n## ").find(|section| section.starts_with("9. Limits")).expect("there is one");
    let mut documented_ones = std::collections::BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, value, field] = cells[..] else { panic!("not three cells: {row}") };
        if let Some(field) = field.strip_prefix('`').and_then(|field| field.strip_suffix('`')) {
            assert_eq!(documented_ones.insert(field, documented(value)), None, "{field} stands there twice");
        }
    }
    assert_eq!(documented_ones, defaults.into_iter().collect());
}

/// 37: one long key, and an entry of it in a few bytes, many times.
#[test]
fn copies_of_a_long_key_are_bounded() {
    type Counts = OrMap<String, Counter>;
    let (key, count) = ("k".repeat(1_000), 100);
    let (delta, ()) = Causal::<Counts>::new().edit(&mut Writer::new(A), |map| {
        let mut entry = map.entry(key.as_str());
        (0..count).for_each(|_| entry.add(1));
    });
    let message = Message::Entries { repair: RepairId(1), index: 0, entries: delta };
    let frame = FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).write(&message);
    assert!(frame.len() < 2 * key.len(), "{} B on the wire", frame.len());
    let read = |copied_bytes_max| {
        let limits = Limits { copied_bytes_max, ..Limits::default() };
        FrameReader::new(LinkKind::Hint, SCOPE, &limits).read::<Counts>(&frame)
    };
    let fits = |most: u64| read(most).is_ok();
    // The least that lets it through.
    let (mut low, mut high) = (0, 1 << 20);
    while low < high {
        let middle = (low + high) / 2;
        if fits(middle) { high = middle } else { low = middle + 1 }
    }
    assert!((100_000..=102_000).contains(&low), "{low} for {count} entries of {} B", key.len());
    assert_eq!(read(low), Ok(Some(message)));
    assert_eq!(read(low - 1), Err(FrameError::TooLarge { limit: "copied_bytes_max", allowed: low - 1 }));
}

#[test]
fn lengths_of_frames_and_records_are_met_exactly() {
    let gossip = |len: usize| Message::<Set>::Gossip(vec![7; len]);
    for (link, limit) in [
        (LinkKind::Hint, "frame_bytes_max"),
        (LinkKind::Stream, "frame_bytes_max"),
        (LinkKind::Datagram, "datagram_bytes_max"),
    ] {
        let limits = Limits { frame_bytes_max: 200, datagram_bytes_max: 200, ..Limits::default() };
        let (mut writer, reader) = if link == LinkKind::Stream {
            stream(&limits)
        } else {
            (FrameWriter::new(link, SCOPE, &limits), FrameReader::new(link, SCOPE, &limits))
        };
        let head = writer.write(&gossip(100)).len() - 100;
        for (len, fits) in [(199, true), (200, true), (201, false)] {
            // From 128 bytes on, the length takes two.
            let message = gossip(len - head - 1);
            let frame = writer.write(&message);
            assert_eq!(frame.len(), len);
            let expected = if fits { Ok(Some(message.clone())) } else { too_large(limit, 200) };
            assert_eq!(reader.clone().read(&frame), expected);
            assert_eq!(writer.try_write(&message).is_ok(), fits);
        }
    }
    let long = record(inserts(50));
    let frame = FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).write(&push(long.clone()));
    let len = frame.len() - alone(2, &[A], &[1]).len();
    for (allowed, fits) in [(len + 1, true), (len, true), (len - 1, false)] {
        let limits = Limits { record_bytes_max: allowed, ..Limits::default() };
        let expected = if fits { Ok(Some(push(long.clone()))) } else { too_large("record_bytes_max", allowed as u64) };
        assert_eq!(read_within(&frame, &limits), expected);
    }
}

#[test]
fn a_datagram_brings_few_ids() {
    let limits = Limits::default();
    for (count, fits) in [(31, true), (32, true), (33, false)] {
        let mut writer = FrameWriter::new(LinkKind::Datagram, SCOPE, &limits);
        let message = Message::<Set>::Retirements(many(count));
        let frame = writer.write(&message);
        let mut reader = FrameReader::new(LinkKind::Datagram, SCOPE, &limits);
        let expected = if fits { Ok(Some(message.clone())) } else { too_large("datagram_ids_max", 32) };
        assert_eq!(reader.read(&frame), expected);
        assert_eq!(writer.try_write(&message).is_ok(), fits);
    }
}

#[test]
fn a_full_dictionary_is_started_over() {
    let limits = Limits { dictionary_ids_max: 10, ..Limits::default() };
    let (mut writer, mut reader) = stream(&limits);
    let mut forgot = 0;
    for n in 0..100u128 {
        let message =
            Message::<Set>::Have(dots(&[(ReplicaId::from_u128(n % 37), 1, 5), (ReplicaId::from_u128(n % 3), 1, 5)]));
        let frame = writer.write(&message);
        forgot += u32::from(frame[2] & 4 != 0);
        assert_eq!(reader.read(&frame), Ok(Some(message)));
    }
    assert!(forgot > 5, "{forgot}");
}

#[test]
fn a_frame_that_was_not_sent_leaves_both_dictionaries_in_step() {
    let limits = Limits { frame_bytes_max: 100, ..Limits::default() };
    let (mut writer, mut reader) = stream(&limits);
    assert!(writer.try_write::<Set>(&Message::Retirements(many(20))).is_err());
    for n in [3, 1, 4] {
        let message = Message::<Set>::Retirements(many(n));
        assert_eq!(reader.read(&writer.try_write(&message).unwrap()), Ok(Some(message)));
    }
}

/// Were they left out, the next id would take their index, and one replica's dots would be taken for another's.
#[test]
fn ids_of_a_frame_that_is_refused_are_taken_in_all_the_same() {
    for spoil in
        [|frame: &mut Vec<u8>| frame[1] = 40, |frame: &mut Vec<u8>| frame[1] = 200, |frame: &mut Vec<u8>| frame.push(0)]
    {
        let (mut writer, mut reader) = stream(&Limits::default());
        let mut frame = writer.write::<Set>(&Message::Have(dots(&[(B, 1, 5)])));
        spoil(&mut frame);
        assert!(!matches!(reader.read::<Set>(&frame), Ok(Some(_))));
        let next = Message::<Set>::Have(dots(&[(B, 1, 6), (C, 1, 7)]));
        assert_eq!(reader.read(&writer.write(&next)), Ok(Some(next)));
    }
}

#[test]
fn a_stream_whose_dictionaries_are_out_of_step_is_read_no_further() {
    let (mut writer, mut reader) = stream(&Limits::default());
    let mut frame = writer.write::<Set>(&Message::Have(dots(&[(B, 1, 5)])));
    frame.truncate(10);
    assert!(matches!(reader.read::<Set>(&frame), Err(FrameError::Malformed(_))));
    assert_eq!(reader.read::<Set>(&writer.write::<Set>(&Message::Prune)), Err(FrameError::Closed));

    // A frame of an earlier connection: its ids are known to nobody here.
    let (mut old, _) = stream(&Limits::default());
    let _ = old.write::<Set>(&Message::Have(dots(&[(B, 1, 5)])));
    let late = old.write::<Set>(&Message::Have(dots(&[(B, 1, 6)])));
    let (_, mut reader) = stream(&Limits::default());
    assert!(
        matches!(reader.read::<Set>(&late), Err(FrameError::Malformed(error)) if error.kind == DecodeErrorKind::UnknownId)
    );
}

#[test]
fn a_stream_starts_with_open_and_says_its_scope_there_and_nowhere_else() {
    let limits = Limits::default();
    let mut reader = FrameReader::new(LinkKind::Stream, SCOPE, &limits);
    assert_eq!(reader.read::<Set>(&[1, 6, 0]), Err(FrameError::OutOfTurn(6)));
    let (_, mut reader) = stream(&limits);
    let again = reader.clone().read::<Set>(&alone(6, &[], &[]));
    assert!(matches!(again, Err(FrameError::Malformed(error)) if error.kind == DecodeErrorKind::NotCanonical));
    assert_eq!(reader.read::<Set>(&[1, 6, 0]), Ok(Some(Message::Prune)));
}

#[test]
fn records_have_one_spelling() {
    // In front of each: one record of a Push, by A.
    let with = |body: &[u8]| alone(2, &[A], &[&[1], body].concat());
    let good = [0b100, 0, 5, 0, 0, 0, 0];
    assert!(read(&with(&good)).is_ok());
    let spoilt = |at: usize, byte: u8| {
        let mut body = good;
        body[at] = byte;
        fault(&with(&body))
    };
    assert_eq!(spoilt(0, 0b110), DecodeErrorKind::NotCanonical, "follows no record");
    assert_eq!(spoilt(0, 0x80 | 0b100), DecodeErrorKind::Unknown(0x84));
    assert_eq!(spoilt(2, 0), DecodeErrorKind::Counter);
    assert_eq!(spoilt(3, 1), DecodeErrorKind::TooLarge, "before 1970");
    assert_eq!(fault(&with(&[0, 0, 5, 0, 0, 0, 0, 0])), DecodeErrorKind::NotCanonical, "one dot, not said so");
    assert_eq!(fault(&with(&[0b1100, 0, 5, 0, 0, 0, 0, 0])), DecodeErrorKind::NotCanonical, "no dots after it");
    // Of two that follow each other, the second says so.
    let two = |second: &[u8]| alone(2, &[A], &[&[2][..], &good, second].concat());
    assert!(read(&two(&[0b110, 0, 0, 0, 0])).is_ok());
    assert_eq!(fault(&two(&[0b100, 0, 6, 0, 0, 0, 0])), DecodeErrorKind::NotCanonical);
    // A dot of its own is retired by having no entry.
    assert_eq!(fault(&with(&[0b100, 0, 5, 0, 0, 2, 0, 5, 0])), DecodeErrorKind::NotCanonical);
}
