//! Frames that a peer may have sent. Each is refused, or is a message that is
//! written again in the same bytes by a writer with the same dictionary.

use crdt_core::{Counter, LwwRegister, OrMap, OrSet};
use crdt_sync::{FrameError, FrameReader, FrameWriter, Limits, LinkKind, Message, Record, ScopeId};
use std::sync::OnceLock;

crdt_core::fields! {
    /// The type of the golden frames.
    pub struct Page {
        title: LwwRegister<String>,
        tags: OrSet<String>,
        votes: Counter,
        links: OrMap<String, OrSet<u64>>,
    }
}

/// The scope of the golden frames.
pub const SCOPE: ScopeId = ScopeId::from_bytes(*b"a scope of tests");

/// The first byte of an input chooses the link, from 3 on with a stream on which
/// the golden frames went before.
pub const LINKS: [LinkKind; 4] = [LinkKind::Stream, LinkKind::Datagram, LinkKind::Hint, LinkKind::Stream];

const FLAGS: usize = 2;
const FORGET: u8 = 1 << 2;
const EXTENSIONS: u8 = 1 << 3;

/// Frames, each behind its length in two bytes.
pub fn split(mut input: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let [low, high, rest @ ..] = input {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (frame, after) = rest.split_at(len);
        frames.push(frame);
        input = after;
    }
    frames
}

/// The golden frames of a link.
pub fn golden(link: LinkKind) -> Vec<Vec<u8>> {
    let text = match link {
        LinkKind::Stream => include_str!("../../crdt-sync/tests/golden/stream.v1.txt"),
        LinkKind::Datagram => include_str!("../../crdt-sync/tests/golden/datagram.v1.txt"),
        LinkKind::Hint => include_str!("../../crdt-sync/tests/golden/hint.v1.txt"),
    };
    text.lines().filter_map(|line| unhex(line.split_once(' ')?.1)).collect()
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

/// How many frames were accepted.
pub fn check(input: &[u8]) -> usize {
    let Some((choice, rest)) = input.split_first() else { return 0 };
    let choice = usize::from(*choice) % (LINKS.len() + 1);
    let Some(link) = LINKS.get(choice).copied() else { return check_record(rest) };
    let limits = Limits::default();
    let (mut reader, mut writer) = if choice == 3 {
        warm()
    } else {
        (FrameReader::new(link, SCOPE, &limits), FrameWriter::new(link, SCOPE, &limits))
    };
    let mut accepted = 0;
    // A frame that is refused may have brought ids that the writer does not know of.
    let mut in_step = true;
    for frame in split(rest) {
        match reader.read::<Page>(frame) {
            Ok(Some(message)) => {
                accepted += 1;
                if !in_step && link == LinkKind::Stream {
                    continue;
                }
                if frame[FLAGS] & EXTENSIONS != 0 {
                    in_step = false;
                    continue;
                }
                check_again(&mut writer, &message, frame, link, &limits);
            }
            Ok(None) => in_step = false,
            Err(FrameError::Closed) => break,
            Err(_) => in_step = false,
        }
    }
    accepted
}

/// Both ends of a stream after the golden frames.
fn warm() -> (FrameReader, FrameWriter) {
    static WARM: OnceLock<(FrameReader, FrameWriter)> = OnceLock::new();
    let ends = WARM.get_or_init(|| {
        let (link, limits) = (LinkKind::Stream, Limits::default());
        let (mut reader, mut writer) = (FrameReader::new(link, SCOPE, &limits), FrameWriter::new(link, SCOPE, &limits));
        for frame in golden(link) {
            let message = reader.read::<Page>(&frame).expect("golden frames are accepted").expect("and known");
            assert_eq!(writer.write(&message), frame);
        }
        (reader, writer)
    });
    ends.clone()
}

fn check_again(writer: &mut FrameWriter, message: &Message<Page>, frame: &[u8], link: LinkKind, limits: &Limits) {
    if frame[FLAGS] & FORGET != 0 {
        *writer = FrameWriter::new(link, SCOPE, limits);
    }
    let mut again = writer.write(message);
    again[FLAGS] |= frame[FLAGS] & FORGET;
    assert_eq!(again, frame, "another spelling of {message:?}");
}

/// A record as the log keeps it.
fn check_record(bytes: &[u8]) -> usize {
    let Ok(record) = Record::<Page>::decode(bytes) else { return 0 };
    assert_eq!(record.encode(), bytes, "another spelling of {record:?}");
    1
}

/// Inputs to start from: each golden frame alone, and all of a link together.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let framed = |frame: &Vec<u8>| [&(frame.len() as u16).to_le_bytes()[..], frame].concat();
    let mut seeds = Vec::new();
    for (choice, name) in [(0u8, "stream"), (1, "datagram"), (2, "hint")] {
        let all: Vec<u8> = golden(LINKS[usize::from(choice)]).iter().flat_map(framed).collect();
        seeds.push((name.to_owned(), [&[choice][..], &all].concat()));
    }
    for (number, frame) in golden(LinkKind::Hint).iter().enumerate() {
        seeds.push((format!("hint-{number:02}"), [&[2][..], &framed(frame)].concat()));
    }
    for (number, frame) in golden(LinkKind::Stream).iter().enumerate() {
        // Its ids are known by then, so only frames without new ones are accepted a second time.
        if frame[FLAGS] == 0 {
            seeds.push((format!("later-{number:02}"), [&[3][..], &framed(frame)].concat()));
        }
    }
    let records = include_str!("../../crdt-sync/tests/golden/records.v1.txt");
    for (number, bytes) in records.lines().filter_map(|line| unhex(line.split_once(' ')?.1)).enumerate() {
        seeds.push((format!("record-{number:02}"), [&[4][..], &bytes].concat()));
    }
    seeds
}
