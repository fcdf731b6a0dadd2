//! The bytes of version 1, one frame of each kind and link: they decode for ever.
//!
//! `CRDT_GOLDEN=write cargo test -p crdt-sync --test golden` writes the files anew, which is right only as long as
//! nobody has stored or sent what they show.
#![allow(clippy::print_stdout, reason = "what was measured or left out is shown beside the verdict")]

mod samples;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crdt_sync::{FrameReader, FrameWriter, Limits, LinkKind, Message, Record};
use samples::{Page, SCOPE, messages};

const LINKS: [(&str, LinkKind); 3] =
    [("stream", LinkKind::Stream), ("datagram", LinkKind::Datagram), ("hint", LinkKind::Hint)];

const FLAGS: usize = 2;
const FORGET: u8 = 1 << 2;
const EXTENSIONS: u8 = 1 << 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes it");
        hex
    })
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits")).collect()
}

/// What is written now has to be what is in the file.
fn is_committed(name: &str, text: &str) {
    let path = folder().join(name);
    if env::var_os("CRDT_GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&path, text).expect("the golden folder is there");
    }
    let committed = fs::read_to_string(&path).expect("golden files are committed");
    assert!(committed == text, "{name} is not what is written now:\n{text}");
}

fn lines(name: &str) -> Vec<(String, Vec<u8>)> {
    let text = fs::read_to_string(folder().join(name)).expect("golden files are committed");
    let line = |line: &str| line.split_once(' ').map(|(name, bytes)| (name.to_owned(), unhex(bytes)));
    text.lines().map(|text| line(text).expect("a name and hex digits")).collect()
}

#[test]
fn frames_of_every_kind_are_the_committed_bytes() {
    for (name, link) in LINKS {
        let mut writer = FrameWriter::new(link, SCOPE, &Limits::default());
        let frames: String =
            messages().iter().map(|(kind, message)| format!("{kind} {}\n", hex(&writer.write(message)))).collect();
        is_committed(&format!("{name}.v1.txt"), &frames);
    }
}

#[test]
fn committed_frames_decode_to_what_was_meant() {
    for (name, link) in LINKS {
        let mut reader = FrameReader::new(link, SCOPE, &Limits::default());
        for ((kind, frame), (_, message)) in lines(&format!("{name}.v1.txt")).into_iter().zip(messages()) {
            assert_eq!(reader.read::<Page>(&frame), Ok(Some(message)), "{kind} on a {name}");
        }
    }
}

#[test]
fn records_alone_are_the_committed_bytes() {
    let mut text = String::new();
    for (_, message) in messages() {
        if let Message::Push(records) = message {
            records.iter().for_each(|record| {
                writeln!(text, "{}..={} {}", record.own.first, record.own.last, hex(&record.encode()))
                    .expect("a string takes it");
                assert_eq!(Record::decode(&record.encode()).as_ref(), Ok(&**record));
            });
        }
    }
    is_committed("records.v1.txt", &text);
}

