//! What a type must offer to be merged by [`Causal`](crate::Causal).

use core::fmt::Debug;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::change::{Observed, Path};
use crate::codec::{DecodeError, Decoder, Encoder, Kind};
use crate::{Dot, Edit};

/// Data whose parts are named by dots (Almeida, Shoker, Baquero 2018, section 7).
///
/// A store is a set of *entries*, each under one dot. An entry says all there is to know about one edit's effect: the
/// path to it and what lies there. The store's own job is to keep entries in a shape that is good to read; which
/// entries it holds is decided in [`Causal`](crate::Causal), and nowhere else. So a merge is a handful of `graft`s and
/// `prune`s, each for a dot that differs, whatever the size of the state.
///
/// To find an entry again from its dot without walking keys, [`graft`](Self::graft) returns its *place* (a slot, for
/// nested stores a slot per level), which the index of live dots keeps. A place holds until its own entry is pruned.
///
/// A type's author owes: equal sets of entries read alike and encode alike, in whatever order they were grafted; and
/// `prune` undoes `graft`. The feature `laws` checks this and all that follows from it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store, so it cannot be edited and merged inside `Causal`",
    label = "not a store",
    note = "a plain value lives in a register, such as `MvRegister<{Self}>` or `LwwRegister<{Self}>`; see the table in `crdt_core::types`"
)]
pub trait DotStore: Default + Clone + 'static {
    /// One edit's effect with the path to it: what a delta carries.
    type Entry: Clone + PartialEq + Debug;
    /// Where an entry lives.
    type Place: Place;
    /// What an edit closure is handed; `Edit<'a, Self>` unless the type needs methods of its own there.
    type Cursor<'a>: From<Edit<'a, Self>>;

    /// What kind of container this is, as its bytes say.
    const KIND: Kind;

    /// An empty store whose hash tables are keyed by `seed`.
    fn with_seed(seed: u64) -> Self;

    /// Whether there are no entries. An absent key and an empty value are the same.
    fn is_bottom(&self) -> bool;

    /// Puts in an entry under a dot that has none here.
    fn graft(&mut self, dot: Dot, entry: Self::Entry) -> Self::Place;

    /// Puts in a copy of another store's entry; the same as `graft(dot, from.entry(dot, place))`, but may be cheaper.
    fn graft_from(&mut self, dot: Dot, from: &Self, place: &Self::Place) -> Self::Place {
        self.graft(dot, from.entry(dot, place))
    }

    /// About how many bytes an entry takes with its dot and the way to it, without encoding it; `None` if it can't be read
    /// back: a key or value in it is longer than [`VALUE_BYTES_MAX`](crate::codec::VALUE_BYTES_MAX), or this store with all
    /// in it lies more than `levels` deep. An edit refuses such an entry. A store adds
    /// [`STORE_WEIGHT`](Self::STORE_WEIGHT) to what its keys and values take.
    fn weigh(_entry: &Self::Entry, levels: usize) -> Option<usize> {
        (levels > 0).then_some(Self::STORE_WEIGHT)
    }

    /// About what an entry takes in one store beside keys and values: a dot, a timestamp or total, and columns' heads.
    const STORE_WEIGHT: usize = 16;

    /// Takes out the entry under a dot.
    fn prune(&mut self, dot: Dot, place: &Self::Place);

    /// Copies out the entry under a dot.
    fn entry(&self, dot: Dot, place: &Self::Place) -> Self::Entry;

    /// Visits every dot and its place, in any order.
    fn visit(&self, visit: &mut dyn FnMut(Dot, Self::Place));

    /// Makes room for about this many entries, if that helps.
    fn reserve(&mut self, _additional: usize) {}

    /// What a reader sees where the entry lies; adds the way there to `path`.
    fn observe(&self, entry: &Self::Entry, path: &mut Path) -> Observed;

    /// Writes several stores of this kind, none of them empty, column by column.
    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>);

    /// Reads what [`encode_many`](Self::encode_many) wrote for `count` stores.
    ///
    /// # Errors
    /// If the bytes are not such stores.
    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError>;

    /// Bytes held on the heap, about.
    fn heap_bytes(&self) -> usize;
}

/// Where an entry lives in a store: `()` where there is one place only, a slot, or for nested stores a slot per level.
///
/// Edits that one replica makes in turn mostly fill slots in turn, at one of the levels. A page of the index whose places
/// follow each other along such an *axis* keeps the first and no list.
pub trait Place: Clone + PartialEq {
    /// How many axes there are, numbered from 1, the innermost first. Along axis 0 all places are alike.
    const AXES: u8 = 0;

    /// The place so many steps further along an axis, wrapping around.
    #[must_use]
    fn along(&self, axis: u8, steps: u32) -> Self;
}

impl Place for () {
    #[inline]
    fn along(&self, _: u8, _: u32) {}
}

impl Place for u32 {
    const AXES: u8 = 1;

    #[inline]
    fn along(&self, axis: u8, steps: u32) -> Self {
        if axis == 1 { self.wrapping_add(steps) } else { *self }
    }
}

impl<P: Place> Place for (u32, P) {
    const AXES: u8 = 1 + P::AXES;

    #[inline]
    fn along(&self, axis: u8, steps: u32) -> Self {
        let (slot, inner) = self;
        if axis == Self::AXES { (slot.wrapping_add(steps), inner.clone()) } else { (*slot, inner.along(axis, steps)) }
    }
}

impl<P: Place> Place for Box<P> {
    const AXES: u8 = P::AXES;

    fn along(&self, axis: u8, steps: u32) -> Self {
        Box::new((**self).along(axis, steps))
    }
}

/// Stores that may live under a key which can be removed: their removal takes exactly what was observed and leaves what
/// came concurrently, and what is left still means something.
///
/// Running totals ([`GCounter`](crate::GCounter), [`PnCounter`](crate::PnCounter),
/// [`BoundedCounter`](crate::BoundedCounter)) do not have it: a total that was written concurrently with the removal
/// contains what the removal had seen. [`Counter`](crate::Counter) is the one for such places.
///
/// ```compile_fail,E0277
/// use crdt_core::{Causal, OrMap, PnCounter};
///
/// let likes = Causal::<OrMap<String, PnCounter>>::default();      // `PnCounter` cannot live under a key that …
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot live under a key that can be removed",
    label = "a removal would leave part of what it removed, or keep a tombstone",
    note = "use `Counter` instead of a counter of running totals, `OrSet` instead of `GSet` or `RwSet`, `EwFlag` instead of `DwFlag`"
)]
pub trait Removable: DotStore {}
