//! The add-wins map.

use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use alloc::vec::Vec;

use crate::change::{Observed, Path, Step};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, Encoder, Kind, read_store};
use crate::keyed::Keyed;
use crate::sort::Sort as _;
use crate::{Dot, DotStore, Edit, Element, Removable};

/// A map from keys to any removable store, in which editing a value wins over removing its key concurrently.
///
/// Removing a key takes all that was observed under it, however deep, and nothing else: an edit of the value that is
/// concurrent with the removal stays, without what it was made on. An absent key and an empty value are the same, so a
/// key appears with the first edit of its value, and vanishes with the last of its entries.
///
/// | concurrent | result |
/// |---|---|
/// | edit the value under k ∥ edit the value under k | the value's own rules |
/// | edit the value under k ∥ remove k | k stays, with that edit alone |
/// | remove k ∥ remove k | k is gone |
/// | remove k, then use it again | as new; nothing of the old comes back |
///
/// ```
/// use crdt_core::{Causal, Counter, Merge, OrMap, ReplicaId, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let mut a = Causal::<OrMap<String, Counter>>::new();
/// let (delta, ()) = a.edit(&mut alice, |stock| stock.entry("nails").add(5));
/// let mut b = Causal::<OrMap<String, Counter>>::new();
/// b.merge(delta);
///
/// let (removal, _) = a.edit(&mut alice, |stock| stock.remove("nails"));
/// let (two_more, ()) = b.edit(&mut bob, |stock| stock.entry("nails").add(2));
/// a.merge(two_more);
/// b.merge(removal);
/// assert_eq!(a.get("nails").map(|nails| nails.value()), Some(2));    // 2: not 7, and not gone
/// assert_eq!(a, b);
/// ```
///
/// **Cost.** Looking up a key: O(1). Iteration is by key and sorts first. Removing a key costs the entries under it.
/// Merging costs the entries that differ, nested ones too. Kept: the key once, and 4 bytes per entry and level for the
/// index. Encoded: the key once, the values in columns.
///
/// **Source.** Almeida et al. 2018, section 7.4.3; the observed-remove map of Riak, with values held by dots as in
/// section 7.3 there, which is what keeps a removal exact.
///
/// **Choose** [`LwwMap`](crate::LwwMap) where the last write should simply win, a struct made by
/// [`fields!`](crate::fields) where the keys are known when the program is written.
#[derive(Clone)]
pub struct OrMap<K: Element, V: Removable> {
    values: Keyed<K, V>,
}

impl<K: Element, V: Removable> OrMap<K, V> {
    /// The value under a key.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.values.get(key)
    }

    /// Whether something is under the key.
    #[must_use]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.get(key).is_some()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Keys and values, by key. Costs a sort.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.values.sorted().into_iter()
    }

    /// The keys, ascending. Costs a sort.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
}

impl<K: Element, V: Removable> Edit<'_, OrMap<K, V>> {
    /// The value under a key, to be edited. A key without a value comes into being with the first edit of it.
    pub fn entry(&mut self, key: impl Into<K>) -> V::Cursor<'_> {
        V::Cursor::from(self.inside(key.into(), |map, key| map.get(key), |key, entry| (key.clone(), entry)))
    }

    /// Takes out all that is under a key; says how many entries that removed. 0, if there were none, is no error.
    pub fn remove<Q>(&mut self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut dots = Vec::new();
        if let Some(value) = self.get(key) {
            value.visit(&mut |dot, _| dots.push(dot));
        }
        dots.order();
        dots.iter().for_each(|dot| self.retire(*dot));
        dots.len()
    }

    /// Takes everything out; says how many entries that removed.
    pub fn clear(&mut self) -> usize {
        self.retire_all()
    }

    /// The value under a key as it is now.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.view()?.get(key)
    }
}

impl<K: Element, V: Removable> Default for OrMap<K, V> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<K: Element, V: Removable> DotStore for OrMap<K, V> {
    type Entry = (K, V::Entry);
    type Place = (u32, V::Place);
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::OrMap;

    fn with_seed(seed: u64) -> Self {
        Self { values: Keyed::with_seed(seed) }
    }

