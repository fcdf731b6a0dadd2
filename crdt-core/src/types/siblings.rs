//! Entries that stand side by side: what registers, flags and plain sets of writes are made of.

use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::Dot;
use crate::slab::Slab;
use crate::sort::Sort as _;

/// Entries of one place, each under its dot. One needs no allocation; each of a thousand concurrent ones costs as much
/// to put in or take out as the first.
#[derive(Clone)]
pub(crate) struct Siblings<T> {
    entries: Slab<(Dot, T)>,
}

impl<T> Default for Siblings<T> {
    fn default() -> Self {
        Self { entries: Slab::default() }
    }
}

impl<T> Siblings<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn insert(&mut self, dot: Dot, entry: T) -> u32 {
        self.entries.insert((dot, entry))
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        self.entries.remove(slot);
    }

    pub(crate) fn get(&self, slot: u32) -> &T {
        &self.entries.get(slot).1
    }

    /// In any order: only where order cannot be seen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Dot, T)> + Clone {
        self.entries.iter().map(|(_, entry)| entry)
    }

    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        self.entries.iter().for_each(|(slot, (dot, _))| visit(*dot, slot));
    }

    /// By dot.
    pub(crate) fn sorted(&self) -> Vec<&(Dot, T)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.order_by_key(|(dot, _)| *dot);
        entries
    }

    /// The dots, ascending.
    pub(crate) fn dots(&self) -> SmallVec<[Dot; 1]> {
        let mut dots: SmallVec<[Dot; 1]> = self.iter().map(|(dot, _)| *dot).collect();
        dots.order();
        dots
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.entries.heap_bytes()
    }

    /// The entries of several places as one row by dot, and the dots of each.
    pub(crate) fn rows<'s>(places: impl Iterator<Item = &'s Self>) -> (Vec<&'s T>, Vec<SmallVec<[Dot; 1]>>) {
        let mut row = Vec::new();
        let mut dots = Vec::new();
        for place in places {
            let entries = place.sorted();
            dots.push(entries.iter().map(|(dot, _)| *dot).collect());
            row.extend(entries.into_iter().map(|(_, entry)| entry));
        }
        (row, dots)
    }

    /// The reverse of [`rows`](Self::rows).
    pub(crate) fn from_rows(
        row: impl IntoIterator<Item = T>,
        dots: Vec<SmallVec<[Dot; 1]>>,
    ) -> impl Iterator<Item = Self> {
        let mut row = row.into_iter();
        dots.into_iter().map(move |dots| {
            let mut place = Self::default();
            for (dot, entry) in dots.into_iter().zip(row.by_ref()) {
                place.insert(dot, entry);
            }
            place
        })
    }
}

/// How many dots there are in all of these.
pub(crate) fn total(dots: &[SmallVec<[Dot; 1]>]) -> usize {
    dots.iter().map(|dots| dots.len()).sum()
}
