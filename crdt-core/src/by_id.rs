//! Rows found by replica id.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::ReplicaId;

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
            Some(index) => {
                let hash = FixedState::with_seed(self.seed).hash_one(id);
                index.find(hash, |&at| self.rows[at as usize].0 == id).map(|&at| at as usize)
            }
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
            let state = FixedState::with_seed(self.seed);
            let rows = &self.rows;
            let hash = |&at: &u32| state.hash_one(rows[at as usize].0);
            match &mut self.index {
                Some(index) => {
                    index.insert_unique(state.hash_one(id), at as u32, hash);
                }
                None => {
                    let mut index = HashTable::with_capacity(2 * SCANNED_ROWS_MAX);
                    for at in 0..rows.len() as u32 {
                        index.insert_unique(hash(&at), at, hash);
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
    pub(crate) fn sorted(&self) -> Vec<(ReplicaId, &R)> {
        let mut rows: Vec<_> = self.iter().collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
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
