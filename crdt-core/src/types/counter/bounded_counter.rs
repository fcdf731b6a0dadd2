//! The counter that never falls below zero, without asking anyone.

use alloc::vec::Vec;

use super::totals::{Total, Totals, is_totals};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, Encoder};
use crate::{Edit, EditError, ReplicaId};

/// A number that never falls below zero although no replica asks another before it spends: stock, a balance, a quota.
///
/// The right to spend is held by replicas. Minting makes rights (and value), granting hands them on, spending uses them
/// up; a replica that has none left is refused at once, and told how many others have. For another bound, mint what is
/// above it.
///
/// | concurrent | result |
/// |---|---|
/// | spend 3 here ∥ spend 4 there | both succeed, if each had the rights |
/// | spend the last one here ∥ spend it there | only the one who holds the right succeeds |
/// | grant to b ∥ spend | as if one after the other: a right is used once |
///
/// ```
/// use crdt_core::{BoundedCounter, EditError, Merge, ReplicaId};
///
/// let [shop, van] = [1, 2].map(ReplicaId::from_u128);
/// let mut stock = BoundedCounter::new();
/// stock.mint(shop, 10)?;
/// stock.grant(shop, van, 4)?;
///
/// let mut on_the_road = stock.clone();                               // no connection from here on
/// on_the_road.spend(van, 3)?;
/// stock.spend(shop, 6)?;
/// assert_eq!(stock.spend(shop, 1), Err(EditError::InsufficientRights { here: 0, elsewhere: 4 }));
/// stock.merge(&on_the_road);
/// assert_eq!(stock.value(), 1);                                      // never below zero
/// assert_eq!(stock.available(van), 1);
/// # Ok::<(), EditError>(())
/// ```
///
/// **Cost.** As [`GCounter`](crate::GCounter), and 24 bytes per pair of replicas that ever granted. An edit or a read
/// of rights looks at all rows.
///
/// **Source.** Balegas et al., *Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants*, 2015.
/// The rights of a replica that is lost are stranded: getting them back takes an agreement, which is not this crate's.
///
/// **Choose** [`PnCounter`](crate::PnCounter) where no bound matters.
#[derive(Clone, PartialEq, Default)]
pub struct BoundedCounter {
    totals: Totals<Rights>,
}

/// One replica's row: what it minted, spent and granted, each only growing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[doc(hidden)]
pub struct Rights {
    minted: u64,
    spent: u64,
    /// By the receiving replica, ascending; never 0.
    granted: Vec<(ReplicaId, u64)>,
}

impl Rights {
    fn granted_to(&self, replica: ReplicaId) -> u64 {
        let at = self.granted.binary_search_by_key(&replica, |(to, _)| *to);
        at.map_or(0, |at| self.granted[at].1)
    }

    fn set_granted(&mut self, replica: ReplicaId, amount: u64) {
        match self.granted.binary_search_by_key(&replica, |(to, _)| *to) {
            Ok(at) => self.granted[at].1 = amount,
            Err(at) => self.granted.insert(at, (replica, amount)),
        }
    }
}

impl Total for Rights {
    fn join(&mut self, other: &Self) -> bool {
        let mut grew = self.minted.join(&other.minted) | self.spent.join(&other.spent);
        for (to, amount) in &other.granted {
            if *amount > self.granted_to(*to) {
                self.set_granted(*to, *amount);
                grew = true;
            }
        }
        grew
    }

    fn weigh(&self) -> usize {
        // An id in full, and a number.
        28 * self.granted.len()
    }

    fn write_column(totals: &[&Self], to: &mut Encoder<'_>) {
        to.unsigned(totals.len(), |at| totals[at].minted);
        to.unsigned(totals.len(), |at| totals[at].spent);
        for rights in totals {
            to.varint(rights.granted.len() as u64);
            for (replica, amount) in &rights.granted {
                // In full: a receiver need not have made an edit, so it may be in no table of ids.
                to.raw(&replica.to_bytes());
                to.varint(*amount);
            }
        }
    }

    fn read_column(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let minted = from.column::<u64>(count)?;
        let spent = from.column::<u64>(count)?;
        let mut rows = Vec::new();
        for (minted, spent) in minted.into_iter().zip(spent) {
            let mut rights = Self { minted, spent, granted: Vec::new() };
            for _ in 0..from.count(17)? {
                let replica = from.raw(16)?.try_into().expect("16 bytes");
                let amount = from.varint()?;
                rights.granted.push((ReplicaId::from_bytes(replica), amount));
            }
            if !rights.granted.is_sorted_by(|left, right| left.0 < right.0)
                || rights.granted.iter().any(|(_, amount)| *amount == 0)
            {
                return Err(from.error(DecodeErrorKind::NotCanonical));
            }
            rows.push(rights);
        }
        Ok(rows)
    }
}

impl BoundedCounter {
    /// Zero, with no rights anywhere.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All that was minted less all that was spent. Below zero only if somebody forged a row.
    #[must_use]
    pub fn value(&self) -> i128 {
        self.totals.each().map(|(_, rights)| i128::from(rights.minted) - i128::from(rights.spent)).sum()
    }

