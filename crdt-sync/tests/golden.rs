//! The bytes of version 1, one frame of each kind and link: they decode for ever.
//!
//! `CRDT_GOLDEN=write cargo test -p crdt-sync --test golden` writes the files anew, which is right only as long as
//! nobody has stored or sent what they show.
#![allow(clippy::print_stdout, reason = "what was measured or left out is shown beside the verdict")]

mod samples;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
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

/// A reader in another language, written from PROTOCOL.md, sees the same messages.
#[test]
fn a_decoder_in_another_language_agrees() {
    let meant: Vec<serde_json::Value> =
        messages().iter().map(|(kind, message)| serde_json::json!([kind, samples::json::message(message)])).collect();
    let lines: Vec<String> = meant.iter().map(ToString::to_string).collect();
    is_committed("frames.v1.json", &format!("[\n{}\n]\n", lines.join(",\n")));

    let decoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decoder/decode.py");
    let files = LINKS.map(|(name, _)| folder().join(format!("{name}.v1.txt")));
    let output = match Command::new("python3").arg(decoder).args(files).output() {
        Ok(output) => output,
        Err(error) => return println!("NOT CHECKED: the decoder in another language needs python3 ({error})"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    for (name, _) in LINKS {
        let Some(seen) = seen[name].as_array() else { panic!("{name} is missing") };
        assert_eq!(meant.len(), seen.len());
        for (meant, seen) in meant.iter().zip(seen) {
            assert_eq!(meant, seen, "on a {name}");
        }
    }
}