    fn is_bottom(&self) -> bool {
        self.values.is_empty()
    }

    fn graft(&mut self, dot: Dot, (key, entry): Self::Entry) -> Self::Place {
        let seed = self.values.seed();
        let slot = self.values.slot_or_insert_with(key, || V::with_seed(seed));
        (slot, self.values.at_mut(slot).graft(dot, entry))
    }

    fn graft_from(&mut self, dot: Dot, from: &Self, (slot, place): &Self::Place) -> Self::Place {
        // The key is copied only if it is new here.
        let (key, value) = from.values.at(*slot);
        let slot = match self.values.slot(key) {
            Some(slot) => slot,
            None => {
                let seed = self.values.seed();
                self.values.slot_or_insert_with(key.clone(), || V::with_seed(seed))
            }
        };
        (slot, self.values.at_mut(slot).graft_from(dot, value, place))
    }

    #[inline]
    fn weigh((key, entry): &Self::Entry, levels: usize) -> Option<usize> {
        let below = levels.checked_sub(1)?;
        Some(Self::STORE_WEIGHT + key.weigh(below)? + V::weigh(entry, below)?)
    }

    fn prune(&mut self, dot: Dot, (slot, place): &Self::Place) {
        let value = self.values.at_mut(*slot);
        value.prune(dot, place);
        if value.is_bottom() {
            *value = V::default();
            self.values.remove_slot(*slot);
        }
    }

    fn entry(&self, dot: Dot, (slot, place): &Self::Place) -> Self::Entry {
        let (key, value) = self.values.at(*slot);
        (key.clone(), value.entry(dot, place))
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, Self::Place)) {
        for (slot, (_, value)) in self.values.slots() {
            value.visit(&mut |dot, place| visit(dot, (slot, place)));
        }
    }

    fn observe(&self, (key, entry): &Self::Entry, path: &mut Path) -> Observed {
        path.push(Step::Key(key.to_value()));
        match self.get(key) {
            Some(value) => value.observe(entry, path),
            None => V::default().observe(entry, path),
        }
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let mut keys = Vec::new();
        let mut values = Vec::new();
        for store in stores {
            let mut pairs = store.values.sorted();
            if !K::ORDERED_AS_VALUES {
                pairs.sort_by_cached_key(|(key, _)| key.to_value());
            }
            to.varint(pairs.len() as u64);
            keys.extend(pairs.iter().map(|(key, _)| *key));
            values.extend(pairs.iter().map(|(_, value)| *value));
        }
        to.column(&keys);
        // One stretch of values of one kind; a map without types may have several.
        to.varint(values.len() as u64);
        to.byte(V::KIND.code());
        V::encode_many(&values, to);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let seed = from.seed();
        let sizes = from.sizes(count)?;
        let total = sizes.iter().sum();
        let mut keys = from.column::<K>(total)?.into_iter();
        if from.varint()? != total as u64 {
            return Err(from.error(DecodeErrorKind::OtherKind));
        }
        let mut values = read_store::<V>(total, from)?.into_iter();
        let mut stores = Vec::new();
        for size in sizes {
            let mut store = Self::with_seed(seed);
            for (key, value) in keys.by_ref().zip(values.by_ref()).take(size) {
                let mut new = false;
                store.values.slot_or_insert_with(key, || {
                    new = true;
                    value
                });
                if !new {
                    return Err(from.error(DecodeErrorKind::KeyTwice));
                }
            }
            stores.push(store);
        }
        Ok(stores)
    }

    fn heap_bytes(&self) -> usize {
        self.values.heap_bytes() + self.values.slots().map(|(_, (_, value))| value.heap_bytes()).sum::<usize>()
    }
}

impl<K: Element, V: Removable> Removable for OrMap<K, V> {}

/// Equal maps have equal values under equal keys.
impl<K: Element, V: Removable + PartialEq> PartialEq for OrMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.values.slots().all(|(_, (key, value))| other.get(key) == Some(value))
    }
}

impl<K: Element, V: Removable + Eq> Eq for OrMap<K, V> {}

impl<K: Element, V: Removable + fmt::Debug> fmt::Debug for OrMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
