//! What is due.

use crdt_core::{DotSet, DotStore, ReplicaId};

use super::Replica;
use crate::peer::Peer;
use crate::{Event, FrameError, LinkKind, Message, Now, PeerId, Role, Steady};

/// Looks for one gap in a row after which a repair is opened instead of asking on.
const LOOKS_MAX: usize = 4;

impl<S: DotStore> Replica<S> {
    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next, if no input comes before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Steady> {
        if self.disk.failed {
            return None;
        }
        let flush = self.open.as_ref().map(|open| open.opened + self.config.timing.flush_after);
        let open = self.peers.values().any(Peer::is_open);
        let repair = open.then_some(self.due.repair);
        let known = open.then_some(self.due.known);
        let greet = self.peers.values().filter_map(Peer::greet_again).min();
        let dormant = self.roster.deadline(self.config.timing.dormant_after);
        [
            flush,
            repair,
            known,
            greet,
            dormant,
            self.lent_deadline(),
            self.due.announce,
            self.gaps.due,
            self.repairs.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.disk.failed {
            return;
        }
        let flush = self.open.as_ref().map(|open| open.opened + self.config.timing.flush_after);
        if flush.is_some_and(|due| due <= now.steady) {
            self.commit(now);
        }
        if self.due.announce.is_some_and(|due| due <= now.steady) {
            self.announce();
        }
        self.greet_again(now);
        if self.gaps.due.is_some_and(|due| due <= now.steady) {
            self.look_at_gaps(now);
        }
        if self.repairs.deadline().is_some_and(|due| due <= now.steady) {
            self.repairs_timeout(now);
        }
        if self.due.repair <= now.steady {
            self.repair_somebody(now);
        }
        if self.due.known <= now.steady {
            self.due.known = now.steady + self.config.timing.known_every;
            self.tell_what_is_known();
        }
        if self.config.role == Role::Replica && !self.frozen {
            self.retire_vanished(now);
        }
        for replica in self.roster.fall_dormant(now.steady, self.config.timing.dormant_after) {
            self.events.push_back(Event::Dormant(replica));
            self.pending.meta = true;
        }
        self.advance_stable();
        self.commit_received(now);
    }

    /// With a random peer now and then: what the pushes lost is found by nothing else.
    fn repair_somebody(&mut self, now: Now) {
        let timing = &self.config.timing;
        let wait = self.draw.between(timing.repair_every_min, timing.repair_every_max);
        self.due.repair = now.steady + wait;
        let mut free = self.partners(|id, _| !self.repairs.is_open(id));
        // Whom pushes were left out for comes first.
        let behind: Vec<PeerId> =
            free.iter().copied().filter(|id| self.peers.get(id).is_some_and(|peer| peer.behind)).collect();
        if !behind.is_empty() {
            free = behind;
        }
        if !free.is_empty() {
            let chosen = free[self.draw.below(free.len())];
            self.repair_with(chosen, now);
        }
    }

    /// Open links to peers that keep data and satisfy a condition.
    fn partners(&self, mut fits: impl FnMut(PeerId, &Peer) -> bool) -> Vec<PeerId> {
        let open = self.peers.iter().filter(|(_, peer)| peer.is_open() && peer.kind != LinkKind::Hint);
        open.filter(|(id, peer)| fits(**id, peer)).map(|(id, _)| *id).collect()
    }

    /// Dots that are known to exist and are missing here.
    fn missing(&self) -> DotSet {
        let mut exist = self.inbox.causes();
        for peer in self.peers.values().filter(|peer| peer.is_open()) {
            exist.union_with(&peer.acked.difference(&self.received));
        }
        exist.difference(&self.received).difference(self.inbox.dots())
    }

    /// Starts the wait for what is missing; most of it is on its way along another path.
    pub(super) fn notice_gaps(&mut self, now: Now) {
        if self.gaps.due.is_some() {
            return;
        }
        let missing = self.missing();
        if !missing.is_empty() {
            self.gaps.ripe = missing;
            self.gaps.due = Some(now.steady + self.config.timing.want_after);
        }
    }

    /// Asks for what has been missing for a while: each dot one holder, another one each time.
    fn look_at_gaps(&mut self, now: Now) {
        let missing = self.missing();
        let mut wanted = self.gaps.ripe.intersection(&missing);
        if wanted.is_empty() {
            self.gaps.looks = 0;
        } else {
            self.gaps.looks += 1;
            if self.gaps.looks > LOOKS_MAX {
                self.gaps.looks = 0;
                if faulty!(self.config, HoleVoid) {
                    self.received.union_with(&wanted);
                    self.pending.batch.received.union_with(&wanted);
                }
                let holders = self.partners(|_, peer| !peer.acked.intersection(&wanted).is_empty());
                let holders = if holders.is_empty() { self.partners(|_, _| true) } else { holders };
                if !holders.is_empty() {
                    let chosen = holders[self.draw.below(holders.len())];
                    self.repair_with(chosen, now);
                }
            }
            let mut holders = self.partners(|_, _| true);
            if !holders.is_empty() {
                let turn = self.gaps.looks % holders.len();
                holders.rotate_left(turn);
            }
            let mut unclaimed = wanted.clone();
            for holder in &holders {
                unclaimed = self.peers.get(holder).map_or(unclaimed.clone(), |peer| unclaimed.difference(&peer.acked));
            }
            for holder in holders {
                let Some(peer) = self.peers.get_mut(&holder) else { continue };
                let mut part = wanted.intersection(&peer.acked);
                if !peer.acked.intersection(self.inbox.dots()).is_empty() {
                    // Nobody said to have these, but who has what waits for them has them too.
                    part.union_with(&unclaimed);
                    unclaimed = DotSet::new();
                }
                let part = first_runs(&part, self.config.limits.want_runs_max);
                if part.is_empty() {
                    continue;
                }
                wanted = wanted.difference(&part);
                self.send(holder, Message::Graft);
                self.send(holder, Message::Want(part));
            }
        }
        let wait = self.config.timing.want_next_after * (1 << self.gaps.looks.min(6));
        self.gaps.due = (!missing.is_empty()).then_some(now.steady + wait);
        self.gaps.ripe = missing;
    }

    /// Tells one peer what every active replica is known to have, as far as that changed since it was told.
    fn tell_what_is_known(&mut self) {
        let partners = self.partners(|_, peer| peer.member().is_some());
        if partners.is_empty() {
            return;
        }
        let chosen = partners[self.draw.below(partners.len())];
        let mut rows: Vec<(ReplicaId, DotSet)> =
            self.roster.active().map(|(replica, known)| (replica, known.clone())).collect();
        rows.push((self.writer.id(), self.disk.received.clone()));
        let start = self.draw.below(rows.len());
        let full = self.frame_bytes_max(chosen) / 2;
        let mut room = full;
        let Some(peer) = self.peers.get_mut(&chosen) else { return };
        let theirs = peer.member();
        // As much as fits a frame; from another place on each time, so that each row has its turn.
        rows.rotate_left(start);
        let mut fits = |known: &DotSet| {
            let bytes = 24 + 24 * known.run_count();
            let fits = room == full || bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        };
        rows.retain(|(replica, known)| {
            let news = Some(*replica) != theirs && peer.told.get(replica) != Some(&known.digest());
            let told = news && fits(known);
            if told {
                peer.told.insert(*replica, known.digest());
            }
            told
        });
        if !rows.is_empty() {
            self.send(chosen, Message::Known(rows));
        }
    }

    pub(super) fn take_known(&mut self, rows: Vec<(ReplicaId, DotSet)>, now: Now) -> Result<(), FrameError> {
        for (_, known) in &rows {
            self.check_jump(known)?;
        }
        for (replica, known) in rows {
            self.check_identity(&known, now);
            if replica == self.writer.id() {
                continue;
            }
            self.roster.hearsay(replica, &known, now.steady, &self.config.limits);
        }
        self.advance_stable();
        Ok(())
    }
}

/// At most so many runs of a set.
fn first_runs(dots: &DotSet, runs_max: usize) -> DotSet {
    let mut first = DotSet::new();
    for (replica, from, to) in dots.runs().take(runs_max) {
        first.insert_run(replica, from, to);
    }
    first
}
