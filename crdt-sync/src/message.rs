//! What replicas say to each other. How each is spelled in bytes is the frame's business.

use core::fmt;
use std::sync::Arc;

use crdt_core::{Delta, DotSet, DotStore, ReplicaId};

use crate::{Config, Durability, Mode, Record, Role, ScopeId};

/// The name of one repair between two peers, chosen by the one that opened it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RepairId(pub u64);

/// One message. Numbers in brackets are the kinds of frames.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Message<S: DotStore> {
    /// (0) The first on a connection: who is here, and what it speaks.
    Open(Open),
    /// (1) What came before was not accepted.
    Refuse(Refuse),
    /// (2) Records.
    Push(Vec<Arc<Record<S>>>),
    /// (3) Received and durable here since the last one: acknowledges and announces.
    Have(DotSet),
    /// (4) Send me these.
    Want(DotSet),
    /// (5) The log can't serve these any more; repair.
    NotInLog(DotSet),
    /// (6) Your push was all known: announce only, from now on.
    Prune,
    /// (7) Push to me again.
    Graft,
    /// (8) Opens a repair.
    Hello(Hello),
    /// (9) Both hashes are equal: nothing to do.
    Same(RepairId),
    /// (10) What is here, and how the answer will be given.
    Summary(Box<SummaryOf>),
    /// (11) A part of the entries that the other lacks.
    Entries {
        /// Of which repair.
        repair: RepairId,
        /// Its place in the sequence, from 0.
        index: u32,
        /// The entries, each under its dot; it retires nothing.
        entries: Delta<S>,
    },
    /// (12) Cells of a sketch, from one place on.
    Cells {
        /// Of which repair.
        repair: RepairId,
        /// The first cell's index.
        from: u32,
        /// The cells.
        cells: Vec<Cell>,
    },
    /// (13) A part of the live dots among those that both have seen, where that is shorter than a sketch. How many there
    /// are in all follows from the summary's count of live dots and the number of entries.
    LiveSet {
        /// Of which repair.
        repair: RepairId,
        /// Those dots.
        live: DotSet,
    },
    /// (14) The cells so far do not decode.
    More {
        /// Of which repair.
        repair: RepairId,
        /// The first cell wanted.
        from: u32,
        /// How many.
        count: u32,
    },
    /// (15) All was sent.
    Finish(Box<Finish>),
    /// (16) Committed and durable; the sum over the live dots of both snapshots joined.
    Done {
        /// Of which repair.
        repair: RepairId,
        /// The sum.
        check: u64,
    },
    /// (17) The repair ends here and changes nothing.
    Cancel {
        /// Of which repair.
        repair: RepairId,
        /// Why.
        reason: CancelReason,
    },
    /// (18) What replicas have durably received, as far as heard, where that changed.
    Known(Vec<(ReplicaId, DotSet)>),
    /// (19) Retired replicas, each with its last dot, in which two tables differ.
    Retirements(Vec<(ReplicaId, u64)>),
    /// (20) A tab edits through its home. Reserved: refused as unsupported.
    Write(Vec<u8>),
    /// (21) What became of it. Reserved: refused as unsupported.
    Written(Vec<u8>),
    /// (22) A tab asks for an id of its own.
    Borrow,
    /// (23) An id, and the counter of its next dot.
    Lent {
        /// The id.
        replica: ReplicaId,
        /// Its next counter.
        next: u64,
    },
    /// (24) The tab is done with the id; its last dot was this.
    Return {
        /// The id.
        replica: ReplicaId,
        /// Its last counter; 0 if it made no dot.
        last: u64,
    },
    /// (25) Bytes of the membership protocol, or what somebody shows of themselves: nothing that is stored.
    Gossip(Vec<u8>),
}

/// Who is here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Open {
    /// The oldest and the newest version of the protocol that is spoken here.
    pub versions: (u8, u8),
    /// Features by bit: [`Self::LEASES`], and unknown ones are ignored.
    pub features: u64,
    /// Who is here.
    pub replica: ReplicaId,
    /// What it is to the scope.
    pub role: Role,
    /// Drawn anew by each run of a replica: two at once under one id are told apart by it.
    pub instance: u64,
    /// The largest frame it takes, in bytes.
    pub frame_bytes_max: u32,
    /// The scope.
    pub scope: ScopeId,
    /// A hash of the data's type as far as it has to agree; 0 says nothing.
    pub schema: u64,
    /// In which order records are delivered.
    pub mode: Mode,
}

impl Open {
    /// The one version there is.
    pub const VERSION: u8 = 1;

    /// The feature of whom pushes its own records before they are on its disk: that it shows one proves nothing.
    pub const LEASES: u64 = 1;

    /// What a replica says of itself.
    #[must_use]
    pub fn new(replica: ReplicaId, instance: u64, config: &Config) -> Self {
        Self {
            versions: (Self::VERSION, Self::VERSION),
            features: if config.durability == Durability::Lease { Self::LEASES } else { 0 },
            replica,
            role: config.role,
            instance,
            frame_bytes_max: u32::try_from(config.limits.frame_bytes_max).unwrap_or(u32::MAX),
            scope: config.scope,
            schema: config.schema,
            mode: config.mode,
        }
    }
}

