//! 62: whatever comes from outside, a process that has 64 MiB goes on. Each case runs in a process of its own, which ends
//! at once if it asks for more; what was to be refused has to be refused, with an error.
#![cfg(not(target_family = "wasm"))]

#[path = "../../crdt-core/tests/allocator/mod.rs"]
mod allocator;
mod samples;

use std::process::{Command, Output};

use crdt_core::{Canonical, Causal, Counter, DecodeErrorKind, Delta, Document, DotSet, OrMap, ReplicaId, Writer};
use crdt_sync::{
    CancelReason, Config, FrameError, FrameReader, FrameWriter, Limits, LinkKind, Loaded, Message, Now, Open,
    ParcelError, PeerId, Plan, RepairId, Replica, ScopeId, SummaryOf,
};
use samples::varint;
use xxhash_rust::xxh3::xxh3_128;

const MEMORY: usize = 64 << 20;
const CASE: &str = "CASE_OF_SMALL_MEMORY";

/// An increment of it takes a sixteenth of a byte on the wire and a copy of its key in memory.
type Counts = OrMap<String, Counter>;

const SCOPE: ScopeId = ScopeId::from_bytes(*b"a small machine.");
const BAD: ReplicaId = ReplicaId::from_u128(7);
const PEER: PeerId = PeerId(1);

/// What a program with so little memory sets. By default copies in one frame may take 64 MiB alone, and as much may wait
/// for the end of a repair.
fn limits() -> Limits {
    Limits { copied_bytes_max: 4 << 20, frame_entries_max: 32_768, staged_bytes_max: 1 << 20, ..Limits::default() }
}

const CASES: [(&str, fn()); 5] = [
    ("frames that claim", frames_that_claim),
    ("frames that amplify", frames_that_amplify),
    ("a repair without end", a_repair_without_end),
    ("parcels", parcels),
    ("states", states),
];

/// These have to fail, or the others prove nothing.
const TOO_MUCH: [(&str, fn()); 2] = [
    ("more than there is", || {
        allocator::have_no_more_than(MEMORY);
        drop(std::hint::black_box(vec![1u8; MEMORY]));
    }),
    ("without a limit", || {
        let frame = alone(&entries(&"k".repeat(4_000), 20_000, 1));
        allocator::have_no_more_than(MEMORY);
        let _ = read(&frame, &Limits { copied_bytes_max: u64::MAX, ..limits() });
    }),
];

fn alone_in_a_process(case: &str) -> Output {
    let this = std::env::current_exe().expect("the test knows where it is");
    let mut process = Command::new(this);
    process.args(["--exact", "one_case", "--ignored", "--nocapture"]).env(CASE, case);
    process.output().expect("it starts")
}

#[test]
fn what_claims_or_amplifies_to_more_than_there_is_is_refused_in_64_mib() {
    for (case, _) in CASES {
        let output = alone_in_a_process(case);
        assert!(output.status.success(), "{case}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{case} was not run");
    }
    for (case, _) in TOO_MUCH {
        let output = alone_in_a_process(case);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("memory allocation of"), "{case}: {}\n{told}", output.status);
    }
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn one_case() {
    let Ok(wanted) = std::env::var(CASE) else { return };
    let (_, run) = CASES.iter().chain(&TOO_MUCH).find(|(case, _)| *case == wanted).expect("there is such a case");
    run();
}

/// So many increments under one key, from that counter on: a kilobyte or two.
fn entries(key: &str, count: u64, first: u64) -> Message<Counts> {
    let (entries, ()) = Causal::<Counts>::new().edit(&mut Writer::resume(BAD, first - 1), |map| {
        let mut entry = map.entry(key);
        (0..count).for_each(|_| entry.add(1));
    });
    Message::Entries { repair: RepairId(1), index: 0, entries }
}

/// A frame that needs no connection.
fn alone(message: &Message<Counts>) -> Vec<u8> {
    FrameWriter::new(LinkKind::Hint, SCOPE, &Limits::default()).write(message)
}

fn read(frame: &[u8], limits: &Limits) -> Result<Option<Message<Counts>>, FrameError> {
    FrameReader::new(LinkKind::Hint, SCOPE, limits).read(frame)
}

