//! Repairs: what the pushes missed.

use std::borrow::Cow;

use crdt_core::{Delta, DotSet, DotStore, Moves, ReplicaId};

use super::Replica;
use super::receive::News;
use crate::peer::Peer;
use crate::repair::{RepairAction, Repairs, View, join_frontiers};
use crate::{Durability, Event, FrameError, LinkKind, Message, Now, PeerId, RepairTier, Stage, Ticket};

impl<S: DotStore> Replica<S> {
    /// Opens a repair with a peer, unless one is going on.
    pub fn repair_with(&mut self, peer: PeerId, now: Now) {
        let partner = |peer: &Peer| peer.is_open() && peer.kind != LinkKind::Hint;
        if !self.peers.get(&peer).is_some_and(partner) || self.disk.failed {
            return;
        }
        // A repair speaks of closed records alone.
        self.commit(now);
        let mut actions = Vec::new();
        self.with_view(Some(peer), now, |repairs, view| repairs.open(peer, view, &mut actions));
        self.tell_repair(peer);
        self.carry_out(actions, now);
    }

    pub(super) fn take_repair(&mut self, from: PeerId, message: Message<S>, frame_bytes: usize, now: Now) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.repair_bytes += frame_bytes as u64;
        }
        self.learn_from_repair(from, &message, now);
        self.commit(now);
        let mut actions = Vec::new();
        self.with_view(Some(from), now, |repairs, view| {
            repairs.handle(from, message, frame_bytes, view, &mut actions);
        });
        self.carry_out(actions, now);
        self.tell_repair(from);
    }

    /// Says that a repair is under way, if one is and it was not said.
    fn tell_repair(&mut self, with: PeerId) {
        let open = self.repairs.is_open(with);
        if let Some(peer) = self.peers.get_mut(&with).filter(|peer| open && !peer.repairing) {
            peer.repairing = true;
            self.events.push_back(Event::RepairOpened { peer: with });
        }
    }

    /// A summary may name dots of this replica's id that were not made here, and tells which retirements are known there.
    fn learn_from_repair(&mut self, from: PeerId, message: &Message<S>, now: Now) {
        let summary = match message {
            Message::Hello(hello) => hello.summary.as_deref(),
            Message::Summary(summary) => Some(&**summary),
            _ => None,
        };
        let Some(summary) = summary else { return };
        self.check_identity(&summary.received, now);
        let (count, theirs) = summary.retired;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.retirements_heard = Some(theirs);
        }
        // Tables that differ are made equal first: summaries leave out what both know. Whoever has more rows may know how
        // this table was, and tell what came since; if it does not, the end of the repair is early enough.
        if count <= self.roster.retired_digest().0 {
            self.exchange_retirements(from);
        }
    }

    pub(super) fn repair_peer_down(&mut self, peer: PeerId, now: Now) {
        let mut actions = Vec::new();
        self.with_view(Some(peer), now, |repairs, view| repairs.peer_down(peer, view, &mut actions));
        self.carry_out(actions, now);
    }

    /// Gives up a repair on a link that stays.
    pub(super) fn drop_repair(&mut self, peer: PeerId, now: Now) {
        let mut actions = Vec::new();
        self.with_view(Some(peer), now, |repairs, view| repairs.drop_open(peer, view, &mut actions));
        self.carry_out(actions, now);
    }

    /// Records that a repair needs cannot be sent: the other end is told, and the next repair does without the log.
    pub(super) fn give_up_repair(&mut self, peer: PeerId, now: Now) {
        let mut actions = Vec::new();
        self.with_view(Some(peer), now, |repairs, view| repairs.log_failed(peer, view, &mut actions));
        self.carry_out(actions, now);
    }

    pub(super) fn repairs_timeout(&mut self, now: Now) {
        let mut actions = Vec::new();
        self.with_view(None, now, |repairs, view| repairs.timeout(view, &mut actions));
        self.carry_out(actions, now);
    }

    pub(super) fn with_view<R>(
        &mut self,
        peer: Option<PeerId>,
        now: Now,
        f: impl FnOnce(&mut Repairs<S>, &View<'_, S>) -> R,
    ) -> R {
        let frame_bytes_max = peer.map_or(self.config.limits.frame_bytes_max, |peer| self.frame_bytes_max(peer));
        // The application's own bytes are never repaired.
        if !peer.and_then(|peer| self.peers.get(&peer)).is_some_and(|peer| peer.kind == LinkKind::Hint) {
            self.sketch.wake(|| self.state.live());
        }
        let lossy = peer.and_then(|peer| self.peers.get(&peer)).is_some_and(|peer| peer.kind == LinkKind::Datagram);
        let timing = &self.config.timing;
        let view = View {
            state: &self.state,
            received: &self.received,
            frontier: &self.frontier,
            sketch: &self.sketch,
            log: &self.log,
            retired: self.roster.retired_digest(),
            retired_dots: self.roster.retired_dots(),
            frame_bytes_max,
            idle_max: if lossy { timing.datagram_idle_max } else { timing.repair_idle_max },
            config: &self.config,
            now,
        };
        f(&mut self.repairs, &view)
    }

    fn carry_out(&mut self, actions: Vec<RepairAction<S>>, now: Now) {
        for action in actions {
            match action {
                RepairAction::Send(to, message) => self.send(to, message),
                RepairAction::PushFromLog { peer, dots, then } => self.push_from_log(peer, dots, then, now),
                RepairAction::Commit { peer, repair, delta, received, frontier, tier: _ } => {
                    self.note_peer_has(peer, &received, now);
                    self.tell_peer_has(peer);
                    self.take_told(Cow::Owned(delta), &received, &frontier, Some(peer), now);
                    self.commit(now);
                    self.repairing.push_back((self.disk.last, peer, repair));
                }
                RepairAction::Stage(rows) => {
                    self.pending.batch.stage = Some(Stage::Put(rows));
                    self.commit(now);
                }
                RepairAction::ClearStage => self.pending.batch.stage = Some(Stage::Clear),
                RepairAction::Has { peer, received } => {
                    self.note_peer_has(peer, &received, now);
                    self.tell_peer_has(peer);
                }
                RepairAction::SameTable { peer, retired } => {
                    if let Some(peer) = self.peers.get_mut(&peer) {
                        peer.retirements_heard = Some(retired);
                    }
                }
                RepairAction::Ended { peer, tier } => self.repair_ended(peer, tier, now),
                RepairAction::TooLarge { peer } => self.events.push_back(Event::TooLarge { peer }),
                RepairAction::Diverged { peer } => self.events.push_back(Event::Diverged { peer }),
            }
        }
        self.commit_received(now);
        if self.config.durability == Durability::Memory {
            // What was committed is as durable as it gets, and nobody comes to say so.
            self.repairs_durable(self.disk.durable, now);
        }
    }

    /// Takes in what somebody told of all that it has received: in one step, so that what is here stays the effect of
    /// what was received.
    pub(super) fn take_told(
        &mut self,
        delta: Cow<'_, Delta<S>>,
        received: &DotSet,
        frontier: &DotSet,
        from: Option<PeerId>,
        now: Now,
    ) {
        let mut news = News { received: received.difference(&self.received), ..News::default() };
        let (moves, changes) = self.merge_delta(delta);
        self.note_moves(&moves);
        news.changes = changes;
        self.mended.union_with(&news.received);
        self.pending.batch.received.union_with(received);
        self.pending.batch.seen.union_with(received);
        self.frontier = join_frontiers((&self.frontier, &self.received), (frontier, received));
        self.received.union_with(received);
        self.pending.batch.frontier = Some(self.frontier.clone());
        self.inbox.drop_received(&self.received);
        self.wake_parked(&news.received.clone(), from, &mut news, now);
        self.tell(news);
    }

    /// Merges what came by no link: a file, a page that was rendered elsewhere, what the application brought along by
    /// itself. `delta` is what a replica that has seen `seen` lacked of the state of one that holds exactly
    /// `seen ∪ delta.own()`, in causal order: what [`Causal::delta_since`](crdt_core::Causal::delta_since) gives, or a
    /// whole state where `seen` is empty. Says whether it was taken in; it is not as long as not all of `seen` is
    /// received here, as parts of it would be missing for good.
    ///
    /// # Errors
    /// If it names dots absurdly far above all that is known of their replicas. Nothing was changed.
    pub fn merge_outside(&mut self, delta: &Delta<S>, seen: &DotSet, now: Now) -> Result<bool, FrameError> {
        let mut received = seen.clone();
        received.union_with(delta.own());
        self.check_jump(&received)?;
        self.check_jump(delta.retired())?;
        if self.disk.failed || !seen.is_subset(&self.received) || !delta.retired().is_subset(&received) {
            return Ok(false);
        }
        self.check_identity(&received, now);
        if received.is_subset(&self.received) && self.state.moves_of(delta) == Moves::default() {
            return Ok(true);
        }
        // As in a repair: what is open was made before this.
        self.commit(now);
        // Which dots are maximal is not said. The last of each writer is, or lies below one that is: naming it as well
        // says nothing false.
        let last = received.runs().map(|(replica, _, last)| (replica, last));
        let frontier = last.filter_map(|(replica, last)| crdt_core::Dot::new(replica, last)).collect();
        self.take_told(Cow::Borrowed(delta), &received, &frontier, None, now);
        self.commit_received(now);
        Ok(true)
    }

    fn push_from_log(&mut self, peer: PeerId, dots: DotSet, then: Message<S>, now: Now) {
        let found = self.log.find(&dots);
        if !found.missing.is_empty() {
            return self.give_up_repair(peer, now);
        }
        let in_memory = !found.records.is_empty();
        if in_memory && self.push(peer, found.records).is_empty() {
            // Too much is on its way there already.
            return self.drop_repair(peer, now);
        }
        if found.on_disk.is_empty() {
            self.send(peer, then);
        } else {
            self.fetch_for(peer, found.on_disk, Some(then));
        }
    }

    fn wake_parked(&mut self, arrived: &DotSet, from: Option<PeerId>, news: &mut News, now: Now) {
        for record in self.inbox.ready(arrived, &self.received, self.config.mode) {
            self.take_fresh(record, from, news, now);
        }
    }

    /// Commits of repairs that are on disk now: the other side may know.
    pub(super) fn repairs_durable(&mut self, ticket: Ticket, now: Now) {
        while self.repairing.front().is_some_and(|(committed, ..)| *committed <= ticket) {
            let Some((_, peer, repair)) = self.repairing.pop_front() else { break };
            let mut actions = Vec::new();
            self.with_view(Some(peer), now, |repairs, view| repairs.committed(peer, repair, view, &mut actions));
            self.carry_out(actions, now);
        }
    }

    fn repair_ended(&mut self, peer: PeerId, tier: Option<RepairTier>, now: Now) {
        let (told, bytes) = match self.peers.get_mut(&peer) {
            Some(link) => (core::mem::take(&mut link.repairing), core::mem::take(&mut link.repair_bytes)),
            None => (true, 0),
        };
        if !told {
            self.events.push_back(Event::RepairOpened { peer });
        }
        let Some(tier) = tier else {
            self.stats.repairs_failed += 1;
            self.events.push_back(Event::RepairFailed { peer, bytes });
            return;
        };
        self.stats.repaired(tier);
        self.events.push_back(Event::Repaired { peer, by: tier, bytes });
        let Some(link) = self.peers.get_mut(&peer) else { return };
        link.behind = false;
        if let Some(member) = link.member() {
            self.roster.caught_up(member, now.steady);
        }
        self.exchange_retirements(peer);
        self.advance_stable();
    }

    /// After a repair both sides should know of the same retirements, whatever the logs still hold. What the other side
    /// is known to know is not told again: the table may have a million rows, and grows by one.
    fn exchange_retirements(&mut self, peer: PeerId) {
        let digest = self.roster.retired_digest().1;
        let per_frame = self.retirements_per_frame(peer);
        let Some(link) = self.peers.get_mut(&peer) else { return };
        let heard = link.retirements_heard;
        if heard == Some(digest) {
            return;
        }
        // What was told may have been lost on its way, where a link loses frames and a summary shows that they differ.
        let told = if link.kind == LinkKind::Stream || heard.is_none() { link.retirements_told } else { 0 };
        // Its table may be what this one was once.
        let knows = if told == self.roster.newest_change() { None } else { heard };
        let since = knows.and_then(|hash| self.roster.change_with(hash)).unwrap_or(0).max(told);
        link.retirements_told = self.roster.newest_change();
        for part in self.roster.retired_since(since).chunks(per_frame) {
            self.send(peer, Message::Retirements(part.to_vec()));
        }
    }

    /// A row is an id, its place in the dictionary and a counter.
    fn retirements_per_frame(&self, peer: PeerId) -> usize {
        let limits = &self.config.limits;
        let datagram = self.peers.get(&peer).is_some_and(|peer| peer.kind == LinkKind::Datagram);
        let ids_max = if datagram { limits.datagram_ids_max } else { limits.dictionary_ids_max };
        (self.frame_bytes_max(peer) / 2 / 32).min(ids_max).max(1)
    }

    /// Looks at what that completes once for all of them: there may be as many as fit a frame.
    pub(super) fn take_retirements(&mut self, rows: impl IntoIterator<Item = (ReplicaId, u64)>) {
        for (replica, last) in rows {
            if self.roster.retire(replica, last, self.config.limits.retired_max) {
                self.pending.batch.retired.push((replica, last));
            }
        }
        self.advance_stable();
    }

    pub(super) fn advance_stable(&mut self) {
        #[cfg(any(test, feature = "sim"))]
        if faulty!(self.config, StableSkipsOne) {
            let skipped = self.roster.active().next().map(|(replica, _)| replica);
            skipped.into_iter().for_each(|skipped| self.roster.believe(skipped, &self.disk.received));
        }
        if self.roster.advance(&self.disk.received, &self.config.limits) {
            // Not worth a commit of its own: what is on disk of it holds less, which is true as well.
            self.events.push_back(Event::Stable(self.roster.stable().clone()));
        }
        // Who counts is kept: after a restart it must still hold back what it lacks.
        self.pending.meta |= self.roster.admit();
        for replica in self.roster.settle() {
            // That it no longer counts, and what showed it.
            self.pending.meta = true;
            self.events.push_back(Event::Retired(replica));
        }
    }
}
