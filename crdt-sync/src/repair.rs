//! How two replicas that drifted apart become equal: one exchange, whose cost is what differs.
//!
//! ```text
//! opener  t0   Hello { hashes, summary }  ──────►
//!                                                t1   Same                     both hashes are equal: done
//!                                         ◄──────     Summary, Entries*, Cells | LiveSet | nothing, Finish
//!         t2   commits; Entries*, Finish  ──────►
//!                                         ◄──────     commits; Done
//! ```
//! What each side tells is a snapshot of one moment, and the other one ends with at least the full merge of both. Edits
//! go on meanwhile: what came later is the next repair's, and what the opener retired in between it names.
//!
//! The order of proof, each used only where the one before costs more: the records of the *log*; the entries which the
//! other has not seen with a *sketch* of what is live among the dots that both have seen; the same with the *set* of
//! those; the *whole* state. What was seen by one side and comes neither as an entry nor in the sketch is retired there.
//! So absence is a statement, and therefore nothing is concluded, merged, or counted as received before count, hash and
//! sum prove that all is here. Then it happens in one step. A repair that is cut changes nothing but what is staged.
//!
//! The machine is free of I/O: [`Repairs`] gets messages and a [`View`] of the replica, and answers with
//! [`RepairAction`]s.

pub(crate) mod carried;
mod exchange;
mod frontier;
mod leg;
mod link;
mod plan;
mod send;
mod stage;
mod told;

pub use frontier::join_frontiers;

use core::time::Duration;
use std::sync::Arc;

use crdt_core::{Causal, Delta, Dot, DotSet, DotStore};

use crate::few::Few;
use crate::sketch::LiveSketch;
use crate::{CancelReason, Config, Hello, Message, Now, PeerId, Plan, RepairId, RepairTier, Steady};
use exchange::{Exchange, Step};
use link::Link;
use stage::Staged;
use told::{Theirs, Told};

/// What a repair asks the log.
pub trait LogIndex {
    /// Whether each of these dots lies in a record of the log.
    fn holds(&self, dots: &DotSet) -> bool;

    /// The size of the records that these dots lie in, in bytes.
    fn bytes_of(&self, dots: &DotSet) -> usize;
}

/// The replica, as a repair sees it at one moment. The open record must be closed.
pub struct View<'a, S: DotStore> {
    /// Its state.
    pub state: &'a Causal<S>,
    /// Dots of records whose own effect took place.
    pub received: &'a DotSet,
    /// The maximal ones.
    pub frontier: &'a DotSet,
    /// The sketch of what is live.
    pub sketch: &'a LiveSketch,
    /// The log.
    pub log: &'a dyn LogIndex,
    /// How many replicas are retired, and a hash of that table.
    pub retired: (u64, u64),
    /// All dots of those: summaries leave them out.
    pub retired_dots: &'a Arc<DotSet>,
    /// The largest frame that the peer at hand takes.
    pub frame_bytes_max: usize,
    /// How long the peer at hand may stay silent: not long where frames may be lost.
    pub idle_max: Duration,
    /// Limits and intervals.
    pub config: &'a Config,
    /// The time.
    pub now: Now,
}

/// What a repair wants done, in this order.
#[derive(Debug)]
pub enum RepairAction<S: DotStore> {
    /// Send this, once all that it may speak of is durable.
    Send(PeerId, Message<S>),
    /// Push the records that these dots lie in, out of the log, and then send the message.
    PushFromLog {
        /// To whom.
        peer: PeerId,
        /// Which records.
        dots: DotSet,
        /// What to send when all are on their way.
        then: Message<S>,
    },
    /// In one step and one batch: merge, unite `received`, [join the frontiers](join_frontiers), drop what waits in the
    /// inbox and is received now. When that is durable, call [`Repairs::committed`].
    Commit {
        /// With whom.
        peer: PeerId,
        /// Which repair.
        repair: RepairId,
        /// What is new here.
        delta: Delta<S>,
        /// What the other has received.
        received: DotSet,
        /// The maximal dots of that.
        frontier: DotSet,
        /// How it was told.
        tier: RepairTier,
    },
    /// Keep these entries: they need not travel again.
    Stage(Vec<(Dot, Vec<u8>)>),
    /// Drop all entries that were kept so.
    ClearStage,
    /// A peer has received these durably.
    Has {
        /// Who.
        peer: PeerId,
        /// What.
        received: DotSet,
    },
    /// A peer's table of retired replicas is the one with this hash, which it was told of.
    SameTable {
        /// Who.
        peer: PeerId,
        /// That hash.
        retired: u64,
    },
    /// The repair is over.
    Ended {
        /// With whom.
        peer: PeerId,
        /// How both became equal; none if it was given up.
        tier: Option<RepairTier>,
    },
    /// What a repair with this peer would have to hold here, or there, is above the limits. None is tried for a while.
    TooLarge {
        /// With whom.
        peer: PeerId,
    },
    /// The same dots and different state, or a sum that is wrong: somebody's memory, disk or code is at fault.
    Diverged {
        /// With whom.
        peer: PeerId,
    },
}

