//! A store, readable: who writes, what is there, and the data itself, without the Rust types that it was written with.
//!
//! The bytes of every store describe themselves, so a [`Document`](crdt_core::Document) and its relatives read what any
//! application wrote.

mod content;
mod text;

use std::path::Path;

use crdt_core::DotSet;
use crdt_sync::{Loaded, RedbStorage, StorageError};
use serde_json::{Value as Json, json};

pub use content::content;
pub use text::text;

/// Looks at the store in this file, without touching it; says why in one line where that can't be done.
pub fn inspect(path: &Path) -> Result<Json, String> {
    let of_path = |why: String| format!("{}: {}", path.display(), why.replace('\n', " "));
    if path.is_dir() {
        return Err(of_path("a folder, but a store is a file".to_owned()));
    }
    let loaded = RedbStorage::look(path).map_err(|error| {
        of_path(match error {
            StorageError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "there is no such file".to_owned()
            }
            StorageError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => "this is no store".to_owned(),
            StorageError::InUse => "a replica has it open; look at a backup, or stop it first".to_owned(),
            error => error.to_string(),
        })
    })?;
    report(&loaded).map_err(of_path)
}

/// What a store holds, as one object.
fn report(loaded: &Loaded) -> Result<Json, String> {
    let Some(meta) = &loaded.meta else {
        return Err("an empty store: no replica has opened it yet".to_owned());
    };
    let next = meta.last.max(loaded.received.last(meta.replica)) + 1;
    let bytes = |rows: &[(crdt_core::Dot, Vec<u8>)]| rows.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let with_dots =
        |(replica, dots): &(crdt_core::ReplicaId, DotSet)| json!({ "replica": replica.to_string(), "has": runs(dots) });
    Ok(json!({
        "scope": meta.scope.to_string(),
        "replica": meta.replica.to_string(),
        "next_dot": next,
        "closed_cleanly": meta.clean,
        "marker_fits": loaded.marker == Some(meta.marker),
        "received": runs(&loaded.received),
        "seen_but_not_received": runs(&loaded.seen.difference(&loaded.received)),
        "frontier": runs(&loaded.frontier),
        "stable": runs(&meta.stable),
        "roster": meta.acked.iter().map(with_dots).collect::<Vec<_>>(),
        "retired": loaded.retired.iter().map(|(replica, last)| json!({ "replica": replica.to_string(), "last": last })).collect::<Vec<_>>(),
        "lent": meta.lent.iter().map(|(replica, last)| json!({ "replica": replica.to_string(), "given_back_at": last })).collect::<Vec<_>>(),
        "log": { "records": loaded.log.len(), "bytes": loaded.log.iter().map(|entry| entry.len).sum::<usize>() },
        "staged": { "entries": loaded.staged.len(), "bytes": bytes(&loaded.staged) },
        "live": { "entries": loaded.rows.len(), "bytes": bytes(&loaded.rows) },
        "content": content(loaded)?,
    }))
}

/// A set of dots: per run the replica, the first and the last counter.
fn runs(dots: &DotSet) -> Json {
    dots.runs()
        .map(|(replica, first, last)| json!({ "replica": replica.to_string(), "first": first, "last": last }))
        .collect()
}
