//! Processes that are killed in the middle of their work.
//!
//! A writer process edits over an embedded store and tells its parent when an edit begins and when it is acknowledged.
//! The parent, which keeps the ledger, kills it at moments drawn from a seed, opens the store, and starts it again. A
//! replica in the parent hears what the writer says over TCP. Around each commit the writer puts a mark into a file
//! beside the store, so that the parent knows which kills cut one.
#![allow(clippy::print_stdout, reason = "what was reached is part of the result")]
#![cfg(all(feature = "drive", feature = "redb"))]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crdt_core::{Causal, DotSet, OrSet};
use crdt_sync::drive::{Node, blocking};
use crdt_sync::{
    Batch, Config, Event, Loaded, LogRecord, MemoryStorage, RedbStorage, Replica, ScopeId, Storage, StorageError,
};

type Words = OrSet<String>;

const STORE: &str = "CRDT_KILL_STORE";
const PEER: &str = "CRDT_KILL_PEER";
const LIFE: &str = "CRDT_KILL_LIFE";

/// Writers in one process, so that there is always an edit on its way.
const THREADS: usize = 3;

/// A store that says in a file whether it is in the middle of a commit. What was written to a file outlives the process.
struct Marked {
    store: RedbStorage,
    mark: File,
}

impl Marked {
    fn open(store: &str) -> Self {
        let mark = File::create(mark_of(Path::new(store))).unwrap();
        Self { store: RedbStorage::open(store).unwrap(), mark }
    }

    fn mark(&mut self, byte: u8) {
        self.mark.seek(SeekFrom::Start(0)).and_then(|_| self.mark.write_all(&[byte])).unwrap();
    }
}

fn mark_of(store: &Path) -> PathBuf {
    store.with_extension("committing")
}

fn was_committing(store: &Path) -> bool {
    std::fs::read(mark_of(store)).unwrap() == [1]
}

impl Storage for Marked {
    fn load(&mut self) -> Result<Loaded, StorageError> {
        self.store.load()
    }

    fn commit(&mut self, batches: &[Batch]) -> Result<(), StorageError> {
        self.mark(1);
        let done = self.store.commit(batches);
        self.mark(0);
        done
    }

    fn records(&self, dots: &DotSet, bytes_max: usize) -> Result<Vec<LogRecord>, StorageError> {
        self.store.records(dots, bytes_max)
    }
}

fn config() -> Config {
    Config::new(ScopeId::from_bytes([9; 16]))
}

/// What the parent runs, again and again: never as a test of its own.
#[test]
#[ignore = "the other test runs it, in a process of its own"]
fn writer() {
    let Ok(store) = std::env::var(STORE) else { return };
    let (peer, life) = (std::env::var(PEER).unwrap(), std::env::var(LIFE).unwrap());
    let node = Node::<Words>::open(Marked::open(&store), config()).unwrap();
    let _connection = blocking::connect(&node, peer).unwrap();
    // A store that was never written to has no id to keep.
    let (written, wait) = mpsc::channel();
    node.with_store(move |_| written.send(()).unwrap());
    wait.recv().unwrap();
    tell(&format!("id {}", node.id()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (node, life) = (&node, &life);
            scope.spawn(move || {
                for number in 0.. {
                    let word = format!("{life}.{thread}.{number}");
                    tell(&format!("begin {word}"));
                    node.edit(|set| set.insert(word.as_str())).wait().unwrap();
                    tell(&format!("done {word}"));
                }
            });
        }
    });
}

/// One whole line at once, flushed.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// One life: what was begun, what was acknowledged, under which id.
#[derive(Default)]
struct Life {
    begun: BTreeSet<String>,
    done: BTreeSet<String>,
    id: Option<String>,
}

fn live(store: &Path, peer: &str, life: usize, kill_after: Duration) -> Life {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["writer", "--exact", "--ignored", "--nocapture"])
        .envs([(STORE, store.to_str().unwrap()), (PEER, peer), (LIFE, &life.to_string())])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (first, started) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut told = Life::default();
        // A line that the kill cut has no end, so it says nothing: `lines` would take it for whole.
        for line in out.split(b'\n').map_while(Result::ok).map(|line| String::from_utf8(line).unwrap()) {
            match line.split_once(' ') {
                Some(("id", id)) => {
                    told.id = Some(id.to_owned());
                    let _ = first.send(());
                }
                Some(("begin", word)) => drop(told.begun.insert(word.to_owned())),
                Some(("done", word)) => drop(told.done.insert(word.to_owned())),
                _ => {}
            }
        }
        told
    });
    started.recv_timeout(Duration::from_secs(60)).expect("the writer starts");
    std::thread::sleep(kill_after);
    // SIGKILL, or what the system has for it.
    child.kill().unwrap();
    child.wait().unwrap();
    let mut told = reader.join().unwrap();
    // An acknowledgement that was cut in the middle names no edit that was begun.
    told.done = told.done.intersection(&told.begun).cloned().collect();
    told
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let kills: usize = std::env::var("CRDT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20);
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mirror = Node::<Words>::open(MemoryStorage::new(), config()).unwrap();
    let mut heard = mirror.subscribe();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap().to_string();
    let _listening = blocking::listen(&mirror, listener).unwrap();

    let (mut acknowledged, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let (mut inside, mut unanswered, mut draw) = (0, 0, 0x9e37_79b9_u64);
    for life in 0..kills {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let told = live(&store, &peer, life, Duration::from_micros((draw >> 33) % 120_000));
        unanswered += usize::from(told.begun.len() > told.done.len());
        inside += usize::from(was_committing(&store));
        acknowledged.extend(told.done);
        ids.extend(told.id);

        let loaded = RedbStorage::open(&store).unwrap().load().unwrap();
        let now = crdt_sync::Now::default();
        let kept = Replica::<Words>::open(loaded, config(), crdt_core::ReplicaId::from_u128(1), [0; 32], now).unwrap();
        let lost: Vec<_> = acknowledged.iter().filter(|word| !kept.state().contains(word.as_str())).collect();
        assert!(lost.is_empty(), "life {life}: acknowledged and lost: {lost:?}");
        let told_and_lost = mirror.received().difference(kept.received());
        assert!(told_and_lost.is_empty(), "life {life}: told to a peer and lost: {told_and_lost:?}");
    }

    // One more life, without a kill: both end with the same, and no dot had two values.
    let node = Node::<Words>::open(RedbStorage::open(&store).unwrap(), config()).unwrap();
    let _connection = blocking::connect(&node, peer).unwrap();
    let start = Instant::now();
    while mirror.read_causal(Causal::content_digest) != node.read_causal(Causal::content_digest) {
        assert!(start.elapsed() < Duration::from_secs(30), "the two do not come together");
        std::thread::sleep(Duration::from_millis(20));
    }
    while let Some(event) = heard.wait(Duration::ZERO) {
        assert!(!matches!(event, Event::Equivocation(_) | Event::Diverged { .. }), "{event:?}");
    }
    println!(
        "{kills} kills, {inside} inside a commit, {unanswered} with an edit unanswered, {} edits acknowledged, {} ids",
        acknowledged.len(),
        ids.len()
    );
    assert_eq!(ids.len(), 1, "a kill costs no id");
    assert!(unanswered * 2 > kills, "only {unanswered} of {kills} kills met an edit on its way");
    assert!(inside * 4 > kills, "only {inside} of {kills} kills landed inside a commit");
    assert!(acknowledged.len() > kills, "too little was written: {}", acknowledged.len());
}
