//! Ids for pages that edit while they are open: lent by a home, given back, and lent again.

use crdt_core::{DotSet, DotStore, ReplicaId, Writer};

use super::Replica;
use crate::{Event, LinkKind, Message, Now, PeerId, RefuseReason, Role, Steady};

/// An id for each page load would swell every summary and token for ever. Lent ones grow with the pages that are open at
/// the same time, and with those that vanish.
///
/// An id is lent again only after it was given back and every dot made under it has arrived: never on a time-out, as a
/// late page and its successor would name two edits alike. Only streams carry ids: elsewhere a frame may come twice, the
/// second time when somebody else has the id.
impl<S: DotStore> Replica<S> {
    /// Ids to lend, each drawn from the system's generator for this call.
    pub fn offer_ids(&mut self, fresh: impl IntoIterator<Item = ReplicaId>) {
        self.pool.extend(fresh);
        self.pool.truncate(self.config.limits.lent_ids_max);
    }

    /// Asks the home at this link for an id; [`Event::Lent`] brings it, or [`Event::NotLent`] says that there is none.
    pub fn borrow_id(&mut self, home: PeerId) {
        let Some(peer) = self.peers.get_mut(&home).filter(|peer| peer.is_open()) else { return };
        peer.borrowing = true;
        self.send(home, Message::Borrow);
    }

    /// Whoever was asked has lent an id. From anybody else, or a second time, it may be another one's.
    pub(super) fn take_lent(&mut self, from: PeerId, replica: ReplicaId, next: u64) {
        let asked = self.peers.get_mut(&from).is_some_and(|peer| core::mem::take(&mut peer.borrowing));
        if asked {
            self.events.push_back(Event::Lent { replica, next });
        }
    }

    /// The home has none to lend, or does not lend: whatever comes later was not asked for.
    pub(super) fn not_lent(&mut self, from: PeerId, reason: RefuseReason) {
        let asked = self.peers.get_mut(&from).is_some_and(|peer| core::mem::take(&mut peer.borrowing));
        if asked {
            self.events.push_back(Event::NotLent { peer: from, reason });
        }
    }

    /// Goes on under an id that was lent, from that counter on. Edits are refused as
    /// [`Frozen`](crate::EditError::Frozen) until all that was written under it before has arrived.
    pub fn adopt_lent(&mut self, replica: ReplicaId, next: u64, now: Now) {
        self.commit(now);
        self.lent = [(replica, None)].into_iter().collect();
        self.writer = Writer::resume(replica, next.saturating_sub(1));
        self.disk.lease = (self.writer.last(), self.disk.last);
        self.disk.clean = false;
        self.frozen = false;
        self.pending.meta = true;
        self.commit(now);
        self.introduce_again();
    }

    /// Gives a lent id back, once all that was written under it is durable here, and writes nothing any more: not after
    /// it was opened again, either.
    pub fn give_back(&mut self, home: PeerId, now: Now) {
        let (replica, last) = (self.writer.id(), self.writer.last());
        if self.lent.get(&replica) != Some(&None) {
            return;
        }
        self.frozen = true;
        self.lent.insert(replica, Some(last));
        self.pending.meta = true;
        self.commit(now);
        self.send(home, Message::Return { replica, last });
    }

    /// Whether all that others wrote under a borrowed id before is here: an edit comes after it.
    pub(super) fn has_own_past(&self) -> bool {
        let (me, last) = (self.writer.id(), self.writer.last());
        self.config.role == Role::Replica || !self.lent.contains_key(&me) || is_within(me, last, &self.received)
    }

