//! `automerge`: a document; its root is the map. Merging takes the other document itself.

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, ROOT};

pub fn document(id: u64) -> AutoCommit {
    AutoCommit::new().with_actor(ActorId::from(id.to_be_bytes()))
}

/// One commit per round of writes: a commit per write, its own unit of change,
/// makes ten thousand changes of one operation each and is far slower.
pub fn write(document: &mut AutoCommit, key: &str, value: u64) {
    document.put(ROOT, key, value).expect("the root is a map");
}

pub fn remove(document: &mut AutoCommit, key: &str) {
    document.delete(ROOT, key).expect("the root is a map");
}
