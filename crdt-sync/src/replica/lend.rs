//! Ids for pages that edit while they are open: lent by a home, given back, and lent again.

use crdt_core::{DotSet, DotStore, ReplicaId, Writer};

use super::Replica;
use crate::{Event, Message, Now, PeerId, RefuseReason, Role};

/// An id for each page load would swell every summary and token for ever. Lent ones grow with the pages that are open at
/// the same time, and with those that vanish.
///
/// An id is lent again only after it was given back and every dot made under it has arrived: never on a time-out, as a
/// late page and its successor would name two edits alike.
impl<S: DotStore> Replica<S> {
    /// Ids to lend, each drawn from the system's generator for this call.
    pub fn offer_ids(&mut self, fresh: impl IntoIterator<Item = ReplicaId>) {
        self.pool.extend(fresh);
        self.pool.truncate(self.config.limits.lent_ids_max);
    }

    /// Asks the home at this link for an id; [`Event::Lent`] brings it.
    pub fn borrow_id(&mut self, home: PeerId) {
        self.send(home, Message::Borrow);
    }

    /// Goes on under an id that was lent, from that counter on.
    pub fn adopt_lent(&mut self, replica: ReplicaId, next: u64, now: Now) {
        self.commit(now);
        self.writer = Writer::resume(replica, next.saturating_sub(1));
        self.disk.lease = (self.writer.last(), self.disk.last);
        self.disk.clean = false;
        self.frozen = false;
        self.pending.meta = true;
        self.commit(now);
        self.introduce_again();
    }

    /// Gives a lent id back, once all that was written under it is durable here, and writes nothing any more.
    pub fn give_back(&mut self, home: PeerId, now: Now) {
        self.commit(now);
        self.frozen = true;
        self.send(home, Message::Return { replica: self.writer.id(), last: self.writer.last() });
    }

    pub(super) fn lend(&mut self, to: PeerId, now: Now) {
        let is_tab = self.peers.get(&to).and_then(|peer| peer.open.as_ref()).is_some_and(|open| open.role == Role::Tab);
        let free = self.lent.iter().find(|(replica, last)| last.is_some_and(|last| self.has_all(**replica, last)));
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
        self.pending.meta = true;
        self.commit(now);
        // Whatever was said when it came back: no dot that is known here is made again.
        let last = last.max(self.state.seen().last(replica));
        self.send(to, Message::Lent { replica, next: last + 1 });
    }

    pub(super) fn take_back(&mut self, from: PeerId, replica: ReplicaId, last: u64, now: Now) {
        // Only who writes under it can say that it is done.
        let holder = self.peers.get(&from).and_then(|peer| peer.open.as_ref()).map(|open| open.replica);
        if holder == Some(replica)
            && let Some(lent) = self.lent.get_mut(&replica)
            && lent.is_none()
        {
            *lent = Some(last);
            self.pending.meta = true;
            self.commit(now);
        }
    }

    /// Whether every dot up to `last` of a replica is durable here.
    fn has_all(&self, replica: ReplicaId, last: u64) -> bool {
        let mut all = DotSet::new();
        if last > 0 {
            all.insert_run(replica, 1, last);
        }
        all.is_subset(&self.disk.received)
    }
}
