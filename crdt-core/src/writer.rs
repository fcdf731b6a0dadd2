//! The one who writes.

use crate::dot::COUNTER_MAX;
use crate::{Dot, DotSet, ReplicaId};

/// How far ahead a known dot of one's own id may lie to be believed.
const JUMP_MAX: u64 = 1 << 32;

/// One writer: an id, and the memory of how many dots were issued under it.
///
/// It is neither `Clone` nor serialised with any state: two memories that issue dots under one id would name two edits
/// alike, and one of the two would be lost. After losing its memory a writer takes a fresh id ([`new`](Self::new)); one
/// that stored its [`last`](Self::last) counter durably before showing a dot to anyone goes on with
/// [`resume`](Self::resume).
///
/// Use one writer per [`Causal`](crate::Causal). Sharing one between several is safe and leaves gaps in what each of
/// them has seen, at 16 bytes a gap.
///
/// ```compile_fail
/// # use crdt_core::{ReplicaId, Writer};
/// let me = Writer::new(ReplicaId::from_u128(1));
/// let forged = me.clone();                                       // no such method
/// ```
#[derive(Debug)]
pub struct Writer {
    id: ReplicaId,
    last: u64,
}

impl Writer {
    /// A writer that has issued nothing yet. The id must be fresh: drawn now, for this memory.
    #[must_use]
    pub const fn new(id: ReplicaId) -> Self {
        Self { id, last: 0 }
    }

    /// A writer that goes on after `last`, the highest counter that it may have issued.
    #[must_use]
    pub const fn resume(id: ReplicaId, last: u64) -> Self {
        Self { id, last }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> ReplicaId {
        self.id
    }

    /// The highest counter it issued; 0 before its first edit.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Dots of this writer's id that it did not issue: somebody else writes under its id (a clone, a restored backup, a
    /// forger). Take a fresh id when this is not empty; what the other wrote stays, as the edits of another replica.
    ///
    /// Ask after each merge: the next edit skips such dots, and from then on they count as issued.
    #[must_use]
    pub fn issued_elsewhere(&self, seen: &DotSet) -> DotSet {
        let mut mine = DotSet::new();
        if self.last > 0 {
            mine.insert_run(self.id, 1, self.last.min(COUNTER_MAX));
        }
        let mut under_my_id = DotSet::new();
        for (replica, first, last) in seen.runs().filter(|(replica, ..)| *replica == self.id) {
            under_my_id.insert_run(replica, first, last);
        }
        under_my_id.difference(&mine)
    }

    /// The next dot, past those of this id that `seen` holds, so that no dot which is known here is ever used again. A
    /// forged dot absurdly far ahead is not followed: it may not use up the counters.
    ///
    /// `None` after [`COUNTER_MAX`].
    #[inline]
    pub(crate) fn issue(&mut self, seen: &DotSet) -> Option<Dot> {
        let mut next = self.last.saturating_add(1);
        if let Some(runs) = seen.row(self.id) {
            for run in runs.as_slice().iter().rev().take_while(|run| run.last >= next) {
                if run.first <= next.saturating_add(JUMP_MAX) {
                    next = run.last.saturating_add(1);
                    break;
                }
            }
        }
        if next > COUNTER_MAX {
            return None;
        }
        self.last = next;
        Some(Dot::known(self.id, next))
    }
}

impl Writer {
    /// Takes back the dots after `last`, which nobody has seen.
    pub(crate) fn take_back(&mut self, last: u64) {
        self.last = last;
    }
}
