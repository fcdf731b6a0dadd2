//! The embedded store: one file, one transaction for each flush.

mod backup;
#[cfg(test)]
mod crash;
mod key;
mod look;
mod marker;
mod runs;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use crdt_core::{Canonical as _, Dot, DotSet, ReplicaId};
use redb::{
    Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition,
    TableError, WriteTransaction,
};

use self::backup::Unnamed;
use self::key::{Key, dot, key, key_of, parse};
use self::marker::Marker;
use super::{Batch, Loaded, LogEntry, LogRecord, Snapshot, Stage, Storage, StorageError};
use crate::Own;

/// One row for each live entry: an add costs its own size, never the set's.
const ROWS: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("rows");
/// Entries of a repair that has not ended.
const STAGED: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("staged");
/// One row for each run of dots: its first to its last.
const SEEN: TableDefinition<'_, &Key, u64> = TableDefinition::new("seen");
const RECEIVED: TableDefinition<'_, &Key, u64> = TableDefinition::new("received");
/// Replicas that will make no more dots, each with its last.
const RETIRED: TableDefinition<'_, &[u8; 16], u64> = TableDefinition::new("retired");
/// A record under its first dot, as its bytes. Its last counter, time, length and hash lie apart, so that opening a store
/// does not read the log.
const LOG: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("log");
const LOG_INDEX: TableDefinition<'_, &Key, (u64, u64, u64, u64)> = TableDefinition::new("log index");
/// All that is small, by name.
const SMALL: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("small");

const META: &str = "meta";
const FRONTIER: &str = "frontier";
/// How often this store was committed: the marker beside it keeps a copy.
const COMMITS: &str = "commits";
const FORMAT: &str = "format";
const FORMAT_VERSION: &[u8] = b"crdt-sync store 2";

/// A store in one file, by [`redb`]: transactions over tables, checksums, one flush for each commit. Needs the feature
/// `redb`, which needs Rust 1.90.
///
/// All batches of one [`commit`](Storage::commit) share a transaction and a flush. A commit costs what the batches
/// change, whatever the store holds. Opening reads all but the bytes of the log; after a kill the file is checked
/// first, which costs its size.
///
/// Beside the file lies another one, `NAME.marker`, by which a store that was copied, or put back from a backup, is
/// found out: its replica then takes a fresh id. See [`backup`](RedbStorage::backup) and [`restore`](RedbStorage::restore).
pub struct RedbStorage {
    database: Database,
    marker: Marker,
    commits: u64,
    poisoned: bool,
}

impl RedbStorage {
    /// Opens the store, or makes a new one where there is no file.
    ///
    /// # Errors
    /// [`StorageError::InUse`] while any process has it open; [`StorageError::Corrupt`] if the file is another kind
    /// of store, or of a format that is not known here.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        if !path.try_exists()? {
            make(path)?;
        }
        Self::with_database(Database::create(path)?, Marker::open(Marker::path_of(path))?)
    }

    fn with_database(database: Database, marker: Marker) -> Result<Self, StorageError> {
        let mut store = Self { database, marker, commits: 0, poisoned: false };
        let read = store.database.begin_read()?;
        store.commits = look::commits(&read)?.unwrap_or(0);
        Ok(store)
    }

    fn write(&mut self, batches: &[Batch]) -> Result<(), StorageError> {
        let commits = self.commits + 1;
        if let Some(meta) = batches.iter().rev().find_map(|batch| batch.meta.as_ref()) {
            self.marker.will_be(meta.marker, self.commits)?;
        }
        let write = self.database.begin_write()?;
        {
            let mut tables = Tables::open(&write)?;
            batches.iter().try_for_each(|batch| tables.apply(batch))?;
            tables.small.insert(FORMAT, FORMAT_VERSION)?;
            tables.small.insert(COMMITS, commits.to_le_bytes().as_slice())?;
        }
        write.commit()?;
        self.commits = commits;
        self.marker.committed(commits)?;
        Ok(())
    }
}

impl fmt::Debug for RedbStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStorage").field("commits", &self.commits).field("poisoned", &self.poisoned).finish()
    }
}

