//! A chat in which an answer is never seen before what it answers.
//!
//! ```text
//! chat                   what this crate does unless told otherwise
//! chat --as-it-comes     the same conversation, on the same network, without that order
//! ```
//! Alice asks and Bob answers. The line from Alice to Carol is slow, and what Bob passed on of the question gets lost,
//! so the answer reaches Carol first. Her replica sees that it was written by somebody who had read something that is
//! not here yet: it lets the answer wait, asks Bob for what is missing, and then shows both.
//!
//! The network is a list of letters in this file, and time is a number: the replicas are machines without I/O, and the
//! conversation is the same on every run.
#![allow(clippy::print_stdout, reason = "a program's result belongs on the standard output")]

use std::error::Error;

use crdt_core::{Custom, OrSet, ReplicaId};
use crdt_sync::{Config, LinkKind, Loaded, Mode, Now, PeerId, Replica, ScopeId, Steady, Wall};
use serde::{Deserialize, Serialize};

/// A line of the chat. Whoever answers names what they answer, so that a screen can check it; the order of lines does
/// not come from there.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Line {
    at_ms: u64,
    by: String,
    text: String,
    answers: Option<u64>,
}

impl Custom for Line {}

type Chat = OrSet<Line>;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// A letter on its way: when it arrives, from whom, to whom.
struct Letter {
    due: u64,
    from: usize,
    to: usize,
    frame: Vec<u8>,
}

/// How long a letter takes; none if it gets lost.
fn delay_ms(from: usize, to: usize, now: u64) -> Option<u64> {
    match (from, to) {
        (ALICE, CAROL) => Some(3_000),
        (BOB, CAROL) if (100..400).contains(&now) => None,
        _ => Some(20),
    }
}

fn at(ms: u64) -> Now {
    Now { steady: Steady(ms), wall: Wall(1_790_000_000_000 + ms) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mode = if std::env::args().any(|word| word == "--as-it-comes") { Mode::Immediate } else { Mode::Causal };

    // Three replicas of one chat. Each calls the others by their number.
    let config = Config { mode, ..Config::new(ScopeId::from_bytes(*b"chat of three :)")) };
    let mut members = Vec::new();
    for number in 0..3 {
        let id = ReplicaId::from_u128(number as u128 + 1);
        let mut member = Replica::<Chat>::open(Loaded::default(), config.clone(), id, [number as u8; 32], at(0))?;
        for other in (0..3).filter(|other| *other != number) {
            member.peer_up(PeerId(other as u64), LinkKind::Datagram, at(0));
        }
        members.push(member);
    }

    let mut letters: Vec<Letter> = Vec::new();
    let mut answered = false;
    let mut shown = 0;
    let mut waited = false;
    for now in 0..6_000 {
        // Alice asks, and half a second after Bob has read it, he answers.
        if now == 100 {
            say(&mut members[ALICE], now, "Has anybody seen the key?", None)?;
        }
        let question = members[BOB].state().iter().find(|line| line.by == "alice").cloned();
        if let Some(question) = question.filter(|question| !answered && now > question.at_ms + 500) {
            say(&mut members[BOB], now, "It hangs in the shed.", Some(question.at_ms))?;
            answered = true;
        }

        // One millisecond of everybody's life: what arrives, what is due, what goes out.
        let (arrived, on_their_way) = letters.into_iter().partition(|letter| letter.due <= now);
        letters = on_their_way;
        for Letter { from, to, frame, .. } in arrived {
            members[to].handle_message(PeerId(from as u64), &frame, at(now))?;
        }
        for (number, member) in members.iter_mut().enumerate() {
            if member.poll_timeout().is_some_and(|due| due <= Steady(now)) {
                member.handle_timeout(at(now));
            }
            while let Some(persist) = member.poll_persist() {
                // Here a disk would write the batch; this chat forgets.
                member.durable(persist.ticket, at(now));
            }
            while let Some(transmit) = member.poll_transmit() {
                let to = usize::try_from(transmit.peer.0)?;
                if let Some(delay) = delay_ms(number, to, now) {
                    letters.push(Letter { due: now + delay, from: number, to, frame: transmit.frame });
                }
            }
        }

        // Carol's screen.
        if members[CAROL].stats().parked_records > 0 && !waited {
            println!(
                "{:.1} s  something has come for carol that was written after something she has not got",
                seconds(now)
            );
            waited = true;
        }
        let mut lines: Vec<&Line> = members[CAROL].state().iter().collect();
        lines.sort();
        if lines.len() > shown {
            println!("{:.1} s  carol's screen:", seconds(now));
            for line in &lines {
                let missing = line.answers.is_some_and(|answered| lines.iter().all(|other| other.at_ms != answered));
                let remark = if missing { "   <- an answer to nothing?" } else { "" };
                println!("         {:6} {}{remark}", line.by, line.text);
            }
            shown = lines.len();
        }
    }
    let same = members.iter().all(|member| member.state().encode() == members[ALICE].state().encode());
    println!("in the end {} lines, the same for {}: {same}", shown, NAMES.join(", "));
    Ok(())
}

/// Writes a line. It goes to the others as soon as it is on disk.
fn say(member: &mut Replica<Chat>, now: u64, text: &str, answers: Option<u64>) -> Result<(), Box<dyn Error>> {
    let by = if answers.is_some() { NAMES[BOB] } else { NAMES[ALICE] };
    let line = Line { at_ms: now, by: by.to_owned(), text: text.to_owned(), answers };
    member.edit(at(now), |chat| chat.insert(line))?;
    Ok(())
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
