//! A store looked at without being touched.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crdt_core::{Canonical as _, DotSet};
use redb::{Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase};

use super::backup::Unnamed;
use super::marker::Marker;
use super::{
    COMMITS, FORMAT, FORMAT_VERSION, FRONTIER, META, RECEIVED, ROWS, RedbStorage, SEEN, SMALL, STAGED, entries,
    log_entries, retired, set, table,
};
use crate::{Loaded, Meta, StorageError};

impl RedbStorage {
    /// All that a store holds, for whoever wants to look at it: neither the file nor its marker is written to. One that a
    /// kill left unfinished is put right in a temporary copy.
    ///
    /// # Errors
    /// If there is no such file, a replica has it open ([`StorageError::InUse`]), or it is damaged or no store of this
    /// format.
    pub fn look(path: impl AsRef<Path>) -> Result<Loaded, StorageError> {
        let path = path.as_ref();
        let marker = Marker::look(Marker::path_of(path))?;
        match ReadOnlyDatabase::open(path) {
            Ok(database) => load(&database.begin_read()?, &marker),
            Err(DatabaseError::RepairAborted) => {
                static LOOKS: AtomicU64 = AtomicU64::new(0);
                let name = format!("crdt-sync-look-{}", LOOKS.fetch_add(1, Ordering::Relaxed));
                let copy = Unnamed::beside(&std::env::temp_dir().join(name));
                std::fs::copy(path, copy.path())?;
                load(&Database::open(copy.path())?.begin_read()?, &marker)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// How often a store was committed; none if it never was. Checks the format.
pub(super) fn commits(read: &ReadTransaction) -> Result<Option<u64>, StorageError> {
    // The format is written with the first commit.
    let Some(small) = table(read, SMALL)? else { return Ok(None) };
    match small.get(FORMAT)? {
        Some(format) if format.value() == FORMAT_VERSION => {}
        _ => return Err(StorageError::Corrupt("the file is no store of this format".to_owned())),
    }
    let commits = small.get(COMMITS)?;
    let commits = commits.and_then(|bytes| bytes.value().try_into().ok()).map(u64::from_le_bytes);
    commits.map(Some).ok_or_else(|| StorageError::Corrupt("the count of commits is missing".to_owned()))
}

pub(super) fn load(read: &ReadTransaction, marker: &Marker) -> Result<Loaded, StorageError> {
    let (Some(commits), Some(small)) = (commits(read)?, table(read, SMALL)?) else { return Ok(Loaded::default()) };
    let frontier = match small.get(FRONTIER)? {
        Some(bytes) => DotSet::decode(bytes.value())
            .map_err(|error| StorageError::Corrupt(format!("the frontier is broken: {error}")))?,
        None => DotSet::new(),
    };
    let meta = small.get(META)?.map(|bytes| Meta::decode(bytes.value())).transpose()?;
    Ok(Loaded {
        rows: entries(read, ROWS)?,
        seen: set(read, SEEN)?,
        received: set(read, RECEIVED)?,
        frontier,
        log: log_entries(read)?,
        staged: entries(read, STAGED)?,
        retired: retired(read)?,
        marker: marker.number(commits, meta.as_ref().map(|meta| meta.marker))?,
        meta,
    })
}
