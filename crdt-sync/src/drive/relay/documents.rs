//! Which documents are open, and who is in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crdt_core::Document;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::{RelayConfig, RelayNode};
use crate::{Config, RedbStorage, ScopeId};

use super::super::{Node, NodeError};

/// What the names of stores end in.
const STORE: &str = "redb";

/// Opens the store of a document; none if too many are kept.
type Opener = dyn Fn(ScopeId) -> Result<Option<RelayNode>, NodeError> + Send + Sync;

pub(super) struct Documents(Arc<Table>);

/// It is locked for moments only. Opening and closing hold the place of their own document, so a slow store keeps nobody
/// waiting who is not in it.
struct Table {
    opener: Arc<Opener>,
    /// One permit for each document that may be open.
    room: Arc<Semaphore>,
    /// None once they were closed for good.
    places: Mutex<Option<BTreeMap<ScopeId, Arc<Place>>>>,
}

/// Where one document is opened, used and closed: two replicas may not open one store.
#[derive(Default)]
struct Place(tokio::sync::Mutex<Option<Opened>>);

struct Opened {
    guest: Guest,
    room: OwnedSemaphorePermit,
}

/// Somebody in a document: it stays open meanwhile.
#[derive(Clone)]
pub struct Guest(Arc<RelayNode>);

impl Guest {
    /// The document's replica.
    #[must_use]
    pub fn node(&self) -> &RelayNode {
        &self.0
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Guest").field(&self.0.id()).finish()
    }
}

impl Documents {
    pub(super) fn new(config: &RelayConfig) -> Self {
        let (folder, kept_max, making) = (config.data.clone(), config.documents_max, Mutex::new(0));
        let opener = move |scope| open_store(&folder, scope, kept_max, &making);
        Self::with(Arc::new(opener), config.documents_open_max)
    }

    fn with(opener: Arc<Opener>, open_max: usize) -> Self {
        let room = Arc::new(Semaphore::new(open_max.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Table { opener, room, places: Mutex::new(Some(BTreeMap::new())) }))
    }

    /// The replica of a scope; none where there is no room for it, or all are closed for good.
    pub(super) async fn enter(&self, scope: ScopeId) -> Result<Option<Guest>, NodeError> {
        let table = Arc::clone(&self.0);
        // Whoever comes may be gone before the store is open; it is opened to its end all the same, or the next one would
        // find a store that is in use.
        tokio::spawn(async move { table.enter(scope).await }).await.expect("opening a store does not panic")
    }

    pub(super) async fn close(&self) -> Result<(), NodeError> {
        let mut result = Ok(());
        // Who is about to open one finds them closed, or is waited for.
        for (_, place) in self.0.places(Option::take).into_iter().flatten() {
            if let Some(opened) = place.0.lock().await.take() {
                result = result.and(RelayNode::clone(&opened.guest.0).close().await);
            }
        }
        result
    }
}

impl Table {
    fn places<R>(&self, f: impl FnOnce(&mut Option<BTreeMap<ScopeId, Arc<Place>>>) -> R) -> R {
        f(&mut self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn enter(&self, scope: ScopeId) -> Result<Option<Guest>, NodeError> {
        let Some(place) = self.places(|places| Some(Arc::clone(places.as_mut()?.entry(scope).or_default()))) else {
            return Ok(None);
        };
        let entered = self.enter_at(&place, scope).await;
        drop(place);
        self.forget_empty(scope);
        entered
    }

    async fn enter_at(&self, place: &Place, scope: ScopeId) -> Result<Option<Guest>, NodeError> {
        let mut place = place.0.lock().await;
        if self.places(|places| places.is_none()) {
            return Ok(None);
        }
        if let Some(opened) = place.as_ref().filter(|opened| !opened.guest.0.core.is_closed()) {
            return Ok(Some(opened.guest.clone()));
        }
        if let Some(gone) = place.take() {
            // Its store failed, or somebody who was in it has closed it. What was durable is opened anew.
            drop(end(gone).await);
        }
        let Some(room) = self.room().await else { return Ok(None) };
        let opener = Arc::clone(&self.opener);
        let opened = spawn_blocking(move || opener(scope)).await.expect("opening a store does not panic")?;
        let Some(node) = opened else { return Ok(None) };
        let guest = Guest(Arc::new(node));
        *place = Some(Opened { guest: guest.clone(), room });
        Ok(Some(guest))
    }

    /// Room for one more, if need be that of a document which nobody is in.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
            return Some(room);
        }
        let others: Vec<Arc<Place>> = self.places(|places| places.iter().flat_map(BTreeMap::values).cloned().collect());
        for other in others {
            // One that is locked is being entered, or left.
            let Ok(mut other) = other.0.try_lock() else { continue };
            // Whose only holder is the table itself has nobody in it.
            let idle = other.as_ref().is_some_and(|opened| Arc::strong_count(&opened.guest.0) == 1);
            if let Some(opened) = other.take_if(|_| idle) {
                return Some(end(opened).await);
            }
        }
        None
    }

