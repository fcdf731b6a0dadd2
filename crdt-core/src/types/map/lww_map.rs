//! The last-writer-wins map.

use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::change::{Observed, Path, Step};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, ENTRIES_PER_BYTE, Encoder, Kind};
use crate::keyed::Keyed;
use crate::sort::Sort as _;
use crate::types::siblings;
use crate::{Dot, DotStore, Edit, Element, Removable, Timestamp};

/// A map in which, key by key, the last write wins; removing a key is a write of absence.
///
/// Causality comes first, as in [`LwwRegister`](crate::LwwRegister): stamps rank only concurrent writes, by (stamp, dot).
/// A removal is kept, by its key and stamp, until a later write has seen it.
///
/// | concurrent | result |
/// |---|---|
/// | insert (k, x) at 5 ∥ insert (k, y) at 7 | y |
/// | insert (k, x) at 5 ∥ remove k at 7 | k is gone |
/// | insert (k, x) at 7 ∥ remove k at 5 | x |
///
/// ```
/// use crdt_core::{Causal, LwwMap, Merge, ReplicaId, Timestamp, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<LwwMap<String, u32>>::new(), Causal::<LwwMap<String, u32>>::new());
/// let (set, ()) = a.edit(&mut alice, |volume| volume.insert(Timestamp::new(5, 0), "radio", 11u32));
/// let (gone, ()) = b.edit(&mut bob, |volume| volume.remove(Timestamp::new(7, 0), "radio"));
/// a.merge(gone);
/// b.merge(set);
/// assert_eq!((a.get("radio"), b.get("radio")), (None, None));
/// ```
///
/// **Cost.** Looking up, inserting, removing: O(1). Iteration is by key and sorts first. Kept: per key its last write, or
/// last removal, with a stamp of 8 bytes, and those concurrent to it until somebody writes over them. Sent: the key, the
/// value, a stamp and a dot.
///
/// **Source.** As [`LwwRegister`](crate::LwwRegister), key by key.
///
/// **Choose** [`OrMap`](crate::OrMap) of registers where a removed key should leave nothing behind, or where conflicts
/// should be readable.
#[derive(Clone)]
pub struct LwwMap<K: Element, T: Element> {
    writes: Keyed<K, SmallVec<[Write<T>; 1]>>,
}

/// A write under its dot; of absence, if there is no value.
#[derive(Clone)]
struct Write<T> {
    dot: Dot,
    stamp: Timestamp,
    value: Option<T>,
}

fn winner<T: Ord>(writes: &[Write<T>]) -> Option<&Write<T>> {
    writes.iter().max_by_key(|write| (write.stamp, write.dot, &write.value))
}

fn value<T: Ord>(writes: &[Write<T>]) -> Option<&T> {
    winner(writes)?.value.as_ref()
}

impl<K: Element, T: Element> LwwMap<K, T> {
    /// The value under a key.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<&T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.writes.get(key).and_then(|writes| value(writes))
    }

    /// Whether there is a value under the key.
    #[must_use]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.get(key).is_some()
    }

    /// How many keys have a value; costs a pass.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.slots().filter(|(_, (_, writes))| value(writes).is_some()).count()
    }

    /// Whether no key has a value; costs a pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys and values, by key. Costs a sort.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &T)> {
        self.writes.sorted().into_iter().filter_map(|(key, writes)| Some((key, value(writes)?)))
    }
}

impl<K: Element, T: Element> Edit<'_, LwwMap<K, T>> {
    /// Writes a value under a key, over all that is seen there.
    pub fn insert(&mut self, stamp: Timestamp, key: impl Into<K>, value: impl Into<T>) {
        self.write(stamp, key.into(), Some(value.into()));
    }

    /// Removes a key. Even if it has no value this counts: it ranks with concurrent writes.
    pub fn remove(&mut self, stamp: Timestamp, key: impl Into<K>) {
        self.write(stamp, key.into(), None);
    }

    fn write(&mut self, stamp: Timestamp, key: K, value: Option<T>) {
        let observed: SmallVec<[Dot; 1]> = match self.view().and_then(|map| map.writes.get(&key)) {
            Some(writes) => writes.iter().map(|write| write.dot).collect(),
            None => SmallVec::new(),
        };
        self.put((key, stamp, value));
        observed.iter().for_each(|dot| self.retire(*dot));
    }
}

impl<K: Element, T: Element> Default for LwwMap<K, T> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<K: Element, T: Element> DotStore for LwwMap<K, T> {
    type Entry = (K, Timestamp, Option<T>);
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::LwwMap;

