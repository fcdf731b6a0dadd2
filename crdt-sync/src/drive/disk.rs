//! The thread that owns the store: batches in, one flush for all that wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::watch::Watch;
use crate::{Batch, Fetch, LogRecord, Persist, Stage, Storage, StorageError, Ticket};

/// Something that wants the store for itself.
pub(super) type Errand = Box<dyn FnOnce(&mut dyn Storage) + Send>;

/// What the store is asked to do.
pub(super) enum Task {
    Commit(Box<Persist>),
    Fetch(Fetch),
    /// Anything else that wants the store for itself, such as a backup.
    Run(Errand),
}

/// What it has done.
pub(super) enum Done {
    /// All up to this ticket is durable.
    Durable(Ticket),
    Fetched(u64, Vec<LogRecord>),
    /// A commit or a read failed: the store is given up.
    Failed(StorageError),
}

/// Tasks that wait for the store, oldest first.
#[derive(Default)]
pub(super) struct Waiting {
    tasks: VecDeque<Task>,
    bytes: usize,
    stopped: bool,
}

/// The queue to that thread.
#[derive(Clone, Default)]
pub(super) struct Disk {
    waiting: Arc<Watch<Waiting>>,
}

impl Disk {
    pub(super) fn push(&self, task: Task) {
        self.waiting.update(|waiting| {
            waiting.bytes += task.len();
            waiting.tasks.push_back(task);
        });
    }

    /// The same for an errand, which is dropped where nobody would do it any more.
    pub(super) fn run(&self, errand: Errand) {
        self.waiting.update(|waiting| {
            if !waiting.stopped {
                waiting.tasks.push_back(Task::Run(errand));
            }
        });
    }

    /// Ends the thread once it has done what waits.
    pub(super) fn stop(&self) {
        self.waiting.update(|waiting| waiting.stopped = true);
    }

    /// Whether no more than this waits: readers of links stop above it, so a slow disk slows the peers down instead of
    /// filling memory.
    fn has_room(waiting: &Waiting, bytes_max: usize) -> Option<()> {
        (waiting.bytes <= bytes_max || waiting.stopped).then_some(())
    }

    #[cfg(feature = "tcp")]
    pub(super) async fn room(&self, bytes_max: usize) {
        self.waiting.when(move |waiting| Self::has_room(waiting, bytes_max)).await;
    }

    pub(super) fn wait_room(&self, bytes_max: usize) {
        self.waiting.wait(None, |waiting| Self::has_room(waiting, bytes_max));
    }

    /// Starts the thread. Whatever was waiting while a flush ran shares the next one: under load the disk sets the
    /// pace, and without load nothing waits for company.
    pub(super) fn start<S: Storage + Send + 'static>(
        &self,
        mut storage: S,
        report: impl Fn(Done) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let disk = self.clone();
        thread::Builder::new().name("crdt-sync store".to_owned()).spawn(move || {
            while let Some(tasks) = disk.take() {
                work(&mut storage, tasks, &report);
            }
        })
    }

    /// All that waits; none once stopped and empty.
    fn take(&self) -> Option<VecDeque<Task>> {
        self.waiting.wait(
            None,
            |waiting| {
                if waiting.tasks.is_empty() { waiting.stopped.then_some(()) } else { Some(()) }
            },
        );
        let tasks = self.waiting.update(|waiting| {
            waiting.bytes = 0;
            std::mem::take(&mut waiting.tasks)
        });
        (!tasks.is_empty()).then_some(tasks)
    }
}

fn work(storage: &mut impl Storage, tasks: VecDeque<Task>, report: &impl Fn(Done)) {
    let mut batches: Vec<Batch> = Vec::new();
    let mut newest = None;
    for task in tasks {
        match task {
            Task::Commit(persist) => {
                let Persist { ticket, batch } = *persist;
                batches.push(batch);
                newest = Some(ticket);
            }
            // What is asked for may lie in a batch before it.
            Task::Fetch(fetch) => {
                flush(storage, &mut batches, newest.take(), report);
                match storage.records(&fetch.dots, fetch.bytes_max) {
                    Ok(records) => report(Done::Fetched(fetch.id, records)),
                    Err(error) => report(Done::Failed(error)),
                }
            }
            Task::Run(run) => {
                flush(storage, &mut batches, newest.take(), report);
                run(storage);
            }
        }
    }
    flush(storage, &mut batches, newest, report);
}

fn flush(storage: &mut impl Storage, batches: &mut Vec<Batch>, newest: Option<Ticket>, report: &impl Fn(Done)) {
    let Some(ticket) = newest else { return };
    match storage.commit(batches) {
        Ok(()) => report(Done::Durable(ticket)),
        Err(error) => report(Done::Failed(error)),
    }
    batches.clear();
}

impl Task {
    /// About how much memory it holds.
    fn len(&self) -> usize {
        let Self::Commit(persist) = self else { return 0 };
        let batch = &persist.batch;
        let staged = match &batch.stage {
            Some(Stage::Put(rows)) => rows.as_slice(),
            _ => &[],
        };
        let rows = batch.put.iter().chain(staged).map(|(_, bytes)| bytes.len() + 40).sum::<usize>();
        rows + batch.remove.len() * 24 + batch.log_put.iter().map(|record| record.bytes.len() + 64).sum::<usize>()
    }
}
