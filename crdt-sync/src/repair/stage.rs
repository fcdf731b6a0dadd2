//! Entries of cut repairs, which need not travel again.

use crdt_core::{Delta, Dot, DotSet, DotStore, Merge};

use super::{RepairAction, View};
use crate::Steady;

/// Entries that came in repairs which did not end, from whichever peer: what a dot names never changes, so an entry is
/// as good from one as from another. They are no part of the state, and nothing is concluded from their absence.
#[derive(Clone, Debug)]
pub(super) struct Staged<S: DotStore> {
    entries: Delta<S>,
    bytes: usize,
    until: Option<Steady>,
}

impl<S: DotStore> Staged<S> {
    pub(super) fn new() -> Self {
        Self { entries: Delta::new(), bytes: 0, until: None }
    }

    /// Takes in what a store kept; rows that are none are left out.
    pub(super) fn restore(&mut self, rows: &[(Dot, Vec<u8>)], until: Steady) {
        for (dot, bytes) in rows {
            let Ok(entry) = Delta::<S>::decode(bytes) else { continue };
            if entry.retired().is_empty() && entry.entries().len() == 1 && entry.own().contains(*dot) {
                self.entries.merge(entry);
                self.bytes += bytes.len();
                self.until = Some(until);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Steady> {
        self.until
    }

    #[cfg(feature = "sim")]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn dots(&self) -> &DotSet {
        self.entries.own()
    }

    /// The entries under these dots.
    pub(super) fn take(&self, dots: &DotSet) -> Delta<S> {
        self.entries.restrict(dots)
    }

    /// Keeps the entries of a repair that was cut, and has the store keep them. False if there is no room for them.
    pub(super) fn keep(
        &mut self,
        entries: Delta<S>,
        bytes: usize,
        view: &View<'_, S>,
        out: &mut Vec<RepairAction<S>>,
    ) -> bool {
        // Also what is in the state: a whole state in several parts needs it again.
        let fresh = entries.restrict(&entries.own().difference(self.dots()));
        if fresh.entries().len() == 0 {
            return true;
        }
        if self.bytes + bytes > view.config.limits.staged_bytes_max {
            return false;
        }
        let mut rows = Vec::with_capacity(fresh.entries().len());
        put_singles(fresh.clone(), &mut rows);
        out.push(RepairAction::Stage(rows));
        self.bytes += bytes;
        self.until = Some(view.now.steady + view.config.timing.staged_for);
        self.entries.merge(fresh);
        true
    }

    /// Drops what is in the state by now.
    pub(super) fn drop_seen(&mut self, seen: &DotSet, out: &mut Vec<RepairAction<S>>) {
        if self.dots().is_empty() || self.dots().intersection(seen).is_empty() {
            return;
        }
        self.entries = self.entries.restrict(&self.dots().difference(seen));
        if self.dots().is_empty() {
            self.clear(out);
        }
    }

    /// Drops all if it has waited for too long.
    pub(super) fn expire(&mut self, now: Steady, out: &mut Vec<RepairAction<S>>) {
        if self.until.is_some_and(|until| until <= now) {
            self.clear(out);
        }
    }

    fn clear(&mut self, out: &mut Vec<RepairAction<S>>) {
        *self = Self::new();
        out.push(RepairAction::ClearStage);
    }
}

/// One row per entry. In halves, so that many entries do not cost their square.
fn put_singles<S: DotStore>(mut entries: Delta<S>, rows: &mut Vec<(Dot, Vec<u8>)>) {
    let count = entries.entries().len();
    match count {
        0 => {}
        1 => rows.extend(entries.own().iter().next().map(|dot| (dot, entries.encode()))),
        _ => {
            let later = entries.split_off(count / 2);
            put_singles(entries, rows);
            put_singles(later, rows);
        }
    }
}
