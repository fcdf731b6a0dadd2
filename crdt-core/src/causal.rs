//! A store with everything it has seen. Causality is decided here and nowhere else.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use smallvec::SmallVec;

use crate::change::{Change, Observed, Path, Step};
use crate::delta::{Delta, Effect};
use crate::edit::Transaction;
use crate::live::Live;
use crate::sort::Sort as _;
use crate::{Dot, DotSet, DotStore, EditError, Merge, Writer};

/// A store with everything it has seen: the unit that merges.
///
/// What it knows of each dot is one of three things: not seen yet, seen and live (its entry is in the store), or seen
/// and retired (removed or overwritten). A merge moves every dot to the further of the two sides' stages. So a removal
/// takes exactly what was observed, a write that is causally later wins, and a replica that was away for any time
/// cannot bring back what was removed: there are no tombstones to lose (Almeida, Shoker, Baquero, *Delta State
/// Replicated Data Types*, 2018, section 7).
///
/// **Reading** goes through to the store: `cart.items().get("milk")`. **Writing** goes through [`edit`](Self::edit).
///
/// **Cost.** Merging a delta costs the delta. Merging two whole states costs the dots in which they differ, plus a
/// comparison of a bit per dot that skips equal stretches: 10⁶ equal elements take some 80 µs. Kept per dot: 4 bytes for
/// the index and a bit, beside the store's own part; nothing for retired dots but the runs they lie in.
///
/// ```
/// use crdt_core::{Causal, Merge, OrSet, ReplicaId, Writer};
///
/// let mut alice = Writer::new(ReplicaId::from_u128(1));
/// let mut bob = Writer::new(ReplicaId::from_u128(2));
/// let mut desk = Causal::<OrSet<&'static str>>::new();
/// let (delta, _) = desk.edit(&mut alice, |set| set.insert("lamp"));
///
/// let mut phone = Causal::<OrSet<&'static str>>::new();
/// phone.merge(delta);
/// let (removal, _) = phone.edit(&mut bob, |set| set.remove("lamp"));
/// let (again, _) = desk.edit(&mut alice, |set| set.insert("lamp"));   // concurrently
/// desk.merge(removal);
/// phone.merge(again);
/// assert!(desk.contains("lamp") && phone.contains("lamp"));           // the removal had not seen the second insert
/// assert_eq!(desk, phone);
/// ```
#[derive(Clone)]
pub struct Causal<S: DotStore> {
    pub(crate) store: S,
    pub(crate) seen: DotSet,
    pub(crate) live: Live<S::Place>,
}

/// What a replica holds, as sets of dots: enough for another one to compute the smallest delta for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Summary {
    /// All dots it knows.
    pub seen: DotSet,
    /// Those still in its store.
    pub live: DotSet,
}

/// The dots that one merge moves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moves {
    /// Their entries come in.
    pub added: Vec<Dot>,
    /// Their entries go.
    pub removed: Vec<Dot>,
    /// Their entries give way to other ones under the same dots: two memories write under one id.
    pub replaced: Vec<Dot>,
}

impl<S: DotStore> Causal<S> {
    /// The empty state.
    #[must_use]
    pub fn new() -> Self {
        Self::with_seed(0)
    }

