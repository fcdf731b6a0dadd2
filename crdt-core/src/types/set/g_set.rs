//! The grow-only set.

use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::column::{self, Entries};
use crate::change::{Observed, Path, Step};
use crate::codec::{
    Canonical, DEPTH_MAX, DecodeError, DecodeErrorKind, DecodeLimits, Decoder, Encoder, Form, Kind, read, write,
};
use crate::keyed::Keyed;
use crate::{Dot, DotStore, Edit, Element, Merge};

/// A set of which nothing is ever removed.
///
/// Alone it is a plain lattice, merged with the one trait; inside a [`Causal`](crate::Causal) it is a field.
///
/// | concurrent | result |
/// |---|---|
/// | insert x ∥ insert y | both are in |
///
/// ```
/// use crdt_core::{GSet, Merge};
///
/// let (mut a, mut b) = (GSet::<String>::new(), GSet::new());
/// let delta = a.insert("opened");
/// b.insert("closed");
/// b.merge(delta);
/// assert!(b.iter().eq(["closed", "opened"]));
/// ```
///
/// **Cost.** Insert and lookup: O(1); a merge: the other's elements; iteration sorts first. Kept and sent: the elements
/// and nothing else where it stands alone; in a causal store each with the dots of its inserts.
///
/// **Source.** Shapiro et al. 2011, section 3.3.1.
///
/// **Choose** [`OrSet`](crate::OrSet) if there is any doubt whether something may have to go.
#[derive(Clone)]
pub struct GSet<T: Element> {
    /// Each element with its dots; none where the set stands alone.
    elements: Keyed<T, SmallVec<[Dot; 1]>>,
}

impl<T: Element> GSet<T> {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the element is in.
    #[must_use]
    pub fn contains<Q>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.elements.slot(element).is_some()
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements, ascending. Costs a sort.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.elements.sorted().into_iter().map(|(element, _)| element)
    }

    /// Puts an element in where the set stands alone, and returns what to send: a set of it alone, or an empty one if it
    /// was in.
    ///
    /// # Panics
    /// If it is longer or deeper than what is read back; see [`EditError::TooLarge`](crate::EditError::TooLarge).
    pub fn insert(&mut self, element: impl Into<T>) -> Self {
        let element = element.into();
        assert!(element.weigh(DEPTH_MAX - 1).is_some(), "{}", crate::EditError::TooLarge);
        let mut delta = Self::default();
        if !self.contains(&element) {
            delta.add(element.clone());
            self.add(element);
        }
        delta
    }

    fn entries(&self) -> Entries<'_, T> {
        let entries =
            self.elements.slots().flat_map(|(_, (element, dots))| dots.iter().map(move |dot| (*dot, element)));
        Entries::by_dot(self.len(), entries)
    }

    fn add(&mut self, element: T) -> u32 {
        self.elements.slot_or_insert_with(element, SmallVec::new)
    }
}

impl<T: Element> Merge<&GSet<T>> for GSet<T> {
    fn merge(&mut self, other: &Self) -> bool {
        let before = self.len();
        for (_, (element, _)) in other.elements.slots() {
            if !self.contains(element) {
                self.add(element.clone());
            }
        }
        self.len() > before
    }
}

impl<T: Element> Merge for GSet<T> {
    fn merge(&mut self, other: Self) -> bool {
        self.merge(&other)
    }
}

impl<T: Element> Edit<'_, GSet<T>> {
    /// Puts an element in; true iff it was not in. If it was, nothing is written.
    pub fn insert(&mut self, element: impl Into<T>) -> bool {
        let element = element.into();
        let new = !self.view().is_some_and(|set| set.contains(&element));
        if new {
            self.put(element);
        }
        new
    }
}

impl<T: Element> Default for GSet<T> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<T: Element> DotStore for GSet<T> {
    type Entry = T;
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::GSet;

    fn with_seed(seed: u64) -> Self {
        Self { elements: Keyed::with_seed(seed) }
    }

    fn is_bottom(&self) -> bool {
        self.elements.is_empty()
    }

    fn graft(&mut self, dot: Dot, element: T) -> u32 {
        let slot = self.add(element);
        self.elements.at_mut(slot).push(dot);
        slot
    }

    #[inline]
    fn weigh(element: &Self::Entry, levels: usize) -> Option<usize> {
        Some(Self::STORE_WEIGHT + element.weigh(levels.checked_sub(1)?)?)
    }

    fn prune(&mut self, dot: Dot, slot: &u32) {
        // No edit removes anything: this undoes an edit that failed.
        let dots = self.elements.at_mut(*slot);
        dots.retain(|other| *other != dot);
        if dots.is_empty() {
            self.elements.remove_slot(*slot);
        }
    }

    fn entry(&self, _: Dot, slot: &u32) -> T {
        self.elements.at(*slot).0.clone()
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        for (slot, (_, dots)) in self.elements.slots() {
            dots.iter().for_each(|dot| visit(*dot, slot));
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.elements.reserve(additional);
    }

    fn observe(&self, element: &T, path: &mut Path) -> Observed {
        path.push(Step::Element(element.to_value()));
        if self.contains(element) { Observed::Present } else { Observed::Absent }
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let entries: Vec<_> = stores.iter().map(|store| store.entries()).collect();
        column::write(&entries, true, to);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let seed = from.seed();
        let (dots, mut elements) = column::read::<T>(count, from)?;
        let stores = dots.into_iter().map(|dots| {
            let mut store = Self::with_seed(seed);
            store.reserve(dots.len());
            dots.into_iter().zip(elements.by_ref()).for_each(|(dot, element)| {
                store.graft(dot, element);
            });
            store
        });
        Ok(stores.collect())
    }

    fn heap_bytes(&self) -> usize {
        self.elements.heap_bytes()
    }
}

/// The bytes of a set that stands alone.
impl<T: Element> Canonical for GSet<T> {
    fn encode(&self) -> Vec<u8> {
        write(Form::Plain, [], |to| {
            to.byte(Kind::GSet.code());
            to.varint(self.len() as u64);
            let mut elements: Vec<&T> = self.iter().collect();
            if !T::ORDERED_AS_VALUES {
                elements.sort_by_cached_key(|element| element.to_value());
            }
            to.column(&elements);
        })
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Plain], |_, from| {
            if from.kind()? != Kind::GSet {
                return Err(from.error(DecodeErrorKind::OtherKind));
            }
            let count = from.count(1)?;
            let elements = from.column::<T>(count)?;
            let mut set = Self::with_seed(from.seed());
            elements.into_iter().for_each(|element| {
                set.add(element);
            });
            Ok(set)
        })
    }
}

/// Equal sets have equal elements.
impl<T: Element> PartialEq for GSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.elements.slots().all(|(_, (element, _))| other.contains(element))
    }
}

impl<T: Element> Eq for GSet<T> {}

impl<T: Element> fmt::Debug for GSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
