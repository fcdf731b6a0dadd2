//! The remove-wins set.

use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::column::{self, Entries};
use crate::change::{Observed, Path, Step};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, Encoder, Kind};
use crate::keyed::Keyed;
use crate::sort::Sort as _;
use crate::{Dot, DotStore, Edit, Element};

/// A set in which a removal wins over a concurrent insert: for what must not come back by accident, such as rights.
///
/// An element is in, if some insert of it is not yet followed by another call for it, and no removal is. Every removal
/// counts, also of an element that is not in: it keeps concurrent inserts of it out. So a removal is kept, by its dot and
/// the element, until an insert has seen it.
///
/// | concurrent | result |
/// |---|---|
/// | insert x ∥ insert x | x is in |
/// | insert x ∥ remove x | x is out |
/// | remove x, then insert x having seen it | x is in |
///
/// ```
/// use crdt_core::{Causal, Merge, ReplicaId, RwSet, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<RwSet<String>>::new(), Causal::<RwSet<String>>::new());
/// let (grant, ()) = a.edit(&mut alice, |admins| admins.insert("mallory"));
/// let (revoke, ()) = b.edit(&mut bob, |admins| admins.remove("mallory"));
/// a.merge(revoke);
/// b.merge(grant);
/// assert!(!a.contains("mallory") && !b.contains("mallory"));
/// ```
///
/// **Cost.** As [`OrSet`](crate::OrSet), and what was said of removals.
///
/// **Source.** Bieniusa et al. 2012, section 2; Baquero et al., *Pure Operation-Based Replicated Data Types*, 2017.
///
/// **Choose** [`OrSet`](crate::OrSet) unless a removal must win.
#[derive(Clone)]
pub struct RwSet<T: Element> {
    /// The calls that no later call for the same element has seen: true for an insert.
    calls: Keyed<T, SmallVec<[(Dot, bool); 1]>>,
}

impl<T: Element> RwSet<T> {
    /// Whether the element is in.
    #[must_use]
    pub fn contains<Q>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.calls.get(element).is_some_and(|calls| is_in(calls))
    }

    /// How many elements are in; costs a pass.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.slots().filter(|(_, (_, calls))| is_in(calls)).count()
    }

    /// Whether none is in; costs a pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements that are in, ascending. Costs a sort.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.calls.sorted().into_iter().filter(|(_, calls)| is_in(calls)).map(|(element, _)| element)
    }

    /// By dot.
    fn entries(&self) -> Vec<(Dot, &T, bool)> {
        let mut entries = Vec::new();
        for (_, (element, calls)) in self.calls.slots() {
            entries.extend(calls.iter().map(|(dot, insert)| (*dot, element, *insert)));
        }
        entries.order_by_key(|(dot, ..)| *dot);
        entries
    }
}

fn is_in(calls: &[(Dot, bool)]) -> bool {
    calls.iter().all(|(_, insert)| *insert)
}

impl<T: Element> Edit<'_, RwSet<T>> {
    /// Puts an element in, unless it is removed concurrently.
    pub fn insert(&mut self, element: impl Into<T>) {
        self.call(element.into(), true);
    }

    /// Takes an element out, and keeps concurrent inserts of it out.
    pub fn remove(&mut self, element: impl Into<T>) {
        self.call(element.into(), false);
    }

    fn call(&mut self, element: T, insert: bool) {
        let observed: SmallVec<[Dot; 1]> = match self.view().and_then(|set| set.calls.get(&element)) {
            Some(calls) => calls.iter().map(|(dot, _)| *dot).collect(),
            None => SmallVec::new(),
        };
        self.put((element, insert));
        observed.iter().for_each(|dot| self.retire(*dot));
    }
}

impl<T: Element> Default for RwSet<T> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<T: Element> DotStore for RwSet<T> {
    type Entry = (T, bool);
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::RwSet;

    fn with_seed(seed: u64) -> Self {
        Self { calls: Keyed::with_seed(seed) }
    }

    fn is_bottom(&self) -> bool {
        self.calls.is_empty()
    }

    fn graft(&mut self, dot: Dot, (element, insert): Self::Entry) -> u32 {
        let slot = self.calls.slot_or_insert_with(element, SmallVec::new);
        self.calls.at_mut(slot).push((dot, insert));
        slot
    }

    #[inline]
    fn weigh((element, _): &Self::Entry, levels: usize) -> Option<usize> {
        Some(Self::STORE_WEIGHT + element.weigh(levels.checked_sub(1)?)?)
    }

    fn prune(&mut self, dot: Dot, slot: &u32) {
        let calls = self.calls.at_mut(*slot);
        calls.retain(|(other, _)| *other != dot);
        if calls.is_empty() {
            self.calls.remove_slot(*slot);
        }
    }

    fn entry(&self, dot: Dot, slot: &u32) -> Self::Entry {
        let (element, calls) = self.calls.at(*slot);
        (element.clone(), calls.iter().any(|(other, insert)| *other == dot && *insert))
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        for (slot, (_, calls)) in self.calls.slots() {
            calls.iter().for_each(|(dot, _)| visit(*dot, slot));
        }
    }

    fn observe(&self, (element, _): &Self::Entry, path: &mut Path) -> Observed {
        path.push(Step::Element(element.to_value()));
        if self.contains(element) { Observed::Present } else { Observed::Absent }
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let entries: Vec<_> = stores.iter().map(|store| store.entries()).collect();
        let elements: Vec<Entries<'_, T>> = entries
            .iter()
            .map(|entries| Entries::by_dot(entries.len(), entries.iter().map(|(dot, element, _)| (*dot, *element))))
            .collect();
        column::write(&elements, true, to);
        entries.iter().flatten().for_each(|(.., insert)| to.byte(u8::from(*insert)));
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let seed = from.seed();
        let mut stores = Vec::new();
        let (dots, mut elements) = column::read::<T>(count, from)?;
        for dots in dots {
            let mut store = Self::with_seed(seed);
            for (dot, element) in dots.into_iter().zip(elements.by_ref()) {
                let insert = match from.byte()? {
                    0 => false,
                    1 => true,
                    other => return Err(from.error(DecodeErrorKind::Unknown(other))),
                };
                store.graft(dot, (element, insert));
            }
            stores.push(store);
        }
        Ok(stores)
    }

    fn heap_bytes(&self) -> usize {
        self.calls.heap_bytes()
    }
}

/// Equal sets have equal elements in.
impl<T: Element> PartialEq for RwSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Element> Eq for RwSet<T> {}

impl<T: Element> fmt::Debug for RwSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