    /// The empty state, its hash tables keyed by `seed`. Pass a random one where keys or ids come from people who may
    /// choose them to collide. The seed is no part of the value: it changes neither order nor bytes.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self { store: S::with_seed(seed), seen: DotSet::with_seed(seed), live: Live::with_seed(seed) }
    }

    /// All dots that were seen.
    #[must_use]
    pub fn seen(&self) -> &DotSet {
        &self.seen
    }

    /// The dots that are still in the store. Costs a pass over the index, a bit per dot.
    #[must_use]
    pub fn live(&self) -> DotSet {
        self.live.to_dot_set()
    }

    /// How many dots are in the store; O(1).
    #[must_use]
    pub fn live_len(&self) -> usize {
        self.live.len()
    }

    /// What is held here, for a peer that wants to [`diff`](Self::diff) against it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary { seen: self.seen.clone(), live: self.live() }
    }

    /// Edits the state, and returns what is new with the closure's answer.
    ///
    /// An edit that changes nothing takes no dot, and its delta is empty. Any other takes at least one. If the closure
    /// panics, what it wrote until then stays in the state, and reaches others by
    /// [`delta_since`](Self::delta_since).
    ///
    /// # Panics
    /// If a key or value is longer or deeper than what is read back, or after 2⁴⁸ edits of one writer. Where that can
    /// happen, as with values that users choose, use [`try_edit`](Self::try_edit), which returns
    /// [`EditError::TooLarge`] and [`EditError::Exhausted`] for them.
    #[inline]
    pub fn edit<R>(&mut self, writer: &mut Writer, f: impl FnOnce(&mut S::Cursor<'_>) -> R) -> (Delta<S>, R) {
        let mut delta = Delta::new();
        let mut transaction = Transaction::new(self, writer, &mut delta, false);
        let answer = f(&mut transaction.cursor());
        let refusal = transaction.refusal();
        debug_assert_eq!(refusal, None, "an edit that cannot be undone panics instead");
        transaction.commit();
        (delta, answer)
    }

    /// Edits the state with a closure that may fail; if it does, the state and the writer are as before.
    ///
    /// Undoing costs what the edit had done. The same happens if the closure panics.
    ///
    /// # Errors
    /// Whatever the closure returns; [`EditError::TooLarge`] if a key or value is longer than
    /// [`VALUE_BYTES_MAX`](crate::codec::VALUE_BYTES_MAX) or lies deeper than [`DEPTH_MAX`](crate::codec::DEPTH_MAX);
    /// [`EditError::Exhausted`] after 2⁴⁸ edits of one writer.
    pub fn try_edit<R, E: From<EditError>>(
        &mut self,
        writer: &mut Writer,
        f: impl FnOnce(&mut S::Cursor<'_>) -> Result<R, E>,
    ) -> Result<(Delta<S>, R), E> {
        self.try_edit_if(writer, f, |_| Ok(()))
    }

    /// As [`try_edit`](Self::try_edit), with a last look at what the edit would say: refused there, it is undone, too. For
    /// limits that only the finished delta can be measured against.
    ///
    /// # Errors
    /// As [`try_edit`](Self::try_edit), or whatever `allow` returns.
    pub fn try_edit_if<R, E: From<EditError>>(
        &mut self,
        writer: &mut Writer,
        f: impl FnOnce(&mut S::Cursor<'_>) -> Result<R, E>,
        allow: impl FnOnce(&Delta<S>) -> Result<(), E>,
    ) -> Result<(Delta<S>, R), E> {
        let mut delta = Delta::new();
        let mut transaction = Transaction::new(self, writer, &mut delta, true);
        let answer = f(&mut transaction.cursor())?;
        if let Some(error) = transaction.refusal() {
            return Err(error.into());
        }
        allow(transaction.delta())?;
        transaction.commit();
        Ok((delta, answer))
    }

    /// Takes a dot that says nothing about the data: for what is recorded beside it, in the same order of events.
    ///
    /// # Panics
    /// After 2⁴⁸ edits of that writer.
    pub fn mark(&mut self, writer: &mut Writer) -> Dot {
        let dot = writer.issue(&self.seen).expect("a writer issues at most 2^48 dots");
        self.seen.insert(dot);
        dot
    }

    #[inline]
    pub(crate) fn put_in(&mut self, dot: Dot, entry: S::Entry) {
        let place = self.store.graft(dot, entry);
        let new = self.live.insert(dot, place);
        debug_assert!(new, "an entry is grafted only under a dot that has none");
    }

    #[inline]
    pub(crate) fn take_out(&mut self, dot: Dot) {
        if let Some(place) = self.live.remove(dot) {
            self.store.prune(dot, &place);
        }
    }

    /// What someone who has seen `seen` lacks, removals included.
    ///
    /// Sound for any receiver that has seen at least that. Which of its dots are still live there is not known here, so
    /// all that were retired are named: in runs, at most one more than there are live dots. Where both sides can
    /// exchange a [`Summary`], [`diff`](Self::diff) is smaller; where both are at hand, so is [`diff_to`](Self::diff_to).
    pub fn delta_since(&self, seen: &DotSet) -> Delta<S> {
        let retired = self.seen.intersection(seen).difference(&self.live());
        self.delta_with(seen, retired)
    }

    /// The smallest delta that brings someone with this summary up to here: no entry it has, no dot it knows as
    /// retired.
    pub fn diff(&self, peer: &Summary) -> Delta<S> {
        let retired = peer.live.intersection(&self.seen).difference(&self.live());
        self.delta_with(&peer.seen, retired)
    }

    /// The smallest delta that brings `peer` up to here: [`diff`](Self::diff) with its summary, without making one. Costs
    /// what differs, and a look at each page and replica. With [`merge_changes`](Self::merge_changes) it tells what
    /// merging a whole state changes for a reader.
    ///
    /// ```
    /// # use crdt_core::{Causal, OrSet, ReplicaId, Writer};
    /// # let mut writer = Writer::new(ReplicaId::from_u128(1));
    /// # let (mut mine, mut theirs) = (Causal::<OrSet<u64>>::new(), Causal::<OrSet<u64>>::new());
    /// let _ = theirs.edit(&mut writer, |set| set.insert(7u64));
    /// assert_eq!(theirs.diff_to(&mine), theirs.diff(&mine.summary()));
    /// let changes = mine.merge_changes(&theirs.diff_to(&mine));
    /// assert_eq!(changes.len(), 1);
    /// ```
    pub fn diff_to(&self, peer: &Self) -> Delta<S> {
        let retired = peer.live.retired_by(&self.seen, &self.live).into_iter().collect();
        self.delta_with(&peer.seen, retired)
    }

    /// Everything, as a delta.
    pub fn to_delta(&self) -> Delta<S> {
        self.delta_with(&DotSet::new(), DotSet::new())
    }

    /// The entries under those of these dots that are live, as a delta that creates just their dots. Costs the dots that
    /// are found and the pages that their runs cover.
    pub fn restrict(&self, dots: &DotSet) -> Delta<S> {
        let mut entries = SmallVec::new();
        self.live.among(dots, |dot, place| entries.push((dot, self.store.entry(dot, place))));
        entries.order_by_key(|(dot, _)| *dot);
        let own = entries.iter().map(|(dot, _)| *dot).collect();
        Delta { entries, own, retired: DotSet::new() }
    }

    /// How many runs the live dots form. Costs a look at each page.
    #[must_use]
    pub fn live_runs_len(&self) -> usize {
        self.live.runs_len()
    }

    /// The live dots among these. Costs the dots that are found and the pages that the runs cover.
    #[must_use]
    pub fn live_within(&self, dots: &DotSet) -> DotSet {
        let mut found = DotSet::new();
        self.live.among(dots, |dot, _| {
            found.insert(dot);
        });
        found
    }

    /// The live dots that are not among these. Costs the dots that are found and a look at each page.
    #[must_use]
    pub fn live_outside(&self, dots: &DotSet) -> DotSet {
        let mut found = DotSet::new();
        self.live.unseen_by(dots, |dot, _| {
            found.insert(dot);
        });
        found
    }

    /// Whether the dot is in the store; O(1).
    #[must_use]
    pub fn is_live(&self, dot: Dot) -> bool {
        self.live.get(dot).is_some()
    }

    fn delta_with(&self, seen: &DotSet, retired: DotSet) -> Delta<S> {
        let mut entries = SmallVec::new();
        self.live.unseen_by(seen, |dot, place| entries.push((dot, self.store.entry(dot, place))));
        entries.order_by_key(|(dot, _)| *dot);
        Delta { entries, own: self.seen.difference(seen), retired }
    }

    /// Merges a delta and says what a reader would notice, without reading the state again: one [`Change`] for each
    /// touched element, key or value that looks different now. A concurrent write that loses is no change.
    pub fn merge_changes(&mut self, delta: &Delta<S>) -> Vec<Change> {
        let effect = self.effect_of(delta);
        let touched = effect.added.iter().chain(&effect.removed).map(|(_, entry)| entry);
        let observe_before = |entry| {
            let mut path = Path::new();
            let before = self.store.observe(entry, &mut path);
            (entry, path, before)
        };
        let touched: Vec<(&S::Entry, Path, Observed)> = touched.map(observe_before).collect();
        self.merge(delta);
        // Not by path alone: a document may hold stores of two kinds under one name.
        let changes = touched.into_iter().filter_map(|(entry, path, before)| {
            let after = self.store.observe(entry, &mut Path::new());
            (before != after).then_some((path, before, after))
        });
        let changes: alloc::collections::BTreeSet<(Path, Observed, Observed)> = changes.collect();
        changes.into_iter().map(|(path, before, after)| Change { path, before, after }).collect()
    }

    /// Where merging this delta would change something, each place once: what
    /// [`merge_changes`](Self::merge_changes) would say, with less exactness at less cost. The elements of a set are one
    /// place, and a write that loses may be among them. Of a state that holds nothing it says the root alone.
    #[must_use]
    pub fn places_of(&self, delta: &Delta<S>) -> Vec<Path> {
        if self.live.len() == 0 {
            return if delta.entries.is_empty() { Vec::new() } else { Vec::from([Path::new()]) };
        }
        let mut places = Vec::<Path>::new();
        let mut touch = |entry: &S::Entry| {
            let mut path = Path::new();
            self.store.observe(entry, &mut path);
            path.pop_if(|step| matches!(step, Step::Element(_)));
            if places.last() != Some(&path) {
                places.push(path);
            }
        };
        for (dot, entry) in &delta.entries {
            if !self.seen.contains(*dot) || self.outranked_by(*dot, entry).is_some() {
                touch(entry);
            }
        }
        for dot in self.retired_by(delta) {
            let place = self.live.get(dot).expect("dots to retire are live");
            touch(&self.store.entry(dot, &place));
        }
        places.order();
        places.dedup();
        places
    }

    /// Merges a delta and says which entries came and went.
    pub fn merge_effect(&mut self, delta: &Delta<S>) -> Effect<S> {
        let effect = self.effect_of(delta);
        self.merge(delta);
        effect
    }

    /// Which dots a merge of this delta would move, without the entries: for indexes that are kept beside a state.
    #[must_use]
    pub fn moves_of(&self, delta: &Delta<S>) -> Moves {
        let mut moves = Moves { removed: self.retired_by(delta).into_vec(), ..Moves::default() };
        for (dot, entry) in &delta.entries {
            if !self.seen.contains(*dot) {
                moves.added.push(*dot);
            } else if self.outranked_by(*dot, entry).is_some() {
                moves.replaced.push(*dot);
            }
        }
        moves
    }

    /// What merging would do.
    fn effect_of(&self, delta: &Delta<S>) -> Effect<S> {
        let mut effect = Effect { added: Vec::new(), removed: Vec::new() };
        for (dot, entry) in &delta.entries {
            if !self.seen.contains(*dot) {
                effect.added.push((*dot, entry.clone()));
            } else if let Some(mine) = self.outranked_by(*dot, entry) {
                effect.removed.push((*dot, mine));
                effect.added.push((*dot, entry.clone()));
            }
        }
        for dot in self.retired_by(delta) {
            let place = self.live.get(dot).expect("dots to retire are live");
            effect.removed.push((dot, self.store.entry(dot, &place)));
        }
        effect.removed.order_by_key(|(dot, _)| *dot);
        effect
    }

    /// The live dots that a delta retires.
    fn retired_by(&self, delta: &Delta<S>) -> SmallVec<[Dot; 1]> {
        let mut gone = SmallVec::new();
        self.live.among(&delta.retired, |dot, _| gone.push(dot));
        // Own dots without an entry were retired at birth; mostly there are none.
        if delta.own.len() > delta.entries.len() as u64 {
            self.live.among(&delta.own, |dot, _| {
                if !delta.has_entry(dot) {
                    gone.push(dot);
                }
            });
        }
        gone
    }

    /// The entry here under a live dot, if the other value that somebody gave to the same dot wins over it. Both sides
    /// must decide alike, so the greater one by canonical bytes wins.
    fn outranked_by(&self, dot: Dot, theirs: &S::Entry) -> Option<S::Entry> {
        let mine = self.store.entry(dot, self.live.get(dot)?.as_ref());
        (mine != *theirs && entry_bytes::<S>(dot, &mine) < entry_bytes::<S>(dot, theirs)).then_some(mine)
    }

    /// Dots for which this delta has another value than the state: two memories wrote under one id. Both values were
    /// offered, the same one wins everywhere, and the replica to ask about it is the dot's.
    #[must_use]
    pub fn equivocations(&self, delta: &Delta<S>) -> Vec<Dot> {
        let differs = |dot: Dot, entry: &S::Entry| {
            self.live.get(dot).is_some_and(|place| self.store.entry(dot, &place) != *entry)
        };
        delta.entries().filter(|(dot, entry)| differs(*dot, entry)).map(|(dot, _)| dot).collect()
    }

    fn merge_entry(&mut self, dot: Dot, entry: S::Entry) -> bool {
        if self.seen.contains(dot) {
            let outranked = self.outranked_by(dot, &entry).is_some();
            if outranked {
                self.take_out(dot);
                self.put_in(dot, entry);
            }
            return outranked;
        }
        self.put_in(dot, entry);
        true
    }

    /// Everything of a delta but its entries.
    fn merge_dots(&mut self, delta: &Delta<S>) -> bool {
        // After the entries, so that a key whose value is replaced does not vanish and come back.
        let gone = self.retired_by(delta);
        for dot in &gone {
            self.take_out(*dot);
        }
        self.tidy();
        self.seen.union_with(&delta.own) | self.seen.union_with(&delta.retired) | !gone.is_empty()
    }

    fn merge_state(&mut self, other: &Self) -> bool {
        let gone = self.live.retired_by(&other.seen, &other.live);
        let (store, live) = (&mut self.store, &mut self.live);
        // Room is made at once where much comes in; what is new among theirs is a bound for it.
        let fresh = other.seen.difference(&self.seen).len().min(other.live.len() as u64);
        if fresh > 64 {
            store.reserve(fresh as usize);
        }
        other.live.unseen_by(&self.seen, |dot, place| {
            let place = store.graft_from(dot, &other.store, place);
            live.insert(dot, place);
        });
        let lost = !gone.is_empty();
        for dot in gone {
            self.take_out(dot);
        }
        self.tidy();
        self.seen.union_with(&other.seen) | lost
    }

    /// Gives memory back once little is left of much. Slots stay where they are as long as a place names them, so what
    /// is left may lie one by one in pages and tables made for all; it is put into a fresh store, by dot. The removals
    /// since the peak have paid for it.
    #[inline]
    pub(crate) fn tidy(&mut self) {
        if self.live.is_sparse() {
            self.put_in_again();
        }
    }

    #[cold]
    fn put_in_again(&mut self) {
        let mut store = S::with_seed(self.live.seed());
        let mut live = Live::with_seed(self.live.seed());
        for (dot, place) in self.live.iter() {
            let place = store.graft_from(dot, &self.store, &place);
            live.insert(dot, place);
        }
        (self.store, self.live) = (store, live);
    }

    /// Whether equal sets of dots are here and there. Answers "in sync?" by a sum over the live dots that is kept up to
    /// date, in O(1), and one over the runs that were seen, in O(runs): one per replica where none has gaps. Not proof
    /// against forgery.
    #[must_use]
    pub fn dots_digest(&self) -> u64 {
        self.live.digest().wrapping_add(self.seen.digest().rotate_left(32))
    }

    /// The sum of the live dots' hashes: equal sets of live dots have equal ones. O(1).
    #[must_use]
    pub fn live_digest(&self) -> u64 {
        self.live.digest()
    }

    /// A hash of the canonical bytes (XXH3, 128 bits): equal states have equal digests on every platform. Costs an
    /// encoding. Not proof against forgery.
    #[must_use]
    pub fn content_digest(&self) -> u128 {
        xxhash_rust::xxh3::xxh3_128(&self.encode())
    }

    /// Memory in use, in bytes, about.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.store.heap_bytes() + self.seen.heap_bytes() + self.live.heap_bytes()
    }

    /// Checks what must always hold: the live dots are those of the store, and all of them were seen.
    ///
    /// # Errors
    /// Which of it does not hold. That is a fault of this library or of a type's author, never of the input.
    pub fn validate(&self) -> Result<(), Invalid> {
        let mut found = 0;
        let mut fault = None;
        self.store.visit(&mut |dot, place| {
            found += 1;
            if self.live.get(dot).as_deref() != Some(&place) {
                fault = Some(Invalid::NotIndexed(dot));
            } else if !self.seen.contains(dot) {
                fault = Some(Invalid::NotSeen(dot));
            }
        });
        match fault {
            Some(fault) => Err(fault),
            None if found != self.live.len() => Err(Invalid::NotStored),
            None => Ok(()),
        }
    }

    /// A state from a decoded store.
    pub(crate) fn from_parts(store: S, seen: DotSet, seed: u64) -> Result<Self, Invalid> {
        let mut live = Live::with_seed(seed);
        let mut fault = None;
        store.visit(&mut |dot, place| {
            if !live.insert(dot, place) {
                fault = Some(Invalid::Twice(dot));
            } else if !seen.contains(dot) {
                fault = Some(Invalid::NotSeen(dot));
            }
        });
        fault.map_or(Ok(Self { store, seen, live }), Err)
    }
}

/// The canonical bytes of one entry with its path.
fn entry_bytes<S: DotStore>(dot: Dot, entry: &S::Entry) -> Vec<u8> {
    let mut alone = Causal::<S>::new();
    alone.put_in(dot, entry.clone());
    alone.seen.insert(dot);
    alone.encode()
}

/// Something that must always hold does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Invalid {
    /// The store has an entry which the index does not name, or names elsewhere.
    NotIndexed(Dot),
    /// The index names a dot which the store does not have.
    NotStored,
    /// A live dot was never seen.
    NotSeen(Dot),
    /// One dot names two entries.
    Twice(Dot),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::NotIndexed(dot) => write!(f, "the entry of dot {dot} is not indexed"),
            Invalid::NotStored => write!(f, "an indexed dot has no entry"),
            Invalid::NotSeen(dot) => write!(f, "live dot {dot} was never seen"),
            Invalid::Twice(dot) => write!(f, "dot {dot} names two entries"),
        }
    }
}

