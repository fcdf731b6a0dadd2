//! One replica of a scope: the machine that turns edits into messages, and messages into state.
//!
//! ```text
//!            edit ──► open record ──► batch ──► disk          (edit.rs, commit.rs)
//!                                       │ durable
//!                                       ▼
//!                       pushes, announcements ──► peers       (spread.rs)
//!   peers ──► frame ──► inbox ──► merge ──► batch ──► …       (receive.rs)
//!   peers ◄── summaries, entries, sketches ──► peers          (mend.rs)
//!   parcels, through any channel                              (carry.rs)
//! ```

mod carry;
mod commit;
mod edit;
mod lend;
mod links;
mod mend;
mod open;
mod receive;
mod spread;
mod timers;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crdt_core::{Causal, Delta, Dot, DotSet, DotStore, HybridClock, ReplicaId, Writer};

use crate::few::Few;
use crate::inbox::Inbox;
use crate::log::Log;
use crate::peer::Peer;
use crate::repair::Repairs;
use crate::roster::Roster;
use crate::schedule::Draw;
use crate::sketch::LiveSketch;
use crate::{
    Batch, Config, Event, Fetch, Message, Own, PeerId, Persist, Record, RepairId, Standing, Stats, Steady, Ticket, Tier,
};

/// A frame to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transmit {
    /// On which link.
    pub peer: PeerId,
    /// The bytes of one whole frame.
    pub frame: Vec<u8>,
}

/// One replica of a scope, without I/O.
///
/// Feed it one input, then drain what it puts out (batches for the disk, records to fetch, frames, events), and come
/// back with the next input or at [`poll_timeout`](Self::poll_timeout). The same inputs and the same seed give the same
/// outputs on every platform.
///
/// **What it promises.** Replicas that have received the same records hold the same state, in the same bytes. In the
/// default mode, [`Causal`](crate::Mode::Causal), an edit takes effect after everything it was made on. No frame shows an
/// edit that is not durable here, so a crash at any instant loses nothing that a peer was told of; what the application
/// shows of its own edits waits for [`Event::Durable`]. Others' edits are told at once.
///
/// **What it costs.** An edit costs its own size, once for the disk and about once for each peer. What two replicas
/// exchange when they meet follows what differs. A silent peer costs nothing.
pub struct Replica<S: DotStore> {
    config: Config,
    writer: Writer,
    /// Told to peers, so that two runs under one id are told apart.
    instance: u64,
    clock: HybridClock,
    state: Causal<S>,
    received: DotSet,
    frontier: DotSet,
    sketch: LiveSketch,
    log: Log<S>,
    inbox: Inbox<S>,
    roster: Roster,
    repairs: Repairs<S>,
    /// Records that peers are to be told of with the next batch, each with where it came from.
    outbox: Vec<(Arc<Record<S>>, Option<PeerId>)>,
    /// Dots that a repair brought since the last batch: announced, as no record carries them.
    mended: DotSet,
    open: Option<OpenRecord<S>>,
    pending: Pending,
    disk: Disk,
    peers: Few<PeerId, Peer>,
    gaps: Gaps,
    due: Due,
    draw: Draw,
    /// Keys the hash tables of what is read: ids and keys may be chosen to collide.
    seed: u64,
    /// The identity is in doubt: no edits until `adopt_id`.
    frozen: bool,
    /// A link was up at some time.
    linked: bool,
    held: VecDeque<Held<S>>,
    held_bytes: usize,
    ready: VecDeque<(PeerId, Message<S>)>,
    events: VecDeque<Event>,
    fetches: Fetches<S>,
    /// Repairs whose commit is on its way to the disk.
    repairing: VecDeque<(Ticket, PeerId, RepairId)>,
    /// Ids made for tabs: with its last dot where it was given back.
    lent: Few<ReplicaId, Option<u64>>,
    /// When those that are out were last heard of.
    lent_heard: Few<ReplicaId, Steady>,
    /// Fresh ids that may be lent.
    pool: Vec<ReplicaId>,
    stats: Stats,
    /// The dictionary of a link that is gone, for a fault.
    #[cfg(any(test, feature = "sim"))]
    kept_writer: Option<crate::frame::FrameWriter>,
}

/// Edits since the last batch: one record in the making.
struct OpenRecord<S: DotStore> {
    own: Own,
    delta: Delta<S>,
    /// About how long its bytes will be.
    len: usize,
    opened: Steady,
    /// The frontier when it was opened, for a fault.
    #[cfg(any(test, feature = "sim"))]
    frontier: DotSet,
}

/// What the next batch has to say beside the records.
#[derive(Default)]
struct Pending {
    put: BTreeSet<Dot>,
    remove: BTreeSet<Dot>,
    batch: Batch,
    /// The identity and what belongs to it changed.
    meta: bool,
}

/// Where the disk has got to.
struct Disk {
    persists: VecDeque<Persist>,
    last: Ticket,
    durable: Ticket,
    /// What each batch adds to what is received; taken over as the batches become durable.
    on_the_way: VecDeque<(Ticket, DotSet)>,
    received: DotSet,
    failed: bool,
    /// No timestamp above this is issued before a batch says so.
    time_hi: u64,
    /// In lease mode: counters up to this may be used, once the batch of this ticket is durable.
    lease: (u64, Ticket),
    marker: u64,
    clean: bool,
}

