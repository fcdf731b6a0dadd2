//! A copy of the store while the node runs.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use super::watch::Watch;
use super::{Data, Node, NodeError};
use crate::Snapshot;

/// # Backups
///
/// ```no_run
/// # use crdt_core::OrSet;
/// # use crdt_sync::drive::Node;
/// # use crdt_sync::{Config, MemoryStorage, ScopeId};
/// # let node = Node::<OrSet<String>>::open(MemoryStorage::new(), Config::new(ScopeId::from_bytes([1; 16])))?;
/// node.backup("/backups/monday").wait()?;                                 // or `.await?`, while the node goes on
/// # #[cfg(feature = "redb")]
/// crdt_sync::RedbStorage::restore("/backups/monday", "/data/store")?;     // another day, perhaps elsewhere
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// **What is in it:** one moment of the store, with all that was acknowledged before the call. **What a restored one is:**
/// another replica. It has a fresh id and everything the backup has, and its peers give it what was done since, the old
/// id's edits among it. **What is lost:** what only the lost disk had. Never copy a store's file while it is in use: such
/// a copy holds two moments at once.
impl<S: Data> Node<S> {
    /// Has a copy of the store written to a new file. Edits go on, and so does their becoming durable; the store's file
    /// grows while both are kept. A node that is closed before the copy is whole leaves its store open until then.
    pub fn backup(&self, to: impl AsRef<Path>) -> Backup {
        let outcome = Arc::new(Watch::new(None));
        let answer = Answer(Arc::clone(&outcome));
        let to = to.as_ref().to_owned();
        self.with_store(move |store| match store.snapshot() {
            Ok(snapshot) => save(snapshot, &to, answer),
            Err(error) => answer.give(Err(error.into())),
        });
        Backup { outcome }
    }
}

/// On a thread of its own: the store is needed for what becomes durable meanwhile.
fn save(snapshot: Box<dyn Snapshot>, to: &Path, answer: Answer) {
    let to = to.to_owned();
    // If there is no thread to be had, the answer goes with its closure, as if the node had been closed.
    let _ = thread::Builder::new()
        .name("crdt-sync backup".to_owned())
        .spawn(move || answer.give(snapshot.save(&to).map_err(NodeError::from)));
}

type Outcome = Option<Result<(), NodeError>>;

/// Gives one answer, whatever happens.
struct Answer(Arc<Watch<Outcome>>);

impl Answer {
    fn give(&self, answer: Result<(), NodeError>) {
        self.0.update(|outcome| {
            outcome.get_or_insert(answer);
        });
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.0.update(|outcome| {
            outcome.get_or_insert(Err(NodeError::Closed));
        });
    }
}

/// A backup in the making. Dropping it does not stop it.
#[must_use = "the backup is whole once this was awaited or waited for"]
#[derive(Debug)]
pub struct Backup {
    outcome: Arc<Watch<Outcome>>,
}

impl Backup {
    /// Blocks the thread until the file is whole and flushed.
    ///
    /// # Errors
    /// If there is a file of that name, it cannot be written, the store has no backups
    /// ([`Unsupported`](crate::StorageError::Unsupported)), or the node was closed before. The node goes on as before.
    pub fn wait(self) -> Result<(), NodeError> {
        self.outcome.wait(None, Outcome::take).unwrap_or(Err(NodeError::Closed))
    }
}

impl Future for Backup {
    type Output = Result<(), NodeError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.outcome.poll(context, Outcome::take)
    }
}
