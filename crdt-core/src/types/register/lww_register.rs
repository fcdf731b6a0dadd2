//! The last-writer-wins register.

use core::fmt;

use alloc::vec::Vec;

use crate::change::{Observed, Path};
use crate::codec::{
    Canonical, DEPTH_MAX, DecodeError, DecodeErrorKind, DecodeLimits, Decoder, ENTRIES_PER_BYTE, Encoder, Form, Kind,
    read, write,
};
use crate::sort::Sort as _;
use crate::types::siblings::{self, Siblings};
use crate::{Dot, DotStore, Edit, Element, Merge, Removable, ReplicaId, Timestamp};

/// A register of which the last write wins. One of two concurrent writes is dropped, by design.
///
/// Inside a [`Causal`](crate::Causal) causality comes first: a write that has seen another always wins over it, whatever
/// their stamps, and the stamps rank only concurrent ones, by (stamp, dot). So a stamp from a clock that runs ahead wins
/// until somebody who has seen it writes again, and no longer. Alone, it is a plain lattice that keeps the greatest
/// (stamp, replica, value).
///
/// | concurrent | result |
/// |---|---|
/// | write x at 5 ∥ write y at 7 | y |
/// | write x at 5 ∥ write y at 5 | that of the greater dot (alone: replica, then value) |
/// | write x at 9, then write y at 3 having seen x | y (alone: x) |
/// | write x ∥ clear | x |
///
/// ```
/// use crdt_core::{Causal, LwwRegister, Merge, ReplicaId, Timestamp, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<LwwRegister<String>>::new(), Causal::<LwwRegister<String>>::new());
/// let (from_a, ()) = a.edit(&mut alice, |theme| theme.write(Timestamp::new(5, 0), "dark"));
/// let (from_b, ()) = b.edit(&mut bob, |theme| theme.write(Timestamp::MAX, "light"));   // a clock gone mad
/// a.merge(from_b);
/// b.merge(from_a);
/// assert_eq!((a.get(), b.get()), (Some(&"light".to_string()), Some(&"light".to_string())));
///
/// let (later, ()) = a.edit(&mut alice, |theme| theme.write(Timestamp::new(6, 0), "dark"));
/// b.merge(later);
/// assert_eq!(b.get().unwrap(), "dark");                              // the next write heals it
/// ```
///
/// **Cost.** O(1), but for concurrent writes, which stay until somebody writes over them. Kept: the value, a stamp of 8
/// bytes and a dot of 24. Sent: the value, a stamp and a dot.
///
/// **Source.** Johnson and Thomas, RFC 677, 1975; Shapiro et al. 2011, section 3.2.1; as siblings to keep causality.
///
/// **Choose** [`MvRegister`](crate::MvRegister) where a lost write matters.
#[derive(Clone)]
pub struct LwwRegister<T: Element> {
    // Alone there is at most one, under its replica's dot 1, which then names the replica only.
    siblings: Siblings<(Timestamp, T)>,
}

impl<T: Element> LwwRegister<T> {
    /// The empty register.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn winner(&self) -> Option<&(Dot, (Timestamp, T))> {
        self.siblings.iter().max_by_key(|(dot, (stamp, value))| (*stamp, *dot, value))
    }

    /// The value that wins.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.winner().map(|(_, (_, value))| value)
    }

    /// The stamp of the value that wins.
    #[must_use]
    pub fn stamp(&self) -> Option<Timestamp> {
        self.winner().map(|(_, (stamp, _))| *stamp)
    }

    /// All concurrent writes that nobody has written over, the winner last.
    #[must_use]
    pub fn siblings(&self) -> Vec<(Timestamp, &T)> {
        let mut siblings: Vec<_> = self.siblings.iter().collect();
        siblings.order_by_key(|(dot, (stamp, value))| (*stamp, *dot, value));
        siblings.into_iter().map(|(_, (stamp, value))| (*stamp, value)).collect()
    }

    /// Writes a value where the register stands alone, outside any [`Causal`](crate::Causal), and returns what to send:
    /// a register that holds this write. It wins here only if it is the greatest.
    ///
    /// # Panics
    /// If it is longer or deeper than what is read back; see [`EditError::TooLarge`](crate::EditError::TooLarge).
    pub fn write_alone(&mut self, stamp: Timestamp, replica: ReplicaId, value: impl Into<T>) -> Self {
        let value = value.into();
        assert!(value.weigh(DEPTH_MAX - 1).is_some(), "{}", crate::EditError::TooLarge);
        let mut delta = Self::default();
        delta.siblings.insert(Dot::known(replica, 1), (stamp, value));
        self.merge(&delta);
        delta
    }
}