/// Why something was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RefuseReason {
    /// No version of the protocol in common.
    Version,
    /// The data is of another type.
    Schema,
    /// Records are delivered in another order there.
    Mode,
    /// Another instance is live under the same id.
    IdInUse,
    /// The id was retired and may not write again.
    RetiredId,
    /// A frame broke the rules.
    Malformed,
    /// Too much at once.
    Busy,
    /// Something this build can't do.
    Unsupported,
    /// The peer may not have this scope.
    Forbidden,
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => return write!(f, "versions {0} to {0} of the protocol are spoken here", Open::VERSION),
            Self::Schema => "the data here is of another type",
            Self::Mode => "records take effect in another order here",
            Self::IdInUse => "another instance is live under this id",
            Self::RetiredId => "this id was retired and may not write again",
            Self::Malformed => "the frame breaks a rule",
            Self::Busy => "too much at once",
            Self::Unsupported => "this build does not know that",
            Self::Forbidden => "this peer may not have this scope",
        })
    }
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refuse {
    /// Why.
    pub reason: RefuseReason,
    /// The kind of frame it is about.
    pub kind: u8,
    /// For people.
    pub detail: String,
}

/// Opens a repair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// Its name.
    pub repair: RepairId,
    /// A hash of what was received here.
    pub received_hash: u64,
    /// The sum over the live dots here.
    pub state_hash: u64,
    /// The summary at once, where it is small and has changed since the last repair with this peer.
    pub summary: Option<Box<SummaryOf>>,
    /// Now and then, a hash of the canonical bytes: the only thing that can show bit rot and equivocation.
    pub content_hash: Option<u128>,
}

/// How the side that sends a summary will answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// Nothing yet: this is a Hello's summary.
    Ask,
    /// Records out of the log.
    Log,
    /// Entries, and cells of a sketch over what both have seen.
    Sketch,
    /// Entries, and the live dots among what both have seen.
    LiveSet,
    /// Everything that is live: what was seen and does not come is retired.
    Whole,
}

/// What a replica holds, at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SummaryOf {
    /// Of which repair.
    pub repair: RepairId,
    /// How the answer will be given; in a Hello, the least that is asked for.
    pub plan: Plan,
    /// The hash of what both had received after their last repair, if `received` leaves that out. Who does not know it
    /// any more asks for the whole.
    pub base: Option<u64>,
    /// Dots of records whose own effect took place here; beyond the base, if there is one.
    pub received: DotSet,
    /// `seen − received`: known only because another record retired them first, so never live.
    pub ahead: DotSet,
    /// The maximal received dots.
    pub frontier: DotSet,
    /// How many dots are live.
    pub live_count: u64,
    /// Entries that an earlier, cut repair left here: they need not be sent again.
    pub staged: DotSet,
    /// How many replicas are retired, and a hash of that table.
    pub retired: (u64, u64),
    /// Where `received` leaves out the dots of those replicas: which of them are missing at the sender. Who knows another
    /// table asks for the whole.
    pub left_out: Option<DotSet>,
    /// What the scope's secret was mixed with to get the key of the sketch; 0 for the sketch that is kept up to date.
    pub sketch_key: u64,
}

impl SummaryOf {
    /// Every dot that is known there.
    #[must_use]
    pub fn seen(&self) -> DotSet {
        let mut seen = self.received.clone();
        seen.union_with(&self.ahead);
        seen
    }
}

/// One cell of a sketch: what falls into it, added up so that equal parts of two sketches cancel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// XOR of the symbols.
    pub symbol: u128,
    /// XOR of their hashes.
    pub check: u32,
    /// How many there are, modulo 256.
    pub count: u8,
}

/// One side of a repair has sent all it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finish {
    /// Of which repair.
    pub repair: RepairId,
    /// What the sender has received since its summary, up to the moment at which it computed this part, without what
    /// the receiver had told.
    pub since: DotSet,
    /// What the sender has seen since its summary without having received it.
    pub since_ahead: DotSet,
    /// The frontier of both snapshots joined, in an answer that has no summary of its own; empty elsewhere.
    pub frontier: DotSet,
    /// Staged entries of the receiver which need not be sent again.
    pub kept: DotSet,
    /// Dots that are live in the receiver's snapshot and that the sender knows as retired, as far as no sketch shows it.
    pub retired: DotSet,
    /// How many entries there were.
    pub entry_count: u64,
    /// The sum of hashes over the dots of all entries.
    pub entry_hash: u64,
    /// The sum of hashes over live dots: of the sender's snapshot (after the first answer); or of both joined (after the
    /// second), and the hash of what both have received.
    pub check: u64,
}

/// Why a repair was ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CancelReason {
    /// Nothing was heard for too long.
    Idle,
    /// Too many at once.
    Busy,
    /// Entries are missing, or a sum is wrong.
    Incomplete,
    /// A message came that has no place in it.
    OutOfTurn,
    /// It would need more than the limits allow.
    TooLarge,
    /// Both sides opened one at the same time; the other one goes on.
    Superseded,
    /// The entries are more than one repair may copy. What came was staged: open the next one at once.
    Partial,
}
