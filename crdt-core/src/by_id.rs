//! Rows found by replica id.

use alloc::boxed::Box;

use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::ReplicaId;
use crate::sort::Sort as _;

/// Up to this many rows a scan beats a hash table.
const SCANNED_ROWS_MAX: usize = 8;

/// One row per replica. One row needs no allocation; a few are scanned; many are found by a keyed hash, since ids
/// come from outside and may be chosen to collide.
///
/// The rows stand in the order of their arrival, so everything that leaves this crate goes through [`sorted`](Self::sorted).
#[derive(Clone)]
pub(crate) struct ById<R> {
    rows: SmallVec<[(ReplicaId, R); 1]>,
    index: Option<Box<HashTable<u32>>>,
    seed: u64,
}

/// Both words are mixed with the seed before they are multiplied. A hash that keys only one of them, as foldhash does,
/// lets an attacker choose the other one so that the product is 0 whatever the seed.
fn hash(id: ReplicaId, seed: u64) -> u64 {
    let (high, low) = id.words();
    let high = high ^ seed ^ 0x9e37_79b9_7f4a_7c15;
    let low = low ^ seed.wrapping_mul(0xd1b5_4a32_d192_ed03).rotate_left(29) ^ 0x2545_f491_4f6c_dd1d;
    let product = u128::from(high) * u128::from(low);
    (product as u64) ^ (product >> 64) as u64
}

impl<R> Default for ById<R> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<R> ById<R> {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { rows: SmallVec::new(), index: None, seed }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    fn position(&self, id: ReplicaId) -> Option<usize> {
        match &self.index {
            None => self.rows.iter().position(|(row, _)| *row == id),
            Some(index) => index.find(hash(id, self.seed), |&at| self.rows[at as usize].0 == id).map(|&at| at as usize),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: ReplicaId) -> Option<&R> {
        self.position(id).map(|at| &self.rows[at].1)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ReplicaId) -> Option<&mut R> {
        self.position(id).map(|at| &mut self.rows[at].1)
    }

    #[inline]
    pub(crate) fn entry(&mut self, id: ReplicaId) -> &mut R
    where
        R: Default,
    {
        let at = match self.position(id) {
            Some(at) => at,
            None => self.push(id, R::default()),
        };
        &mut self.rows[at].1
    }

    fn push(&mut self, id: ReplicaId, row: R) -> usize {
        let at = self.rows.len();
        self.rows.push((id, row));
        if at >= SCANNED_ROWS_MAX {
            let (rows, seed) = (&self.rows, self.seed);
            let hash_at = |&at: &u32| hash(rows[at as usize].0, seed);
            match &mut self.index {
                Some(index) => {
                    index.insert_unique(hash(id, seed), at as u32, hash_at);
                }
                None => {
                    let mut index = HashTable::with_capacity(2 * SCANNED_ROWS_MAX);
                    for at in 0..rows.len() as u32 {
                        index.insert_unique(hash_at(&at), at, hash_at);
                    }
                    self.index = Some(Box::new(index));
                }
            }
        }
        at
    }

    /// All rows, in the order of arrival: only where order cannot be seen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ReplicaId, &R)> + Clone {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// All rows, by id.
    pub(crate) fn sorted(&self) -> SmallVec<[(ReplicaId, &R); 1]> {
        let mut rows: SmallVec<_> = self.iter().collect();
        rows.order_by_key(|(id, _)| *id);
        rows
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let rows = if self.rows.spilled() { self.rows.capacity() * size_of::<(ReplicaId, R)>() } else { 0 };
        rows + self.index.as_ref().map_or(0, |index| index.allocation_size() + size_of::<HashTable<u32>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    /// foldhash keys the first word of an id by the seed and the second by a constant that is the same for everybody:
    /// ids with that constant as their second word all had one hash, whatever the seed.
    #[test]
    fn ids_cannot_be_chosen_to_collide_without_the_seed() {
        use core::hash::BuildHasher;
        use foldhash::fast::FixedState;
        let foldhash_constant = 0xc0ac_29b7_c97c_50dd_u64;
        let chosen = |n: u64| ReplicaId::from_u128(u128::from(n) << 64 | u128::from(foldhash_constant));
        for seed in [1, 7, 0x1234_5678_9abc_def0] {
            let before: BTreeSet<u64> = (0..1_000).map(|n| FixedState::with_seed(seed).hash_one(chosen(n))).collect();
            assert_eq!(before.len(), 1, "these ids show nothing any more");
            let now: BTreeSet<u64> = (0..1_000).map(|n| hash(chosen(n), seed) >> 44).collect();
            assert!(now.len() > 900, "{} of 1000 ids apart with seed {seed}", now.len());
        }
    }

    /// Ids that an attacker chose for a seed which was guessed: all have one hash there, and are as good as any others
    /// under the seed that is used.
    #[test]
    fn row_36_forty_thousand_ids_that_collide_under_another_seed() {
        let guessed = 0x5eed;
        let zeroing = guessed ^ 0x9e37_79b9_7f4a_7c15u64;
        let chosen = |n: u64| ReplicaId::from_u128(u128::from(zeroing) << 64 | u128::from(n));
        assert!((0..40_000).all(|n| hash(chosen(n), guessed) == 0), "these ids show nothing any more");
        for seed in [0xfedc_ba98_7654_3210, 0x0123_4567_89ab_cdef] {
            let mut rows = ById::<u64>::with_seed(seed);
            (0..40_000).for_each(|n| *rows.entry(chosen(n)) += n);
            assert!((0..40_000).all(|n| rows.get(chosen(n)) == Some(&n)));
            // The low bits choose the place in the table, the high ones are compared first.
            let places: BTreeSet<u64> = (0..40_000).map(|n| hash(chosen(n), seed) & 0xffff).collect();
            let tags: BTreeSet<u64> = (0..40_000).map(|n| hash(chosen(n), seed) >> 57).collect();
            assert!(places.len() > 20_000 && tags.len() > 100, "{} places, {} tags", places.len(), tags.len());
        }
    }

    #[test]
    fn rows_are_found_while_scanned_and_while_hashed() {
        let mut rows = ById::<u64>::with_seed(7);
        for n in 0..100u64 {
            *rows.entry(ReplicaId::from_u128(u128::from(n * 7 % 100))) += n;
            assert_eq!(rows.sorted().len() as u64, n + 1);
        }
        for n in 0..100u64 {
            assert_eq!(rows.get(ReplicaId::from_u128(u128::from(n * 7 % 100))), Some(&n));
        }
        assert_eq!(rows.get(ReplicaId::from_u128(100)), None);
        assert!(rows.sorted().is_sorted());
    }
}