    /// What a replica may spend.
    #[must_use]
    pub fn available(&self, replica: ReplicaId) -> u64 {
        let mut rights = 0i128;
        for (owner, row) in self.totals.each() {
            rights += i128::from(row.granted_to(replica));
            if owner == replica {
                let granted: i128 = row.granted.iter().map(|(_, amount)| i128::from(*amount)).sum();
                rights += i128::from(row.minted) - i128::from(row.spent) - granted;
            }
        }
        u64::try_from(rights.max(0)).unwrap_or(u64::MAX)
    }

    /// The row of a replica after minting.
    fn minted(&self, me: ReplicaId, amount: u64) -> Result<Rights, EditError> {
        let mut row = self.totals.of(me);
        row.minted = row.minted.checked_add(amount).ok_or(EditError::Overflow)?;
        Ok(row)
    }

    /// The row of a replica after spending.
    fn spent(&self, me: ReplicaId, amount: u64) -> Result<Rights, EditError> {
        self.demand(me, amount)?;
        let mut row = self.totals.of(me);
        row.spent = row.spent.checked_add(amount).ok_or(EditError::Overflow)?;
        Ok(row)
    }

    /// The row of a replica after granting.
    fn granted(&self, me: ReplicaId, to: ReplicaId, amount: u64) -> Result<Rights, EditError> {
        self.demand(me, amount)?;
        let mut row = self.totals.of(me);
        // To oneself: nothing moves.
        if to != me && amount > 0 {
            let granted = row.granted_to(to).checked_add(amount).ok_or(EditError::Overflow)?;
            row.set_granted(to, granted);
        }
        Ok(row)
    }

    fn demand(&self, me: ReplicaId, amount: u64) -> Result<(), EditError> {
        let here = self.available(me);
        if amount <= here {
            return Ok(());
        }
        let all = u64::try_from(self.value().max(0)).unwrap_or(u64::MAX);
        Err(EditError::InsufficientRights { here, elsewhere: all.saturating_sub(here) })
    }

    fn set_alone(&mut self, me: ReplicaId, row: Rights) -> Self {
        if row == self.totals.of(me) {
            return Self::new();
        }
        self.totals.alone_mut(me).clone_from(&row);
        Self { totals: Totals::single(me, row) }
    }

    /// Makes `amount` rights for a replica where the counter stands alone, and returns what to send.
    ///
    /// # Errors
    /// [`EditError::Overflow`]; nothing changes.
    pub fn mint(&mut self, replica: ReplicaId, amount: u64) -> Result<Self, EditError> {
        let row = self.minted(replica, amount)?;
        Ok(self.set_alone(replica, row))
    }

    /// Hands rights of a replica to another where the counter stands alone, and returns what to send.
    ///
    /// # Errors
    /// [`EditError::InsufficientRights`] or [`EditError::Overflow`]; nothing changes.
    pub fn grant(&mut self, replica: ReplicaId, to: ReplicaId, amount: u64) -> Result<Self, EditError> {
        let row = self.granted(replica, to, amount)?;
        Ok(self.set_alone(replica, row))
    }

    /// Uses up rights of a replica where the counter stands alone, and returns what to send.
    ///
    /// # Errors
    /// [`EditError::InsufficientRights`] or [`EditError::Overflow`]; nothing changes.
    pub fn spend(&mut self, replica: ReplicaId, amount: u64) -> Result<Self, EditError> {
        let row = self.spent(replica, amount)?;
        Ok(self.set_alone(replica, row))
    }
}

impl Eq for BoundedCounter {}

impl Edit<'_, BoundedCounter> {
    /// Makes rights for this replica.
    ///
    /// # Errors
    /// [`EditError::Overflow`]; nothing changes.
    pub fn mint(&mut self, amount: u64) -> Result<(), EditError> {
        self.write(|counter, me| counter.minted(me, amount))
    }

    /// Hands rights of this replica to another.
    ///
    /// # Errors
    /// [`EditError::InsufficientRights`] or [`EditError::Overflow`]; nothing changes.
    pub fn grant(&mut self, to: ReplicaId, amount: u64) -> Result<(), EditError> {
        self.write(|counter, me| counter.granted(me, to, amount))
    }

    /// Uses up rights of this replica.
    ///
    /// # Errors
    /// [`EditError::InsufficientRights`] or [`EditError::Overflow`]; nothing changes.
    pub fn spend(&mut self, amount: u64) -> Result<(), EditError> {
        self.write(|counter, me| counter.spent(me, amount))
    }

    fn write(
        &mut self,
        row: impl FnOnce(&BoundedCounter, ReplicaId) -> Result<Rights, EditError>,
    ) -> Result<(), EditError> {
        let me = self.replica();
        let (row, before, observed) = match self.view() {
            Some(counter) => (row(counter, me)?, counter.totals.of(me), counter.totals.dots_of(me)),
            None => (row(&BoundedCounter::new(), me)?, Rights::default(), Default::default()),
        };
        if row != before {
            self.put(row);
            observed.iter().for_each(|dot| self.retire(*dot));
        }
        Ok(())
    }
}

is_totals!(BoundedCounter, Rights);