/// Numbers that nothing justifies, in every place of every kind of message, with little and with much behind them.
fn frames_that_claim() {
    let usual = Limits::default();
    allocator::have_no_more_than(MEMORY);
    let mut refused = 0;
    for kind in 0..26 {
        for places in 0..6 {
            for claim in [0x0f_ffff, (1 << 32) - 1, u64::MAX] {
                for (fill, len) in [(0, 5), (0x0f, 5), (0, 1_000_000), (0x0f, 1_000_000), (0x7f, 1_000_000)] {
                    let mut frame = vec![1, kind, 0b11];
                    frame.extend(SCOPE.to_bytes());
                    frame.extend([1, 0]);
                    frame.extend(BAD.to_bytes());
                    frame.resize(frame.len() + places, 1);
                    frame.extend(varint(claim));
                    frame.resize(frame.len() + len, fill);
                    refused += usize::from(read(&frame, &usual).is_err());
                }
            }
        }
    }
    // A claim is no more than a number where a number belongs.
    assert!(refused > 26 * 6 * 3 * 5 * 9 / 10, "{refused} were refused");
}

/// A replica of that much memory, with a link to somebody who means harm and says who it is.
fn victim() -> (Replica<Counts>, FrameWriter) {
    let now = Now::default();
    let config = Config { limits: limits(), ..Config::new(SCOPE) };
    let id = ReplicaId::from_u128(1);
    let mut victim = Replica::<Counts>::open(Loaded::default(), config, id, [1; 32], now).expect("nothing was loaded");
    victim.edit(now, |map| map.entry("kept").add(1)).expect("it is not busy");
    victim.flush(now);
    victim.peer_up(PEER, LinkKind::Stream, now);
    let mut writer = FrameWriter::new(LinkKind::Stream, SCOPE, &Limits::default());
    let mut open = Open::new(BAD, 1, victim.config());
    open.schema = <Counts as crdt_core::DotStore>::KIND as u64;
    victim.handle_message(PEER, &writer.write(&Message::<Counts>::Open(open)), now).expect("an introduction");
    drain(&mut victim);
    (victim, writer)
}

fn drain(victim: &mut Replica<Counts>) -> Vec<Vec<u8>> {
    while let Some(persist) = victim.poll_persist() {
        victim.durable(persist.ticket, Now::default());
    }
    while victim.poll_event().is_some() {}
    std::iter::from_fn(|| victim.poll_transmit()).map(|transmit| transmit.frame).collect()
}

fn frames_that_amplify() {
    let (mut victim, mut writer) = victim();
    let before = victim.state().encode();
    let long_key = writer.write(&entries(&"k".repeat(4_000), 20_000, 1));
    let crowd = writer.write(&entries("k", 400_000, 1));
    assert!(long_key.len() < 8_000 && crowd.len() < 60_000, "{} and {} B", long_key.len(), crowd.len());
    allocator::have_no_more_than(MEMORY);
    for (frame, limit, allowed) in
        [(long_key, "copied_bytes_max", 4 << 20), (crowd, "frame_entries_max", limits().frame_entries_max)]
    {
        let refused = victim.handle_message(PEER, &frame, Now::default());
        assert_eq!(refused, Err(FrameError::TooLarge { limit, allowed }));
    }
    assert_eq!(victim.state().encode(), before);
}

