//! The counter that stays exact when it is removed.

use core::fmt;

use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::change::{Observed, Path};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, ENTRIES_PER_BYTE, Encoder, Kind};
use crate::{Dot, DotStore, Edit, EditError, Removable, ReplicaId};

/// A counter that stays exact under keys that are removed: each increment keeps its own dot, so a removal takes exactly
/// the increments it has seen.
///
/// | concurrent | result |
/// |---|---|
/// | add 3 ∥ add 4 | 7 more |
/// | add 2 ∥ remove the key it is under | 2, whatever was counted before |
///
/// See [`OrMap`](crate::OrMap) for the example in which this matters: a running total would give 7 there.
///
/// ```
/// use crdt_core::{Causal, Counter, Merge, ReplicaId, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<Counter>::new(), Causal::<Counter>::new());
/// let (up, ()) = a.edit(&mut alice, |n| n.add(5));
/// let (down, ()) = b.edit(&mut bob, |n| n.sub(2));
/// a.merge(down);
/// b.merge(up);
/// assert_eq!((a.value(), b.value()), (3, 3));
/// ```
///
/// **Cost.** Reading: O(1). Kept: increments of the same amount whose dots follow each other are one entry of 24 bytes,
/// however many they are, and an increment that stands alone is one, too; beside it a bit per increment. Encoded: a run
/// of equal increments takes a byte per 16, interleaved ones one or two bytes each.
///
/// **Source.** The counter of Baquero, Almeida, Lerche, *The problem with embedded CRDT counters*, 2016, with a dot for
/// each increment rather than a total per replica.
///
/// **Choose** [`PnCounter`](crate::PnCounter) outside of maps, if there are very many increments.
#[derive(Clone, Default)]
pub struct Counter {
    value: i128,
    /// By replica; each replica's runs ascend.
    rows: SmallVec<[(ReplicaId, SmallVec<[Run; 1]>); 1]>,
}

/// Dots `first..=last`, each of which adds `amount`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    first: u64,
    last: u64,
    amount: i64,
}

impl Counter {
    /// The sum of all increments.
    #[must_use]
    pub fn value(&self) -> i128 {
        self.value
    }

    /// Dots and amounts, ascending.
    fn dots(&self) -> impl Iterator<Item = (Dot, i64)> + '_ {
        self.rows.iter().flat_map(|(replica, runs)| {
            runs.iter()
                .flat_map(|run| (run.first..=run.last).map(|counter| (Dot::known(*replica, counter), run.amount)))
        })
    }

    fn row(&self, replica: ReplicaId) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&replica, |(replica, _)| *replica)
    }
}

impl Edit<'_, Counter> {
    /// Counts up, or down if `amount` is negative; 0 is no edit.
    pub fn add(&mut self, amount: i64) {
        if amount != 0 {
            self.put(amount);
        }
    }

    /// Counts down. The smallest `i64` takes two steps, as its opposite does not exist.
    pub fn sub(&mut self, amount: i64) {
        match amount.checked_neg() {
            Some(amount) => self.add(amount),
            None => {
                self.add(i64::MAX);
                self.add(1);
            }
        }
    }

    /// Counts down, if the counter is not below zero then as far as is known here: one that is already refuses even 0.
    /// Concurrent calls may still take it below; see [`BoundedCounter`](crate::BoundedCounter) for a bound that holds.
    ///
    /// # Errors
    /// [`EditError::BelowZero`], or [`EditError::Overflow`] for an amount above `i64::MAX`; nothing changes.
    pub fn checked_sub(&mut self, amount: u64) -> Result<(), EditError> {
        let value = self.value();
        let amount = i64::try_from(amount).map_err(|_| EditError::Overflow)?;
        if i128::from(amount) > value {
            return Err(EditError::BelowZero { value });
        }
        self.sub(amount);
        Ok(())
    }

    /// Takes back all increments that are seen here; says how many there were.
    pub fn clear(&mut self) -> usize {
        self.retire_all()
    }

    /// The value as it is now.
    #[must_use]
    pub fn value(&self) -> i128 {
        self.view().map_or(0, Counter::value)
    }
}

impl DotStore for Counter {
    type Entry = i64;
    type Place = ();
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::Counter;

