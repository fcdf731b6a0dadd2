//! What is new, and what a merge did.

use alloc::vec::Vec;
use core::fmt;

use smallvec::SmallVec;

use crate::codec::DEPTH_MAX;
use crate::sort::Sort as _;
use crate::{Dot, DotSet, DotStore, Merge};

/// Entries with their dots, ascending by dot.
pub(crate) type Entries<S> = SmallVec<[(Dot, <S as DotStore>::Entry); 1]>;

/// The part of a state that is new: entries, and the dots it retires (Almeida, Shoker, Baquero 2018).
///
/// A delta names *exactly* the dots it creates and those it retires, never a prefix of somebody's history: one that
/// claims more than it accounts for makes its receiver drop what it skipped. So deltas merge in any order, any number
/// of times, alone or in groups. Where causes must come first, order them yourself (a removal may otherwise be applied
/// before what it removes was shown).
///
/// Its size is that of the change; merging it costs its size, not that of the state.
#[must_use = "a delta is what the other replicas have to be told"]
#[derive(Clone)]
pub struct Delta<S: DotStore> {
    pub(crate) entries: Entries<S>,
    pub(crate) own: DotSet,
    pub(crate) retired: DotSet,
}

/// Up to this many dots are looked up one by one.
const FEW_RETIRED: u64 = 4;

impl<S: DotStore> Delta<S> {
    /// Nothing.
    pub fn new() -> Self {
        Self { entries: SmallVec::new(), own: DotSet::new(), retired: DotSet::new() }
    }

    /// A delta without entries: creates the dots `own`, each retired at birth, and retires `retired`.
    pub fn retiring(own: DotSet, retired: DotSet) -> Self {
        let retired = retired.difference(&own);
        Self { entries: SmallVec::new(), own, retired }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.retired.is_empty()
    }

    /// The dots it creates. Those without an entry were retired at birth: a removal's dot, or something that was
    /// written and removed again within the delta.
    #[must_use]
    pub fn own(&self) -> &DotSet {
        &self.own
    }

    /// The dots outside [`own`](Self::own) that it retires.
    #[must_use]
    pub fn retired(&self) -> &DotSet {
        &self.retired
    }

    /// Its entries, ascending by dot.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (Dot, &S::Entry)> {
        self.entries.iter().map(|(dot, entry)| (*dot, entry))
    }

    /// About how many bytes its entries take, each by itself: the sum, and the most that one takes. Nothing is encoded for
    /// it.
    #[must_use]
    pub fn weigh(&self) -> (usize, usize) {
        self.entries.iter().fold((0, 0), |(sum, most), (_, entry)| {
            let weight = S::weigh(entry, DEPTH_MAX).unwrap_or(usize::MAX);
            (weight.saturating_add(sum), most.max(weight))
        })
    }

    /// Its entries under these dots, as a delta that creates just their dots.
    pub fn restrict(&self, dots: &DotSet) -> Self {
        let entries: Entries<S> = self.entries.iter().filter(|(dot, _)| dots.contains(*dot)).cloned().collect();
        let own = entries.iter().map(|(dot, _)| *dot).collect();
        Self { entries, own, retired: DotSet::new() }
    }

    /// Takes out the entries from the `at`-th on, as a delta of its own that creates just their dots.
    pub fn split_off(&mut self, at: usize) -> Self {
        let entries: Entries<S> = self.entries.drain(at.min(self.entries.len())..).collect();
        let own = entries.iter().map(|(dot, _)| *dot).collect();
        self.own = self.own.difference(&own);
        Self { entries, own, retired: DotSet::new() }
    }

    pub(crate) fn has_entry(&self, dot: Dot) -> bool {
        self.entries.binary_search_by_key(&dot, |(dot, _)| *dot).is_ok()
    }

    /// Whether every dot it creates has an entry and nothing is retired.
    pub(crate) fn only_adds(&self) -> bool {
        self.retired.is_empty() && self.own.len() == self.entries.len() as u64
    }

    fn names(&self, dot: Dot) -> bool {
        self.own.contains(dot) || self.retired.contains(dot)
    }

    fn join(&mut self, other: Self) -> bool {
        let mut grew = false;
        let appends = match (self.entries.last(), other.entries.first()) {
            (Some((last, _)), Some((first, _))) => last < first,
            _ => true,
        };
        // An entry stays unless the other side knows its dot and has no entry for it. Of a row of edits that are joined one
        // by one each knows hardly any of those before it: what it took out is found without a look at all.
        let kept = self.entries.len();
        if other.own.is_disjoint(&self.own) && other.retired.len() <= FEW_RETIRED {
            for dot in other.retired.iter() {
                if let Ok(at) = self.entries.binary_search_by_key(&dot, |(dot, _)| *dot) {
                    self.entries.remove(at);
                }
            }
        } else {
            self.entries.retain(|(dot, _)| !other.names(*dot) || other.has_entry(*dot));
        }
        grew |= self.entries.len() < kept;
        // What came here to be retired at birth.
        let reborn = !self.retired.is_disjoint(&other.own);
        let (own, retired) = (&self.own, &self.retired);
        let fresh = other.entries.into_iter().filter(|(dot, _)| !own.contains(*dot) && !retired.contains(*dot));
        // Their dots are new, which is counted below.
        self.entries.extend(fresh);
        if !appends {
            self.entries.order_by_key(|(dot, _)| *dot);
        }
        grew |= self.own.union_with(&other.own);
        // What one side creates and the other retires was retired at birth. It is taken out before it is counted: a removal
        // that is merged again says nothing new.
        grew |= self.retired.union_with(&other.retired.difference(&self.own));
        if reborn {
            self.retired = self.retired.difference(&self.own);
        }
        grew
    }
}

