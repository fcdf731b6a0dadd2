//! What a subscriber hears of nodes that meet, lose their identity, and refuse each other.
#![cfg(all(feature = "drive", feature = "tracing"))]

use std::fmt::{Debug, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crdt_core::OrSet;
use crdt_sync::drive::{Node, blocking};
use crdt_sync::{Config, MemoryStorage, Mode, ScopeId};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps each event as its level and fields.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<(Level, String)>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("crdt_sync")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push((*event.metadata().level(), line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Ear {
    /// Waits for an event at this level that says all of this.
    fn hears(&self, level: Level, words: &[&str]) -> String {
        let start = Instant::now();
        loop {
            let heard = self.0.lock().unwrap();
            let fits = |line: &str| words.iter().all(|word| line.contains(word));
            if let Some((_, line)) = heard.iter().find(|(at, line)| *at == level && fits(line)) {
                return line.clone();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "nobody says {words:?} at {level}: {heard:#?}");
            drop(heard);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_subscriber_hears_of_repairs_identities_and_refusals() {
    let ear = Ear::default();
    tracing::subscriber::set_global_default(ear.clone()).unwrap();
    let scope = ScopeId::from_bytes([8; 16]);
    let open = |config| Node::<OrSet<u64>>::open(MemoryStorage::new(), config).unwrap();
    let (a, b) = (open(Config::new(scope)), open(Config::new(scope)));
    (0..50u64).for_each(|key| a.edit(|set| set.insert(key)).wait().map(drop).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    let _connection = blocking::connect(&b, address).unwrap();
    let me = format!("me={}", b.id());
    ear.hears(Level::TRACE, &[&me, "repair opened"]);
    let ended = ear.hears(Level::DEBUG, &[&me, "repair ended", "tier="]);
    let bytes: u64 = ended.split("bytes=").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap();
    assert!(bytes > 20, "{ended}");
    ear.hears(Level::DEBUG, &[&me, "peer is here", &a.id().to_string()]);

    // One that wants another order is refused at both ends.
    let other = open(Config { mode: Mode::Fifo, ..Config::new(scope) });
    let refused = blocking::connect(&other, address).unwrap();
    ear.hears(Level::WARN, &[&format!("me={}", a.id()), "peer refused", "Mode"]);
    drop(refused);

    // A store that was copied where its marker came along: two live under one id, and both find out.
    let lost = crdt_core::ReplicaId::from_u128(0xdead);
    let twin = |storage: MemoryStorage| Node::<OrSet<u64>>::open(storage, Config::new(scope)).unwrap();
    let (c, d) = (twin(copy_of(lost, scope)), twin(copy_of(lost, scope)));
    assert_eq!((c.id(), d.id()), (lost, lost));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _twins = blocking::listen(&c, listener).unwrap();
    let _meeting = blocking::connect(&d, address).unwrap();
    ear.hears(Level::WARN, &[&format!("me={lost}"), "identity lost"]);
    ear.hears(Level::INFO, &[&format!("before={lost}"), "goes on under a fresh id"]);
}

/// A store in which a replica has just begun, as both copies find it.
fn copy_of(replica: crdt_core::ReplicaId, scope: ScopeId) -> MemoryStorage {
    use crdt_sync::{Loaded, Now, Replica, Steady, Storage as _, Wall};
    let now = Now { steady: Steady(0), wall: Wall(1_780_000_000_000) };
    let mut opened = Replica::<OrSet<u64>>::open(Loaded::default(), Config::new(scope), replica, [0; 32], now).unwrap();
    let mut storage = MemoryStorage::new();
    while let Some(persist) = opened.poll_persist() {
        storage.commit(&[persist.batch]).unwrap();
    }
    storage
}