    fn with_seed(_: u64) -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.rows.is_empty()
    }

    fn graft(&mut self, dot: Dot, amount: i64) {
        self.value += i128::from(amount);
        let counter = dot.counter();
        let row = self.row(dot.replica()).unwrap_or_else(|at| {
            self.rows.insert(at, (dot.replica(), SmallVec::new()));
            at
        });
        let runs = &mut self.rows[row].1;
        let at = runs.partition_point(|run| run.last < counter);
        let joins_left = at > 0 && runs[at - 1].last + 1 == counter && runs[at - 1].amount == amount;
        let joins_right = runs.get(at).is_some_and(|run| run.first == counter + 1 && run.amount == amount);
        match (joins_left, joins_right) {
            (true, true) => {
                runs[at - 1].last = runs[at].last;
                runs.remove(at);
            }
            (true, false) => runs[at - 1].last = counter,
            (false, true) => runs[at].first = counter,
            (false, false) => runs.insert(at, Run { first: counter, last: counter, amount }),
        }
    }

    fn prune(&mut self, dot: Dot, (): &()) {
        let counter = dot.counter();
        let Ok(row) = self.row(dot.replica()) else { return };
        let runs = &mut self.rows[row].1;
        let at = runs.partition_point(|run| run.last < counter);
        let Some(run) = runs.get_mut(at) else { return };
        self.value -= i128::from(run.amount);
        let Run { first, last, amount } = *run;
        match (first == counter, last == counter) {
            (true, true) => {
                runs.remove(at);
                if runs.is_empty() {
                    self.rows.remove(row);
                }
            }
            (true, false) => run.first += 1,
            (false, true) => run.last -= 1,
            (false, false) => {
                run.last = counter - 1;
                runs.insert(at + 1, Run { first: counter + 1, last, amount });
            }
        }
    }

    fn entry(&self, dot: Dot, (): &()) -> i64 {
        let row = self.row(dot.replica()).map_or(&[][..], |row| self.rows[row].1.as_slice());
        let at = row.partition_point(|run| run.last < dot.counter());
        row.get(at).map_or(0, |run| run.amount)
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, ())) {
        self.dots().for_each(|(dot, _)| visit(dot, ()));
    }

    fn observe(&self, _: &i64, _: &mut Path) -> Observed {
        if self.is_bottom() { Observed::Absent } else { Observed::Number(self.value) }
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let dots: Vec<Vec<Dot>> = stores.iter().map(|store| store.dots().map(|(dot, _)| dot).collect()).collect();
        to.dots(dots.iter().map(Vec::as_slice), ENTRIES_PER_BYTE);
        let amounts: Vec<i64> = stores.iter().flat_map(|store| store.dots().map(|(_, amount)| amount)).collect();
        // Equal amounts beside each other are written once, with their number.
        for alike in amounts.chunk_by(|left, right| left == right) {
            to.zigzag(alike[0]);
            to.varint(alike.len() as u64 - 1);
        }
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let dots = from.dots(count, ENTRIES_PER_BYTE, 0)?;
        let mut stores = Vec::new();
        let (mut amount, mut left) = (0, 0u64);
        for dots in dots {
            let mut store = Self::default();
            for dot in dots {
                if left == 0 {
                    amount = from.zigzag()?;
                    left = from.varint()?.checked_add(1).ok_or_else(|| from.error(DecodeErrorKind::TooLarge))?;
                }
                left -= 1;
                store.graft(dot, amount);
            }
            stores.push(store);
        }
        if left > 0 {
            return Err(from.error(DecodeErrorKind::NotCanonical));
        }
        Ok(stores)
    }

    fn heap_bytes(&self) -> usize {
        let rows =
            if self.rows.spilled() { self.rows.capacity() * size_of::<(ReplicaId, SmallVec<[Run; 1]>)>() } else { 0 };
        let runs = |runs: &SmallVec<[Run; 1]>| if runs.spilled() { runs.capacity() * size_of::<Run>() } else { 0 };
        rows + self.rows.iter().map(|(_, row)| runs(row)).sum::<usize>()
    }
}

impl Removable for Counter {}

/// Equal counters have equal values.
impl PartialEq for Counter {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Counter {}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(counter: u64) -> Dot {
        Dot::known(ReplicaId::from_u128(1), counter)
    }

    #[test]
    fn equal_increments_in_a_row_are_one_entry() {
        let mut counter = Counter::default();
        for n in [1, 2, 3, 5, 4, 9] {
            counter.graft(dot(n), 7);
        }
        assert_eq!(counter.rows[0].1.len(), 2);
        assert_eq!(counter.value(), 42);
        counter.prune(dot(3), &());
        assert_eq!(counter.rows[0].1.len(), 3);
        assert_eq!(counter.value(), 35);
        for n in [1, 2, 4, 5, 9] {
            counter.prune(dot(n), &());
        }
        assert!(counter.is_bottom());
        assert_eq!(counter.value(), 0);
    }
}