impl<S: DotStore> Default for Delta<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: DotStore> PartialEq for Delta<S> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries && self.own == other.own && self.retired == other.retired
    }
}

impl<S: DotStore> fmt::Debug for Delta<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delta")
            .field("entries", &self.entries)
            .field("own", &self.own)
            .field("retired", &self.retired)
            .finish()
    }
}

/// Joins two deltas into a delta group: merging the group is merging both.
impl<S: DotStore> Merge for Delta<S> {
    fn merge(&mut self, rhs: Self) -> bool {
        self.join(rhs)
    }
}

impl<S: DotStore> Merge<&Delta<S>> for Delta<S> {
    fn merge(&mut self, rhs: &Self) -> bool {
        self.join(rhs.clone())
    }
}

/// What one merge did to a state: `old − removed + added = new`.
pub struct Effect<S: DotStore> {
    /// Entries that came in, by dot.
    pub added: Vec<(Dot, S::Entry)>,
    /// Entries that went, by dot.
    pub removed: Vec<(Dot, S::Entry)>,
}

impl<S: DotStore> Effect<S> {
    /// Whether no entry came or went.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl<S: DotStore> fmt::Debug for Effect<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effect").field("added", &self.added).field("removed", &self.removed).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Causal, Document, Edit, OrSet, Path, ReplicaId, Step, Timestamp, Value, Writer};

    #[test]
    fn a_delta_splits_into_parts_that_join_to_it() {
        let mut writer = Writer::new(ReplicaId::from_u128(1));
        let mut state = Causal::<OrSet<u64>>::new();
        let (delta, ()) = state.edit(&mut writer, |set| {
            for n in 0..10u64 {
                set.insert(n);
            }
        });
        let mut left = delta.clone();
        let right = left.split_off(4);
        assert_eq!((left.entries().len(), right.entries().len()), (4, 6));
        assert!(left.own().intersection(right.own()).is_empty());
        assert_eq!(delta.restrict(right.own()), right);
        left.merge(right);
        assert_eq!(left, delta);
    }

    #[test]
    fn live_dots_are_found_inside_and_outside_a_set() {
        let (mut a, mut b) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
        let mut state = Causal::<OrSet<u64>>::new();
        for n in 0..600u64 {
            let writer = if n % 2 == 0 { &mut a } else { &mut b };
            let _ =
                state.edit(writer, |set| if n % 7 == 6 { set.remove(&(n - 3)) } else { usize::from(set.insert(n)) });
        }
        let mut some = DotSet::new();
        some.insert_run(a.id(), 20, 200);
        some.insert_run(b.id(), 250, 1 << 40);
        let live = state.live();
        assert_eq!(state.live_within(&some), live.intersection(&some));
        assert_eq!(state.live_outside(&some), live.difference(&some));
        assert_eq!(state.live_runs_len(), live.runs().count());
        assert!(!state.live_within(&some).is_empty() && !state.live_outside(&some).is_empty());
    }