impl core::error::Error for Invalid {}

impl<S: DotStore> Default for Causal<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// Reading a state is reading its store.
impl<S: DotStore> Deref for Causal<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

/// Equal states saw the same and hold the same.
impl<S: DotStore> PartialEq for Causal<S> {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen
            && self.live.len() == other.live.len()
            && self.live.iter().all(|(dot, place)| {
                let theirs = other.live.get(dot).map(|place| other.store.entry(dot, &place));
                theirs.is_some_and(|theirs| self.store.entry(dot, &place) == theirs)
            })
    }
}

impl<S: DotStore + Eq> Eq for Causal<S> {}

impl<S: DotStore + fmt::Debug> fmt::Debug for Causal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Causal").field("store", &self.store).field("seen", &self.seen).finish()
    }
}

impl<S: DotStore> Merge<&Causal<S>> for Causal<S> {
    fn merge(&mut self, other: &Causal<S>) -> bool {
        self.merge_state(other)
    }
}

impl<S: DotStore> Merge for Causal<S> {
    fn merge(&mut self, other: Causal<S>) -> bool {
        self.merge_state(&other)
    }
}

impl<S: DotStore> Merge<Delta<S>> for Causal<S> {
    fn merge(&mut self, mut delta: Delta<S>) -> bool {
        let entries = core::mem::take(&mut delta.entries);
        // What is retired is found by looking for entries, so they are looked at before they are moved.
        if delta.own.len() == entries.len() as u64 {
            let grew = entries.into_iter().fold(false, |grew, (dot, entry)| self.merge_entry(dot, entry) | grew);
            let gone = {
                let mut gone = SmallVec::<[Dot; 1]>::new();
                self.live.among(&delta.retired, |dot, _| gone.push(dot));
                gone
            };
            let grew = grew | !gone.is_empty();
            for dot in gone {
                self.take_out(dot);
            }
            self.tidy();
            return self.seen.union_with(&delta.own) | self.seen.union_with(&delta.retired) | grew;
        }
        delta.entries = entries;
        self.merge(&delta)
    }
}

impl<S: DotStore> Merge<&Delta<S>> for Causal<S> {
    fn merge(&mut self, delta: &Delta<S>) -> bool {
        let grew = delta.entries.iter().fold(false, |grew, (dot, entry)| self.merge_entry(*dot, entry.clone()) | grew);
        self.merge_dots(delta) | grew
    }
}

#[cfg(test)]
mod tests;
