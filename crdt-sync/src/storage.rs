//! What a replica asks a disk to keep, and what it gets back.
//!
//! The machine never touches a disk: it emits [`Persist`], a driver commits the [`Batch`] and reports
//! `durable`. Every output that shows a dot waits for that.

mod memory;
mod meta;
#[cfg(feature = "redb")]
mod redb;

#[cfg(feature = "redb")]
pub use self::redb::RedbStorage;
pub use memory::MemoryStorage;

use core::fmt;
use std::path::Path;

use crdt_core::{Dot, DotSet, ReplicaId};
use xxhash_rust::xxh3::xxh3_64;

use crate::{Own, ScopeId};

/// Names a moment in the order of a replica's commits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ticket(pub u64);

/// A batch to commit; report `durable` with its ticket afterwards.
#[derive(Clone, PartialEq, Debug)]
pub struct Persist {
    /// Its place in the order. Batches are committed in this order; several may share one flush.
    pub ticket: Ticket,
    /// What to commit.
    pub batch: Batch,
}

/// Records of the log are wanted that are no longer in memory; answer with `fetched`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// To be repeated in the answer.
    pub id: u64,
    /// Records that touch these dots.
    pub dots: DotSet,
    /// At most about this many bytes.
    pub bytes_max: usize,
}

/// One record in its canonical bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// Its dots: the key.
    pub own: Own,
    /// When it came into the log, in wall-clock milliseconds.
    pub logged_ms: u64,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

impl LogRecord {
    /// What a store answers about it when it is opened.
    #[must_use]
    pub fn entry(&self) -> LogEntry {
        LogEntry { own: self.own, logged_ms: self.logged_ms, len: self.bytes.len(), hash: xxh3_64(&self.bytes) }
    }
}

/// One change of what is kept, all or nothing. Applying a batch twice is applying it once.
///
/// Rows, sets and log change together: sets ahead of rows would be silent loss, rows ahead of sets would bring removed
/// entries back, `received` ahead of rows would be an effect that nobody sends again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Live entries that came, each as the canonical bytes of a delta that adds just it. An add costs its own size,
    /// never the set's.
    pub put: Vec<(Dot, Vec<u8>)>,
    /// Live entries that went.
    pub remove: Vec<Dot>,
    /// Dots that are now seen.
    pub seen: DotSet,
    /// Dots that are now received.
    pub received: DotSet,
    /// The maximal received dots, where they changed: the whole set.
    pub frontier: Option<DotSet>,
    /// Records that came into the log.
    pub log_put: Vec<LogRecord>,
    /// Records that went.
    pub log_drop: Vec<Own>,
    /// What changed of the entries that wait for the end of a repair.
    pub stage: Option<Stage>,
    /// Replicas that will make no more dots, each with its last, where that is new: rows of a table, of which the greatest
    /// counter of each replica holds. It only grows, and may have a million rows.
    pub retired: Vec<(ReplicaId, u64)>,
    /// The identity and all that is small, where it changed: the whole of it.
    pub meta: Option<Meta>,
}

impl Batch {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A change of the staged entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// These came, as rows.
    Put(Vec<(Dot, Vec<u8>)>),
    /// All went: the repair was committed, or given up for good.
    Clear,
}

/// Who a replica is, and what else it must not forget; small, and rewritten whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// The scope that the store belongs to.
    pub scope: ScopeId,
    /// Who writes.
    pub replica: ReplicaId,
    /// The counter of the last dot it may have issued; in lease mode the end of the lease.
    pub last: u64,
    /// No timestamp above this was issued.
    pub time_hi: u64,
    /// Whether it was closed cleanly: in lease mode, any other stop costs the id.
    pub clean: bool,
    /// A copy of what [`Loaded::marker`] must be: a store that was copied or restored is found out by it.
    pub marker: u64,
    /// What each peer has durably received, as far as heard: a hint.
    pub acked: Vec<(ReplicaId, DotSet)>,
    /// What every active replica had when this was written.
    pub stable: DotSet,
    /// Ids made for tabs: each with its last dot if it was given back, with none as long as a tab may write under it.
    pub lent: Vec<(ReplicaId, Option<u64>)>,
}

/// What a store holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The live entries.
    pub rows: Vec<(Dot, Vec<u8>)>,
    /// All dots that were seen.
    pub seen: DotSet,
    /// All dots that were received.
    pub received: DotSet,
    /// The maximal received dots.
    pub frontier: DotSet,
    /// The records of the log by dots, with length and age, oldest first.
    pub log: Vec<LogEntry>,
    /// Entries of a repair that was cut.
    pub staged: Vec<(Dot, Vec<u8>)>,
    /// Replicas that will make no more dots, each with its last.
    pub retired: Vec<(ReplicaId, u64)>,
    /// The identity; none in a store that is new.
    pub meta: Option<Meta>,
    /// A number that is kept outside the store (beside the file, not in it). If it does not match the one inside, the
    /// store was copied or restored, and the replica takes a fresh id.
    pub marker: Option<u64>,
}

/// A record of the log, without its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Its dots.
    pub own: Own,
    /// When it came into the log, in wall-clock milliseconds.
    pub logged_ms: u64,
    /// How long its bytes are.
    pub len: usize,
    /// XXH3-64 of them: tells whether a record of the same dots that comes again is the same, without reading it.
    pub hash: u64,
}

/// A store for one replica.
pub trait Storage {
    /// All it holds.
    ///
    /// # Errors
    /// If it cannot be read.
    fn load(&mut self) -> Result<Loaded, StorageError>;

    /// Applies batches in order; returns when they are durable. All or nothing.
    ///
    /// # Errors
    /// If that failed. The store is poisoned then and must be opened again: after a failed flush the pages may be gone
    /// while a second flush succeeds.
    fn commit(&mut self, batches: &[Batch]) -> Result<(), StorageError>;

    /// Records of the log that touch these dots, oldest first, up to about `bytes_max` bytes.
    ///
    /// # Errors
    /// If they cannot be read.
    fn records(&self, dots: &DotSet, bytes_max: usize) -> Result<Vec<LogRecord>, StorageError>;

    /// The store as it is now, to be copied while it goes on.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] if this kind of store can't do that; else if it cannot be read.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        Err(StorageError::Unsupported)
    }
}

/// What a store held at one moment. It may be copied by another thread, while the store goes on.
pub trait Snapshot: Send {
    /// Writes it to a new file, which has its name only when it is whole.
    ///
    /// # Errors
    /// If there is a file of that name, or it cannot be written.
    fn save(self: Box<Self>, to: &Path) -> Result<(), StorageError>;
}

/// A store failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StorageError {
    /// The system said no.
    Io(std::io::Error),
    /// What is there cannot be what was written.
    Corrupt(String),
    /// An earlier commit failed: open the store again.
    Poisoned,
    /// Somebody else has the store open.
    InUse,
    /// This kind of store can't do that.
    Unsupported,
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the store cannot be read or written: {error}"),
            Self::Corrupt(what) => write!(f, "the store is damaged: {what}"),
            Self::Poisoned => write!(f, "an earlier commit failed, so the store must be opened again"),
            Self::InUse => write!(f, "the store is open elsewhere"),
            Self::Unsupported => write!(f, "this kind of store can't do that"),
        }
    }
}

impl std::error::Error for StorageError {}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
