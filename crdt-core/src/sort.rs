//! Sorting, fast or small.
//!
//! The standard library's sort is several algorithms in one, and takes 5 kB of WebAssembly for each type of item. With
//! `--cfg crdt_small`, as `cargo xtask wasm` has it, a plain heap sort (Williams 1964) stands in. What comes out is the
//! same, as no two items that are sorted here can be equal and yet differ.

use core::cmp::Ordering;

/// Sorting where equal items are alike.
pub(crate) trait Sort {
    /// What is sorted.
    type Item;

    /// Ascending.
    fn order(&mut self)
    where
        Self::Item: Ord;

    /// Ascending by a key.
    fn order_by_key<K: Ord>(&mut self, key: impl FnMut(&Self::Item) -> K);

    /// Ascending as this says.
    fn order_by(&mut self, compare: impl FnMut(&Self::Item, &Self::Item) -> Ordering);
}

impl<T> Sort for [T] {
    type Item = T;

    #[inline]
    fn order(&mut self)
    where
        T: Ord,
    {
        #[cfg(not(crdt_small))]
        self.sort_unstable();
        #[cfg(crdt_small)]
        heap_sort(self, &mut |left, right| left < right);
    }

    #[inline]
    fn order_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        #[cfg(not(crdt_small))]
        self.sort_unstable_by_key(key);
        #[cfg(crdt_small)]
        {
            let mut key = key;
            heap_sort(self, &mut |left, right| key(left) < key(right));
        }
    }

    #[inline]
    fn order_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering) {
        #[cfg(not(crdt_small))]
        self.sort_unstable_by(compare);
        #[cfg(crdt_small)]
        {
            let mut compare = compare;
            heap_sort(self, &mut |left, right| compare(left, right) == Ordering::Less);
        }
    }
}

#[cfg(any(crdt_small, test))]
fn heap_sort<T>(items: &mut [T], is_less: &mut dyn FnMut(&T, &T) -> bool) {
    let sorted = |items: &[T], is_less: &mut dyn FnMut(&T, &T) -> bool| {
        !items.windows(2).any(|pair| is_less(&pair[1], &pair[0]))
    };
    // Most of what is sorted here is in order, or is one item.
    if sorted(items, is_less) {
        return;
    }
    // First every subtree is made a heap, then its top goes behind it, again and again.
    let mut step = items.len() + items.len() / 2;
    while step > 0 {
        step -= 1;
        let (mut at, end) = if step >= items.len() {
            (step - items.len(), items.len())
        } else {
            items.swap(0, step);
            (0, step)
        };
        loop {
            let mut child = 2 * at + 1;
            if child >= end {
                break;
            }
            if child + 1 < end && is_less(&items[child], &items[child + 1]) {
                child += 1;
            }
            if !is_less(&items[at], &items[child]) {
                break;
            }
            items.swap(at, child);
            at = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn small_and_fast_agree() {
        let mut chance = 1u64;
        for len in 0..300 {
            let mut items: Vec<u64> = (0..len)
                .map(|_| {
                    chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    chance >> 20
                })
                .collect();
            let mut fast = items.clone();
            fast.sort_unstable();
            heap_sort(&mut items, &mut |left, right| left < right);
            assert_eq!(items, fast);
        }
    }
}
