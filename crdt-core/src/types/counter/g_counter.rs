//! The grow-only counter.

use super::totals::{Totals, is_totals};
use crate::{Edit, EditError, ReplicaId};

/// A counter that only grows.
///
/// Each replica keeps a running total of its own, and the value is their sum. Alone it is a plain lattice, merged with
/// the one trait; inside a [`Causal`](crate::Causal) it is a field with one live dot per replica.
///
/// | concurrent | result |
/// |---|---|
/// | increment 3 ∥ increment 4 | 7 more |
///
/// ```
/// use crdt_core::{GCounter, Merge, ReplicaId};
///
/// let [phone, laptop] = [1, 2].map(ReplicaId::from_u128);
/// let (mut a, mut b) = (GCounter::new(), GCounter::new());
/// let delta = a.increment(phone, 3)?;
/// b.increment(laptop, 4)?;
/// b.merge(&delta);
/// b.merge(delta);                                                    // twice is once
/// a.merge(b);
/// assert_eq!(a.value(), 7);
/// # Ok::<(), crdt_core::EditError>(())
/// ```
///
/// **Cost.** An increment: a search among the replicas. A merge: one pass over the other's rows. Kept: 32 bytes per
/// replica that ever counted. Sent: one row.
///
/// **Source.** Shapiro et al. 2011, section 3.1.1.
///
/// **Choose** [`PnCounter`](crate::PnCounter) to count down as well; [`Counter`](crate::Counter) under keys that can be
/// removed: a running total would bring back what the removal had seen.
#[derive(Clone, PartialEq, Default)]
pub struct GCounter {
    totals: Totals<u64>,
}

impl GCounter {
    /// Zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The sum of all replicas' totals.
    #[must_use]
    pub fn value(&self) -> u128 {
        self.totals.each().map(|(_, total)| u128::from(total)).sum()
    }

    /// What one replica has counted.
    #[must_use]
    pub fn of(&self, replica: ReplicaId) -> u64 {
        self.totals.of(replica)
    }

    /// Counts `amount` more for a replica where the counter stands alone, and returns what to send; 0 is no edit.
    ///
    /// # Errors
    /// [`EditError::Overflow`] if the replica's total would not fit; nothing changes.
    #[inline]
    pub fn increment(&mut self, replica: ReplicaId, amount: u64) -> Result<Self, EditError> {
        if amount == 0 {
            return Ok(Self::new());
        }
        let total = self.totals.alone_mut(replica);
        *total = total.checked_add(amount).ok_or(EditError::Overflow)?;
        Ok(Self { totals: Totals::single(replica, *total) })
    }
}

impl Eq for GCounter {}

impl Edit<'_, GCounter> {
    /// Counts `amount` more; 0 is no edit.
    ///
    /// # Errors
    /// [`EditError::Overflow`] if this replica's total would not fit; nothing changes.
    pub fn increment(&mut self, amount: u64) -> Result<(), EditError> {
        if amount == 0 {
            return Ok(());
        }
        let me = self.replica();
        let (total, observed) =
            self.view().map_or_else(Default::default, |counter| (counter.of(me), counter.totals.dots_of(me)));
        self.put(total.checked_add(amount).ok_or(EditError::Overflow)?);
        observed.iter().for_each(|dot| self.retire(*dot));
        Ok(())
    }
}

is_totals!(GCounter, u64);
