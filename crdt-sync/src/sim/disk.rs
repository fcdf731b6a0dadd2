//! A disk with an unsynced tail.
//!
//! Batches are written in order and are safe once a flush that started after they were written has ended. A crash keeps
//! what was flushed and a prefix of the rest, of any length: a store commits whole batches in order, but nobody knows
//! which of them the system had on the platter.

use std::collections::VecDeque;

use crdt_core::DotSet;

use crate::{Loaded, LogRecord, MemoryStorage, Persist, Storage, Ticket};

/// What lies on a disk: kept as a backup, or copied to another machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    store: MemoryStorage,
    /// What is kept beside the store.
    marker: Option<u64>,
    received: DotSet,
}

/// The number kept outside a store, after the store was replaced by an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marker {
    /// It is still that of the store which was replaced, as with a backup of the store alone.
    Stays,
    /// There is none, as on another machine.
    Gone,
    /// It came with the image: nothing shows that time went backwards. The nasty case.
    Matches,
}

/// One replica's disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    flushed: Image,
    /// Written and not yet flushed, oldest first.
    written: VecDeque<Persist>,
    /// How many of those the running flush covers.
    flushing: usize,
    /// The next flush fails.
    pub(super) fail_next: bool,
    /// How long a flush takes.
    pub(super) flush_ms: u64,
}

/// How a flush ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flush {
    /// All up to this batch is safe.
    Done(Ticket),
    /// It failed; the store is poisoned. The first batch that is not known to be safe.
    Failed(Ticket),
}

impl Disk {
    pub(super) fn write(&mut self, persist: Persist) {
        self.written.push_back(persist);
    }

    /// Starts a flush of all that is written, unless one is running or there is nothing. True if it started.
    pub(super) fn start_flush(&mut self) -> bool {
        let starts = self.flushing == 0 && !self.written.is_empty();
        if starts {
            self.flushing = self.written.len();
        }
        starts
    }

    /// The running flush ends.
    pub(super) fn finish_flush(&mut self) -> Option<Flush> {
        if self.flushing == 0 {
            return None;
        }
        if std::mem::take(&mut self.fail_next) {
            return self.written.front().map(|first| Flush::Failed(first.ticket));
        }
        let last = self.apply(self.flushing);
        self.flushing = 0;
        last.map(Flush::Done)
    }

    /// What a driver must not do: the pages of a failed flush are gone, and the second flush succeeds without them.
    pub(super) fn retry_flush(&mut self) -> Option<Flush> {
        let last = self.written.drain(..self.flushing).next_back();
        self.flushing = 0;
        last.map(|persist| Flush::Done(persist.ticket))
    }

    fn apply(&mut self, count: usize) -> Option<Ticket> {
        let mut last = None;
        for Persist { ticket, batch } in self.written.drain(..count) {
            last = Some(ticket);
            self.flushed.received.union_with(&batch.received);
            if let Some(meta) = &batch.meta {
                self.flushed.marker = Some(meta.marker);
            }
            self.flushed.store.commit(&[batch]).expect("memory does not fail");
        }
        last
    }

    /// The machine stops: of what is not flushed, a prefix of `keep` batches happens to be there. Says how many were
    /// kept and how many are lost.
    pub(super) fn crash(&mut self, keep: usize) -> (usize, usize) {
        let kept = keep.min(self.written.len());
        self.apply(kept);
        let lost = self.written.len();
        self.written.clear();
        self.flushing = 0;
        self.fail_next = false;
        (kept, lost)
    }

    /// How many batches are not safe yet.
    pub(super) fn unsafe_batches(&self) -> usize {
        self.written.len()
    }

    pub(super) fn is_flushing(&self) -> bool {
        self.flushing > 0
    }

    /// What is safely received.
    pub(super) fn received(&self) -> &DotSet {
        &self.flushed.received
    }

    pub(super) fn load(&mut self) -> Loaded {
        let loaded = self.flushed.store.load().expect("memory does not fail");
        Loaded { marker: self.flushed.marker, ..loaded }
    }

    pub(super) fn records(&self, dots: &DotSet, bytes_max: usize) -> Vec<LogRecord> {
        self.flushed.store.records(dots, bytes_max).expect("memory does not fail")
    }

    pub(super) fn image(&self) -> Image {
        self.flushed.clone()
    }

    /// Puts an image in place of all that is here.
    pub(super) fn replace(&mut self, image: &Image, marker: Marker) {
        let own = self.flushed.marker;
        self.flushed = image.clone();
        match marker {
            Marker::Stays => self.flushed.marker = own,
            Marker::Gone => self.flushed.marker = None,
            Marker::Matches => {}
        }
    }
}

impl Disk {
    /// Whether the number outside the store is the one inside: nothing shows that the store was replaced.
    pub(super) fn looks_untouched(&mut self) -> bool {
        let loaded = self.load();
        loaded.meta.is_none_or(|meta| Some(meta.marker) == loaded.marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Batch;
    use crdt_core::{Dot, ReplicaId};

    fn write(disk: &mut Disk, number: u64) {
        let dot = Dot::new(ReplicaId::from_u128(1), number).unwrap();
        let received = std::iter::once(dot).collect();
        disk.write(Persist { ticket: Ticket(number), batch: Batch { received, ..Batch::default() } });
    }

    #[test]
    fn a_flush_covers_what_was_written_before_it_started() {
        let mut disk = Disk::default();
        assert!(!disk.start_flush());
        write(&mut disk, 1);
        write(&mut disk, 2);
        assert!(disk.start_flush() && !disk.start_flush());
        write(&mut disk, 3);
        assert_eq!(disk.finish_flush(), Some(Flush::Done(Ticket(2))));
        assert_eq!((disk.received().len(), disk.unsafe_batches()), (2, 1));
    }

    #[test]
    fn a_crash_keeps_a_prefix_of_what_was_not_flushed() {
        let mut disk = Disk::default();
        (1..=3).for_each(|number| write(&mut disk, number));
        assert!(disk.start_flush());
        assert_eq!(disk.crash(1), (1, 2));
        assert_eq!(disk.load().received.len(), 1);
        assert_eq!(disk.finish_flush(), None);
    }

    #[test]
    fn a_failed_flush_makes_nothing_safe_and_a_second_one_lies() {
        let mut disk = Disk::default();
        write(&mut disk, 1);
        disk.fail_next = true;
        assert!(disk.start_flush());
        assert_eq!(disk.finish_flush(), Some(Flush::Failed(Ticket(1))));
        assert!(disk.received().is_empty());
        assert_eq!(disk.retry_flush(), Some(Flush::Done(Ticket(1))));
        assert!(disk.received().is_empty());
    }

    #[test]
    fn an_image_brings_back_an_earlier_state() {
        let mut disk = Disk::default();
        let empty = disk.image();
        write(&mut disk, 1);
        disk.start_flush();
        disk.finish_flush();
        disk.replace(&empty, Marker::Gone);
        assert!(disk.received().is_empty() && disk.load().marker.is_none());
    }
}
