//! A store that lives as long as the process.

use std::collections::BTreeMap;

use crdt_core::{Dot, DotSet, ReplicaId};

use super::{Batch, Loaded, LogEntry, LogRecord, Meta, Stage, Storage, StorageError};
use crate::Own;

/// Keeps everything in memory: for tests, for replicas that only read, and as the reference for every other store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    rows: BTreeMap<Dot, Vec<u8>>,
    seen: DotSet,
    received: DotSet,
    frontier: DotSet,
    log: BTreeMap<Own, LogRecord>,
    staged: BTreeMap<Dot, Vec<u8>>,
    retired: BTreeMap<ReplicaId, u64>,
    meta: Option<Meta>,
}

impl MemoryStorage {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn apply(&mut self, batch: &Batch) {
        for dot in &batch.remove {
            self.rows.remove(dot);
        }
        self.rows.extend(batch.put.iter().cloned());
        self.seen.union_with(&batch.seen);
        self.received.union_with(&batch.received);
        if let Some(frontier) = &batch.frontier {
            self.frontier.clone_from(frontier);
        }
        self.log.extend(batch.log_put.iter().map(|record| (record.own, record.clone())));
        for own in &batch.log_drop {
            self.log.remove(own);
        }
        match &batch.stage {
            Some(Stage::Put(rows)) => self.staged.extend(rows.iter().cloned()),
            Some(Stage::Clear) => self.staged.clear(),
            None => {}
        }
        for (replica, last) in &batch.retired {
            let row = self.retired.entry(*replica).or_default();
            *row = (*row).max(*last);
        }
        if batch.meta.is_some() {
            self.meta.clone_from(&batch.meta);
        }
    }
}

impl Storage for MemoryStorage {
    fn load(&mut self) -> Result<Loaded, StorageError> {
        let mut log: Vec<LogEntry> = self.log.values().map(LogRecord::entry).collect();
        log.sort_by_key(|entry| (entry.logged_ms, entry.own));
        Ok(Loaded {
            rows: self.rows.clone().into_iter().collect(),
            seen: self.seen.clone(),
            received: self.received.clone(),
            frontier: self.frontier.clone(),
            log,
            staged: self.staged.clone().into_iter().collect(),
            retired: self.retired.clone().into_iter().collect(),
            marker: self.meta.as_ref().map(|meta| meta.marker),
            meta: self.meta.clone(),
        })
    }

    fn commit(&mut self, batches: &[Batch]) -> Result<(), StorageError> {
        batches.iter().for_each(|batch| self.apply(batch));
        Ok(())
    }

    fn records(&self, dots: &DotSet, bytes_max: usize) -> Result<Vec<LogRecord>, StorageError> {
        let mut bytes = 0;
        let touched = self.log.values().filter(|record| record.own.touches(dots)).enumerate();
        let fits = |(index, record): &(usize, &LogRecord)| {
            bytes += record.bytes.len();
            // The first one always, or a record above the limit could never be read.
            *index == 0 || bytes <= bytes_max
        };
        Ok(touched.take_while(fits).map(|(_, record)| record.clone()).collect())
    }
}