impl<T: Element> Merge<&LwwRegister<T>> for LwwRegister<T> {
    fn merge(&mut self, other: &Self) -> bool {
        let rank = |register: &Self| register.winner().map(|(dot, (stamp, value))| (*stamp, *dot, value.clone()));
        let grew = rank(other) > rank(self);
        if grew {
            self.clone_from(other);
        }
        grew
    }
}

impl<T: Element> Merge for LwwRegister<T> {
    fn merge(&mut self, other: Self) -> bool {
        self.merge(&other)
    }
}

impl<T: Element> Edit<'_, LwwRegister<T>> {
    /// Writes a value over all that is seen here, with a stamp from the caller's [`HybridClock`](crate::HybridClock).
    pub fn write(&mut self, stamp: Timestamp, value: impl Into<T>) {
        let observed = self.view().map(|register| register.siblings.dots()).unwrap_or_default();
        self.put((stamp, value.into()));
        observed.iter().for_each(|dot| self.retire(*dot));
    }

    /// Takes back all writes that are seen here; says how many there were.
    pub fn clear(&mut self) -> usize {
        self.retire_all()
    }
}

impl<T: Element> Default for LwwRegister<T> {
    fn default() -> Self {
        Self { siblings: Siblings::default() }
    }
}

impl<T: Element> DotStore for LwwRegister<T> {
    type Entry = (Timestamp, T);
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::LwwRegister;

    fn with_seed(_: u64) -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.siblings.is_empty()
    }

    fn graft(&mut self, dot: Dot, entry: Self::Entry) -> u32 {
        self.siblings.insert(dot, entry)
    }

    #[inline]
    fn weigh((_, value): &Self::Entry, levels: usize) -> Option<usize> {
        Some(Self::STORE_WEIGHT + value.weigh(levels.checked_sub(1)?)?)
    }

    fn prune(&mut self, _: Dot, slot: &u32) {
        self.siblings.remove(*slot);
    }

    fn entry(&self, _: Dot, slot: &u32) -> Self::Entry {
        self.siblings.get(*slot).clone()
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        self.siblings.visit(visit);
    }

    /// What is read, and no more: a concurrent write that loses is no change.
    fn observe(&self, _: &Self::Entry, _: &mut Path) -> Observed {
        self.get().map_or(Observed::Absent, |value| Observed::Values([value.to_value()].into()))
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let (entries, dots) = Siblings::rows(stores.iter().map(|store| &store.siblings));
        to.dots(dots.iter().map(|dots| dots.as_slice()), ENTRIES_PER_BYTE);
        to.stamps(entries.len(), |at| entries[at].0);
        to.column(&entries.iter().map(|(_, value)| value).collect::<Vec<_>>());
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let dots = from.dots(count, ENTRIES_PER_BYTE, 1)?;
        let total = siblings::total(&dots);
        let stamps = from.stamps(total)?;
        let values = from.column::<T>(total)?;
        Ok(Siblings::from_rows(stamps.into_iter().zip(values), dots).map(|siblings| Self { siblings }).collect())
    }

    fn heap_bytes(&self) -> usize {
        self.siblings.heap_bytes()
    }
}

impl<T: Element> Removable for LwwRegister<T> {}

/// The bytes of a register that stands alone.
impl<T: Element> Canonical for LwwRegister<T> {
    fn encode(&self) -> Vec<u8> {
        let winner = self.winner();
        write(Form::Plain, winner.map(|(dot, _)| dot.replica()), |to| {
            let Some((_, (stamp, value))) = winner else { return to.byte(0) };
            to.byte(Kind::LwwRegister.code());
            to.stamps(1, |_| *stamp);
            to.column(&[value]);
        })
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Plain], |_, from| {
            let mut register = Self::default();
            if from.peek() == Some(0) {
                from.byte()?;
                return Ok(register);
            }
            if from.kind()? != Kind::LwwRegister {
                return Err(from.error(DecodeErrorKind::OtherKind));
            }
            let replica = from.id(0)?;
            let stamp = from.stamps(1)?.pop();
            let value = from.column::<T>(1)?.pop();
            if let Some(entry) = stamp.zip(value) {
                register.siblings.insert(Dot::known(replica, 1), entry);
            }
            Ok(register)
        })
    }
}

/// Equal registers show the same value under the same stamp.
impl<T: Element> PartialEq for LwwRegister<T> {
    fn eq(&self, other: &Self) -> bool {
        self.winner() == other.winner()
    }
}

impl<T: Element> Eq for LwwRegister<T> {}

impl<T: Element> fmt::Debug for LwwRegister<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.siblings()).finish()
    }
}