/// What nobody honest sends on a stream after an introduction, which told the first id; each with what is wrong with it.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let written = |name: &str| {
        let message = messages().into_iter().find_map(|(kind, message)| (kind == name).then_some(message));
        let mut writer = FrameWriter::new(LinkKind::Stream, SCOPE, &Limits::default());
        let _ = writer.write(&messages()[0].1);
        writer.write(&message.expect("a sample"))
    };
    let changed = |name: &str, at: usize, to: u8| {
        let mut frame = written(name);
        frame[at] = to;
        frame
    };
    let with_head = |kind: u8, flags: u8, body: &[u8]| [&[1, kind, flags][..], body].concat();
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let [one, two] = [&[0u8; 17][..], &[[0u8; 1].as_slice(), &[7; 16]].concat()];
    let ids = [&[2][..], one, two].concat();
    vec![
        ("nothing-at-all", Vec::new()),
        ("half-a-head", vec![1, 2]),
        ("version-of-tomorrow", changed("same", 0, 2)),
        ("version-of-yesterday", changed("same", 0, 0)),
        ("kind-that-is-reserved", changed("prune", 1, 26)),
        ("flag-that-is-unknown", changed("prune", 2, 1 << 4)),
        ("another-scope", changed("open", 3, b'b')),
        ("introduction-without-a-scope", with_head(0, 0, &written("open")[19..])),
        ("id-of-another-kind", changed("have", 4, 1)),
        ("ids-without-end", with_head(3, 2, &huge)),
        ("ids-that-are-not-there", with_head(3, 2, &[5, 0, 1])),
        ("id-twice", with_head(3, 2, &[&[2][..], one, one, &[0]].concat())),
        ("index-beyond-the-dictionary", with_head(3, 0, &[1, 9, 1, 0])),
        ("sets-without-end", with_head(3, 0, &huge)),
        ("rows-in-the-wrong-order", with_head(3, 2, &[&ids[..], &[2, 2, 1, 0, 1, 1, 0]].concat())),
        ("row-twice", with_head(3, 2, &[&ids[..], &[2, 1, 1, 0, 1, 2, 0]].concat())),
        ("row-of-nothing", with_head(3, 2, &[&ids[..], &[1, 1, 0, 0]].concat())),
        ("run-beyond-all-counters", with_head(3, 2, &[&ids[..], &[1, 1, 1, 1, 0], &huge].concat())),
        ("counter-in-a-longer-spelling", with_head(3, 2, &[&ids[..], &[1, 1, 0x81, 0x00, 0]].concat())),
        ("counter-of-eleven-bytes", with_head(3, 2, &[&ids[..], &[1, 1], &[0x80; 10], &[1, 0]].concat())),
        ("bytes-left-over", [written("prune"), vec![0]].concat()),
        ("records-without-end", with_head(2, 0, &huge)),
        ("record-cut-in-the-middle", written("push")[..90].to_vec()),
        ("gossip-longer-than-it-is", with_head(25, 0, &huge)),
        ("cells-without-end", with_head(12, 0, &[&[7, 0][..], &huge].concat())),
        ("live-set-of-a-bitmap-without-end", with_head(13, 2, &[&ids[..], &[7, 1, 0, 1], &huge].concat())),
        ("reason-that-is-none", with_head(17, 0, &[7, 99])),
        ("extension-that-must-be-understood", with_head(6, EXTENSIONS, &[1, 1, 0])),
        ("extensions-without-end", with_head(6, EXTENSIONS, &huge)),
        ("no-extensions-and-said-so", with_head(6, EXTENSIONS, &[0])),
    ]
}

/// A line of the file: a name, the frame, and what is said of it.
fn refusal(name: &str, frame: &[u8]) -> String {
    let limits = Limits::default();
    let mut reader = FrameReader::new(LinkKind::Stream, SCOPE, &limits);
    let introduced = FrameWriter::new(LinkKind::Stream, SCOPE, &limits).write(&messages()[0].1);
    assert!(matches!(reader.read::<Page>(&introduced), Ok(Some(Message::Open(_)))));
    let error = reader.read::<Page>(frame).expect_err(name);
    format!("{name} {} {error}\n", if frame.is_empty() { "-".into() } else { hex(frame) })
}

#[test]
fn hostile_frames_are_refused_for_the_committed_reasons() {
    let text: String = hostile().iter().map(|(name, frame)| refusal(name, frame)).collect();
    is_committed("hostile.v1.txt", &text);
}

/// Each change of a frame is refused, or is the frame of another message and written like that.
#[test]
fn every_truncation_and_every_flipped_bit_is_an_error_or_another_message() {
    for (name, link) in LINKS {
        let limits = Limits::default();
        let (mut reader, mut writer) = (FrameReader::new(link, SCOPE, &limits), FrameWriter::new(link, SCOPE, &limits));
        let (mut refused, mut accepted) = (0, 0);
        for ((kind, frame), (_, message)) in lines(&format!("{name}.v1.txt")).into_iter().zip(messages()) {
            for cut in 0..frame.len() {
                assert!(reader.clone().read::<Page>(&frame[..cut]).is_err(), "{kind} on a {name}, cut to {cut} bytes");
            }
            let longer = [&frame[..], &[0]].concat();
            assert!(reader.clone().read::<Page>(&longer).is_err(), "{kind} on a {name} and one byte");
            for at in 0..frame.len() {
                for bit in 0..8 {
                    let mut flipped = frame.clone();
                    flipped[at] ^= 1 << bit;
                    match reader.clone().read::<Page>(&flipped) {
                        Ok(Some(other)) => {
                            accepted += 1;
                            // What is left out when it is read can't be written again.
                            if flipped[FLAGS] & EXTENSIONS != 0 {
                                continue;
                            }
                            let mut again = if flipped[FLAGS] & FORGET == 0 {
                                writer.clone()
                            } else {
                                FrameWriter::new(link, SCOPE, &limits)
                            };
                            let mut again = again.write(&other);
                            again[FLAGS] |= flipped[FLAGS] & FORGET;
                            assert_eq!(
                                again, flipped,
                                "{kind} on a {name}: bit {bit} of byte {at} is another spelling"
                            );
                        }
                        Ok(None) => assert!(flipped[1] >= 128),
                        Err(_) => refused += 1,
                    }
                }
            }
            reader.read::<Page>(&frame).expect("it is committed");
            let _ = writer.write(&message);
        }
        println!("{name}: {refused} flips refused, {accepted} are other messages");
        assert!(refused > 1_000 && accepted > 1_000);
    }
}

