//! What is known of one link, for as long as it is up.

use core::time::Duration;

use crdt_core::{DotSet, ReplicaId};

use crate::few::Few;
use crate::frame::{FrameReader, FrameWriter};
use crate::{Config, LinkKind, Open, Role, Steady, Ticket};

/// An introduction may be lost on a datagram link; it is repeated after this.
pub(crate) const GREET_EVERY: Duration = Duration::from_secs(1);

/// A reader that believes lengths, as a test may want it.
fn believing(reader: FrameReader, config: &Config) -> FrameReader {
    #[cfg(any(test, feature = "sim"))]
    return reader.believing(faulty!(config, LengthBelieved));
    #[cfg(not(any(test, feature = "sim")))]
    {
        let _ = config;
        reader
    }
}

/// One link and who is at its other end.
pub(crate) struct Peer {
    pub(crate) kind: LinkKind,
    /// What the driver's greeting proved of the other end.
    pub(crate) certificate: Option<Vec<u8>>,
    /// Said first by the other end; until then nothing else is taken from it or told to it.
    pub(crate) open: Option<Open>,
    /// When this side last introduced itself.
    pub(crate) greeted: Steady,
    /// The batch that this side's last introduction waits for.
    pub(crate) introduced: Ticket,
    /// The other end has said more than who it is, so it has heard the introduction.
    pub(crate) confirmed: bool,
    pub(crate) writer: FrameWriter,
    pub(crate) reader: FrameReader,
    /// Received and durable there: only ever an under-estimate.
    pub(crate) acked: DotSet,
    /// On its way there on this connection.
    pub(crate) sent: DotSet,
    /// Received here since the last announcement to it.
    pub(crate) announce: DotSet,
    /// Whether records are pushed, or only announced.
    pub(crate) eager: bool,
    pub(crate) strikes: u32,
    pub(crate) closed: bool,
    /// Bytes that the driver still has to send, as it last said.
    pub(crate) backlog: usize,
    /// What the path to it takes in one frame, where that was found to be less than the ends would.
    pub(crate) path_bytes_max: usize,
    /// Bytes of messages to it that wait inside the machine.
    pub(crate) held: usize,
    /// Pushes were left out: a repair has to bring what was in them.
    pub(crate) behind: bool,
    /// The last change of the table of retirements that it was told of.
    pub(crate) retirements_told: u64,
    /// A digest of those that it knows, as far as heard.
    pub(crate) retirements_heard: Option<u64>,
    /// Whether a repair with it was told of.
    pub(crate) repairing: bool,
    /// Bytes of frames of repairs, both ways, since the last one ended.
    pub(crate) repair_bytes: u64,
    /// It was asked for an id.
    pub(crate) borrowing: bool,
    /// Digests of the rows that were told to it.
    pub(crate) told: Few<ReplicaId, u64>,
}

impl Peer {
    pub(crate) fn new(kind: LinkKind, config: &Config, seed: u64, now: Steady) -> Self {
        Self {
            kind,
            certificate: None,
            open: None,
            greeted: now,
            introduced: Ticket::default(),
            confirmed: false,
            writer: FrameWriter::new(kind, config.scope, &config.limits).seeded(seed),
            reader: believing(FrameReader::new(kind, config.scope, &config.limits).seeded(seed), config),
            acked: DotSet::new(),
            sent: DotSet::new(),
            announce: DotSet::new(),
            eager: true,
            strikes: 0,
            closed: false,
            backlog: 0,
            path_bytes_max: usize::MAX,
            held: 0,
            behind: false,
            retirements_told: 0,
            retirements_heard: None,
            repairing: false,
            repair_bytes: 0,
            borrowing: false,
            told: Few::new(),
        }
    }

    /// Whether the other end has introduced itself and nothing speaks against it. Somebody else's message system has
    /// nobody at its end who could.
    pub(crate) fn is_open(&self) -> bool {
        (self.open.is_some() || self.kind == LinkKind::Hint) && !self.closed
    }

    /// When to introduce this side again; never on a link that loses nothing.
    pub(crate) fn greet_again(&self) -> Option<Steady> {
        let unheard = self.open.is_none() && !self.closed && self.kind == LinkKind::Datagram;
        unheard.then(|| self.greeted + GREET_EVERY)
    }

    /// Who is there, if it counts as a place where data is kept.
    pub(crate) fn member(&self) -> Option<ReplicaId> {
        let open = self.open.as_ref()?;
        (open.role == Role::Replica && self.kind != LinkKind::Hint).then_some(open.replica)
    }
}
