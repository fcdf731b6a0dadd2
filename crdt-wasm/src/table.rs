//! Things that JavaScript names by number.

/// Bits of a number that say which slot it is; the rest is the slot's generation.
const INDEX_BITS: u32 = 20;
const INDEX: u32 = (1 << INDEX_BITS) - 1;

/// Numbers from here up are given to nothing, and mean what others say.
pub(crate) const NEVER: u32 = u32::MAX - 63;

/// Things by number. A number that was freed never names anything again: a slot whose generations are used up is not
/// used any more.
pub(crate) struct Table<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    number: u32,
    item: Option<T>,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// The number of the item; none if there are too many.
    pub(crate) fn insert(&mut self, item: T) -> Option<u32> {
        if let Some(at) = self.free.pop() {
            let slot = &mut self.slots[at as usize];
            slot.item = Some(item);
            return Some(slot.number);
        }
        let number = u32::try_from(self.slots.len()).ok().filter(|number| *number < (NEVER & INDEX))?;
        self.slots.push(Slot { number, item: Some(item) });
        Some(number)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.slots.get((number & INDEX) as usize).filter(|slot| slot.number == number)?.item.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get_mut((number & INDEX) as usize).filter(|slot| slot.number == number)?.item.as_mut()
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let at = number & INDEX;
        let slot = self.slots.get_mut(at as usize).filter(|slot| slot.number == number)?;
        let item = slot.item.take()?;
        if let Some(next) = slot.number.checked_add(1 << INDEX_BITS) {
            slot.number = next;
            self.free.push(at);
        }
        Some(item)
    }

    /// How many slots there are, used or not.
    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_number_never_names_anything_again() {
        let mut table = Table::new();
        let mut freed = std::collections::BTreeSet::new();
        for round in 0..10_000u32 {
            let number = table.insert(round).unwrap();
            assert!(freed.insert(number), "{number} was given out twice");
            assert_eq!(table.get(number), Some(&round));
            assert_eq!(table.remove(number), Some(round));
            assert_eq!(table.get(number), None);
            assert_eq!(table.remove(number), None);
        }
        // 4,096 generations each.
        assert_eq!(table.slots(), 3);
    }
}