    pub(super) fn lend(&mut self, to: PeerId, now: Now) {
        let is_tab = self.peers.get(&to).is_some_and(|peer| {
            peer.kind == LinkKind::Stream && peer.open.as_ref().is_some_and(|open| open.role == Role::Tab)
        });
        // One that borrows has a table of what it borrowed.
        let is_tab = is_tab && self.config.role == Role::Replica;
        let back = |(replica, last): &(&ReplicaId, &Option<u64>)| {
            faulty!(self.config, LentAgain) || last.is_some_and(|last| is_within(**replica, last, &self.disk.received))
        };
        let free = self.lent.iter().find(back);
        let again = free.map(|(replica, last)| (*replica, last.unwrap_or_default()));
        let out = self.lent.values().filter(|last| last.is_none()).count();
        let lendable = is_tab && out < self.config.limits.lent_ids_max;
        let mut fresh = || if again.is_none() && lendable { self.pool.pop() } else { None };
        let Some((replica, last)) = again.filter(|_| lendable).or_else(|| fresh().map(|fresh| (fresh, 0))) else {
            if lendable {
                self.events.push_back(Event::IdsWanted);
            }
            return self.say_refused(to, 22, RefuseReason::Busy);
        };
        // That it is out is durable before the tab hears of it.
        self.lent.insert(replica, None);
        self.lent_heard.insert(replica, now.steady);
        self.pending.meta = true;
        self.commit(now);
        // Whatever was said when it came back: no dot that is known here is made again.
        let last = last.max(self.state.seen().last(replica));
        self.send(to, Message::Lent { replica, next: last + 1 });
    }

    pub(super) fn take_back(&mut self, from: PeerId, replica: ReplicaId, last: u64, now: Now) {
        // Only who writes under it can say that it is done.
        let peer = self.peers.get(&from).filter(|peer| peer.kind == LinkKind::Stream);
        let holder = peer.and_then(|peer| peer.open.as_ref()).map(|open| open.replica);
        if self.config.role == Role::Replica
            && holder == Some(replica)
            && let Some(lent) = self.lent.get_mut(&replica)
            && lent.is_none()
        {
            *lent = Some(last);
            self.lent_heard.remove(&replica);
            self.pending.meta = true;
            self.commit(now);
        }
    }

    /// A record of a replica came, or it introduced itself.
    pub(super) fn hear_lent(&mut self, replica: ReplicaId, now: Now) {
        if let Some(heard) = self.lent_heard.get_mut(&replica) {
            *heard = now.steady;
        }
    }

    /// When somebody who has an id may be given up for lost.
    pub(super) fn lent_deadline(&self) -> Option<Steady> {
        if self.config.role != Role::Replica || self.frozen {
            return None;
        }
        let oldest = self.lent_heard.values().min()?;
        Some(*oldest + self.config.timing.dormant_after)
    }

    /// Retires ids whose tabs have vanished, or a home would have none left to lend. They are not lent again: a tab that
    /// comes back all the same loses nothing, and is told to take a fresh one.
    pub(super) fn retire_vanished(&mut self, now: Now) {
        // What was out when this replica was opened is heard of from now on.
        let missing: Vec<ReplicaId> = self.lent.iter().filter(|(_, last)| last.is_none()).map(|(id, _)| *id).collect();
        for replica in missing {
            self.lent_heard.get_or_insert_with(replica, || now.steady);
        }
        if self.lent_deadline().is_none_or(|due| due > now.steady) {
            return;
        }
        let silent = |heard: &Steady| now.steady - *heard >= self.config.timing.dormant_after;
        let gone: Vec<ReplicaId> =
            self.lent_heard.iter().filter(|(_, heard)| silent(heard)).map(|(replica, _)| *replica).collect();
        for replica in gone {
            self.lent_heard.remove(&replica);
            if self.lent.get(&replica) == Some(&None) {
                self.lent.remove(&replica);
                self.write_retirement(replica, now);
            }
        }
    }

    /// This memory may be an older one: what is free in it may have been lent since.
    pub(super) fn doubt_lent(&mut self) {
        match self.config.role {
            Role::Replica => self.lent.values_mut().for_each(|last| *last = None),
            _ => self.lent.clear(),
        }
    }
}

/// Whether every dot up to `last` of a replica is in a set.
fn is_within(replica: ReplicaId, last: u64, set: &DotSet) -> bool {
    let mut all = DotSet::new();
    if last > 0 {
        all.insert_run(replica, 1, last);
    }
    all.is_subset(set)
}