    /// What is weighed instead of encoded must not be far below it: limits are checked by it.
    #[test]
    fn a_delta_weighs_about_what_it_takes() {
        type Doing<'f> = &'f dyn Fn(&mut Edit<'_, Document>);
        let mut writer = Writer::new(ReplicaId::from_u128(1));
        let mut state = Causal::<Document>::new();
        let long = "x".repeat(10_000);
        let stamp = Timestamp::new(1 << 40, 7);
        let edits: [Doing<'_>; 8] = [
            &|doc| doc.pn_counter("likes").increment(u64::MAX / 2).unwrap(),
            &|doc| doc.bounded_counter("seats").mint(9).unwrap(),
            &|doc| doc.bounded_counter("seats").grant(ReplicaId::from_u128(2), 4).unwrap(),
            &|doc| doc.flag("open").enable(),
            &|doc| doc.lww("title").write(stamp, long.as_str()),
            &|doc| doc.set(long.as_str()).insert(i128::MIN).then_some(()).unwrap(),
            &|doc| doc.record("a").record("b").lww_map("c").insert(stamp, 1u64, Value::List([Value::Null].into())),
            &|doc| doc.map("d").map("e").register("f").write(long.clone().into_bytes()),
        ];
        for edit in edits {
            let (delta, ()) = state.edit(&mut writer, edit);
            let (sum, most) = delta.weigh();
            let bytes = delta.encode().len();
            assert_eq!(sum, most, "{delta:?}");
            assert!(sum + 32 >= bytes && sum <= bytes + 200, "{sum} for {bytes}: {delta:?}");
        }
    }

    #[test]
    fn deltas_that_are_joined_one_by_one_forget_what_they_replace() {
        let mut writer = Writer::new(ReplicaId::from_u128(1));
        let mut state = Causal::<OrSet<u64>>::new();
        let (mut all, _) = state.edit(&mut writer, |set| set.insert(7u64));
        for _ in 0..100 {
            let (again, _) = state.edit(&mut writer, |set| set.insert(7u64));
            all.merge(again);
        }
        assert_eq!((all.entries().len(), all.own().len()), (1, 101));
        assert!(all.retired().is_empty());
        let (gone, _) = state.edit(&mut writer, |set| set.remove(&7));
        assert!(all.merge(gone.clone()) && !all.merge(gone));
        assert_eq!((all.entries().len(), all.own().len()), (0, 102));
    }

    #[test]
    fn the_places_that_a_delta_touches_are_named_once() {
        let [mut a, mut b] = [1, 2].map(|id| Writer::new(ReplicaId::from_u128(id)));
        let (mut mine, mut theirs) = (Causal::<Document>::new(), Causal::<Document>::new());
        let fill = |doc: &mut Edit<'_, Document>| {
            for n in 0..10u64 {
                doc.set("tags").insert(n);
                doc.map("cart").counter(n).add(1);
            }
        };
        let (all, ()) = theirs.edit(&mut b, fill);
        assert_eq!(mine.places_of(&all), [Path::new()]);
        mine.merge(all.clone());
        assert!(mine.places_of(&all).is_empty(), "nothing of it is new");
        let (more, ()) = theirs.edit(&mut a, |doc| {
            doc.set("tags").insert(77u64);
            doc.set("tags").remove(&Value::from(3u64));
            doc.map("cart").remove(5u64);
        });
        let field = |name: &str| Step::Field(name.into());
        let places = [Path::from([field("cart"), Step::Key(5u64.into())]), Path::from([field("tags")])];
        assert_eq!(mine.places_of(&more), places);
    }

    #[test]
    fn what_a_state_has_seen_is_read_from_its_beginning() {
        let mut writer = Writer::new(ReplicaId::from_u128(1));
        let mut state = Causal::<OrSet<u64>>::new();
        let _ = state.edit(&mut writer, |set| (0..100).filter(|n| set.insert(*n as u64)).count());
        let bytes = state.encode();
        assert_eq!(Causal::<OrSet<u64>>::peek_seen(&bytes).as_ref(), Ok(state.seen()));
        assert!(Causal::<OrSet<u64>>::peek_seen(&bytes[..10]).is_err());
        let delta = state.to_delta().encode();
        assert!(Causal::<OrSet<u64>>::peek_seen(&delta).is_err(), "a delta is no state");
    }
}
