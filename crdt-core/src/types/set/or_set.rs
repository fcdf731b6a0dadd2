//! The add-wins set.

use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::column::{self, Entries};
use crate::change::{Observed, Path, Step};
use crate::codec::{DecodeError, Decoder, Encoder, Kind};
use crate::keyed::Keyed;
use crate::{Dot, DotStore, Edit, Element, Removable};

/// A set in which an insert wins over a concurrent removal (the observed-remove set).
///
/// A removal takes the inserts it has seen, and no others; nothing is kept of what was removed.
///
/// | concurrent | result |
/// |---|---|
/// | insert x ∥ insert x | x is in |
/// | insert x ∥ remove x | x is in: the removal had not seen that insert |
/// | remove x ∥ remove x | x is out |
/// | remove x, from a peer that was away for a year | takes only what that peer had seen |
///
/// ```
/// use crdt_core::{Causal, Merge, OrSet, ReplicaId, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let mut a = Causal::<OrSet<String>>::new();
/// let (delta, _) = a.edit(&mut alice, |tags| tags.insert("draft"));
/// let mut b = Causal::<OrSet<String>>::new();
/// b.merge(delta);
///
/// let (removal, _) = a.edit(&mut alice, |tags| tags.remove("draft"));
/// let (insert, _) = b.edit(&mut bob, |tags| tags.insert("draft"));    // Bob means it, too
/// a.merge(insert);
/// b.merge(removal);
/// assert!(a.contains("draft") && b.contains("draft"));
/// ```
///
/// **Cost.** Insert, remove, `contains`: O(1). Iteration is ascending and sorts first. Kept: the element, and 24 bytes
/// per insert that is not yet known to have been followed by another; about 60 bytes in all for a `u64`. Sent: the
/// element and its dot. Encoded: the element and half a bit to half a byte.
///
/// **Source.** Shapiro et al. 2011, section 3.3.5, without tombstones as in Bieniusa et al., *An optimized
/// conflict-free replicated set*, 2012, and Almeida et al. 2018, section 7.3.2.
///
/// **Choose** [`RwSet`](crate::RwSet) where a removal must win (revoked rights), [`GSet`](crate::GSet) where nothing is
/// ever removed.
#[derive(Clone)]
pub struct OrSet<T: Element> {
    elements: Keyed<T, Dots>,
}

/// The dots of the inserts of one element; mostly one.
#[derive(Clone)]
enum Dots {
    One(Dot),
    // Boxed, so that the common case decides the size: a third less memory per element.
    #[allow(clippy::box_collection, reason = "a bare `Vec` would grow every element by 8 bytes")]
    Many(Box<Vec<Dot>>),
}

impl Dots {
    fn from_slice(dots: &[Dot]) -> Self {
        match dots {
            [dot] => Dots::One(*dot),
            dots => Dots::Many(Box::new(dots.to_vec())),
        }
    }

    fn as_slice(&self) -> &[Dot] {
        match self {
            Dots::One(dot) => core::slice::from_ref(dot),
            Dots::Many(dots) => dots,
        }
    }

    fn insert(&mut self, dot: Dot) {
        match self {
            Dots::One(first) => *self = Dots::Many(Box::new([*first, dot].into())),
            Dots::Many(dots) => dots.push(dot),
        }
    }

    /// Takes out one of several; false if it is the only one.
    fn remove(&mut self, dot: Dot) -> bool {
        let Dots::Many(dots) = self else { return false };
        dots.retain(|other| *other != dot);
        if let [last] = dots.as_slice() {
            *self = Dots::One(*last);
        }
        true
    }
}

impl<T: Element> OrSet<T> {
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

    fn entries(&self) -> Entries<'_, T> {
        let entries = self
            .elements
            .slots()
            .flat_map(|(_, (element, dots))| dots.as_slice().iter().map(move |dot| (*dot, element)));
        Entries::by_dot(self.len(), entries)
    }

    fn dots_of<Q>(&self, element: &Q) -> &[Dot]
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.elements.get(element).map_or(&[], Dots::as_slice)
    }
}

impl<T: Element> Edit<'_, OrSet<T>> {
    /// Puts an element in; true iff it was not in. Even if it was, the insert counts: no removal that is concurrent
    /// with it can take it.
    pub fn insert(&mut self, element: impl Into<T>) -> bool {
        let element = element.into();
        let observed = match self.view().map_or(&[][..], |set| set.dots_of(&element)) {
            [] => {
                self.put(element);
                return true;
            }
            dots => Dots::from_slice(dots),
        };
        self.put(element);
        observed.as_slice().iter().for_each(|dot| self.retire(*dot));
        false
    }

    /// Takes an element out; says how many inserts of it that removed. 0, if it was not in, is no error.
    pub fn remove<Q>(&mut self, element: &Q) -> usize
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let observed = match self.view().map_or(&[][..], |set| set.dots_of(element)) {
            [] => return 0,
            dots => Dots::from_slice(dots),
        };
        observed.as_slice().iter().for_each(|dot| self.retire(*dot));
        observed.as_slice().len()
    }

    /// Takes all elements out; says how many inserts that removed.
    pub fn clear(&mut self) -> usize {
        self.retire_all()
    }

    /// Whether the element is in.
    #[must_use]
    pub fn contains<Q>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.view().is_some_and(|set| set.contains(element))
    }
}

impl<T: Element> Default for OrSet<T> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<T: Element> DotStore for OrSet<T> {
    type Entry = T;
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::OrSet;

    fn with_seed(seed: u64) -> Self {
        Self { elements: Keyed::with_seed(seed) }
    }

    fn is_bottom(&self) -> bool {
        self.elements.is_empty()
    }

    fn graft(&mut self, dot: Dot, element: T) -> u32 {
        let mut new = false;
        let slot = self.elements.slot_or_insert_with(element, || {
            new = true;
            Dots::One(dot)
        });
        if !new {
            self.elements.at_mut(slot).insert(dot);
        }
        slot
    }

    #[inline]
    fn weigh(element: &Self::Entry, levels: usize) -> Option<usize> {
        Some(Self::STORE_WEIGHT + element.weigh(levels.checked_sub(1)?)?)
    }

    fn prune(&mut self, dot: Dot, slot: &u32) {
        if !self.elements.at_mut(*slot).remove(dot) {
            self.elements.remove_slot(*slot);
        }
    }

    fn entry(&self, _: Dot, slot: &u32) -> T {
        self.elements.at(*slot).0.clone()
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        for (slot, (_, dots)) in self.elements.slots() {
            dots.as_slice().iter().for_each(|dot| visit(*dot, slot));
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
        let several = stores.iter().zip(&entries).any(|(store, entries)| entries.len() > store.len());
        column::write(&entries, several, to);
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

impl<T: Element> Removable for OrSet<T> {}

/// Equal sets have equal elements; that they came about differently makes no difference here.
impl<T: Element> PartialEq for OrSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.elements.slots().all(|(_, (element, _))| other.contains(element))
    }
}

impl<T: Element> Eq for OrSet<T> {}

impl<T: Element> fmt::Debug for OrSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
