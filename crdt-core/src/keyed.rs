//! Items found by key and by slot: what sets and maps are made of.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::slab::Slab;

/// key → item, where each pair sits in a slot that a dot can name. The hash is keyed, so nobody outside can choose keys
/// that collide; nothing that leaves depends on the layout.
#[derive(Clone)]
pub(crate) struct Keyed<K, V> {
    pairs: Slab<(K, V)>,
    table: HashTable<u32>,
    seed: u64,
}

impl<K: Eq + Hash, V> Keyed<K, V> {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { pairs: Slab::default(), table: HashTable::new(), seed }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        FixedState::with_seed(self.seed).hash_one(key)
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        let (state, pairs) = (FixedState::with_seed(self.seed), &self.pairs);
        self.table.reserve(additional, |&slot| state.hash_one(&pairs.get(slot).0));
        self.pairs.reserve(additional);
    }

    #[inline]
    pub(crate) fn slot<Q>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.table.find(self.hash(key), |&slot| self.pairs.get(slot).0.borrow() == key).copied()
    }

    /// The slot of a key; where it is absent, `make` fills a new one.
    #[inline]
    pub(crate) fn slot_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> u32 {
        let state = FixedState::with_seed(self.seed);
        let hash = state.hash_one(&key);
        let pairs = &self.pairs;
        let entry =
            self.table.entry(hash, |&slot| pairs.get(slot).0 == key, |&slot| state.hash_one(&pairs.get(slot).0));
        match entry {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(room) => {
                let slot = self.pairs.insert((key, make()));
                room.insert(slot);
                slot
            }
        }
    }

    pub(crate) fn remove_slot(&mut self, slot: u32) -> (K, V) {
        let hash = self.hash(&self.pairs.get(slot).0);
        let found = self.table.find_entry(hash, |&other| other == slot);
        found.unwrap_or_else(|_| unreachable!("every full slot is in the table")).remove();
        // A table that grew for many keys and holds few now gives its room back.
        if self.table.len() * 8 < self.table.capacity() && self.table.capacity() > 64 {
            let (state, pairs) = (FixedState::with_seed(self.seed), &self.pairs);
            self.table.shrink_to(self.table.len() * 2, |&slot| state.hash_one(&pairs.get(slot).0));
        }
        self.pairs.remove(slot)
    }

    #[inline]
    pub(crate) fn at(&self, slot: u32) -> &(K, V) {
        self.pairs.get(slot)
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: u32) -> &mut V {
        &mut self.pairs.get_mut(slot).1
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.slot(key).map(|slot| &self.pairs.get(slot).1)
    }

    /// All pairs with their slots: only where order cannot be seen.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (u32, &(K, V))> + Clone {
        self.pairs.iter()
    }

    /// All pairs, by key.
    pub(crate) fn sorted(&self) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut pairs: Vec<_> = self.pairs.iter().map(|(_, (key, item))| (key, item)).collect();
        pairs.sort_unstable_by_key(|(key, _)| *key);
        pairs
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.pairs.heap_bytes() + self.table.allocation_size()
    }
}
