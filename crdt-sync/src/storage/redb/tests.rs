//! The embedded store beside the one in memory, which is the reference.

use quickcheck::{Arbitrary, Gen, QuickCheck};
use std::fs;

use crdt_core::{Dot, DotSet, ReplicaId};

use super::RedbStorage;
use super::backup::Unnamed;
use crate::{Batch, LogRecord, MemoryStorage, Meta, Own, ScopeId, Stage, Storage, StorageError};

fn replica(number: u64) -> ReplicaId {
    ReplicaId::from_u128(u128::from(number) + 1)
}

fn meta(marker: u64) -> Meta {
    Meta {
        scope: ScopeId::from_bytes([1; 16]),
        replica: replica(0),
        last: marker,
        time_hi: 0,
        clean: false,
        marker,
        acked: Vec::new(),
        stable: DotSet::new(),
        lent: Vec::new(),
    }
}

fn small(g: &mut Gen, bound: u64) -> u64 {
    u64::arbitrary(g) % bound
}

fn dot(g: &mut Gen) -> Dot {
    Dot::new(replica(small(g, 3)), 1 + small(g, 12)).unwrap()
}

fn rows(g: &mut Gen) -> Vec<(Dot, Vec<u8>)> {
    (0..small(g, 4)).map(|_| (dot(g), Vec::arbitrary(g))).collect()
}

fn dots(g: &mut Gen) -> DotSet {
    let mut set = DotSet::new();
    for _ in 0..small(g, 4) {
        let (replica, first) = (replica(small(g, 3)), 1 + small(g, 40));
        set.insert_run(replica, first, first + small(g, 6));
    }
    set
}

/// One of a fixed grid of records, as records of one replica never overlap.
fn own(g: &mut Gen) -> Own {
    let first = 1 + 4 * small(g, 6);
    Own { replica: replica(small(g, 3)), first, last: first + first / 4 % 4 }
}

#[derive(Clone, Debug)]
struct AnyBatch(Batch);

impl Arbitrary for AnyBatch {
    fn arbitrary(g: &mut Gen) -> Self {
        let log = |g: &mut Gen| LogRecord { own: own(g), logged_ms: small(g, 5), bytes: Vec::arbitrary(g) };
        Self(Batch {
            put: rows(g),
            remove: (0..small(g, 4)).map(|_| dot(g)).collect(),
            seen: dots(g),
            received: dots(g),
            frontier: bool::arbitrary(g).then(|| dots(g)),
            log_put: (0..small(g, 3)).map(|_| log(g)).collect(),
            log_drop: (0..small(g, 2)).map(|_| own(g)).collect(),
            stage: match small(g, 4) {
                0 => Some(Stage::Clear),
                1 | 2 => Some(Stage::Put(rows(g))),
                _ => None,
            },
            retired: (0..small(g, 3)).map(|_| (replica(small(g, 4)), small(g, 9))).collect(),
            meta: bool::arbitrary(g).then(|| meta(small(g, 4))),
        })
    }
}

/// Groups of batches; each group is one commit, and the store is opened again after it.
fn both_stores_hold_the_same(groups: Vec<Vec<AnyBatch>>, asked: Vec<(u16, u16)>) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut memory = MemoryStorage::new();
    for group in groups {
        let batches: Vec<Batch> = group.into_iter().map(|batch| batch.0).collect();
        memory.commit(&batches).unwrap();
        RedbStorage::open(&path).unwrap().commit(&batches).unwrap();
        let mut store = RedbStorage::open(&path).unwrap();
        assert_eq!(store.load().unwrap(), memory.load().unwrap());
        for (at, bytes_max) in &asked {
            let (first, bytes_max) = (1 + u64::from(at % 30), usize::from(bytes_max % 300));
            let mut wanted = DotSet::new();
            wanted.insert_run(replica(first % 3), first, first + first % 5);
            wanted.insert_run(replica((first + 1) % 3), 31 - first, 40 - first);
            assert_eq!(store.records(&wanted, bytes_max).unwrap(), memory.records(&wanted, bytes_max).unwrap());
        }
    }
    true
}

#[test]
fn the_embedded_store_and_memory_agree_over_random_batches() {
    let test = both_stores_hold_the_same as fn(Vec<Vec<AnyBatch>>, Vec<(u16, u16)>) -> bool;
    // The same cases every time: a failure here must be one that can be seen again.
    QuickCheck::new().rng(Gen::from_size_and_seed(6, 1)).tests(100).quickcheck(test);
}