/// What each sample is meant to say, in a form that readers of frames in other languages can be held against.
fn meant() -> Vec<serde_json::Value> {
    messages().iter().map(|(kind, message)| serde_json::json!([kind, samples::json::message(message)])).collect()
}

#[test]
fn what_frames_say_is_committed_as_json() {
    let lines: Vec<String> = meant().iter().map(ToString::to_string).collect();
    is_committed("frames.v1.json", &format!("[\n{}\n]\n", lines.join(",\n")));
}

/// A reader in another language, written from PROTOCOL.md. A WebAssembly module starts no other program.
#[cfg(not(target_family = "wasm"))]
mod another_language {
    use super::*;
    use crdt_core::{
        BoundedCounter, Causal, Counter, Document, DotStore, DwFlag, EwFlag, GCounter, GSet, LwwMap, LwwRegister,
        MvRegister, OrSet, PnCounter, RwSet, Value,
    };
    use std::process::Command;

    /// What the decoder prints of these files; none where there is no Python and whoever runs this has said so.
    fn decoded(files: &[PathBuf]) -> Option<serde_json::Value> {
        let decoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decoder/decode.py");
        let output = match Command::new("python3").arg(decoder).args(files).output() {
            Ok(output) => output,
            // A check that leaves itself out is none.
            Err(error) if env::var_os("CRDT_WITHOUT_PYTHON").is_some() => {
                println!("skipped, as CRDT_WITHOUT_PYTHON asks: no python3 ({error})");
                return None;
            }
            Err(error) => {
                panic!("the decoder in another language needs python3 ({error}); CRDT_WITHOUT_PYTHON=1 skips it")
            }
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(serde_json::from_slice(&output.stdout).expect("it prints JSON"))
    }

    #[test]
    fn a_decoder_in_another_language_sees_the_same_frames() {
        let files = LINKS.map(|(name, _)| folder().join(format!("{name}.v1.txt")));
        let (Some(seen), meant) = (decoded(&files), meant()) else { return };
        for (name, _) in LINKS {
            let Some(seen) = seen[name].as_array() else { panic!("{name} is missing") };
            assert_eq!(meant.len(), seen.len());
            for (meant, seen) in meant.iter().zip(seen) {
                assert_eq!(meant, seen, "on a {name}");
            }
        }
    }

    /// What was seen and what is live, as Rust reads it.
    fn dots<S: DotStore>(bytes: &[u8]) -> [serde_json::Value; 2] {
        let state = Causal::<S>::decode(bytes).expect("a golden state decodes");
        [samples::json::set(state.seen()), samples::json::set(&state.live())]
    }

    type Dots = fn(&[u8]) -> [serde_json::Value; 2];

    /// One of each kind of store; a document has maps whose values are of several kinds.
    #[test]
    fn a_decoder_in_another_language_reads_every_kind_of_store() {
        let kinds: [(&str, Dots); 15] = [
            ("g-counter", dots::<GCounter>),
            ("pn-counter", dots::<PnCounter>),
            ("bounded-counter", dots::<BoundedCounter>),
            ("counter", dots::<Counter>),
            ("lww-register", dots::<LwwRegister<Value>>),
            ("mv-register", dots::<MvRegister<Value>>),
            ("ew-flag", dots::<EwFlag>),
            ("dw-flag", dots::<DwFlag>),
            ("g-set", dots::<GSet<Value>>),
            ("or-set", dots::<OrSet<Value>>),
            ("custom-set", dots::<OrSet<Value>>),
            ("rw-set", dots::<RwSet<Value>>),
            ("lww-map", dots::<LwwMap<Value, Value>>),
            ("record", dots::<Document>),
            ("document", dots::<Document>),
        ];
        let file = |name: &str| format!("{name}.state.hex");
        let states = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crdt-core/tests/golden/v1");
        let paths: Vec<PathBuf> = kinds.iter().map(|(name, _)| states.join(file(name))).collect();
        let Some(read) = decoded(&paths) else { return };
        for ((name, dots), path) in kinds.iter().zip(&paths) {
            let hex: String =
                fs::read_to_string(path).expect("golden files are committed").split_whitespace().collect();
            let [seen, live] = dots(&unhex(&hex));
            assert_eq!([&read[file(name)]["seen"], &read[file(name)]["live"]], [&seen, &live], "{name}");
            assert!(live.as_object().is_some_and(|live| !live.is_empty()), "{name} has nothing to read");
        }
    }
}