/// All repairs of one replica: one per peer at a time.
#[derive(Clone, Debug)]
pub struct Repairs<S: DotStore> {
    open: Few<PeerId, Exchange<S>>,
    links: Few<PeerId, Link>,
    staged: Staged<S>,
    names: u64,
    content_told: Option<Steady>,
}

impl<S: DotStore> Repairs<S> {
    /// None yet. The seed only makes names of repairs differ from a peer's.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            open: Few::new(),
            links: Few::new(),
            staged: Staged::new(),
            names: (seed ^ seed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50,
            content_told: None,
        }
    }

    /// Takes in the entries which a store kept of a repair that was cut.
    pub fn restore(&mut self, rows: &[(Dot, Vec<u8>)], config: &Config, now: Now) {
        self.staged.restore(rows, now.steady + config.timing.staged_for);
    }

    /// Whether a repair with this peer is under way.
    #[must_use]
    pub fn is_open(&self, peer: PeerId) -> bool {
        self.open.contains_key(&peer)
    }

    /// How many go on, the bytes of entries that came in one of them at most, and those that came in cut ones.
    #[cfg(feature = "sim")]
    pub(crate) fn load(&self) -> (usize, usize, usize) {
        let heaviest = self.open.values().map(Exchange::bytes).max().unwrap_or(0);
        (self.open.len(), heaviest, self.staged.bytes())
    }

    /// When [`timeout`](Self::timeout) wants to be called.
    #[must_use]
    pub fn deadline(&self) -> Option<Steady> {
        let idle = self.open.values().map(Exchange::deadline);
        idle.chain(self.staged.deadline()).min()
    }

    /// Opens a repair with a peer, unless there is one or there are too many.
    pub fn open(&mut self, peer: PeerId, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        let resting = self.links.get(&peer).is_some_and(|link| link.is_resting(view.now.steady));
        if resting || self.is_open(peer) || !self.has_room(view, out) {
            return;
        }
        let content = self.content_is_due(view).then(|| view.state.content_digest());
        let repair = self.name();
        let exchange = self.with(peer, view, out, |work| Exchange::open(repair, content, work));
        self.open.insert(peer, exchange);
    }

    /// Whether one more repair may go on. Where there are as many as may be, the oldest makes room, once it has had as long
    /// as a repair may stay silent: else a few peers that say a word now and then could keep out all others. What came
    /// of it is staged, so it goes on from there.
    fn has_room(&mut self, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) -> bool {
        if self.open.len() < view.config.limits.repairs_max {
            return true;
        }
        let oldest = self.open.iter().min_by_key(|(_, exchange)| exchange.started);
        let overdue =
            oldest.filter(|(_, exchange)| view.now.steady >= exchange.started + view.config.timing.repair_idle_max);
        let Some(peer) = overdue.map(|(peer, _)| *peer) else { return false };
        if let Some(exchange) = self.open.remove(&peer) {
            self.settle(peer, exchange, Step::Cancels(CancelReason::Busy), view, out);
        }
        true
    }

    /// A hash of the content costs an encoding, so it is told rarely.
    fn content_is_due(&mut self, view: &View<'_, S>) -> bool {
        let last = *self.content_told.get_or_insert(view.now.steady);
        let due = view.now.steady >= last + view.config.timing.content_hash_every;
        if due {
            self.content_told = Some(view.now.steady);
        }
        due
    }

    /// A name that is hardly a peer's, short as it travels with each message.
    fn name(&mut self) -> RepairId {
        // Two bytes on the wire; a step that is odd comes to each of them before it repeats one.
        self.names = self.names.wrapping_add(0x1235) & 0x3fff;
        RepairId(self.names)
    }

    fn with<R>(
        &mut self,
        peer: PeerId,
        view: &View<'_, S>,
        out: &mut Vec<RepairAction<S>>,
        f: impl FnOnce(&mut Work<'_, '_, S>) -> R,
    ) -> R {
        let link = self.links.get_or_insert_with(peer, || Link::new(view.now.steady));
        f(&mut Work { peer, view, out, link, staged: &mut self.staged })
    }

    /// Takes in a message of kinds 8 to 17, whose frame was that long. Others are ignored.
    pub fn handle(
        &mut self,
        peer: PeerId,
        message: Message<S>,
        frame_bytes: usize,
        view: &View<'_, S>,
        out: &mut Vec<RepairAction<S>>,
    ) {
        let repair = match &message {
            Message::Hello(hello) => return self.hello(peer, hello.clone(), view, out),
            Message::Summary(summary) => summary.repair,
            Message::Finish(finish) => finish.repair,
            Message::Same(repair)
            | Message::Entries { repair, .. }
            | Message::Cells { repair, .. }
            | Message::LiveSet { repair, .. }
            | Message::More { repair, .. }
            | Message::Done { repair, .. }
            | Message::Cancel { repair, .. } => *repair,
            _ => return,
        };
        let known = self.open.get(&peer).is_some_and(|exchange| exchange.id == repair);
        if !known {
            // Only what starts or ends something is answered, and never an end by an end.
            if matches!(message, Message::Summary(_) | Message::More { .. } | Message::Finish(_)) {
                let reason = CancelReason::OutOfTurn;
                out.push(RepairAction::Send(peer, Message::Cancel { repair, reason }));
            }
            return;
        }
        let Some(mut exchange) = self.open.remove(&peer) else { return };
        exchange.heard = view.now.steady;
        let step = self.with(peer, view, out, |work| exchange.handle(message, frame_bytes, work));
        self.settle(peer, exchange, step, view, out);
    }

    /// Goes on with an exchange, or ends it.
    fn settle(
        &mut self,
        peer: PeerId,
        exchange: Exchange<S>,
        step: Step,
        view: &View<'_, S>,
        out: &mut Vec<RepairAction<S>>,
    ) {
        if !matches!(step, Step::Goes) {
            self.note_over(peer, &exchange, view, out);
        }
        match step {
            Step::Goes => {
                self.open.insert(peer, exchange);
            }
            Step::Ends(tier) => {
                if tier.is_some() {
                    self.with(peer, view, out, |work| work.link.least = Plan::Ask);
                }
                out.push(RepairAction::Ended { peer, tier });
                self.staged.drop_seen(view.state.seen(), out);
            }
            Step::Cancels(reason) => {
                let repair = exchange.id;
                out.push(RepairAction::Send(peer, Message::Cancel { repair, reason }));
                self.give_up(peer, exchange, view, out);
                if reason == CancelReason::TooLarge {
                    self.rest(peer, view, out);
                }
            }
            Step::Cancelled(reason) => {
                let kept = self.give_up(peer, exchange, view, out);
                match reason {
                    CancelReason::Partial if kept => self.open(peer, view, out),
                    // The next one would bring the same part again, and so for ever.
                    CancelReason::Partial | CancelReason::TooLarge => self.rest(peer, view, out),
                    _ => {}
                }
            }
            Step::Diverges => {
                let was_whole = exchange.is_whole();
                let repair = exchange.id;
                out.push(RepairAction::Diverged { peer });
                let reason = CancelReason::Incomplete;
                out.push(RepairAction::Send(peer, Message::Cancel { repair, reason }));
                out.push(RepairAction::Ended { peer, tier: None });
                self.with(peer, view, out, |work| {
                    work.link.salt = repair.0 | 1;
                    work.link.least = if was_whole { Plan::Ask } else { Plan::Whole };
                });
                if !was_whole {
                    self.open(peer, view, out);
                }
            }
        }
    }

    fn note_over(&mut self, peer: PeerId, exchange: &Exchange<S>, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        if !exchange.opened_here {
            self.with(peer, view, out, |work| work.link.end(exchange.id));
        }
    }

    /// Whether there was room for what came.
    fn give_up(
        &mut self,
        peer: PeerId,
        exchange: Exchange<S>,
        view: &View<'_, S>,
        out: &mut Vec<RepairAction<S>>,
    ) -> bool {
        let (entries, bytes) = exchange.into_entries();
        let kept = self.staged.keep(entries, bytes, view, out);
        out.push(RepairAction::Ended { peer, tier: None });
        kept
    }

    /// Tries none with this peer for a while.
    fn rest(&mut self, peer: PeerId, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        let until = view.now.steady + view.config.timing.staged_for;
        self.with(peer, view, out, |work| work.link.rest(until));
        out.push(RepairAction::TooLarge { peer });
    }

    fn hello(&mut self, peer: PeerId, hello: Hello, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        let repair = hello.repair;
        let cancel = |reason| RepairAction::Send(peer, Message::Cancel { repair, reason });
        if let Some(mut exchange) = self.open.remove(&peer) {
            if exchange.id == repair {
                // Our summary was answered with theirs, or the frame came twice.
                exchange.heard = view.now.steady;
                let step = self.with(peer, view, out, |work| exchange.hello_again(hello, work));
                return self.settle(peer, exchange, step, view, out);
            }
            if exchange.is_unanswered() {
                // Both opened one at the same time. The lower name goes on; of equal ones neither.
                if exchange.id <= repair {
                    out.push(cancel(CancelReason::Superseded));
                    if exchange.id < repair {
                        self.open.insert(peer, exchange);
                    } else {
                        out.push(RepairAction::Ended { peer, tier: None });
                    }
                    return;
                }
                out.push(RepairAction::Ended { peer, tier: None });
            } else {
                // Whoever says hello anew has given the old one up.
                self.give_up(peer, exchange, view, out);
            }
        }
        if self.with(peer, view, out, |work| work.link.is_over(repair)) {
            return out.push(cancel(CancelReason::OutOfTurn));
        }
        if !self.with(peer, view, out, |work| work.link.admits_hello(view.now.steady)) {
            return out.push(cancel(CancelReason::Busy));
        }
        if self.with(peer, view, out, |work| work.link.is_resting(view.now.steady)) {
            return out.push(cancel(CancelReason::TooLarge));
        }
        let full = !self.has_room(view, out);
        let (exchange, step) = self.with(peer, view, out, |work| Exchange::answer(hello, full, work));
        self.settle(peer, exchange, step, view, out);
    }

    /// Gives up the repair with this peer, if there is one; what came is staged. What is remembered of the link stays.
    pub fn drop_open(&mut self, peer: PeerId, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        if let Some(exchange) = self.open.remove(&peer) {
            self.note_over(peer, &exchange, view, out);
            self.give_up(peer, exchange, view, out);
        }
    }

    /// The log could not serve what it was asked for: this repair is given up, and the next one does without it.
    pub fn log_failed(&mut self, peer: PeerId, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        if let Some(exchange) = self.open.remove(&peer) {
            self.with(peer, view, out, |work| work.link.least = Plan::Sketch);
            self.settle(peer, exchange, Step::Cancels(CancelReason::Incomplete), view, out);
        }
    }

    /// A link is down: its repair is over, and what came is staged.
    pub fn peer_down(&mut self, peer: PeerId, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        if let Some(exchange) = self.open.remove(&peer) {
            self.give_up(peer, exchange, view, out);
        }
        self.links.remove(&peer);
    }

    /// Gives up repairs in which nothing was heard for long.
    pub fn timeout(&mut self, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        let idle = |exchange: &Exchange<S>| view.now.steady >= exchange.deadline();
        let late: Vec<PeerId> =
            self.open.iter().filter(|(_, exchange)| idle(exchange)).map(|(peer, _)| *peer).collect();
        for peer in late {
            if let Some(exchange) = self.open.remove(&peer) {
                self.settle(peer, exchange, Step::Cancels(CancelReason::Idle), view, out);
            }
        }
        self.staged.expire(view.now.steady, out);
    }

    /// The commit of this repair is durable.
    pub fn committed(&mut self, peer: PeerId, repair: RepairId, view: &View<'_, S>, out: &mut Vec<RepairAction<S>>) {
        let Some(mut exchange) = self.open.remove(&peer) else { return };
        if exchange.id != repair {
            self.open.insert(peer, exchange);
            return;
        }
        let step = self.with(peer, view, out, |work| exchange.committed(work));
        self.settle(peer, exchange, step, view, out);
    }
}

/// What one step of one exchange works with.
struct Work<'w, 'v, S: DotStore> {
    peer: PeerId,
    view: &'w View<'v, S>,
    out: &'w mut Vec<RepairAction<S>>,
    link: &'w mut Link,
    staged: &'w mut Staged<S>,
}

impl<S: DotStore> Work<'_, '_, S> {
    fn send(&mut self, message: Message<S>) {
        self.out.push(RepairAction::Send(self.peer, message));
    }

    fn has(&mut self, received: &DotSet) {
        self.out.push(RepairAction::Has { peer: self.peer, received: received.clone() });
    }
}

#[cfg(test)]
mod tests;
