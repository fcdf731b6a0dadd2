//! A crash at every write and every flush.
//!
//! A replica edits over a store whose disk can be stopped at any operation; a peer hears all that it says. Whatever of
//! the unflushed writes survives, the replica that opens the store again has everything that was acknowledged or told,
//! and goes on without using a dot twice.

#![allow(clippy::print_stdout, reason = "what was reached is part of the result")]

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crdt_core::{Dot, OrSet, ReplicaId};
use redb::{Database, StorageBackend};

use super::RedbStorage;
use super::marker::Marker;
use crate::{Config, Event, LinkKind, Loaded, Now, PeerId, Replica, ScopeId, Steady, Storage, StorageError, Wall};

/// What a stopped disk keeps of the writes that were not flushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    Nothing,
    Everything,
    /// Some of the writes, drawn from the seed, and the last of them only in part.
    Some(u64),
}

/// A disk in memory, with the writes since the last flush apart.
#[derive(Debug, Default)]
struct Image {
    flushed: Vec<u8>,
    current: Vec<u8>,
    unflushed: Vec<Change>,
    operations: u64,
    stop_at: Option<u64>,
    stopped: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(at, data) => {
                let end = at + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(data);
            }
        }
    }
}

impl Image {
    /// One operation that changes the disk; an error from the one at which it stops.
    fn step(&mut self) -> io::Result<()> {
        self.operations += 1;
        self.stopped |= self.stop_at == Some(self.operations);
        if self.stopped { Err(io::Error::other("the disk was stopped")) } else { Ok(()) }
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        // The write at which the disk stops may have reached it like any other that was not flushed.
        if !self.stopped {
            self.unflushed.push(change.clone());
        }
        self.step()?;
        change.apply(&mut self.current);
        Ok(())
    }

    /// What is found on the disk when it runs again.
    fn survives(&self, kept: Kept) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        let mut draw = match kept {
            Kept::Nothing => return bytes,
            Kept::Everything => None,
            Kept::Some(seed) => Some(seed | 1),
        };
        let last = self.unflushed.len().saturating_sub(1);
        for (index, change) in self.unflushed.iter().enumerate() {
            let Some(state) = &mut draw else {
                change.apply(&mut bytes);
                continue;
            };
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match change {
                _ if *state >> 63 == 0 => {}
                Change::Write(at, data) if index == last => {
                    let part = (*state >> 32) as usize % (data.len() + 1);
                    Change::Write(*at, data[..part].to_vec()).apply(&mut bytes);
                }
                change => change.apply(&mut bytes),
            }
        }
        bytes
    }
}

#[derive(Clone, Debug)]
struct Disk(Arc<Mutex<Image>>);

impl Disk {
    fn new(bytes: Vec<u8>, stop_at: Option<u64>) -> Self {
        let image = Image { flushed: bytes.clone(), current: bytes, stop_at, ..Image::default() };
        Self(Arc::new(Mutex::new(image)))
    }

    fn image(&self) -> std::sync::MutexGuard<'_, Image> {
        self.0.lock().unwrap()
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.image().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let image = self.image();
        let at = offset as usize;
        let found = image.current.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.image().change(Change::Length(len as usize))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut image = self.image();
        image.step()?;
        image.flushed = image.current.clone();
        image.unflushed.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.image().change(Change::Write(offset as usize, data.to_vec()))
    }
}

fn open(disk: &Disk, marker: &Path) -> Result<RedbStorage, StorageError> {
    let database = Database::builder().create_with_backend(disk.clone())?;
    RedbStorage::with_database(database, Marker::open(marker.to_owned())?)
}

/// A new store: it gets its name only when it is whole.
fn made() -> Vec<u8> {
    let disk = Disk::new(Vec::new(), None);
    drop(Database::builder().create_with_backend(disk.clone()).unwrap());
    let image = disk.image();
    image.flushed.clone()
}

type Words = OrSet<String>;

fn now(ms: u64) -> Now {
    Now { steady: Steady(ms), wall: Wall(ms) }
}

fn replica(loaded: Loaded, fresh: u128, ms: u64) -> Replica<Words> {
    let config = Config::new(ScopeId::from_bytes([5; 16]));
    Replica::open(loaded, config, ReplicaId::from_u128(fresh), [fresh as u8; 32], now(ms)).unwrap()
}

/// What the world outside knows.
#[derive(Default)]
struct Ledger {
    /// Words whose insertion was acknowledged, less those whose removal was begun.
    kept: BTreeSet<String>,
    /// Words whose removal was acknowledged.
    gone: BTreeSet<String>,
    /// Every dot that was acknowledged, each with its word: told twice, it would be used twice.
    dots: Vec<Dot>,
}

/// Edits of one run; the disk stops it somewhere, or not.
fn edit(
    storage: &mut RedbStorage,
    here: &mut Replica<Words>,
    peer: &mut Replica<Words>,
    ledger: &mut Ledger,
    rounds: std::ops::Range<u64>,
    link: u64,
) -> Result<(), StorageError> {
    here.peer_up(PeerId(link), LinkKind::Stream, now(link * 1_000));
    peer.peer_up(PeerId(link), LinkKind::Stream, now(link * 1_000));
    for round in rounds {
        let at = now(link * 1_000 + round * 10);
        let word = format!("{link}.{round}");
        let gone = (round % 3 == 2).then(|| format!("{link}.{}", round - 1));
        if let Some(gone) = &gone {
            ledger.kept.remove(gone);
        }
        let before = here.received().last(here.id());
        let (_, ticket) = here
            .edit(at, |set| {
                set.insert(word.as_str());
                if let Some(gone) = &gone {
                    set.remove(gone);
                }
            })
            .expect("nothing is in the way of an edit");
        here.flush(at);
        exchange(storage, here, peer, link, at)?;
        // A group of batches in one flush, too.
        assert!(here.poll_event().is_none(), "events were drained");
        ledger.kept.insert(word);
        ledger.gone.extend(gone);
        let run = before + 1..=here.received().last(here.id());
        ledger.dots.extend(run.filter_map(|counter| Dot::new(here.id(), counter)));
        assert!(ticket.0 > 0);
    }
    Ok(())
}

