//! Ids by index.

use alloc::vec::Vec;

use crate::by_id::ById;
use crate::sort::Sort as _;
use crate::{Dot, ReplicaId};

/// Replica ids by index: what [`Encoder`](super::Encoder) and [`Decoder`](super::Decoder) spell ids with.
///
/// A buffer that stands alone has a table of its own, ascending. A connection keeps one for all that travels on it, so
/// an id costs its 16 bytes once and a byte or two ever after.
///
/// ```
/// use crdt_core::ReplicaId;
/// use crdt_core::codec::Ids;
///
/// let (a, b) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
/// let mut ids = Ids::default();
/// assert!(ids.insert(b) && ids.insert(a));
/// assert!(!ids.insert(b));                                      // known: it keeps its index
/// assert_eq!((ids.index_of(b), ids.index_of(a)), (Some(0), Some(1)));
/// assert_eq!(ids.get(1), Some(a));
/// ```
#[derive(Clone, Default)]
pub struct Ids {
    ids: Vec<ReplicaId>,
    index: Index,
}

#[derive(Clone)]
enum Index {
    /// The ids ascend: they are searched, which no choice of ids makes slow.
    Ascending,
    Keyed(ById<u32>),
}

impl Default for Index {
    fn default() -> Self {
        Self::Keyed(ById::default())
    }
}

/// Where a column of dots starts: before the first dot of the table's first id, unless something else is known.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) replica: ReplicaId,
    pub(super) last: u64,
}

impl Origin {
    pub(super) fn before(first: Dot) -> Self {
        Self { replica: first.replica(), last: first.counter() - 1 }
    }
}

impl Ids {
    /// An empty table. Pass a seed where ids come from outside: they may be chosen to collide.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self { ids: Vec::new(), index: Index::Keyed(ById::with_seed(seed)) }
    }

    /// The seed; 0 for a table of ascending ids, which needs none.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match &self.index {
            Index::Ascending => 0,
            Index::Keyed(index) => index.seed(),
        }
    }

    /// A table of these ids, ascending, each once.
    #[must_use]
    pub fn ascending(ids: impl IntoIterator<Item = ReplicaId>) -> Self {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.order();
        ids.dedup();
        Self { ids, index: Index::Ascending }
    }

    /// Gives an id the next index; false if it has one.
    pub fn insert(&mut self, id: ReplicaId) -> bool {
        if self.index_of(id).is_some() {
            return false;
        }
        let at = self.ids.len() as u32;
        if let Index::Ascending = self.index {
            let mut index = ById::default();
            self.ids.iter().zip(0..).for_each(|(id, at)| *index.entry(*id) = at);
            self.index = Index::Keyed(index);
        }
        if let Index::Keyed(index) = &mut self.index {
            *index.entry(id) = at;
        }
        self.ids.push(id);
        true
    }

    /// The id at an index.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<ReplicaId> {
        self.ids.get(usize::try_from(index).ok()?).copied()
    }

    /// The index of an id.
    #[must_use]
    pub fn index_of(&self, id: ReplicaId) -> Option<u64> {
        match &self.index {
            Index::Ascending => self.ids.binary_search(&id).ok().map(|at| at as u64),
            Index::Keyed(index) => index.get(id).map(|at| u64::from(*at)),
        }
    }

    /// All ids, by index.
    #[must_use]
    pub fn as_slice(&self) -> &[ReplicaId] {
        &self.ids
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(super) fn origin(&self) -> Option<Origin> {
        self.ids.first().map(|first| Origin { replica: *first, last: 0 })
    }
}
