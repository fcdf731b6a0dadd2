//! The one trait for everything that merges, and the plain lattices.

/// Takes in what another value knows.
///
/// The answer is true iff `self` grew. Merging is idempotent, commutative and associative: any order, any grouping
/// and any repetition of the same merges give the same value, so replicas that saw the same agree (Shapiro et al.,
/// *Conflict-free Replicated Data Types*, 2011). Merging valid values cannot fail. The feature `laws` checks all of
/// this for any type.
///
/// ```
/// use crdt_core::{Max, Merge};
///
/// let mut highest = (Max(3), Max("a"));
/// assert!(highest.merge((Max(5), Max("A"))));
/// assert!(!highest.merge((Max(4), Max("a"))));                   // nothing new
/// assert_eq!(highest, (Max(5), Max("a")));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take in `{Rhs}`",
    label = "does not merge",
    note = "only values of one type merge: a state with states and deltas of that type, by value or by reference"
)]
pub trait Merge<Rhs = Self> {
    /// Takes in what `rhs` knows; true iff `self` grew.
    fn merge(&mut self, rhs: Rhs) -> bool;
}

/// The largest value written so far.
///
/// | concurrent | result |
/// |---|---|
/// | 3 ∥ 5 | 5 |
///
/// ```
/// use crdt_core::{Max, Merge, Min};
///
/// // When a sensor was first and last heard of, by two gateways.
/// let mut north = (Min(100), Max(180));
/// let mut south = (Min(120), Max(200));
/// north.merge(&south);
/// south.merge(&north);
/// assert_eq!(north, (Min(100), Max(200)));
/// assert_eq!(north, south);
/// ```
///
/// **Cost.** A comparison. Sent and kept: the value.
///
/// **Source.** Every total order is a lattice (Shapiro et al. 2011). A plain lattice: no replica and no dot,
/// so it cannot be taken back, and is not edited inside a [`Causal`](crate::Causal).
///
/// **Choose** [`LwwRegister`](crate::LwwRegister) where a later, smaller value should count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Max<T>(pub T);

/// The smallest value written so far: 3 ∥ 5 is 3. All else as [`Max`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Min<T>(pub T);

impl<T: Ord> Merge for Max<T> {
    fn merge(&mut self, rhs: Self) -> bool {
        let grew = rhs.0 > self.0;
        if grew {
            *self = rhs;
        }
        grew
    }
}

impl<T: Ord + Clone> Merge<&Max<T>> for Max<T> {
    fn merge(&mut self, rhs: &Self) -> bool {
        rhs.0 > self.0 && self.merge(rhs.clone())
    }
}

impl<T: Ord> Merge for Min<T> {
    fn merge(&mut self, rhs: Self) -> bool {
        let grew = rhs.0 < self.0;
        if grew {
            *self = rhs;
        }
        grew
    }
}

impl<T: Ord + Clone> Merge<&Min<T>> for Min<T> {
    fn merge(&mut self, rhs: &Self) -> bool {
        rhs.0 < self.0 && self.merge(rhs.clone())
    }
}

/// `None` is below everything.
impl<T: Merge> Merge for Option<T> {
    fn merge(&mut self, rhs: Self) -> bool {
        match (self.as_mut(), rhs) {
            (_, None) => false,
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (None, theirs) => {
                *self = theirs;
                true
            }
        }
    }
}

impl<T: Clone + for<'a> Merge<&'a T>> Merge<&Option<T>> for Option<T> {
    fn merge(&mut self, rhs: &Self) -> bool {
        match (self.as_mut(), rhs) {
            (_, None) => false,
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (None, theirs) => {
                self.clone_from(theirs);
                true
            }
        }
    }
}

macro_rules! tuples {
    ($($name:ident $at:tt),+) => {
        /// Part by part.
        impl<$($name: Merge),+> Merge for ($($name,)+) {
            fn merge(&mut self, rhs: Self) -> bool {
                $(self.$at.merge(rhs.$at))|+
            }
        }

        impl<$($name: for<'a> Merge<&'a $name>),+> Merge<&($($name,)+)> for ($($name,)+) {
            fn merge(&mut self, rhs: &Self) -> bool {
                $(self.$at.merge(&rhs.$at))|+
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
