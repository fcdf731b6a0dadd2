//! What has changed since the last batch, as one batch; and what becomes of it on the disk.

use std::sync::Arc;

use crdt_core::{Dot, DotSet, DotStore, Moves, ReplicaId};

use super::{Held, Replica};
use crate::repair::LogIndex;
use crate::{Durability, Event, LogRecord, Message, Now, Own, Payload, PeerId, Persist, Record, Ticket};

/// How far ahead of the clock the stored bound on timestamps is set, so that it is seldom written.
const TIME_AHEAD_MS: u64 = 10_000;

impl<S: DotStore> Replica<S> {
    pub(super) fn next_ticket(&self) -> Ticket {
        Ticket(self.disk.last.0 + 1)
    }

    /// Whether anything is to be said to a disk.
    fn has_disk(&self) -> bool {
        self.config.durability != Durability::Memory
    }

    pub(super) fn note_added(&mut self, dot: Dot) {
        if self.has_disk() {
            self.pending.remove.remove(&dot);
            self.pending.put.insert(dot);
        }
        self.sketch.add(dot);
    }

    pub(super) fn note_removed(&mut self, dot: Dot) {
        if self.has_disk() {
            // The row may be on disk already, or in a batch on its way there.
            self.pending.put.remove(&dot);
            self.pending.remove.insert(dot);
        }
        self.sketch.remove(dot);
    }

    pub(super) fn note_moves(&mut self, moves: &Moves) {
        moves.added.iter().for_each(|dot| self.note_added(*dot));
        moves.removed.iter().for_each(|dot| self.note_removed(*dot));
        if self.has_disk() {
            self.pending.put.extend(&moves.replaced);
        }
    }

    /// Takes an edit in where there is no disk and never was a peer: nobody is to be told of it, now or later, but by a
    /// repair, which asks the state. None if there is one.
    pub(super) fn take_in_alone(&mut self, own: Own) -> Option<Ticket> {
        if self.has_disk() || self.linked || !self.sketch.is_asleep() {
            return None;
        }
        for set in [&mut self.received, &mut self.disk.received] {
            set.insert_run(own.replica, own.first, own.last);
        }
        self.frontier = DotSet::new();
        self.frontier.insert(own.last_dot());
        Some(self.disk.durable)
    }

