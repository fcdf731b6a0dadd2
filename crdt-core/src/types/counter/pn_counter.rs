//! The counter that goes both ways.

use alloc::vec::Vec;

use super::totals::{Total, Totals, is_totals};
use crate::codec::{DecodeError, Decoder, Encoder};
use crate::{Edit, EditError, ReplicaId};

/// A counter that goes up and down: each replica keeps two running totals of its own.
///
/// | concurrent | result |
/// |---|---|
/// | increment 3 ∥ decrement 4 | 1 less |
///
/// ```
/// use crdt_core::{Merge, PnCounter, ReplicaId};
///
/// let [phone, laptop] = [1, 2].map(ReplicaId::from_u128);
/// let (mut a, mut b) = (PnCounter::new(), PnCounter::new());
/// let up = a.increment(phone, 3)?;
/// let down = b.decrement(laptop, 4)?;
/// a.merge(down);
/// b.merge(up);
/// assert_eq!((a.value(), b.value()), (-1, -1));
/// # Ok::<(), crdt_core::EditError>(())
/// ```
///
/// **Cost.** Reading: O(replicas). Kept: 40 bytes per replica that ever counted. Sent: an edit is one row, its id and two
/// totals.
///
/// **Source.** Shapiro et al. 2011, section 3.1.3.
///
/// **Choose** [`BoundedCounter`](crate::BoundedCounter) where the value may never fall below a bound;
/// [`Counter`](crate::Counter) under keys that can be removed.
#[derive(Clone, PartialEq, Default)]
pub struct PnCounter {
    totals: Totals<UpDown>,
}

/// One replica's two totals.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[doc(hidden)]
pub struct UpDown {
    up: u64,
    down: u64,
}

impl UpDown {
    fn checked_add(self, up: u64, down: u64) -> Result<Self, EditError> {
        let up = self.up.checked_add(up).ok_or(EditError::Overflow)?;
        let down = self.down.checked_add(down).ok_or(EditError::Overflow)?;
        Ok(Self { up, down })
    }
}

impl Total for UpDown {
    fn join(&mut self, other: &Self) -> bool {
        self.up.join(&other.up) | self.down.join(&other.down)
    }

    fn write_column(totals: &[&Self], to: &mut Encoder<'_>) {
        to.unsigned(totals.len(), |at| totals[at].up);
        to.unsigned(totals.len(), |at| totals[at].down);
    }

    fn read_column(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let up = from.column::<u64>(count)?;
        let down = from.column::<u64>(count)?;
        Ok(up.into_iter().zip(down).map(|(up, down)| Self { up, down }).collect())
    }
}

impl PnCounter {
    /// Zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All increments less all decrements.
    #[must_use]
    pub fn value(&self) -> i128 {
        self.totals.each().map(|(_, total)| i128::from(total.up) - i128::from(total.down)).sum()
    }

    /// Counts up for a replica where the counter stands alone, and returns what to send; 0 is no edit.
    ///
    /// # Errors
    /// [`EditError::Overflow`] if the replica's total would not fit; nothing changes.
    #[inline]
    pub fn increment(&mut self, replica: ReplicaId, amount: u64) -> Result<Self, EditError> {
        self.add_alone(replica, amount, 0)
    }

    /// Counts down for a replica where the counter stands alone, and returns what to send; 0 is no edit.
    ///
    /// # Errors
    /// [`EditError::Overflow`] if the replica's total would not fit; nothing changes.
    #[inline]
    pub fn decrement(&mut self, replica: ReplicaId, amount: u64) -> Result<Self, EditError> {
        self.add_alone(replica, 0, amount)
    }

    #[inline]
    fn add_alone(&mut self, replica: ReplicaId, up: u64, down: u64) -> Result<Self, EditError> {
        if (up, down) == (0, 0) {
            return Ok(Self::new());
        }
        let total = self.totals.alone_mut(replica);
        *total = total.checked_add(up, down)?;
        Ok(Self { totals: Totals::single(replica, *total) })
    }
}

impl Eq for PnCounter {}

impl Edit<'_, PnCounter> {
    /// Counts up; 0 is no edit.
    ///
    /// # Errors
    /// [`EditError::Overflow`] if this replica's total would not fit; nothing changes.
    pub fn increment(&mut self, amount: u64) -> Result<(), EditError> {
        self.add(amount, 0)
    }

    /// Counts down; 0 is no edit.
    ///
    /// # Errors
    /// [`EditError::Overflow`] if this replica's total would not fit; nothing changes.
    pub fn decrement(&mut self, amount: u64) -> Result<(), EditError> {
        self.add(0, amount)
    }

    fn add(&mut self, up: u64, down: u64) -> Result<(), EditError> {
        if (up, down) == (0, 0) {
            return Ok(());
        }
        let me = self.replica();
        let (total, observed) =
            self.view().map_or_else(Default::default, |counter| (counter.totals.of(me), counter.totals.dots_of(me)));
        self.put(total.checked_add(up, down)?);
        observed.iter().for_each(|dot| self.retire(*dot));
        Ok(())
    }
}

is_totals!(PnCounter, UpDown);
