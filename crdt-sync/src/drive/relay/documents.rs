//! Which documents are open, and who is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crdt_core::Document;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::{RelayConfig, RelayNode};
use crate::{Config, RedbStorage, ScopeId};

use super::super::{Node, NodeError};

/// What the names of stores end in.
const STORE: &str = "redb";

pub(super) struct Documents {
    folder: PathBuf,
    kept_max: usize,
    open_max: usize,
    /// None once they were closed for good.
    open: Mutex<Option<BTreeMap<ScopeId, Guest>>>,
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
        Self {
            folder: config.data.clone(),
            kept_max: config.documents_max,
            open_max: config.documents_open_max,
            open: Mutex::new(Some(BTreeMap::new())),
        }
    }

    /// The replica of a scope; none where there is no room for it, or all are closed for good.
    ///
    /// One is opened at a time, as two replicas may not open one store.
    pub(super) async fn enter(&self, scope: ScopeId) -> Result<Option<Guest>, NodeError> {
        let mut open = self.open.lock().await;
        let Some(open) = open.as_mut() else { return Ok(None) };
        match open.get(&scope) {
            Some(guest) if !guest.0.core.is_closed() => return Ok(Some(guest.clone())),
            // Its store failed, or somebody who was in it has closed it. What was durable is opened anew.
            Some(_) => end(open.remove(&scope)).await,
            None => {}
        }
        if open.len() >= self.open_max {
            // Whose only holder is the table itself has nobody in it.
            let idle = open.iter().find(|(_, guest)| Arc::strong_count(&guest.0) == 1);
            let Some(scope) = idle.map(|(scope, _)| *scope) else { return Ok(None) };
            end(open.remove(&scope)).await;
        }
        let (folder, kept_max) = (self.folder.clone(), self.kept_max);
        let opened = spawn_blocking(move || open_store(&folder, scope, kept_max)).await;
        let Some(node) = opened.expect("opening a store does not panic")? else { return Ok(None) };
        let guest = Guest(Arc::new(node));
        open.insert(scope, guest.clone());
        Ok(Some(guest))
    }

    pub(super) async fn close(&self) -> Result<(), NodeError> {
        let mut result = Ok(());
        for (_, guest) in self.open.lock().await.take().into_iter().flatten() {
            result = result.and(RelayNode::clone(&guest.0).close().await);
        }
        result
    }
}

/// Closes a document and frees its store, whoever still holds it. If the store fails in this, that is no concern of who
/// wants its place: all that was acknowledged is durable.
async fn end(guest: Option<Guest>) {
    if let Some(guest) = guest {
        let _ = RelayNode::clone(&guest.0).close().await;
    }
}

fn open_store(folder: &Path, scope: ScopeId, kept_max: usize) -> Result<Option<RelayNode>, NodeError> {
    let path = folder.join(format!("{scope}.{STORE}"));
    if !path.exists() && kept(folder)? >= kept_max {
        return Ok(None);
    }
    Node::<Document>::open(RedbStorage::open(path)?, Config::new(scope)).map(Some)
}

fn kept(folder: &Path) -> Result<usize, NodeError> {
    let mut stores = 0;
    for entry in std::fs::read_dir(folder).map_err(crate::StorageError::from)? {
        let name = entry.map_err(crate::StorageError::from)?.file_name();
        stores += usize::from(Path::new(&name).extension().is_some_and(|end| end == STORE));
    }
    Ok(stores)
}