    pub(super) fn note_received(&mut self, own: Own) {
        for set in [&mut self.received, &mut self.pending.batch.received, &mut self.pending.batch.seen] {
            set.insert_run(own.replica, own.first, own.last);
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        let pending = &self.pending;
        self.open.is_some()
            || pending.meta
            || !pending.put.is_empty()
            || !pending.remove.is_empty()
            || !pending.batch.is_empty()
    }

    /// Closes the open record: what it says, and what it was made on.
    pub(super) fn close_record(&mut self, now: Now) {
        let Some(open) = self.open.take() else { return };
        #[cfg(any(test, feature = "sim"))]
        if faulty!(self.config, AfterAtOpening) {
            self.frontier.clone_from(&open.frontier);
        }
        let payload = Payload::Edit(open.delta);
        self.write_record(open.own, payload, now);
    }

    /// Writes an edit of the roster, in a record of its own.
    pub(super) fn write_retirement(&mut self, replica: ReplicaId, now: Now) -> Ticket {
        self.close_record(now);
        let dot = self.state.mark(&mut self.writer);
        let own = Own { replica: dot.replica(), first: dot.counter(), last: dot.counter() };
        self.note_received(own);
        self.extend_lease(own.last);
        // Its own farewell is the last dot of one that retires itself.
        let last = self.received.last(replica);
        self.take_retirements([(replica, last)]);
        self.write_record(own, Payload::Retire { replica, last }, now);
        let ticket = self.next_ticket();
        self.commit(now);
        ticket
    }

    fn write_record(&mut self, own: Own, payload: Payload<S>, now: Now) {
        // Its own previous record goes without saying.
        let after: DotSet = self.frontier.iter().filter(|dot| dot.replica() != own.replica).collect();
        let time = self.clock.tick(now.wall.0);
        self.frontier = core::iter::once(own.last_dot()).collect();
        self.pending.batch.frontier = Some(self.frontier.clone());
        let record = Arc::new(Record { own, after, time, payload, extensions: Vec::new() });
        self.log_and_spread(record, None, now);
    }

    /// Takes a record that took effect into log and outbox. One that is too large for either is announced only: a
    /// repair carries it, entry by entry.
    pub(super) fn log_and_spread(&mut self, record: Arc<Record<S>>, origin: Option<PeerId>, now: Now) {
        let limits = &self.config.limits;
        let own = record.own;
        let bytes = record.encode();
        if bytes.len() > limits.record_bytes_max
            || own.last - own.first + 1 > limits.record_dots_max
            || record.after.len() > limits.after_dots_max as u64
        {
            self.mended.insert_run(own.replica, own.first, own.last);
            return;
        }
        let logged = LogRecord { own, logged_ms: now.wall.0, bytes };
        self.log.insert(record.clone(), logged.entry(), limits);
        if self.has_disk() {
            self.pending.batch.log_put.push(logged);
        }
        self.outbox.push((record, origin));
    }

    /// Emits all that has changed as one batch, the open record closed into it, and lines up what peers are told once
    /// it is durable.
    pub(super) fn commit(&mut self, now: Now) {
        if self.disk.failed || !self.has_pending() {
            return;
        }
        self.close_record(now);
        let pending = core::mem::take(&mut self.pending);
        let mut batch = pending.batch;
        if !self.has_disk() {
            self.log.truncate(now.wall, self.writer.id(), self.roster.stable(), &self.config.limits);
            self.disk.last = self.next_ticket();
            self.disk.durable = self.disk.last;
            self.disk.received.union_with(&batch.received);
            self.spread(now);
            return self.advance_stable();
        }
        let state = &self.state;
        let row = |dot: Dot| {
            let row = state.restrict(&core::iter::once(dot).collect());
            (!row.is_empty()).then(|| (dot, row.encode()))
        };
        batch.put = pending.put.into_iter().filter_map(row).collect();
        batch.remove = pending.remove.into_iter().collect();
        batch.log_drop = self.log.truncate(now.wall, self.writer.id(), self.roster.stable(), &self.config.limits);
        // What never reaches the disk need not be dropped there.
        batch.log_put.retain(|record| !batch.log_drop.contains(&record.own));
        let issued = self.clock.last().ms();
        if issued > self.disk.time_hi {
            self.disk.time_hi = issued + TIME_AHEAD_MS;
            batch.meta = Some(self.meta());
        } else if pending.meta {
            batch.meta = Some(self.meta());
        }
        self.disk.last = self.next_ticket();
        self.disk.on_the_way.push_back((self.disk.last, batch.received.clone()));
        self.disk.persists.push_back(Persist { ticket: self.disk.last, batch });
        self.spread(now);
    }

    /// Everything up to this ticket is on disk: what waited for it goes out.
    pub fn durable(&mut self, ticket: Ticket, now: Now) {
        if ticket <= self.disk.durable || ticket > self.disk.last || self.disk.failed {
            return;
        }
        self.disk.durable = ticket;
        while self.disk.on_the_way.front().is_some_and(|(on_the_way, _)| *on_the_way <= ticket) {
            if let Some((_, received)) = self.disk.on_the_way.pop_front() {
                self.disk.received.union_with(&received);
            }
        }
        let mut still_held = std::collections::VecDeque::new();
        for held in core::mem::take(&mut self.held) {
            if held.ticket <= ticket {
                self.held_bytes -= held.len;
                if let Some(peer) = self.peers.get_mut(&held.peer) {
                    peer.held -= held.len;
                    if peer.closed && peer.held == 0 {
                        self.events.push_back(Event::Close { peer: held.peer });
                    }
                }
                self.ready.push_back((held.peer, held.message));
            } else {
                still_held.push_back(held);
            }
        }
        self.held = still_held;
        self.events.push_back(Event::Durable(ticket));
        self.repairs_durable(ticket, now);
        self.advance_stable();
    }

    /// A commit failed. The store is poisoned: stop, open it again, load. Nothing more is shown to anybody.
    pub fn persist_failed(&mut self, _ticket: Ticket) {
        if core::mem::replace(&mut self.disk.failed, true) {
            return;
        }
        self.held.clear();
        self.held_bytes = 0;
        self.peers.values_mut().for_each(|peer| peer.held = 0);
        self.ready.clear();
        self.disk.persists.clear();
        self.events.push_back(Event::StoreFailed);
    }

    /// Sends a message once all it may show is durable.
    pub(super) fn send(&mut self, to: PeerId, message: Message<S>) {
        let ticket = if faulty!(self.config, ShownBeforeDurable) { self.disk.durable } else { self.shown_by(&message) };
        let Some(peer) = self.peers.get_mut(&to) else { return };
        // Nothing overtakes the introduction.
        let ticket = ticket.max(peer.introduced);
        if matches!(message, Message::Open(_)) {
            peer.introduced = ticket;
        }
        if ticket <= self.disk.durable {
            self.ready.push_back((to, message));
            return;
        }
        let len = len_of(&message, &self.log);
        peer.held += len;
        self.held_bytes += len;
        self.held.push_back(Held { ticket, peer: to, len, message });
    }

    /// The batch that has to be durable before a message may be sent.
    fn shown_by(&self, message: &Message<S>) -> Ticket {
        let leased = |record: &Arc<Record<S>>| record.own.replica == self.writer.id();
        match message {
            // In lease mode one's own records may go as soon as their counters can't be used twice.
            Message::Push(records) if self.config.durability == Durability::Lease && records.iter().all(leased) => {
                self.disk.lease.1
            }
            // It shows no dot, and a slow disk is no sign of death.
            Message::Gossip(_) => self.disk.durable,
            _ => self.disk.last,
        }
    }
}

/// About how many bytes a message will be.
fn len_of<S: DotStore>(message: &Message<S>, log: &crate::log::Log<S>) -> usize {
    match message {
        Message::Push(records) => records.iter().map(|record| log.bytes_of(&record.own.to_dot_set()).max(32)).sum(),
        Message::Entries { entries, .. } => 64 * entries.entries().len(),
        Message::Cells { cells, .. } => 13 * cells.len(),
        _ => 128,
    }
}