/// An empty record is a first record like any other: the next one has to fit.
#[test]
fn a_limit_is_kept_after_an_empty_record() {
    let log = |first, bytes| LogRecord { own: Own { replica: replica(0), first, last: first }, logged_ms: 0, bytes };
    let batch = Batch { log_put: vec![log(1, Vec::new()), log(2, vec![7; 3])], ..Batch::default() };
    let folder = tempfile::tempdir().unwrap();
    let (mut memory, mut embedded) = (MemoryStorage::new(), RedbStorage::open(folder.path().join("store")).unwrap());
    let mut asked = DotSet::new();
    asked.insert_run(replica(0), 1, 2);
    for store in [&mut memory as &mut dyn Storage, &mut embedded] {
        store.commit(std::slice::from_ref(&batch)).unwrap();
        assert_eq!(store.records(&asked, 2).unwrap(), [log(1, Vec::new())]);
        assert_eq!(store.records(&asked, 3).unwrap().len(), 2);
    }
}

#[test]
fn a_store_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let first = RedbStorage::open(&path).unwrap();
    assert!(matches!(RedbStorage::open(&path), Err(StorageError::InUse)));
    drop(first);
    RedbStorage::open(&path).unwrap();
}

/// The file gets its name when it is whole, so a kill in the making leaves nothing in the way.
#[test]
fn a_store_that_was_cut_in_the_making_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fs::write(folder.path().join(format!("store.new-{}", std::process::id())), [0; 4096]).unwrap();
    RedbStorage::open(&path).unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["store"]);
}

/// Both once wrote to one file under its passing name, and the first to end gave the other's half its name.
#[test]
fn two_that_make_a_file_of_one_name_do_not_write_into_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let first = Unnamed::beside(&path);
    fs::write(first.path(), "whole").unwrap();
    let second = Unnamed::beside(&path);
    fs::write(second.path(), "ha").unwrap();
    first.take_name(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    assert!(matches!(second.take_name(&path), Err(StorageError::Io(_))));
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["store"]);
}

#[test]
fn another_file_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fs::write(&path, b"a letter to a friend, not a database").unwrap();
    let error = RedbStorage::open(&path).unwrap_err();
    assert!(matches!(error, StorageError::Io(_) | StorageError::Corrupt(_)), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), b"a letter to a friend, not a database");
}

#[test]
fn a_backup_is_the_whole_store_without_its_marker() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("store"), folder.path().join("copy"));
    let mut store = RedbStorage::open(&path).unwrap();
    let at = Dot::new(replica(0), 1).unwrap();
    store.commit(&[Batch { put: vec![(at, vec![1, 2])], meta: Some(meta(7)), ..Batch::default() }]).unwrap();
    let held = store.load().unwrap();
    assert_eq!(held.marker, Some(7));
    store.backup(&copy).unwrap();
    assert!(store.backup(&copy).is_err(), "a backup never overwrites a file");

    let restored = RedbStorage::open(&copy).unwrap().load().unwrap();
    assert_eq!(restored.marker, None, "the replica of a restored store takes a fresh id");
    assert_eq!(restored.rows, held.rows);
    assert_eq!(restored.meta, held.meta);
}

/// As `cp backup store` does it: the file keeps its inode, and the marker beside it its number.
#[test]
fn an_older_store_put_back_in_place_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("store"), folder.path().join("copy"));
    let mut store = RedbStorage::open(&path).unwrap();
    store.commit(&[Batch { meta: Some(meta(7)), ..Batch::default() }]).unwrap();
    store.backup(&copy).unwrap();
    store.commit(&[Batch { frontier: Some(DotSet::new()), ..Batch::default() }]).unwrap();
    drop(store);
    assert_eq!(RedbStorage::open(&path).unwrap().load().unwrap().marker, Some(7));
    fs::copy(&copy, &path).unwrap();
    assert_eq!(RedbStorage::open(&path).unwrap().load().unwrap().marker, None);
}

#[test]
fn a_folder_that_was_copied_is_another_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    RedbStorage::open(&path).unwrap().commit(&[Batch { meta: Some(meta(7)), ..Batch::default() }]).unwrap();
    let clone = folder.path().join("clone");
    fs::copy(&path, &clone).unwrap();
    fs::copy(path.with_extension("marker"), clone.with_extension("marker")).unwrap();
    let marker = RedbStorage::open(&clone).unwrap().load().unwrap().marker;
    assert_eq!(marker.is_none(), cfg!(unix));
}
