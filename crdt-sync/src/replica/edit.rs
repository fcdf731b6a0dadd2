//! Edits: into the state, the open record and the next batch at once.

use core::convert::Infallible;

use crdt_core::codec::VALUE_BYTES_MAX;
use crdt_core::{Delta, Dot, DotStore, ReplicaId, Timestamp};

use super::{OpenRecord, Replica};
use crate::{Durability, EditError, Event, Now, Own, Ticket};

/// Counters that one lease allows to be used.
const LEASE: u64 = 10_000;

impl<S: DotStore> Replica<S> {
    /// Edits the data. The answer comes with the ticket of the batch that will hold the edit: show nothing of it to
    /// anybody else before [`Event::Durable`] names that ticket or a later one.
    ///
    /// Edits in quick succession travel as one record, closed after a few milliseconds.
    ///
    /// # Errors
    /// If the disk is too slow, the identity is in doubt, or the store has failed; then the closure was not called. If an
    /// entry is too large to reach others. Either way nothing has changed, and nothing has if the closure panics.
    pub fn edit<R>(&mut self, now: Now, f: impl FnOnce(&mut S::Cursor<'_>) -> R) -> Result<(R, Ticket), EditError> {
        self.check_editable()?;
        let bytes_max = self.entry_bytes_max();
        let fits = |delta: &Delta<S>| {
            if fits(delta, bytes_max) { Ok(()) } else { Err(Refusal::Limit(EditError::TooLarge)) }
        };
        match self.state.try_edit_if(&mut self.writer, |cursor| Ok::<_, Refusal<Infallible>>(f(cursor)), fits) {
            Ok((delta, answer)) => Ok((answer, self.take_in(delta, now))),
            Err(Refusal::Limit(error)) => Err(error),
            Err(Refusal::Closure(never)) => match never {},
        }
    }

    /// Edits the data with a closure that may fail; then the state is as before.
    ///
    /// # Errors
    /// As [`edit`](Self::edit), and inside of that whatever the closure returns.
    pub fn try_edit<R, E>(
        &mut self,
        now: Now,
        f: impl FnOnce(&mut S::Cursor<'_>) -> Result<R, E>,
    ) -> Result<Result<(R, Ticket), E>, EditError> {
        self.check_editable()?;
        let bytes_max = self.entry_bytes_max();
        let fits = |delta: &Delta<S>| {
            if fits(delta, bytes_max) { Ok(()) } else { Err(Refusal::Limit(EditError::TooLarge)) }
        };
        match self.state.try_edit_if(&mut self.writer, |cursor| f(cursor).map_err(Refusal::Closure), fits) {
            Ok((delta, answer)) => Ok(Ok((answer, self.take_in(delta, now)))),
            Err(Refusal::Closure(error)) => Ok(Err(error)),
            Err(Refusal::Limit(error)) => Err(error),
        }
    }

    /// The most that one entry may take, with its keys: it has to fit a frame, and a row that is read again.
    fn entry_bytes_max(&self) -> usize {
        let frame = self.config.limits.frame_bytes_max;
        VALUE_BYTES_MAX.min(frame - (frame / 4).min(4_096))
    }

    /// Says that a replica will make no more dots above the last one that was received of it: one that ended cleanly,
    /// or that an operator knows to be gone. It takes effect once every active replica has all of its dots, and shortens
    /// nothing but summaries; should the id write again, its dots count. A replica that retires itself edits no more.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn retire(&mut self, replica: ReplicaId, now: Now) -> Result<Ticket, EditError> {
        self.check_editable()?;
        let ticket = self.write_retirement(replica, now);
        self.frozen |= replica == self.writer.id();
        Ok(ticket)
    }

    /// A timestamp for what is ordered by time, as a write to a last-writer register: above all that this replica has
    /// issued or followed, whatever its wall clock does.
    pub fn stamp(&mut self, now: Now) -> Timestamp {
        self.clock.tick(now.wall.0)
    }

    /// The ticket of the batch that holds all edits so far, or will hold them.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub fn ticket(&self) -> Result<Ticket, EditError> {
        self.check_editable()?;
        Ok(self.ticket_so_far())
    }

    fn ticket_so_far(&self) -> Ticket {
        if self.has_pending() { self.next_ticket() } else { self.disk.last }
    }

    /// Closes the open record at once.
    pub fn flush(&mut self, now: Now) {
        self.commit(now);
    }

    /// Goes on under a fresh id after [`Event::IdentityLost`]. It must be drawn from the system's generator for this
    /// call. The old id's dots are from now on those of any other replica.
    pub fn adopt_id(&mut self, fresh: ReplicaId, now: Now) {
        // What is open was written under the old id, and stays so.
        self.commit(now);
        self.roster.forget(fresh);
        self.doubt_lent();
        self.writer = crdt_core::Writer::new(fresh);
        self.disk.lease = (0, self.disk.last);
        self.disk.clean = false;
        self.frozen = false;
        self.pending.meta = true;
        self.commit(now);
        self.introduce_again();
    }

    fn check_editable(&self) -> Result<(), EditError> {
        if self.disk.failed {
            return Err(EditError::Failed);
        }
        if self.frozen || !self.has_own_past() {
            return Err(EditError::Frozen);
        }
        if self.held_bytes > self.config.limits.held_bytes_max {
            return Err(EditError::Busy);
        }
        Ok(())
    }

