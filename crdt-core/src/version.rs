//! Version vectors: how much of each replica has been seen without a gap.

use core::cmp::Ordering;
use core::fmt;

use alloc::collections::BTreeMap;

use crate::dot::COUNTER_MAX;
use crate::{Merge, ReplicaId};

/// Per replica, how many of its edits were seen without a gap (Parker et al. 1983). A missing entry is 0.
///
/// Versions are only partially ordered: [`compare`](Self::compare) has four outcomes, over the union of both sides'
/// keys, and `<` is the same question.
///
/// ```
/// use crdt_core::{Causality, ReplicaId, VersionVector};
///
/// let [a, c] = [1, 3].map(ReplicaId::from_u128);
/// let left: VersionVector = [(a, 1)].into_iter().collect();
/// let right: VersionVector = [(a, 1), (c, 5)].into_iter().collect();
/// assert_eq!(left.compare(&right), Causality::Before);           // c counts although `left` has no entry for it
/// assert_eq!(left.compare(&left), Causality::Equal);             // equal is not "before"
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct VersionVector {
    // Never holds a 0, so equal versions are equal maps.
    entries: BTreeMap<ReplicaId, u64>,
}

/// How two versions stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Causality {
    /// Both saw the same.
    Equal,
    /// The other saw all of this one, and more.
    Before,
    /// This one saw all of the other, and more.
    After,
    /// Each saw something that the other did not.
    Concurrent,
}

impl VersionVector {
    /// Nothing seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many of a replica's edits were seen.
    #[must_use]
    pub fn get(&self, replica: ReplicaId) -> u64 {
        self.entries.get(&replica).copied().unwrap_or(0)
    }

    /// Raises a replica's entry to `count`, if it is lower; true iff it was.
    ///
    /// # Panics
    /// If `count` is above [`COUNTER_MAX`].
    pub fn raise(&mut self, replica: ReplicaId, count: u64) -> bool {
        assert!(count <= COUNTER_MAX, "a replica makes at most 2^48 edits");
        if count <= self.get(replica) {
            return false;
        }
        self.entries.insert(replica, count);
        true
    }

    /// The entries above 0, by replica.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, u64)> + '_ {
        self.entries.iter().map(|(replica, count)| (*replica, *count))
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How the two versions stand to each other.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Causality {
        let covers = |left: &Self, right: &Self| right.iter().all(|(replica, count)| count <= left.get(replica));
        match (covers(self, other), covers(other, self)) {
            (true, true) => Causality::Equal,
            (false, true) => Causality::Before,
            (true, false) => Causality::After,
            (false, false) => Causality::Concurrent,
        }
    }
}

impl PartialOrd for VersionVector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.compare(other) {
            Causality::Equal => Some(Ordering::Equal),
            Causality::Before => Some(Ordering::Less),
            Causality::After => Some(Ordering::Greater),
            Causality::Concurrent => None,
        }
    }
}

impl FromIterator<(ReplicaId, u64)> for VersionVector {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64)>>(entries: I) -> Self {
        let mut version = Self::new();
        for (replica, count) in entries {
            version.raise(replica, count);
        }
        version
    }
}

impl Merge<&VersionVector> for VersionVector {
    fn merge(&mut self, other: &VersionVector) -> bool {
        other.iter().fold(false, |grew, (replica, count)| self.raise(replica, count) | grew)
    }
}

impl Merge for VersionVector {
    fn merge(&mut self, other: VersionVector) -> bool {
        self.merge(&other)
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