/// Dots that exist elsewhere and are missing here.
#[derive(Default)]
struct Gaps {
    /// Those that were already missing at the last look.
    ripe: DotSet,
    due: Option<Steady>,
    /// How often in a row a look found some of the same.
    looks: usize,
}

/// When something is to be done next.
struct Due {
    repair: Steady,
    known: Steady,
    announce: Option<Steady>,
    /// No fresh id is asked for before this.
    fresh_id: Steady,
}

/// An output that waits for the disk.
struct Held<S: DotStore> {
    ticket: Ticket,
    peer: PeerId,
    len: usize,
    message: Message<S>,
}

/// Records that have to come from the disk before they can be sent.
struct Fetches<S: DotStore> {
    next: u64,
    asked: VecDeque<Fetch>,
    wanted: Few<u64, Wanted<S>>,
}

/// For whom records are fetched, and what is sent after them.
struct Wanted<S: DotStore> {
    peer: PeerId,
    dots: DotSet,
    then: Option<Message<S>>,
}

/// What is held on behalf of others.
#[cfg(feature = "sim")]
pub(crate) struct Load {
    pub(crate) links: usize,
    /// Bytes of messages that wait for the disk, to all peers.
    pub(crate) all_links_bytes: usize,
    /// The same, to the one with the most.
    pub(crate) heaviest_link_bytes: usize,
    pub(crate) repairs: usize,
    /// Bytes of entries that came in one unfinished repair.
    pub(crate) heaviest_repair_bytes: usize,
    /// Bytes of entries that came in cut ones.
    pub(crate) staged_bytes: usize,
    pub(crate) roster: usize,
}

impl<S: DotStore> Replica<S> {
    /// Who writes here.
    #[must_use]
    pub fn id(&self) -> ReplicaId {
        self.writer.id()
    }

    /// The data.
    #[must_use]
    pub fn state(&self) -> &Causal<S> {
        &self.state
    }

    /// The dots of all records that took effect here, own edits at once.
    #[must_use]
    pub fn received(&self) -> &DotSet {
        &self.received
    }

    /// The maximal received dots: everything received lies in their causal past.
    #[must_use]
    pub fn frontier(&self) -> &DotSet {
        &self.frontier
    }

    /// What every active replica has durably: an under-estimate that only grows.
    #[must_use]
    pub fn stable(&self) -> &DotSet {
        self.roster.stable()
    }

    /// What is durable here.
    #[must_use]
    pub fn durably_received(&self) -> &DotSet {
        &self.disk.received
    }

    /// The replicas that count for what is stable, each with what it is known to have.
    pub fn active(&self) -> impl Iterator<Item = (ReplicaId, &DotSet)> {
        self.roster.active()
    }

    /// How a replica counts; none if it was never heard of.
    #[must_use]
    pub fn standing(&self, replica: ReplicaId) -> Option<Standing> {
        self.roster.standing(replica)
    }

    /// Replicas that will make no more dots, each with its last.
    pub fn retired(&self) -> impl Iterator<Item = (ReplicaId, u64)> {
        self.roster.retired().iter().map(|(replica, last)| (*replica, *last))
    }

    /// What it was told.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it has done so far, and what it holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            parked_records: self.inbox.len(),
            parked_bytes: self.inbox.bytes(),
            log_bytes: self.log.bytes(),
            held_bytes: self.held_bytes,
            ..self.stats.clone()
        }
    }

    /// What is held at this moment on behalf of others, for those who check that it is bounded.
    #[cfg(feature = "sim")]
    pub(crate) fn load(&self) -> Load {
        let (repairs, heaviest_repair, staged) = self.repairs.load();
        Load {
            links: self.peers.len(),
            all_links_bytes: self.peers.values().map(|peer| peer.held).sum(),
            heaviest_link_bytes: self.peers.values().map(|peer| peer.held).max().unwrap_or(0),
            repairs,
            heaviest_repair_bytes: heaviest_repair,
            staged_bytes: staged,
            roster: self.roster.active().count(),
        }
    }

    /// A batch to commit. They come in order; several may be committed in one flush.
    pub fn poll_persist(&mut self) -> Option<Persist> {
        self.disk.persists.pop_front()
    }

    /// Records to read from the log on disk.
    pub fn poll_fetch(&mut self) -> Option<Fetch> {
        self.fetches.asked.pop_front()
    }

    /// A frame to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        while let Some((peer, message)) = self.ready.pop_front() {
            // The link may have gone, and what was said on it with it.
            let Some(link) = self.peers.get_mut(&peer) else { continue };
            // Too long for the other end: a repair, which sizes its parts, has to bring what it said.
            let Ok(frame) = link.writer.try_write(&message) else {
                self.stats.frames_too_large += 1;
                link.behind = true;
                continue;
            };
            self.stats.sent(&message, frame.len());
            if Tier::of(&message) == Tier::Repair {
                link.repair_bytes += frame.len() as u64;
            }
            return Some(Transmit { peer, frame });
        }
        None
    }

    /// Something the application may want to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