    /// Takes an edit that the state has already into the open record and the next batch.
    fn take_in(&mut self, delta: Delta<S>, now: Now) -> Ticket {
        let Some(own) = own_of(&delta) else {
            // An edit that changes nothing is as durable as all before it.
            return self.ticket_so_far();
        };
        if let Some(ticket) = self.take_in_alone(own) {
            return ticket;
        }
        for (dot, _) in delta.entries() {
            self.note_added(dot);
        }
        for dot in delta.retired().iter() {
            self.note_removed(dot);
        }
        #[cfg(any(test, feature = "sim"))]
        if faulty!(self.config, RemovalUndotted) && delta.entries().len() == 0 {
            self.take_back_dots(&delta);
            return self.next_ticket();
        }
        self.note_received(own);
        self.pending.batch.seen.union_with(delta.retired());
        let untold = faulty!(self.config, RemovalUntold) && delta.entries().len() == 0;
        let told = if untold { Delta::retiring(delta.own().clone(), crdt_core::DotSet::new()) } else { delta };
        self.extend_open_record(own, told, now);
        if self.extend_lease(own.last) {
            let ticket = self.next_ticket();
            self.commit(now);
            return ticket;
        }
        let ticket = self.next_ticket();
        let limits = &self.config.limits;
        let full = self.open.as_mut().is_some_and(|open| {
            let dots = open.own.last - open.own.first + 1;
            // What was overwritten since is not in it, and a name that many entries share is in it once.
            let heavy = open.len >= limits.flush_bytes && {
                open.len = open.delta.encode().len();
                2 * open.len >= limits.flush_bytes
            };
            heavy || dots >= limits.record_dots_max
        });
        if full {
            self.commit(now);
        }
        ticket
    }

    /// As if the edit had taken no dots: the state has what it did, and nobody is told.
    #[cfg(any(test, feature = "sim"))]
    fn take_back_dots(&mut self, delta: &Delta<S>) {
        use crdt_core::{Causal, DotSet, Merge, Writer};
        let (live, id) = (self.state.live(), self.writer.id());
        let retired = self.state.seen().difference(&live).difference(delta.own());
        let mut state = Causal::<S>::new();
        state.merge(self.state.delta_since(&DotSet::new()).restrict(&live));
        state.merge(Delta::retiring(retired, DotSet::new()));
        self.state = state;
        self.writer = Writer::resume(id, self.writer.last() - delta.own().len());
    }

    /// In lease mode, has the next batch say that counters beyond this one are used; false where it was said before.
    pub(super) fn extend_lease(&mut self, last: u64) -> bool {
        let beyond = self.config.durability == Durability::Lease && last > self.disk.lease.0;
        if beyond {
            self.disk.lease = (last + LEASE, self.next_ticket());
            self.pending.meta = true;
        }
        beyond
    }

    fn extend_open_record(&mut self, own: Own, delta: Delta<S>, now: Now) {
        let len = HEAD_BYTES + delta.weigh().0 + HEAD_BYTES * delta.retired().run_count();
        // A dot that was skipped (somebody else's, under this id) ends the run that a record is. So does what would make
        // it too long to be pushed.
        let bytes_max = self.config.limits.record_bytes_max;
        if self.open.as_ref().is_some_and(|open| open.own.last + 1 != own.first || open.len + len > bytes_max) {
            self.close_record(now);
        }
        match &mut self.open {
            Some(open) => {
                open.own.last = own.last;
                crdt_core::Merge::merge(&mut open.delta, delta);
                open.len += len;
            }
            None => {
                self.open = Some(OpenRecord {
                    own,
                    delta,
                    len,
                    opened: now.steady,
                    #[cfg(any(test, feature = "sim"))]
                    frontier: self.frontier.clone(),
                });
            }
        }
    }

    /// Somebody else writes under this id, or memory of it was lost.
    pub(super) fn identity_lost(&mut self, dot: Option<Dot>, now: Now) {
        if self.frozen || now.steady < self.due.fresh_id {
            return;
        }
        self.frozen = true;
        // Forged dots must not burn ids without end.
        self.due.fresh_id = now.steady + core::time::Duration::from_secs(60);
        self.events.push_back(Event::IdentityLost { dot });
    }
}

/// Why an edit was undone.
enum Refusal<E> {
    Limit(EditError),
    Closure(E),
}

impl<E> From<crdt_core::EditError> for Refusal<E> {
    fn from(error: crdt_core::EditError) -> Self {
        Self::Limit(match error {
            // The remedy is the same: a fresh id.
            crdt_core::EditError::Exhausted => EditError::Frozen,
            _ => EditError::TooLarge,
        })
    }
}

/// About what a delta takes beside its entries.
const HEAD_BYTES: usize = 8;

/// Whether each entry takes at most that many bytes. Mostly that is certain from afar.
fn fits<S: DotStore>(delta: &Delta<S>, bytes_max: usize) -> bool {
    let (_, heaviest) = delta.weigh();
    heaviest.saturating_mul(2) <= bytes_max || fits_exactly(delta.clone(), bytes_max)
}

fn fits_exactly<S: DotStore>(mut delta: Delta<S>, bytes_max: usize) -> bool {
    if delta.encode().len() <= bytes_max {
        return true;
    }
    let count = delta.entries().len();
    if count <= 1 {
        // What a delta says beside its entries is sets of dots, which are bounded otherwise.
        return count == 0 || delta.restrict(delta.own()).encode().len() <= bytes_max;
    }
    let later = delta.split_off(count / 2);
    fits_exactly(delta, bytes_max) && fits_exactly(later, bytes_max)
}

/// The run of dots that a local edit made; none if it changed nothing.
fn own_of<S: DotStore>(delta: &Delta<S>) -> Option<Own> {
    debug_assert!(delta.own().run_count() <= 1, "one edit takes its dots in one run");
    let (replica, first, last) = delta.own().only_run()?;
    Some(Own { replica, first, last })
}