/// Both sides talk until nothing is left to say; the peer's disk never fails.
fn exchange(
    storage: &mut RedbStorage,
    here: &mut Replica<Words>,
    peer: &mut Replica<Words>,
    link: u64,
    at: Now,
) -> Result<(), StorageError> {
    loop {
        let mut quiet = true;
        let persists: Vec<_> = std::iter::from_fn(|| here.poll_persist()).collect();
        if let Some(last) = persists.last().map(|persist| persist.ticket) {
            let batches: Vec<_> = persists.into_iter().map(|persist| persist.batch).collect();
            storage.commit(&batches)?;
            here.durable(last, at);
            quiet = false;
        }
        while let Some(persist) = peer.poll_persist() {
            peer.durable(persist.ticket, at);
            quiet = false;
        }
        while let Some(fetch) = here.poll_fetch() {
            here.fetched(fetch.id, storage.records(&fetch.dots, fetch.bytes_max)?, at);
            quiet = false;
        }
        while let Some(transmit) = here.poll_transmit() {
            peer.handle_message(PeerId(link), &transmit.frame, at).unwrap();
            quiet = false;
        }
        while let Some(transmit) = peer.poll_transmit() {
            here.handle_message(PeerId(link), &transmit.frame, at).unwrap();
            quiet = false;
        }
        for event in std::iter::from_fn(|| here.poll_event()).chain(std::iter::from_fn(|| peer.poll_event())) {
            let fault = matches!(
                event,
                Event::Equivocation(_) | Event::Diverged { .. } | Event::IdentityLost { .. } | Event::BadFrame { .. }
            );
            assert!(!fault, "{event:?}");
        }
        if quiet {
            return Ok(());
        }
    }
}

/// One life with a disk that stops at an operation, and one after it. Answers how many operations the first had.
fn crash_and_reopen(stop_at: Option<u64>, kept: Kept) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    let disk = Disk::new(made(), stop_at);
    let mut ledger = Ledger::default();
    let mut peer = replica(Loaded::default(), 99, 0);
    let lived = open(&disk, &marker).and_then(|mut storage| {
        let mut here = replica(storage.load()?, 1, 0);
        edit(&mut storage, &mut here, &mut peer, &mut ledger, 0..6, 1)?;
        here.close(now(2_000));
        exchange(&mut storage, &mut here, &mut peer, 1, now(2_000))
    });
    let image = disk.image();
    // A disk that did not stop has no errors; one that stopped while nobody waited for it may have none, either.
    assert!(lived.is_ok() || image.stopped, "{:?}", lived.err());
    let (operations, found) = (image.operations, image.survives(kept));
    drop(image);

    peer.peer_down(PeerId(1), now(2_500));
    let disk = Disk::new(found, None);
    let mut storage = open(&disk, &marker).unwrap_or_else(|error| panic!("stopped at {stop_at:?}, {kept:?}: {error}"));
    let mut here = replica(storage.load().unwrap(), 2, 3_000);
    let context = format!("stopped at {stop_at:?}, {kept:?}");
    for word in &ledger.kept {
        assert!(here.state().contains(word.as_str()), "{context}: {word} was acknowledged and is lost");
    }
    for word in &ledger.gone {
        assert!(!here.state().contains(word.as_str()), "{context}: {word} is back");
    }
    let told = peer.received().difference(here.received());
    assert!(told.is_empty(), "{context}: {told:?} were told to a peer and are lost here");
    let used: BTreeSet<Dot> = ledger.dots.drain(..).chain(peer.received().iter()).collect();
    edit(&mut storage, &mut here, &mut peer, &mut ledger, 0..3, 3).unwrap();
    assert!(ledger.dots.iter().all(|dot| !used.contains(dot)), "{context}: a dot is used twice");
    assert_eq!(here.state().content_digest(), peer.state().content_digest(), "{context}");
    operations
}

#[test]
fn nothing_acknowledged_is_lost_at_any_write_or_flush() {
    let operations = crash_and_reopen(None, Kept::Everything);
    assert!(operations > 60, "{operations} operations are too few for eight commits");
    for stop_at in 1..=operations {
        for kept in [Kept::Nothing, Kept::Everything, Kept::Some(stop_at * 7_919)] {
            crash_and_reopen(Some(stop_at), kept);
        }
    }
    println!("{operations} writes and flushes, three crashes at each");
}

#[test]
fn a_store_whose_flush_failed_refuses_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    let disk = Disk::new(made(), None);
    let mut storage = open(&disk, &marker).unwrap();
    let mut here = replica(storage.load().unwrap(), 1, 0);
    let first = here.poll_persist().unwrap();
    let next = disk.image().operations + 1;
    disk.image().stop_at = Some(next);
    assert!(matches!(storage.commit(std::slice::from_ref(&first.batch)), Err(StorageError::Io(_))));
    // The disk is well again, and the store still does not trust itself.
    *disk.image() = Image::default();
    assert!(matches!(storage.commit(&[first.batch]), Err(StorageError::Poisoned)));
    assert!(matches!(storage.load(), Err(StorageError::Poisoned)));
}
