//! Slots that stay where they are until they are emptied, so that a dot can point at one.

use smallvec::SmallVec;

/// Items under small stable numbers; freed slots are used again. A single item needs no allocation.
#[derive(Clone)]
pub(crate) struct Slab<T> {
    slots: SmallVec<[Slot<T>; 1]>,
    /// The last freed slot, the head of a list; `NONE` at its end.
    free: u32,
    len: u32,
}

#[derive(Clone)]
enum Slot<T> {
    Full(T),
    Free { next: u32 },
}

const NONE: u32 = u32::MAX;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: SmallVec::new(), free: NONE, len: 0 }
    }
}

impl<T> Slab<T> {
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        self.slots.reserve(additional.saturating_sub(self.slots.len() - self.len()));
    }

    pub(crate) fn insert(&mut self, item: T) -> u32 {
        self.len += 1;
        if self.free == NONE {
            self.slots.push(Slot::Full(item));
            return (self.slots.len() - 1) as u32;
        }
        let at = self.free;
        if let Slot::Free { next } = self.slots[at as usize] {
            self.free = next;
        }
        self.slots[at as usize] = Slot::Full(item);
        at
    }

    /// # Panics
    /// If the slot is free: places come from the index of live dots, which names full slots only.
    pub(crate) fn remove(&mut self, at: u32) -> T {
        let slot = core::mem::replace(&mut self.slots[at as usize], Slot::Free { next: self.free });
        let Slot::Full(item) = slot else { unreachable!("a place names a full slot") };
        self.len -= 1;
        self.free = at;
        if self.len == 0 {
            *self = Self::default();
        }
        item
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> &T {
        match &self.slots[at as usize] {
            Slot::Full(item) => item,
            Slot::Free { .. } => unreachable!("a place names a full slot"),
        }
    }

    /// Full slots, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> + Clone {
        self.slots.iter().enumerate().filter_map(|(at, slot)| match slot {
            Slot::Full(item) => Some((at as u32, item)),
            Slot::Free { .. } => None,
        })
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        if self.slots.spilled() { self.slots.capacity() * size_of::<Slot<T>>() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_slot_is_used_again_and_the_others_stay() {
        let mut slab = Slab::default();
        let [a, b, c] = ["a", "b", "c"].map(|item| slab.insert(item));
        assert_eq!(slab.remove(b), "b");
        assert_eq!(slab.insert("d"), b);
        assert_eq!((slab.get(a), slab.get(b), slab.get(c)), (&"a", &"d", &"c"));
        assert_eq!(slab.len(), 3);
    }
}
