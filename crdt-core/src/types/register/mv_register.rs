//! The multi-value register.

use core::fmt;

use alloc::vec::Vec;

use crate::change::{Observed, Path};
use crate::codec::{DecodeError, Decoder, ENTRIES_PER_BYTE, Encoder, Kind};
use crate::types::siblings::{self, Siblings as Entries};
use crate::{Dot, DotSet, DotStore, Edit, Element, Removable};

/// A register that keeps every concurrent write, so that a person or a program can decide.
///
/// A write replaces what it has seen. What was written concurrently stands beside it, readable, until a later write has
/// seen both.
///
/// | concurrent | result |
/// |---|---|
/// | write x ∥ write y | both, in the order of their dots |
/// | write x ∥ write x | x twice: two people said so |
/// | write x ∥ clear | x |
///
/// ```
/// use crdt_core::{Causal, Merge, MvRegister, ReplicaId, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<MvRegister<String>>::new(), Causal::<MvRegister<String>>::new());
/// let (from_a, ()) = a.edit(&mut alice, |title| title.write("Notes"));
/// let (from_b, ()) = b.edit(&mut bob, |title| title.write("Ideas"));
/// a.merge(from_b);
/// b.merge(from_a);
/// assert_eq!(a.values(), ["Notes", "Ideas"]);                        // a conflict that can be shown
/// assert_eq!(a, b);
///
/// // A server without a cursor of its own settles it by naming what it read.
/// let read: Vec<_> = a.siblings().dots.iter().collect();
/// let (settled, ()) = a.edit(&mut alice, |title| title.write_over(&read.into_iter().collect(), "Notes and ideas"));
/// b.merge(settled);
/// assert_eq!(b.values(), ["Notes and ideas"]);
/// ```
///
/// **Cost.** A write costs the siblings it replaces. Kept and sent: the siblings, mostly one.
///
/// **Source.** Shapiro et al. 2011, section 3.2.2, by dots as in Almeida et al. 2018, section 7.3.1.
///
/// **Choose** [`LwwRegister`](crate::LwwRegister) where nobody will look at a conflict; stay with this one where a rule
/// can settle it, see [`Resolver`](crate::Resolver).
#[derive(Clone)]
pub struct MvRegister<T: Element> {
    siblings: Entries<T>,
}

/// Values that stand side by side, and what to name to write over exactly them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Siblings<T> {
    /// The values, in the order of their dots.
    pub values: Vec<T>,
    /// Their dots; see [`write_over`](Edit::write_over).
    pub dots: DotSet,
}

impl<T: Element> MvRegister<T> {
    /// The values, in the order of their dots: none before the first write, several in a conflict.
    #[must_use]
    pub fn values(&self) -> Vec<&T> {
        self.siblings.sorted().into_iter().map(|(_, value)| value).collect()
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.siblings.is_empty()
    }

    /// Whether concurrent writes stand side by side.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.siblings.len() > 1
    }

    /// The values with their dots.
    #[must_use]
    pub fn siblings(&self) -> Siblings<T> {
        let sorted = self.siblings.sorted();
        Siblings {
            values: sorted.iter().map(|(_, value)| value.clone()).collect(),
            dots: sorted.iter().map(|(dot, _)| *dot).collect(),
        }
    }
}

impl<T: Element> Edit<'_, MvRegister<T>> {
    /// Writes a value over all that is seen here.
    pub fn write(&mut self, value: impl Into<T>) {
        let observed = self.view().map(|register| register.siblings.dots()).unwrap_or_default();
        self.put(value.into());
        observed.iter().for_each(|dot| self.retire(*dot));
    }

    /// Writes a value over exactly these dots, for a caller who read them earlier or elsewhere; what came since stands
    /// beside it.
    pub fn write_over(&mut self, dots: &DotSet, value: impl Into<T>) {
        let mut observed = self.view().map(|register| register.siblings.dots()).unwrap_or_default();
        observed.retain(|dot| dots.contains(*dot));
        self.put(value.into());
        observed.iter().for_each(|dot| self.retire(*dot));
    }

    /// Takes back all values that are seen here; says how many there were.
    pub fn clear(&mut self) -> usize {
        self.retire_all()
    }
}

impl<T: Element> Default for MvRegister<T> {
    fn default() -> Self {
        Self { siblings: Entries::default() }
    }
}

impl<T: Element> DotStore for MvRegister<T> {
    type Entry = T;
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::MvRegister;

    fn with_seed(_: u64) -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.siblings.is_empty()
    }

    fn graft(&mut self, dot: Dot, value: T) -> u32 {
        self.siblings.insert(dot, value)
    }

    #[inline]
    fn weigh(value: &Self::Entry, levels: usize) -> Option<usize> {
        Some(Self::STORE_WEIGHT + value.weigh(levels.checked_sub(1)?)?)
    }

    fn prune(&mut self, _: Dot, slot: &u32) {
        self.siblings.remove(*slot);
    }

    fn entry(&self, _: Dot, slot: &u32) -> T {
        self.siblings.get(*slot).clone()
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        self.siblings.visit(visit);
    }

    fn observe(&self, _: &T, _: &mut Path) -> Observed {
        if self.is_empty() {
            return Observed::Absent;
        }
        Observed::Values(self.values().into_iter().map(Element::to_value).collect())
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let (values, dots) = Entries::rows(stores.iter().map(|store| &store.siblings));
        to.dots(dots.iter().map(|dots| dots.as_slice()), ENTRIES_PER_BYTE);
        to.column(&values);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let dots = from.dots(count, ENTRIES_PER_BYTE, 1)?;
        let values = from.column::<T>(siblings::total(&dots))?;
        Ok(Entries::from_rows(values, dots).map(|siblings| Self { siblings }).collect())
    }

    fn heap_bytes(&self) -> usize {
        self.siblings.heap_bytes()
    }
}

impl<T: Element> Removable for MvRegister<T> {}

/// Equal registers show equal values in equal order.
impl<T: Element> PartialEq for MvRegister<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl<T: Element> Eq for MvRegister<T> {}

impl<T: Element> fmt::Debug for MvRegister<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}
