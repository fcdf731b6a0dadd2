//! Sets of dots: what has been seen, what is live, what a delta retires.

use core::fmt;
use core::hash::{Hash, Hasher};

use smallvec::SmallVec;

use crate::by_id::ById;
use crate::dot::COUNTER_MAX;
use crate::runs::{Run, Runs};
use crate::{Dot, Merge, ReplicaId, VersionVector};

/// A set of dots, gaps included, kept as runs per replica. In the literature: a causal context (Almeida, Shoker,
/// Baquero, *Delta State Replicated Data Types*, 2018, section 7.2).
///
/// A million dots without a gap cost 40 bytes. All set operations cost the number of runs, never the number of dots,
/// so a run of 2⁴⁸ dots that somebody claims is as cheap as one dot. Iteration goes by replica, then by counter.
///
/// ```
/// use crdt_core::{Dot, DotSet, ReplicaId};
///
/// let (a, b) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
/// let mut seen = DotSet::new();
/// seen.insert_run(a, 1, 1_000_000);
/// seen.insert(Dot::new(b, 3).unwrap());                         // b's first two edits are still missing
/// assert_eq!(seen.len(), 1_000_001);
/// assert_eq!(seen.version().get(a), 1_000_000);
/// assert_eq!(seen.version().get(b), 0);                         // nothing of b's without a gap
/// ```
#[derive(Clone, Default)]
pub struct DotSet {
    rows: ById<Runs>,
}

impl DotSet {
    /// No dots.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No dots, with the seed of its hash table: where ids come from outside, they may be chosen to collide.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self { rows: ById::with_seed(seed) }
    }

    pub(crate) fn row(&self, replica: ReplicaId) -> Option<&Runs> {
        self.rows.get(replica)
    }

    /// Rows with at least one dot, in any order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (ReplicaId, &Runs)> + Clone {
        self.rows.iter().filter(|(_, runs)| !runs.is_empty())
    }

    /// Rows with at least one dot, by replica.
    pub(crate) fn sorted_rows(&self) -> SmallVec<[(ReplicaId, &Runs); 1]> {
        let mut rows = self.rows.sorted();
        rows.retain(|(_, runs)| !runs.is_empty());
        rows
    }

    /// Adds a dot; true iff it was missing.
    #[inline]
    pub fn insert(&mut self, dot: Dot) -> bool {
        self.rows.entry(dot.replica()).insert(Run { first: dot.counter(), last: dot.counter() })
    }

    /// Adds the dots `first..=last` of a replica; true iff one was missing.
    ///
    /// # Panics
    /// If `first` is 0 or above `last`, or `last` is above [`COUNTER_MAX`].
    pub fn insert_run(&mut self, replica: ReplicaId, first: u64, last: u64) -> bool {
        assert!(1 <= first && first <= last, "a run starts at 1 or above and ends no earlier than it starts");
        assert!(last <= COUNTER_MAX, "a run ends at 2^48 or below");
        self.rows.entry(replica).insert(Run { first, last })
    }

    /// Whether the dot is here.
    #[inline]
    #[must_use]
    pub fn contains(&self, dot: Dot) -> bool {
        self.rows.get(dot.replica()).is_some_and(|runs| runs.contains(dot.counter()))
    }

    /// Whether there are no dots.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }

    /// How many dots there are; at most `u64::MAX`.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.rows().fold(0, |sum, (_, runs)| sum.saturating_add(runs.len()))
    }

    /// How many runs there are: what the set costs to keep and to combine.
    #[must_use]
    pub fn run_count(&self) -> usize {
        self.rows().map(|(_, runs)| runs.as_slice().len()).sum()
    }

    /// Adds all of `other`; true iff one was missing.
    pub fn union_with(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for (replica, runs) in other.rows() {
            grew |= self.rows.entry(replica).union_with(runs);
        }
        grew
    }

    /// The dots in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.row_by_row(other, Runs::intersection, false)
    }

    /// The dots that are here and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.row_by_row(other, Runs::difference, true)
    }

    fn row_by_row(&self, other: &Self, combine: fn(&Runs, &Runs) -> Runs, alone: bool) -> Self {
        let mut result = Self::with_seed(self.rows.seed());
        for (replica, runs) in self.rows() {
            let combined = match other.row(replica) {
                Some(theirs) => combine(runs, theirs),
                None if alone => runs.clone(),
                None => continue,
            };
            if !combined.is_empty() {
                *result.rows.entry(replica) = combined;
            }
        }
        result
    }

    /// Whether every dot here is in `other` too.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.rows().all(|(replica, runs)| other.row(replica).is_some_and(|theirs| runs.is_subset(theirs)))
    }

    /// Whether no dot here is in `other`. Costs a search here for each run there.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        other.rows().all(|(replica, runs)| self.row(replica).is_none_or(|mine| mine.is_disjoint(runs)))
    }

    /// The gap-free part: per replica, how many of its dots are here counted from its first.
    #[must_use]
    pub fn version(&self) -> VersionVector {
        self.rows().map(|(replica, runs)| (replica, runs.prefix())).collect()
    }

    /// The highest counter here of one replica; 0 if there is none.
    #[must_use]
    pub fn last(&self, replica: ReplicaId) -> u64 {
        self.row(replica).and_then(Runs::last).unwrap_or(0)
    }

    /// The runs `(replica, first, last)`, by replica, then ascending.
    pub fn runs(&self) -> impl Iterator<Item = (ReplicaId, u64, u64)> + '_ {
        self.sorted_rows()
            .into_iter()
            .flat_map(|(replica, runs)| runs.as_slice().iter().map(move |run| (replica, run.first, run.last)))
    }

    /// The run, if this is one: what an edit creates. In O(1), where [`runs`](Self::runs) has to sort.
    #[must_use]
    pub fn only_run(&self) -> Option<(ReplicaId, u64, u64)> {
        let mut rows = self.rows();
        let (replica, runs) = rows.next()?;
        match runs.as_slice() {
            [run] if rows.next().is_none() => Some((replica, run.first, run.last)),
            _ => None,
        }
    }

    /// Every dot, by replica, then ascending. Costs what the set holds: a claimed run may be astronomically long.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.runs().flat_map(|(replica, first, last)| (first..=last).map(move |counter| Dot::known(replica, counter)))
    }

    /// A sum over runs of hashes: equal sets have equal ones. Costs the number of runs. Not proof against forgery.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.rows()
            .flat_map(|(replica, runs)| runs.as_slice().iter().map(move |run| (replica, run)))
            .map(|(replica, run)| {
                let mut bytes = [0; 32];
                bytes[..16].copy_from_slice(&replica.to_bytes());
                bytes[16..24].copy_from_slice(&run.first.to_le_bytes());
                bytes[24..].copy_from_slice(&run.last.to_le_bytes());
                xxhash_rust::xxh3::xxh3_64(&bytes)
            })
            .fold(0, u64::wrapping_add)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes() + self.rows.iter().map(|(_, runs)| runs.heap_bytes()).sum::<usize>()
    }
}

