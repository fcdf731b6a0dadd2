//! Copies of a store: made while it is in use, and put back as another memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io, process};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::marker::{Marker, sync_folder_of};
use super::{LOG, LOG_INDEX, RECEIVED, RETIRED, ROWS, RedbStorage, SEEN, SMALL, STAGED, table};
use crate::StorageError;
use crate::storage::Snapshot;

impl RedbStorage {
    /// Writes a copy of the store, as it is at this moment, to a new file. To have it done beside a replica that runs,
    /// call [`Node::backup`](crate::drive::Node::backup), or [`save`](Snapshot::save) a
    /// [`snapshot`](crate::Storage::snapshot) on a thread of its own.
    ///
    /// All that was durable is in it, of one moment, and it has its name only once it is whole and flushed. Keep it as
    /// any other file; [`restore`](Self::restore) makes a store of it.
    ///
    /// # Errors
    /// If there is a file of that name, or it cannot be written.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StorageError> {
        self.snapshot_now()?.write(to.as_ref())
    }

    pub(super) fn snapshot_now(&self) -> Result<Moment, StorageError> {
        Ok(Moment { read: self.database.begin_read()? })
    }

    /// Makes a store out of a backup. The replica that opens it is *another memory*: it takes a fresh id, so no dot is
    /// used twice, whether the one that was backed up is gone or still writes. What that one made after the backup comes
    /// back from its peers as the edits of just another replica; what no peer had received is lost.
    ///
    /// The same is true of a backup that was copied by hand to where a store is expected: it comes without the marker
    /// that lies beside each store, or finds one that does not fit.
    ///
    /// # Errors
    /// If there is a store of that name already, which is left as it is, or the backup is damaged or of another format.
    pub fn restore(backup: impl AsRef<Path>, store: impl AsRef<Path>) -> Result<(), StorageError> {
        let store = store.as_ref();
        if store.try_exists()? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        let copy = Unnamed::beside(store);
        // Its bytes and not its rights: a backup is often kept read-only, and a store is written to.
        io::copy(&mut fs::File::open(backup)?, &mut fs::File::create_new(&copy.0)?)?;
        let database = Database::open(&copy.0)?;
        let read = Self::with_database(database, Marker::open(Marker::path_of(&copy.0))?)?;
        drop(read);
        fs::File::open(&copy.0)?.sync_all()?;
        // One that was left here by a store that is gone must not vouch for this one.
        let stale = fs::remove_file(Marker::path_of(store));
        if let Some(error) = stale.err().filter(|error| error.kind() != io::ErrorKind::NotFound) {
            return Err(error.into());
        }
        copy.take_name(store)
    }
}

/// A store as it was at one moment.
pub(super) struct Moment {
    read: ReadTransaction,
}

impl Snapshot for Moment {
    fn save(self: Box<Self>, to: &Path) -> Result<(), StorageError> {
        self.write(to)
    }
}

impl Moment {
    fn write(&self, to: &Path) -> Result<(), StorageError> {
        if to.try_exists()? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        let new = Unnamed::beside(to);
        let copy = Database::create(&new.0)?;
        let write = copy.begin_write()?;
        copy_table(&self.read, &write, ROWS)?;
        copy_table(&self.read, &write, STAGED)?;
        copy_table(&self.read, &write, SEEN)?;
        copy_table(&self.read, &write, RECEIVED)?;
        copy_table(&self.read, &write, LOG)?;
        copy_table(&self.read, &write, LOG_INDEX)?;
        copy_table(&self.read, &write, RETIRED)?;
        copy_table(&self.read, &write, SMALL)?;
        write.commit()?;
        drop(copy);
        new.take_name(to)
    }
}

/// A file in the making: under its own name there is always a whole one or none. It goes if it does not get that name.
pub(super) struct Unnamed(PathBuf);

impl Unnamed {
    pub(super) fn beside(path: &Path) -> Self {
        let named = |number: u32| {
            let mut new = path.as_os_str().to_owned();
            new.push(match number {
                0 => format!(".new-{}", process::id()),
                _ => format!(".new-{}-{number}", process::id()),
            });
            PathBuf::from(new)
        };
        // Threads that make a file of the same name do not write into each other's.
        let mut making = making();
        let new = (0..).map(named).find(|new| !making.contains(new)).expect("not all numbers are in use");
        making.insert(new.clone());
        // What a killed process of the same number left.
        let _ = fs::remove_file(&new);
        Self(new)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Fails if there is a file of that name. Unlike a rename, a link never takes the place of what somebody else has
    /// made meanwhile.
    pub(super) fn take_name(self, path: &Path) -> Result<(), StorageError> {
        match fs::hard_link(&self.0, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error.into()),
            // Some file systems have no links.
            Err(_) => fs::rename(&self.0, path)?,
            Ok(()) => {}
        }
        drop(self);
        sync_folder_of(path)?;
        Ok(())
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        let mut making = making();
        let _ = fs::remove_file(&self.0);
        making.remove(&self.0);
    }
}

/// The files that this process has in the making.
fn making() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    static MAKING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    MAKING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn copy_table<K: redb::Key + 'static, V: redb::Value + 'static>(
    read: &ReadTransaction,
    write: &WriteTransaction,
    name: TableDefinition<'_, K, V>,
) -> Result<(), StorageError> {
    let Some(from) = table(read, name)? else { return Ok(()) };
    let mut to = write.open_table(name)?;
    for row in from.iter()? {
        let (key, value) = row?;
        to.insert(key.value(), value.value())?;
    }
    Ok(())
}
