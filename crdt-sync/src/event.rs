//! What the application hears.

use crdt_core::{Change, Dot, DotSet, ReplicaId};

use crate::{FrameError, PeerId, RefuseReason, Ticket};

/// Something happened that the application may want to know.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Others' edits took effect: what a reader sees differently now, and the dots that were received.
    Changed {
        /// What looks different; empty where changes were not asked for.
        changes: Vec<Change>,
        /// Dots that were received with it.
        received: DotSet,
    },
    /// All edits up to this ticket are on disk.
    Durable(Ticket),
    /// A peer that is up has said who it is.
    PeerOpened {
        /// The link.
        peer: PeerId,
        /// Who is there.
        replica: ReplicaId,
    },
    /// A peer has durably received these.
    PeerHas {
        /// Who.
        replica: ReplicaId,
        /// All that it has, as far as heard on this link: what was heard on an earlier one holds beside it.
        dots: DotSet,
    },
    /// Every active replica has these durably.
    Stable(DotSet),
    /// A repair with this peer is under way, opened by either side.
    RepairOpened {
        /// The link.
        peer: PeerId,
    },
    /// A repair with this peer ended: both have what the other had at its start.
    Repaired {
        /// The link.
        peer: PeerId,
        /// How it was done.
        by: RepairTier,
        /// Bytes of its frames, both ways; what came as records of the log is not in it.
        bytes: u64,
    },
    /// A repair with this peer was given up, and changed nothing; another one follows.
    RepairFailed {
        /// The link.
        peer: PeerId,
        /// Bytes of its frames until then, both ways.
        bytes: u64,
    },
    /// What a repair with this peer would have to hold is more than [`staged_bytes_max`](crate::Limits::staged_bytes_max)
    /// or another limit allows, here or there: mostly a fresh replica and a large state. Nothing has changed; pushes go
    /// on, and repairs are tried again after ten minutes, or on another link. Raise the limit where the data is to go.
    TooLarge {
        /// The link.
        peer: PeerId,
    },
    /// Somebody else writes under this replica's id, or its memory was lost. Edits are frozen until `adopt_id`.
    IdentityLost {
        /// A dot of this id that was not made here, where one was seen.
        dot: Option<Dot>,
    },
    /// One dot names two values: two memories write under that replica's id. The greater one by canonical bytes stays,
    /// everywhere.
    Equivocation(Dot),
    /// Equal sets of dots and different state: a fault in a replica's memory, disk or code. A whole-state repair follows.
    Diverged {
        /// The link on which it was noticed.
        peer: PeerId,
    },
    /// A peer's clock lies too far ahead: its data was taken in, its time was not followed.
    Skewed {
        /// Whose clock.
        replica: ReplicaId,
        /// How far ahead, in milliseconds.
        by_ms: u64,
    },
    /// A peer and this replica can't talk.
    Incompatible {
        /// The link.
        peer: PeerId,
        /// Why.
        reason: RefuseReason,
    },
    /// A frame was refused.
    BadFrame {
        /// From where.
        peer: PeerId,
        /// Why.
        error: FrameError,
    },
    /// The driver should close this link, behind what it was given to send on it.
    Close {
        /// The link.
        peer: PeerId,
    },
    /// A replica fell silent and no longer holds back stability.
    Dormant(ReplicaId),
    /// A replica is retired: every active one knows that it makes no more dots.
    Retired(ReplicaId),
    /// A tab asked for an id, and there is none to lend: offer some with `offer_ids`.
    IdsWanted,
    /// The home lent an id: take it with `adopt_lent`.
    Lent {
        /// The id.
        replica: ReplicaId,
        /// The counter of its next dot.
        next: u64,
    },
    /// The home at this link lends no id now: ask again later, or another one.
    NotLent {
        /// The link.
        peer: PeerId,
        /// Busy if it has none to lend now.
        reason: RefuseReason,
    },
    /// The store failed; stop, open it again, load.
    StoreFailed,
    /// Bytes of the membership protocol, for the driver, or what somebody shows of themselves, for the application.
    Gossip {
        /// From where.
        peer: PeerId,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// What a repair used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RepairTier {
    /// Nothing: both were equal.
    Same,
    /// Records out of the log.
    Log,
    /// Entries and a sketch.
    Sketch,
    /// Entries and a set of live dots.
    LiveSet,
    /// The whole state.
    Whole,
}

impl RepairTier {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Same, Self::Log, Self::Sketch, Self::LiveSet, Self::Whole];
}