impl Storage for RedbStorage {
    fn load(&mut self) -> Result<Loaded, StorageError> {
        if self.poisoned {
            return Err(StorageError::Poisoned);
        }
        let read = self.database.begin_read()?;
        look::load(&read, &self.marker)
    }

    fn commit(&mut self, batches: &[Batch]) -> Result<(), StorageError> {
        if self.poisoned {
            return Err(StorageError::Poisoned);
        }
        if batches.iter().all(Batch::is_empty) {
            return Ok(());
        }
        let outcome = self.write(batches);
        self.poisoned = outcome.is_err();
        outcome
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        Ok(Box::new(self.snapshot_now()?))
    }

    fn records(&self, dots: &DotSet, bytes_max: usize) -> Result<Vec<LogRecord>, StorageError> {
        let read = self.database.begin_read()?;
        let (Some(index), Some(log)) = (table(&read, LOG_INDEX)?, table(&read, LOG)?) else { return Ok(Vec::new()) };
        let mut records: Vec<LogRecord> = Vec::new();
        let mut bytes = 0;
        for (replica, first, last) in dots.runs() {
            // A record that began earlier may reach into the run.
            let before = index.range::<&Key>(&key(replica, 0)..&key(replica, first))?.next_back();
            for row in before.into_iter().chain(index.range::<&Key>(&key(replica, first)..=&key(replica, last))?) {
                let (at, entry) = row?;
                let entry = log_entry(*at.value(), entry.value())?;
                if entry.own.last < first || records.last().is_some_and(|record| record.own == entry.own) {
                    continue;
                }
                bytes += entry.len;
                if bytes > bytes_max && !records.is_empty() {
                    return Ok(records);
                }
                let found = log.get(at.value())?;
                let found = found.ok_or_else(|| StorageError::Corrupt(format!("the log lacks {:?}", entry.own)))?;
                let bytes = found.value().to_vec();
                records.push(LogRecord { own: entry.own, logged_ms: entry.logged_ms, bytes });
            }
        }
        Ok(records)
    }
}

