//! What the script and a member say to each other: one JSON value per line.

use serde::{Deserialize, Serialize};

/// Said by the script.
#[derive(Debug, Serialize, Deserialize)]
pub enum Command {
    /// Talk to these addresses, and to nobody else; `listen` says whether others may come.
    Peers {
        /// Whom to connect to.
        connect: Vec<String>,
        /// Whether to take connections.
        listen: bool,
    },
    /// Make so many edits, so many at a time, and measure until this many peers have them; 0 measures nothing.
    Edit {
        /// How many.
        count: u64,
        /// How many are on their way to the disk at once.
        at_once: usize,
        /// How many peers are waited for.
        peers: usize,
    },
    /// How are you?
    Report,
    /// All lines of `done`.
    Lines,
    /// Close the store and end.
    Close,
}

/// Said by a member.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It is up, under this id, and takes connections there.
    Up {
        /// Who writes.
        id: String,
        /// Where others can connect.
        address: String,
    },
    /// An edit is about to be made.
    Begun(String),
    /// It is on disk.
    Acknowledged(String),
    /// The edits of one command were made.
    Edited(Timing),
    /// How it is.
    Report(Box<Report>),
    /// All lines of `done`.
    Lines(Vec<String>),
    /// The store is closed.
    Closed,
}

/// How long the edits of one command took.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timing {
    /// Until the last one was on disk, in milliseconds.
    pub whole_ms: f64,
    /// Half of the edits were on disk after this.
    pub durable_p50_ms: f64,
    /// 99 in 100 of them.
    pub durable_p99_ms: f64,
    /// Half of the edits were durable at all peers after this.
    pub spread_p50_ms: f64,
    /// 99 in 100 of them.
    pub spread_p99_ms: f64,
}

/// How a member is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Edits acknowledged since it was started.
    pub edits: u64,
    /// Records that were pushed, counted for each peer.
    pub records_pushed: u64,
    /// Bytes of frames, for pushes, repairs, and the rest.
    pub sent: [u64; 3],
    /// Repairs that ended: nothing to do, log, sketch, live set, whole state.
    pub repairs: [u64; 5],
    /// Edits of its own that some peer is not known to have.
    pub behind: u64,
    /// Records that wait for their causes.
    pub parked: usize,
    /// Subjects on which several notes stand beside each other.
    pub conflicts: usize,
    /// Lines that are there.
    pub lines: usize,
    /// The digest of the whole state.
    pub digest: String,
}
