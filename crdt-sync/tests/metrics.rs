//! The numbers of a real exchange, as a recorder sees them.
#![cfg(all(feature = "drive", feature = "metrics"))]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crdt_core::OrSet;
use crdt_sync::drive::{Node, blocking};
use crdt_sync::{Config, MemoryStorage, RepairTier, ScopeId, Tier};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_global_recorder,
};

#[derive(Default)]
struct Value(Mutex<f64>);

impl Value {
    fn add(&self, by: f64) {
        *self.0.lock().unwrap() += by;
    }
}

impl CounterFn for Value {
    fn increment(&self, by: u64) {
        self.add(by as f64);
    }

    fn absolute(&self, _: u64) {
        unreachable!("counters of several nodes add up");
    }
}

impl GaugeFn for Value {
    fn increment(&self, by: f64) {
        self.add(by);
    }

    fn decrement(&self, by: f64) {
        self.add(-by);
    }

    fn set(&self, _: f64) {
        unreachable!("gauges of several nodes add up");
    }
}

/// Keeps every value under its name and labels.
#[derive(Clone, Default)]
struct Notes {
    values: Arc<Mutex<BTreeMap<String, Arc<Value>>>>,
    units: Arc<Mutex<BTreeMap<String, Option<Unit>>>>,
}

impl Notes {
    fn value(&self, key: &Key) -> Arc<Value> {
        let labels: String = key.labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        self.values.lock().unwrap().entry(format!("{}{labels}", key.name())).or_default().clone()
    }

    fn read(&self, name: &str) -> f64 {
        let values = self.values.lock().unwrap();
        let value = values.get(name).unwrap_or_else(|| panic!("{name} is none of {:?}", values.keys()));
        *value.0.lock().unwrap()
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.units.lock().unwrap().insert(key.as_str().into(), unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.units.lock().unwrap().insert(key.as_str().into(), unit);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.value(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.value(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn soon(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: not even after {:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_recorder_sees_the_numbers_of_an_exchange() {
    let notes = Notes::default();
    assert!(set_global_recorder(notes.clone()).is_ok(), "the only one in this program");
    let node = || Node::<OrSet<u64>>::open(MemoryStorage::new(), Config::new(ScopeId::from_bytes([8; 16]))).unwrap();
    let (a, b) = (node(), node());
    (0..50u64).for_each(|key| a.edit(|set| set.insert(key)).wait().map(drop).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listening = blocking::listen(&a, listener).unwrap();
    let connection = blocking::connect(&b, address).unwrap();
    soon("a repair brings them", || b.read(|set| set.len()) == 50);
    b.edit(|set| set.insert(50u64)).wait().unwrap();
    assert!(b.spread(1).wait(Duration::from_secs(10)));
    soon("both links", || notes.read("crdt_sync_links") == 2.0);
    soon("a knows that b has all", || a.behind() == 0 && b.behind() == 0);
    soon("no lag is left", || notes.read("crdt_sync_lag_dots") == 0.0);

    // What the machines counted is what was recorded, by tier and outcome.
    let whole = |counted: &dyn Fn(&crdt_sync::Stats) -> u64| (counted(&a.stats()) + counted(&b.stats())) as f64;
    for (tier, name) in [(Tier::Push, "push"), (Tier::Repair, "repair"), (Tier::Control, "control")] {
        let name = |what: &str, way: &str| format!("crdt_sync_traffic_{what} direction={way} tier={name}");
        soon("bytes sent", || notes.read(&name("bytes", "sent")) == whole(&|stats| stats.sent_by(tier).bytes));
        soon("bytes received", || {
            notes.read(&name("bytes", "received")) == whole(&|stats| stats.received_by(tier).bytes)
        });
        assert!(notes.read(&name("messages", "sent")) > 0.0, "{tier:?}");
    }
    let by_state = ["log", "sketch", "live_set", "whole"];
    let repaired: f64 = by_state.iter().map(|by| notes.read(&format!("crdt_sync_repairs outcome={by}"))).sum();
    assert!(repaired >= 2.0, "each side counts the one that brought the edits");
    let counted = RepairTier::ALL.iter().skip(1);
    assert_eq!(repaired, counted.map(|by| whole(&|stats| stats.repairs_by(*by))).sum::<f64>());
    assert_eq!(notes.read("crdt_sync_records what=fresh"), whole(&|stats| stats.records_fresh));
    assert!(notes.read("crdt_sync_records what=fresh") >= 1.0);
    assert!(notes.read("crdt_sync_log_bytes") > 0.0);
    assert_eq!(notes.read("crdt_sync_parked_records"), 0.0);
    assert_eq!(notes.units.lock().unwrap()["crdt_sync_traffic_bytes"], Some(Unit::Bytes));
    assert_eq!(notes.units.lock().unwrap().len(), 12, "each is described");

    // An edit that nobody hears of is a lag, and nodes that are gone contribute nothing.
    drop((connection, listening));
    b.edit(|set| set.insert(51u64)).wait().unwrap();
    soon("one behind", || notes.read("crdt_sync_lag_dots") == 1.0);
    a.close().wait().unwrap();
    b.close().wait().unwrap();
    soon("nothing is left of the levels", || {
        ["lag_dots", "links", "log_bytes", "held_bytes"].iter().all(|of| notes.read(&format!("crdt_sync_{of}")) == 0.0)
    });
}
