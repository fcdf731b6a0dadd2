//! Items found by key and by slot: what sets and maps are made of.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::SmallVec;

use crate::slab::Slab;
use crate::sort::Sort as _;

/// key → item, where each pair sits in a slot that a dot can name. The hash is keyed, so nobody outside can choose keys
/// that collide; nothing that leaves depends on the layout.
///
/// Keys and items lie apart: a question about a key touches keys only, which lie denser.
#[derive(Clone)]
pub(crate) struct Keyed<K, V> {
    keys: Slab<K>,
    /// By slot. That of a free slot is what its last user left.
    items: SmallVec<[V; 1]>,
    table: HashTable<Found>,
    seed: u64,
}

/// A slot, and the low half of its key's hash. The half costs 4 bytes and saves looking at the key in its slot, most
/// likely a cache miss, while the table grows and where keys are absent.
#[derive(Clone, Copy)]
struct Found {
    half: u32,
    slot: u32,
}

/// What the table knows a key by: its hash, cut to what is kept. The table picks a bucket by the low bits and tells
/// neighbours apart by the highest seven, so the half is spread over both.
#[derive(Clone, Copy)]
struct Half(u32);

impl Half {
    fn hash(self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.0)
    }
}

impl<K: Eq + Hash, V> Keyed<K, V> {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { keys: Slab::default(), items: SmallVec::new(), table: HashTable::new(), seed }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    #[inline]
    fn half<Q: Hash + ?Sized>(&self, key: &Q) -> Half {
        Half(FixedState::with_seed(self.seed).hash_one(key) as u32)
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        self.table.reserve(additional, |found| Half(found.half).hash());
        self.keys.reserve(additional);
        self.items.reserve(additional.saturating_sub(self.items.len() - self.keys.len()));
    }

    #[inline]
    pub(crate) fn slot<Q>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let half = self.half(key);
        let is_it = |found: &Found| found.half == half.0 && self.keys.get(found.slot).borrow() == key;
        self.table.find(half.hash(), is_it).map(|found| found.slot)
    }

    /// The slot of a key; where it is absent, `make` fills a new one.
    #[inline]
    pub(crate) fn slot_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> u32 {
        let half = self.half(&key);
        let keys = &self.keys;
        let is_it = |found: &Found| found.half == half.0 && *keys.get(found.slot) == key;
        match self.table.entry(half.hash(), is_it, |found| Half(found.half).hash()) {
            Entry::Occupied(found) => found.get().slot,
            Entry::Vacant(room) => {
                let slot = self.keys.insert(key);
                match self.items.get_mut(slot as usize) {
                    Some(item) => *item = make(),
                    None => self.items.push(make()),
                }
                room.insert(Found { half: half.0, slot });
                slot
            }
        }
    }

    /// Forgets the key in a slot. Its item stays until the slot is used again: empty it before.
    pub(crate) fn remove_slot(&mut self, slot: u32) {
        let half = self.half(self.keys.get(slot));
        let found = self.table.find_entry(half.hash(), |found| found.slot == slot);
        found.unwrap_or_else(|_| unreachable!("every full slot is in the table")).remove();
        // A table that grew for many keys and holds few now gives its room back.
        if self.table.len() * 8 < self.table.capacity() && self.table.capacity() > 64 {
            self.table.shrink_to(self.table.len() * 2, |found| Half(found.half).hash());
        }
        self.keys.remove(slot);
        if self.keys.is_empty() {
            self.items = SmallVec::new();
        }
    }

    #[inline]
    pub(crate) fn at(&self, slot: u32) -> (&K, &V) {
        (self.keys.get(slot), &self.items[slot as usize])
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: u32) -> &mut V {
        &mut self.items[slot as usize]
    }

    #[inline]
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.slot(key).map(|slot| &self.items[slot as usize])
    }

    /// All pairs with their slots: only where order cannot be seen.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (u32, (&K, &V))> + Clone {
        self.keys.iter().map(|(slot, key)| (slot, (key, &self.items[slot as usize])))
    }

    /// All pairs, by key.
    pub(crate) fn sorted(&self) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut pairs: Vec<_> = self.slots().map(|(_, pair)| pair).collect();
        pairs.order_by_key(|(key, _)| *key);
        pairs
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let items = if self.items.spilled() { self.items.capacity() * size_of::<V>() } else { 0 };
        self.keys.heap_bytes() + items + self.table.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 200 000 keys some share the half of their hash that the table knows them by.
    #[test]
    fn keys_that_look_alike_to_the_table_are_told_apart() {
        let mut keyed = Keyed::<u64, u64>::with_seed(0);
        let mut halves: Vec<(u32, u64)> = (0..200_000).map(|key| (keyed.half(&key).0, key)).collect();
        halves.sort_unstable();
        let alike: Vec<[u64; 2]> =
            halves.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| [pair[0].1, pair[1].1]).collect();
        assert!(!alike.is_empty());
        for [one, other] in alike {
            let slot = keyed.slot_or_insert_with(one, || one);
            assert_eq!(keyed.slot(&other), None);
            let another = keyed.slot_or_insert_with(other, || other);
            assert_eq!((keyed.get(&one), keyed.get(&other)), (Some(&one), Some(&other)));
            keyed.remove_slot(slot);
            assert_eq!((keyed.slot(&one), keyed.slot(&other)), (None, Some(another)));
        }
    }
}