/// Frame after frame, each below the limits of one; what waits for the end is bounded, too.
fn a_repair_without_end() {
    let (mut victim, mut writer) = victim();
    let (before, now) = (victim.state().encode(), Now::default());
    victim.repair_with(PEER, now);
    let mut reader = FrameReader::new(LinkKind::Stream, SCOPE, &Limits::default());
    let mut open = Open::new(ReplicaId::from_u128(1), 1, victim.config());
    open.schema = 0;
    let greeting = FrameWriter::new(LinkKind::Stream, SCOPE, &Limits::default()).write(&Message::<Counts>::Open(open));
    reader.read::<Counts>(&greeting).expect("it opens the reader");
    let mut hello = |frames: Vec<Vec<u8>>| {
        frames.iter().find_map(|frame| match reader.read::<Counts>(frame) {
            Ok(Some(Message::Hello(hello))) => Some(hello.repair),
            _ => None,
        })
    };
    let repair = hello(drain(&mut victim)).expect("it opens a repair");
    let mut received = DotSet::new();
    received.insert_run(BAD, 1, 1 << 20);
    let summary = SummaryOf {
        repair,
        plan: Plan::Whole,
        base: None,
        received,
        ahead: DotSet::new(),
        frontier: DotSet::new(),
        live_count: 1 << 20,
        staged: DotSet::new(),
        retired: (0, 0),
        left_out: None,
        sketch_key: 0,
    };
    victim.handle_message(PEER, &writer.write(&Message::<Counts>::Summary(Box::new(summary))), now).expect("a summary");
    let frames: Vec<Vec<u8>> = (0..60)
        .map(|index| {
            let Message::Entries { entries, .. } = entries(&"k".repeat(2_000), 1_500, 1 + 1_500 * u64::from(index))
            else {
                unreachable!("it makes entries")
            };
            writer.write(&Message::Entries { repair, index, entries })
        })
        .collect();
    // Three megabytes of memory each.
    assert!(frames[0].len() < 2_500, "{} B", frames[0].len());
    allocator::have_no_more_than(MEMORY);
    let mut cancelled = None;
    for frame in &frames {
        victim.handle_message(PEER, frame, now).expect("each by itself is within the limits");
        let said: Vec<Vec<u8>> = drain(&mut victim);
        cancelled = cancelled.or_else(|| {
            said.iter().find_map(|frame| match reader.read::<Counts>(frame) {
                Ok(Some(Message::Cancel { reason, .. })) => Some(reason),
                _ => None,
            })
        });
    }
    assert_eq!(cancelled, Some(CancelReason::TooLarge));
    assert_eq!(victim.state().encode(), before);
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    body.extend(xxh3_128(&body).to_le_bytes());
    body
}

/// With a seal that fits.
fn parcel(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut body = b"crdt-sync\x01\x01".to_vec();
    for frame in frames {
        body.extend(u32::try_from(frame.len()).expect("a short frame").to_be_bytes());
        body.extend(frame);
    }
    sealed(body)
}

fn parcels() {
    let (mut victim, _) = victim();
    let (before, now) = (victim.state().encode(), Now::default());
    let mut writer = FrameWriter::new(LinkKind::Stream, SCOPE, &Limits::default());
    let mut open = Open::new(BAD, 1, victim.config());
    open.schema = <Counts as crdt_core::DotStore>::KIND as u64;
    let open = writer.write(&Message::<Counts>::Open(open));
    let amplifies = parcel(&[open.clone(), writer.write(&entries(&"k".repeat(4_000), 20_000, 1))]);
    let mut claims = b"crdt-sync\x01\x01".to_vec();
    claims.extend(u32::MAX.to_be_bytes());
    claims.extend(&open);
    let claims = sealed(claims);
    let long = sealed([b"crdt-sync\x01\x01".to_vec(), vec![0; 1 << 20]].concat());
    allocator::have_no_more_than(MEMORY);
    let too_large = FrameError::TooLarge { limit: "copied_bytes_max", allowed: 4 << 20 };
    assert_eq!(victim.import(&amplifies, now).map(|_| ()), Err(ParcelError::Frame(too_large)));
    assert_eq!(victim.import(&claims, now).map(|_| ()), Err(ParcelError::Damaged));
    let allowed = limits().staged_bytes_max;
    assert_eq!(victim.import(&long, now).map(|_| ()), Err(ParcelError::TooLarge { allowed }));
    assert_eq!(victim.state().encode(), before);
}

fn states() {
    let crowd = match entries(&"k".repeat(4_000), 20_000, 1) {
        Message::Entries { entries, .. } => entries.encode(),
        _ => unreachable!("it makes entries"),
    };
    // A head, what was seen, the container's kind, and that many of whatever it holds; five bytes are left.
    let claims: Vec<Vec<u8>> = (1..=14)
        .map(|kind| {
            let head = [&[0xC1, 1][..], &BAD.to_bytes(), &[1, 0, 0xff, 0xff, 0x7f, 0, kind]].concat();
            [head, varint((1 << 32) - 1), vec![1; 5]].concat()
        })
        .collect();
    allocator::have_no_more_than(MEMORY);
    let within = crdt_core::codec::DecodeLimits { copied_bytes_max: 4 << 20, ..Default::default() };
    let refused = Delta::<Counts>::decode_within(&crowd, within).map_err(|error| error.kind);
    assert_eq!(refused, Err(DecodeErrorKind::TooManyCopies));
    for bytes in claims {
        assert!(Causal::<Counts>::decode(&bytes).is_err() && Causal::<Document>::decode(&bytes).is_err());
        assert!(Delta::<Counts>::decode(&bytes).is_err() && DotSet::decode(&bytes).is_err());
    }
}