impl PartialEq for DotSet {
    fn eq(&self, other: &Self) -> bool {
        self.rows().count() == other.rows().count()
            && self.rows().all(|(replica, runs)| other.row(replica).is_some_and(|theirs| runs == theirs))
    }
}

impl Eq for DotSet {}

impl Hash for DotSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for run in self.runs() {
            run.hash(state);
        }
    }
}

impl fmt::Debug for DotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.runs().map(|(replica, first, last)| RunOf { replica, first, last })).finish()
    }
}

struct RunOf {
    replica: ReplicaId,
    first: u64,
    last: u64,
}

impl fmt::Debug for RunOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.replica, self.first)?;
        if self.last > self.first { write!(f, "..={}", self.last) } else { Ok(()) }
    }
}

impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut set = Self::new();
        set.extend(dots);
        set
    }
}

impl Extend<Dot> for DotSet {
    fn extend<I: IntoIterator<Item = Dot>>(&mut self, dots: I) {
        for dot in dots {
            self.insert(dot);
        }
    }
}

impl From<&VersionVector> for DotSet {
    fn from(version: &VersionVector) -> Self {
        let mut set = Self::new();
        for (replica, count) in version.iter() {
            set.insert_run(replica, 1, count);
        }
        set
    }
}

impl From<VersionVector> for DotSet {
    fn from(version: VersionVector) -> Self {
        Self::from(&version)
    }
}

impl Merge<&DotSet> for DotSet {
    fn merge(&mut self, other: &DotSet) -> bool {
        self.union_with(other)
    }
}

impl Merge for DotSet {
    fn merge(&mut self, other: DotSet) -> bool {
        self.union_with(&other)
    }
}
