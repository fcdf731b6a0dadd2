//! Backups of nodes that run, and what becomes of them.
#![cfg(all(feature = "drive", feature = "redb"))]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crdt_core::OrSet;
use crdt_sync::drive::{Node, NodeError, blocking};
use crdt_sync::{Config, Event, MemoryStorage, RedbStorage, ScopeId, StorageError};

type Names = OrSet<String>;

fn open(path: &std::path::Path) -> Node<Names> {
    Node::open(RedbStorage::open(path).unwrap(), config()).unwrap()
}

fn config() -> Config {
    Config::new(ScopeId::from_bytes([4; 16]))
}

fn add(node: &Node<Names>, name: &str) {
    node.edit(|set| set.insert(name)).wait().unwrap();
}

fn names(node: &Node<Names>) -> BTreeSet<String> {
    node.read(|set| set.iter().cloned().collect())
}

/// Links two nodes until both are equal.
fn meet(a: &Node<Names>, b: &Node<Names>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(a, listener).unwrap();
    let _connection = blocking::connect(b, address).unwrap();
    let digest = |node: &Node<Names>| (node.received(), node.read_causal(crdt_core::Causal::content_digest));
    let start = Instant::now();
    while digest(a) != digest(b) {
        assert!(start.elapsed() < Duration::from_secs(20), "they do not become equal");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_backup_of_a_node_that_edits_has_all_that_was_acknowledged_and_lives_on_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy, other) = (folder.path().join("store"), folder.path().join("monday"), folder.path().join("other"));
    let node = open(&path);
    for index in 0..200 {
        add(&node, &format!("before {index}"));
    }
    let acknowledged = names(&node);

    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for index in 0.. {
                add(&node, &format!("meanwhile {index}"));
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        node.backup(&copy).wait().unwrap();
        done.store(true, Ordering::Relaxed);
    });
    assert!(names(&node).len() > acknowledged.len(), "it went on");

    RedbStorage::restore(&copy, &other).unwrap();
    let restored = open(&other);
    assert!(names(&restored).is_superset(&acknowledged));
    assert_ne!(restored.id(), node.id(), "another memory is another replica");
    let mut heard = [node.subscribe(), restored.subscribe()];
    let before = restored.received();
    add(&restored, "made by the restored one");
    assert!(restored.received().difference(&before).runs().all(|(replica, ..)| replica == restored.id()));
    add(&node, "made by the first");
    meet(&node, &restored);
    assert!(names(&node).contains("made by the restored one") && names(&restored).contains("made by the first"));
    for events in &mut heard {
        while let Some(event) = events.wait(Duration::ZERO) {
            let bad = matches!(event, Event::Equivocation(_) | Event::IdentityLost { .. } | Event::Diverged { .. });
            assert!(!bad, "{event:?}");
        }
    }
}

/// The disk is gone; a peer has what was done since.
#[test]
fn a_backup_put_where_the_store_was_takes_a_fresh_id_and_gets_back_what_its_peers_have() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy, far) = (folder.path().join("store"), folder.path().join("monday"), folder.path().join("far"));
    let (node, peer) = (open(&path), open(&far));
    add(&node, "before");
    node.backup(&copy).wait().unwrap();
    add(&node, "since, and told");
    meet(&node, &peer);
    add(&node, "since, and told to nobody");
    let lost = node.id();
    node.close().wait().unwrap();

    let refused = RedbStorage::restore(&copy, &path).unwrap_err();
    assert!(matches!(refused, StorageError::Io(_)), "a store that is there is never overwritten: {refused}");
    std::fs::remove_file(&path).unwrap();
    RedbStorage::restore(&copy, &path).unwrap();
    let restored = open(&path);
    assert_ne!(restored.id(), lost);
    assert_eq!(names(&restored), BTreeSet::from(["before".to_owned()]));
    add(&restored, "after");
    meet(&restored, &peer);
    let expected = ["before", "since, and told", "after"].map(str::to_owned);
    assert_eq!(names(&restored), BTreeSet::from(expected));
}

/// Nothing was committed since the backup, so the marker would vouch for it.
#[test]
fn a_restored_store_takes_a_fresh_id_even_if_nothing_happened_since() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("store"), folder.path().join("monday"));
    let node = open(&path);
    add(&node, "before");
    let id = node.id();
    node.close().wait().unwrap();
    RedbStorage::open(&path).unwrap().backup(&copy).unwrap();
    std::fs::remove_file(&path).unwrap();
    RedbStorage::restore(&copy, &path).unwrap();
    assert_ne!(open(&path).id(), id);
}

#[test]
fn a_backup_that_cannot_be_made_says_why_and_the_node_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(&folder.path().join("store"));
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "something else").unwrap();
    let refused = node.backup(&taken).wait();
    assert!(matches!(refused, Err(NodeError::Store(StorageError::Io(_)))), "{refused:?}");
    assert_eq!(std::fs::read(&taken).unwrap(), b"something else");
    let nowhere = node.backup(folder.path().join("no such folder/backup")).wait();
    assert!(matches!(nowhere, Err(NodeError::Store(StorageError::Io(_)))), "{nowhere:?}");
    let other = node.clone();
    add(&node, "on");
    node.close().wait().unwrap();
    let late = other.backup(folder.path().join("late")).wait();
    assert!(matches!(late, Err(NodeError::Closed)), "{late:?}");

    let memory = Node::<Names>::open(MemoryStorage::new(), config()).unwrap();
    let unsupported = memory.backup(folder.path().join("memory")).wait();
    assert!(matches!(unsupported, Err(NodeError::Store(StorageError::Unsupported))), "{unsupported:?}");
    let left: BTreeSet<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the store, its marker and what was there: {left:?}");
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy, other) = (folder.path().join("store"), folder.path().join("monday"), folder.path().join("other"));
    let node = open(&path);
    add(&node, "before");
    node.backup(&copy).wait().unwrap();
    let whole = std::fs::read(&copy).unwrap();
    for length in [0, 100, whole.len() / 2] {
        std::fs::write(&copy, &whole[..length]).unwrap();
        RedbStorage::restore(&copy, &other).unwrap_err();
        assert!(!other.exists());
    }
    std::fs::write(&copy, &whole).unwrap();
    RedbStorage::restore(&copy, &other).unwrap();
}

#[test]
fn a_backup_that_is_kept_read_only_is_restored_to_a_store_that_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy, other) = (folder.path().join("store"), folder.path().join("monday"), folder.path().join("other"));
    let node = open(&path);
    add(&node, "before");
    node.backup(&copy).wait().unwrap();
    let mut rights = std::fs::metadata(&copy).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&copy, rights).unwrap();
    RedbStorage::restore(&copy, &other).unwrap();
    assert!(!std::fs::metadata(&other).unwrap().permissions().readonly(), "whoever is not root could not open it");
    add(&open(&other), "after");
}