/// Makes a whole new file under another name first: one that a crash cut in the making could not be opened again.
fn make(path: &Path) -> Result<(), StorageError> {
    let new = Unnamed::beside(path);
    drop(Database::create(new.path())?);
    match new.take_name(path) {
        // Somebody else was faster.
        Err(StorageError::Io(error)) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// All tables of one transaction.
struct Tables<'t> {
    rows: Table<'t, &'static Key, &'static [u8]>,
    staged: Table<'t, &'static Key, &'static [u8]>,
    seen: Table<'t, &'static Key, u64>,
    received: Table<'t, &'static Key, u64>,
    log: Table<'t, &'static Key, &'static [u8]>,
    index: Table<'t, &'static Key, (u64, u64, u64, u64)>,
    retired: Table<'t, &'static [u8; 16], u64>,
    small: Table<'t, &'static str, &'static [u8]>,
}

impl<'t> Tables<'t> {
    fn open(write: &'t WriteTransaction) -> Result<Self, StorageError> {
        Ok(Self {
            rows: write.open_table(ROWS)?,
            staged: write.open_table(STAGED)?,
            seen: write.open_table(SEEN)?,
            received: write.open_table(RECEIVED)?,
            log: write.open_table(LOG)?,
            index: write.open_table(LOG_INDEX)?,
            retired: write.open_table(RETIRED)?,
            small: write.open_table(SMALL)?,
        })
    }

    fn apply(&mut self, batch: &Batch) -> Result<(), StorageError> {
        for dot in &batch.remove {
            self.rows.remove(&key_of(*dot))?;
        }
        for (dot, bytes) in &batch.put {
            self.rows.insert(&key_of(*dot), bytes.as_slice())?;
        }
        runs::add(&mut self.seen, &batch.seen)?;
        runs::add(&mut self.received, &batch.received)?;
        if let Some(frontier) = &batch.frontier {
            self.small.insert(FRONTIER, frontier.encode().as_slice())?;
        }
        for record in &batch.log_put {
            let at = key(record.own.replica, record.own.first);
            self.log.insert(&at, record.bytes.as_slice())?;
            let entry = record.entry();
            self.index.insert(&at, (entry.own.last, entry.logged_ms, entry.len as u64, entry.hash))?;
        }
        for own in &batch.log_drop {
            let at = key(own.replica, own.first);
            self.log.remove(&at)?;
            self.index.remove(&at)?;
        }
        match &batch.stage {
            Some(Stage::Put(rows)) => {
                for (dot, bytes) in rows {
                    self.staged.insert(&key_of(*dot), bytes.as_slice())?;
                }
            }
            Some(Stage::Clear) => self.staged.retain(|_, _| false)?,
            None => {}
        }
        for (replica, last) in &batch.retired {
            let id = replica.to_bytes();
            let known = self.retired.get(&id)?.map_or(0, |row| row.value());
            self.retired.insert(&id, known.max(*last))?;
        }
        if let Some(meta) = &batch.meta {
            self.small.insert(META, meta.encode().as_slice())?;
        }
        Ok(())
    }
}

/// A table, if anything was ever put into it.
fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
    read: &ReadTransaction,
    name: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, StorageError> {
    match read.open_table(name) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn entries(
    read: &ReadTransaction,
    name: TableDefinition<'_, &'static Key, &'static [u8]>,
) -> Result<Vec<(Dot, Vec<u8>)>, StorageError> {
    let Some(table) = table(read, name)? else { return Ok(Vec::new()) };
    let rows = table.iter()?.map(|row| {
        let (at, bytes) = row?;
        Ok((dot(*at.value())?, bytes.value().to_vec()))
    });
    rows.collect()
}

fn set(read: &ReadTransaction, name: TableDefinition<'static, &'static Key, u64>) -> Result<DotSet, StorageError> {
    table(read, name)?.map_or_else(|| Ok(DotSet::new()), |table| runs::read(&table, redb::TableHandle::name(&name)))
}

fn retired(read: &ReadTransaction) -> Result<Vec<(ReplicaId, u64)>, StorageError> {
    let Some(table) = table(read, RETIRED)? else { return Ok(Vec::new()) };
    let rows = table.iter()?.map(|row| {
        let (id, last) = row?;
        Ok((ReplicaId::from_bytes(*id.value()), last.value()))
    });
    rows.collect()
}

fn log_entries(read: &ReadTransaction) -> Result<Vec<LogEntry>, StorageError> {
    let Some(index) = table(read, LOG_INDEX)? else { return Ok(Vec::new()) };
    let entries: Result<Vec<LogEntry>, StorageError> = index
        .iter()?
        .map(|row| {
            let (at, entry) = row?;
            log_entry(*at.value(), entry.value())
        })
        .collect();
    let mut entries = entries?;
    entries.sort_by_key(|entry| (entry.logged_ms, entry.own));
    Ok(entries)
}

fn log_entry(at: Key, (last, logged_ms, len, hash): (u64, u64, u64, u64)) -> Result<LogEntry, StorageError> {
    let (replica, first) = parse(at);
    if first == 0 || last < first {
        return Err(StorageError::Corrupt(format!("a record of {replica} from {first} to {last}")));
    }
    let len = usize::try_from(len).map_err(|_| StorageError::Corrupt(format!("a record of {len} bytes")))?;
    Ok(LogEntry { own: Own { replica, first, last }, logged_ms, len, hash })
}

impl From<DatabaseError> for StorageError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            DatabaseError::Storage(error) => error.into(),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<redb::StorageError> for StorageError {
    fn from(error: redb::StorageError) -> Self {
        match error {
            redb::StorageError::Io(error) => Self::Io(error),
            redb::StorageError::PreviousIo => Self::Poisoned,
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<TableError> for StorageError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Storage(error) => error.into(),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<redb::TransactionError> for StorageError {
    fn from(error: redb::TransactionError) -> Self {
        match error {
            redb::TransactionError::Storage(error) => error.into(),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<redb::CommitError> for StorageError {
    fn from(error: redb::CommitError) -> Self {
        match error {
            redb::CommitError::Storage(error) => error.into(),
            other => Self::Corrupt(other.to_string()),
        }
    }
}