    /// A place with nothing in it, that nobody is at, is none.
    fn forget_empty(&self, scope: ScopeId) {
        self.places(|places| {
            let Some(places) = places.as_mut() else { return };
            let idle = |place: &Arc<Place>| {
                Arc::strong_count(place) == 1 && place.0.try_lock().is_ok_and(|place| place.is_none())
            };
            if places.get(&scope).is_some_and(idle) {
                places.remove(&scope);
            }
        });
    }
}

/// Closes a document and frees its store, whoever still holds it, and gives its room. If the store fails in this, that is
/// no concern of who wants its place: all that was acknowledged is durable.
async fn end(opened: Opened) -> OwnedSemaphorePermit {
    let _ = RelayNode::clone(&opened.guest.0).close().await;
    opened.room
}

fn open_store(
    folder: &Path,
    scope: ScopeId,
    kept_max: usize,
    making: &Mutex<usize>,
) -> Result<Option<RelayNode>, NodeError> {
    let path = folder.join(format!("{scope}.{STORE}"));
    let open = || {
        let node = Node::<Document>::open(RedbStorage::open(&path)?, Config::new(scope))?;
        node.core.pass_on_presence();
        Ok(Some(node))
    };
    if path.exists() {
        return open();
    }
    {
        // Those that are being made count: of two, only one may be the last.
        let mut making = making.lock().unwrap_or_else(PoisonError::into_inner);
        if kept(folder)? + *making >= kept_max {
            return Ok(None);
        }
        *making += 1;
    }
    let opened = open();
    *making.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    opened
}

fn kept(folder: &Path) -> Result<usize, NodeError> {
    let mut stores = 0;
    for entry in std::fs::read_dir(folder).map_err(crate::StorageError::from)? {
        let name = entry.map_err(crate::StorageError::from)?.file_name();
        stores += usize::from(Path::new(&name).extension().is_some_and(|end| end == STORE));
    }
    Ok(stores)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::MemoryStorage;

    fn in_memory(scope: ScopeId) -> Result<Option<RelayNode>, NodeError> {
        Node::open(MemoryStorage::new(), Config::new(scope)).map(Some)
    }

    fn scope(name: &str) -> ScopeId {
        ScopeId::named(name)
    }

    async fn soon<R>(what: impl Future<Output = R>) -> R {
        timeout(Duration::from_secs(20), what).await.expect("nobody waits for a store of somebody else")
    }

    /// One lock was held while a store opened: a slow one stopped all documents.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_slow_store_stops_nobody_else() {
        let (go, gone) = channel::<()>();
        let gone = Mutex::new(gone);
        let opener = move |wanted| {
            if wanted == scope("slow") {
                gone.lock().unwrap().recv().unwrap();
            }
            in_memory(wanted)
        };
        let documents = Arc::new(Documents::with(Arc::new(opener), 3));
        let first = soon(documents.enter(scope("open"))).await.unwrap().unwrap();
        let slow: Vec<_> = (0..2)
            .map(|_| {
                let documents = Arc::clone(&documents);
                tokio::spawn(async move { documents.enter(scope("slow")).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let again = soon(documents.enter(scope("open"))).await.unwrap().unwrap();
        assert_eq!(first.node().id(), again.node().id(), "one store, one replica");
        let other = soon(documents.enter(scope("other"))).await.unwrap().unwrap();
        // The slow one has the third place.
        assert!(soon(documents.enter(scope("too many"))).await.unwrap().is_none());
        drop(other);
        assert!(soon(documents.enter(scope("in its place"))).await.unwrap().is_some());
        go.send(()).unwrap();
        let mut ids = Vec::new();
        for slow in slow {
            ids.push(soon(slow).await.unwrap().unwrap().unwrap().node().id());
        }
        assert_eq!(ids[0], ids[1], "both wait for one opening");
        soon(documents.close()).await.unwrap();
        assert!(soon(documents.enter(scope("open"))).await.unwrap().is_none());
        assert!(first.node().core.is_closed());
    }

    #[tokio::test]
    async fn what_is_not_opened_is_not_remembered() {
        let documents = Documents::with(Arc::new(|_| Ok(None)), 3);
        for number in 0..100 {
            assert!(documents.enter(scope(&number.to_string())).await.unwrap().is_none());
        }
        assert_eq!(documents.0.places(|places| places.as_ref().map(BTreeMap::len)), Some(0));
    }

    #[tokio::test]
    async fn a_document_that_was_closed_from_inside_is_opened_anew() {
        let documents = Documents::with(Arc::new(in_memory), 1);
        let guest = documents.enter(scope("a")).await.unwrap().unwrap();
        RelayNode::clone(guest.node()).close().await.unwrap();
        let anew = documents.enter(scope("a")).await.unwrap().unwrap();
        assert!(!anew.node().core.is_closed());
    }
}
