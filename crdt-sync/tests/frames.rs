//! Frames: there and back, and how long they are.
#![allow(clippy::print_stdout, reason = "what was measured or left out is shown beside the verdict")]

mod samples;

use std::sync::Arc;

use crdt_core::{Causal, DotStore, OrSet, ReplicaId, Timestamp, Writer};
use crdt_sync::{
    FrameReader, FrameWriter, Hello, Limits, LinkKind, Message, Own, Payload, Plan, Record, RepairId, SummaryOf,
};
use samples::{MS, Page, SCOPE, dots, messages};

const LINKS: [LinkKind; 3] = [LinkKind::Stream, LinkKind::Datagram, LinkKind::Hint];

fn ends(link: LinkKind) -> (FrameWriter, FrameReader) {
    let limits = Limits::default();
    (FrameWriter::new(link, SCOPE, &limits), FrameReader::new(link, SCOPE, &limits))
}

/// Both ends of a stream on which everybody in the samples has been heard of.
fn warm() -> (FrameWriter, FrameReader) {
    let (mut writer, mut reader) = ends(LinkKind::Stream);
    for (_, message) in messages() {
        let frame = writer.write(&message);
        reader.read::<Page>(&frame).unwrap();
    }
    (writer, reader)
}

#[test]
fn every_message_reads_back_on_every_kind_of_link() {
    for link in LINKS {
        let (mut writer, mut reader) = ends(link);
        for (name, message) in messages() {
            let frame = writer.write(&message);
            assert_eq!(reader.read::<Page>(&frame), Ok(Some(message)), "{name} on a {link:?}");
        }
    }
}

#[test]
fn the_samples_hold_every_kind() {
    let mut kinds: Vec<u8> = messages().iter().map(|(_, message)| message.kind()).collect();
    kinds.dedup();
    assert_eq!(kinds, (0..26).collect::<Vec<u8>>());
}

#[test]
fn a_record_alone_reads_back_and_keeps_what_newer_versions_said() {
    let mut read = 0;
    for (_, message) in messages() {
        let Message::Push(records) = message else { continue };
        for record in records {
            let bytes = record.encode();
            assert_eq!(Record::decode(&bytes).as_ref(), Ok(&*record));
            for cut in 0..bytes.len() {
                assert!(Record::<Page>::decode(&bytes[..cut]).is_err());
            }
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    let mut flipped = bytes.clone();
                    flipped[at] ^= 1 << bit;
                    if let Ok(other) = Record::<Page>::decode(&flipped) {
                        assert_eq!(other.encode(), flipped, "another spelling: bit {bit} of byte {at}");
                        assert_ne!(other.hash64(), record.hash64());
                        read += 1;
                    }
                }
            }
        }
    }
    assert!(read > 100, "{read} flips were other records");
}

fn insert(state: &mut Causal<OrSet<u64>>, writer: &mut Writer, key: u64, ms: u64) -> Arc<Record<OrSet<u64>>> {
    let (delta, _) = state.edit(writer, |set| set.insert(key));
    record(delta.own().last(writer.id()), writer.id(), delta, ms)
}

fn record<S: DotStore>(counter: u64, replica: ReplicaId, delta: crdt_core::Delta<S>, ms: u64) -> Arc<Record<S>> {
    Arc::new(Record {
        own: Own { replica, first: counter, last: counter },
        after: dots(&[]),
        time: Timestamp::new(ms, 0),
        payload: Payload::Edit(delta),
        extensions: Vec::new(),
    })
}

/// The figures of the design, each with its bar.
#[test]
fn frames_are_as_short_as_promised() {
    let mut figures: Vec<(&str, usize, usize)> = Vec::new();
    let (mut writer, _) = warm();
    let a = samples::A;

    let hello = Hello { repair: RepairId(90), received_hash: 1, state_hash: 2, summary: None, content_hash: None };
    let check =
        writer.write::<Page>(&Message::Hello(hello)).len() + writer.write::<Page>(&Message::Same(RepairId(90))).len();
    figures.push(("Hello and Same of two that are in sync", check, 64));

    let mut state = Causal::<OrSet<u64>>::new();
    let mut edits = Writer::resume(a, 1_000_000);
    let one = insert(&mut state, &mut edits, u64::MAX, MS);
    figures.push((
        "frame of one insert at counter 10^6, beyond its key",
        writer.write(&Message::Push(vec![one])).len() - 8,
        24,
    ));
    let mut batch = Vec::new();
    for n in 0..101 {
        batch.push(insert(&mut state, &mut edits, u64::MAX - 1 - n, MS + 5 * n));
    }
    let long = writer.write(&Message::Push(batch.clone())).len();
    let short = writer.write(&Message::Push(batch[..1].to_vec())).len();
    figures.push(("one more insert of the same writer in a batch, beyond its key", (long - short) / 100 - 8, 8));

    let (delta, _) = state.edit(&mut edits, |set| set.remove(&u64::MAX));
    let removal = record(edits.last(), a, delta, MS + 600);
    let with = writer.write(&Message::Push(vec![batch[100].clone(), removal.clone()])).len();
    let without = writer.write(&Message::Push(batch[100..].to_vec())).len();
    figures.push(("a removal in a batch", with - without, 12));
    figures.push(("frame of one removal", writer.write(&Message::Push(vec![removal])).len(), 24));

    let replicas: Vec<ReplicaId> = (1..=100).map(|n| ReplicaId::from_u128(n << 64)).collect();
    let summary = |n: usize| {
        let all: Vec<_> = replicas[..n].iter().map(|id| (*id, 1, 1_000_000)).collect();
        let last: Vec<_> = replicas[..n].iter().map(|id| (*id, 1_000_000, 1_000_000)).collect();
        Message::<Page>::Summary(Box::new(SummaryOf {
            repair: RepairId(90),
            plan: Plan::Ask,
            base: None,
            received: dots(&all),
            ahead: dots(&[]),
            frontier: dots(&last),
            live_count: 70_000,
            staged: dots(&[]),
            retired: (0, 0),
            left_out: None,
            sketch_key: 0,
        }))
    };
    let first = writer.write(&summary(100)).len();
    let again = writer.write(&summary(100)).len();
    figures.push(("ids of a hundred replicas, once per connection, each", (first - again) / 100, 17));
    let none = writer.write(&summary(0)).len();
    figures.push((
        "summary of a hundred replicas at counter 10^6, all at the frontier, per ten",
        (again - none) / 10,
        52,
    ));
    figures.push(("Done", writer.write::<Page>(&Message::Done { repair: RepairId(90), check: u64::MAX }).len(), 14));

    for (what, bytes, bar) in &figures {
        println!("{bytes:5} B, at most {bar:3}: {what}");
    }
    for (what, bytes, bar) in figures {
        assert!(bytes <= bar, "{what}: {bytes} B, more than {bar}");
    }
}