    fn with_seed(seed: u64) -> Self {
        Self { writes: Keyed::with_seed(seed) }
    }

    fn is_bottom(&self) -> bool {
        self.writes.is_empty()
    }

    fn graft(&mut self, dot: Dot, (key, stamp, value): Self::Entry) -> u32 {
        let slot = self.writes.slot_or_insert_with(key, SmallVec::new);
        self.writes.at_mut(slot).push(Write { dot, stamp, value });
        slot
    }

    #[inline]
    fn weigh((key, _, value): &Self::Entry, levels: usize) -> Option<usize> {
        let below = levels.checked_sub(1)?;
        let value = value.as_ref().map_or(Some(0), |value| value.weigh(below));
        Some(Self::STORE_WEIGHT + key.weigh(below)? + value?)
    }

    fn prune(&mut self, dot: Dot, slot: &u32) {
        let writes = self.writes.at_mut(*slot);
        writes.retain(|write| write.dot != dot);
        if writes.is_empty() {
            self.writes.remove_slot(*slot);
        }
    }

    fn entry(&self, dot: Dot, slot: &u32) -> Self::Entry {
        let (key, writes) = self.writes.at(*slot);
        let write = writes.iter().find(|write| write.dot == dot).expect("a live dot has an entry");
        (key.clone(), write.stamp, write.value.clone())
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        for (slot, (_, writes)) in self.writes.slots() {
            writes.iter().for_each(|write| visit(write.dot, slot));
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.writes.reserve(additional);
    }

    fn observe(&self, (key, ..): &Self::Entry, path: &mut Path) -> Observed {
        path.push(Step::Key(key.to_value()));
        self.get(key).map_or(Observed::Absent, |value| Observed::Values([value.to_value()].into()))
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let mut keys = Vec::new();
        let mut writes = Vec::new();
        for store in stores {
            let mut pairs = store.writes.sorted();
            if !K::ORDERED_AS_VALUES {
                pairs.sort_by_cached_key(|(key, _)| key.to_value());
            }
            to.varint(pairs.len() as u64);
            for (key, of_key) in pairs {
                keys.push(key);
                let mut of_key: Vec<&Write<T>> = of_key.iter().collect();
                of_key.order_by_key(|write| write.dot);
                writes.push(of_key);
            }
        }
        to.column(&keys);
        let dots: Vec<Vec<Dot>> = writes.iter().map(|writes| writes.iter().map(|write| write.dot).collect()).collect();
        to.dots(dots.iter().map(Vec::as_slice), ENTRIES_PER_BYTE);
        let writes: Vec<&Write<T>> = writes.into_iter().flatten().collect();
        to.stamps(writes.len(), |at| writes[at].stamp);
        writes.iter().for_each(|write| to.byte(u8::from(write.value.is_some())));
        to.column(&writes.iter().filter_map(|write| write.value.as_ref()).collect::<Vec<_>>());
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let seed = from.seed();
        let sizes = from.sizes(count)?;
        let total = sizes.iter().sum();
        let mut keys = from.column::<K>(total)?.into_iter();
        let dots = from.dots(total, ENTRIES_PER_BYTE, 1)?;
        let writes = siblings::total(&dots);
        let mut stamps = from.stamps(writes)?.into_iter();
        let mut present = Vec::new();
        for _ in 0..writes {
            present.push(match from.byte()? {
                0 => false,
                1 => true,
                other => return Err(from.error(DecodeErrorKind::Unknown(other))),
            });
        }
        let mut values = from.column::<T>(present.iter().filter(|present| **present).count())?.into_iter();
        let mut present = present.into_iter();
        let mut dots = dots.into_iter();
        let mut stores = Vec::new();
        for size in sizes {
            let mut store = Self::with_seed(seed);
            for (key, dots) in keys.by_ref().zip(dots.by_ref()).take(size) {
                if store.writes.slot(&key).is_some() {
                    return Err(from.error(DecodeErrorKind::KeyTwice));
                }
                for dot in dots {
                    let stamp = stamps.next().expect("a stamp for each dot");
                    let value = if present.next() == Some(true) { values.next() } else { None };
                    store.graft(dot, (key.clone(), stamp, value));
                }
            }
            stores.push(store);
        }
        Ok(stores)
    }

    fn heap_bytes(&self) -> usize {
        self.writes.heap_bytes()
    }
}

impl<K: Element, T: Element> Removable for LwwMap<K, T> {}

/// Equal maps have equal values under equal keys.
impl<K: Element, T: Element> PartialEq for LwwMap<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Element, T: Element> Eq for LwwMap<K, T> {}

impl<K: Element, T: Element> fmt::Debug for LwwMap<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
