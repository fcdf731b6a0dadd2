//! What a node does, as numbers for a recorder of `metrics` (feature `metrics`).
//!
//! They are fed from the machine's [`Stats`] after each input. Several nodes in one process add up.

use core::time::Duration;

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crdt_core::DotStore;

use crate::{RepairTier, Replica, Stats, Steady, Tier};

/// The lag costs a look at every active replica, so it is looked at no oftener.
const LAG_EVERY: Duration = Duration::from_millis(250);

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Push => "push",
        Tier::Repair => "repair",
        Tier::Control => "control",
    }
}

fn outcome_name(tier: RepairTier) -> &'static str {
    match tier {
        RepairTier::Same => "same",
        RepairTier::Log => "log",
        RepairTier::Sketch => "sketch",
        RepairTier::LiveSet => "live_set",
        RepairTier::Whole => "whole",
    }
}

/// A gauge to which this node contributes.
struct Level {
    gauge: Gauge,
    told: f64,
}

impl Level {
    fn new(gauge: Gauge) -> Self {
        Self { gauge, told: 0.0 }
    }

    fn set(&mut self, value: u64) {
        let value = value as f64;
        if value != self.told {
            self.gauge.increment(value - self.told);
            self.told = value;
        }
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Bytes and messages of one direction.
struct Ways {
    bytes: [Counter; 3],
    messages: [Counter; 3],
}

/// All that one node tells a recorder, and what it told last.
pub(super) struct Meter {
    told: Stats,
    sent: Ways,
    received: Ways,
    repairs: [Counter; 5],
    repairs_failed: Counter,
    records: [Counter; 3],
    dropped: [Counter; 2],
    frames_refused: Counter,
    parked: [Level; 2],
    log_bytes: Level,
    held_bytes: Level,
    links: Level,
    lag: Level,
    lag_due: Steady,
    /// Something happened since the lag was looked at.
    lag_stale: bool,
}

impl Meter {
    /// Registers the metrics with whichever recorder is installed now.
    pub(super) fn new() -> Self {
        describe();
        let ways = |direction: &'static str| Ways {
            bytes: Tier::ALL
                .map(|tier| counter!("crdt_sync_traffic_bytes", "direction" => direction, "tier" => tier_name(tier))),
            messages: Tier::ALL.map(
                |tier| counter!("crdt_sync_traffic_messages", "direction" => direction, "tier" => tier_name(tier)),
            ),
        };
        Self {
            told: Stats::default(),
            sent: ways("sent"),
            received: ways("received"),
            repairs: RepairTier::ALL.map(|tier| counter!("crdt_sync_repairs", "outcome" => outcome_name(tier))),
            repairs_failed: counter!("crdt_sync_repairs", "outcome" => "failed"),
            records: ["pushed", "fresh", "repeated"].map(|what| counter!("crdt_sync_records", "what" => what)),
            dropped: ["push", "parked"].map(|what| counter!("crdt_sync_records_dropped", "what" => what)),
            frames_refused: counter!("crdt_sync_frames_refused"),
            parked: [Level::new(gauge!("crdt_sync_parked_records")), Level::new(gauge!("crdt_sync_parked_bytes"))],
            log_bytes: Level::new(gauge!("crdt_sync_log_bytes")),
            held_bytes: Level::new(gauge!("crdt_sync_held_bytes")),
            links: Level::new(gauge!("crdt_sync_links")),
            lag: Level::new(gauge!("crdt_sync_lag_dots")),
            lag_due: Steady(0),
            lag_stale: false,
        }
    }

    /// Tells what has changed since the last time.
    pub(super) fn tell<S: DotStore>(&mut self, replica: &Replica<S>, links: usize, now: Steady) {
        let stats = replica.stats();
        let told = &self.told;
        let ways = [(&self.sent, &stats.sent, &told.sent), (&self.received, &stats.received, &told.received)];
        for (ways, new, old) in ways {
            for tier in Tier::ALL.map(|tier| tier as usize) {
                add(&ways.bytes[tier], new[tier].bytes, old[tier].bytes);
                add(&ways.messages[tier], new[tier].messages, old[tier].messages);
            }
        }
        for (counter, (new, old)) in self.repairs.iter().zip(stats.repairs.iter().zip(told.repairs)) {
            add(counter, *new, old);
        }
        add(&self.repairs_failed, stats.repairs_failed, told.repairs_failed);
        let [pushed, fresh, repeated] = &self.records;
        add(pushed, stats.records_pushed, told.records_pushed);
        add(fresh, stats.records_fresh, told.records_fresh);
        add(repeated, stats.records_repeated, told.records_repeated);
        let [push, parked] = &self.dropped;
        add(push, stats.pushes_dropped, told.pushes_dropped);
        add(parked, stats.parked_dropped, told.parked_dropped);
        add(&self.frames_refused, stats.frames_refused, told.frames_refused);
        let [records, bytes] = &mut self.parked;
        records.set(stats.parked_records as u64);
        bytes.set(stats.parked_bytes as u64);
        self.log_bytes.set(stats.log_bytes as u64);
        self.held_bytes.set(stats.held_bytes as u64);
        self.links.set(links as u64);
        self.lag_stale = now < self.lag_due;
        if !self.lag_stale {
            self.lag_due = now + LAG_EVERY;
            self.lag.set(super::behind(replica));
        }
        self.told = stats;
    }

    /// When to look at the lag again, while there is some.
    pub(super) fn due(&self) -> Option<Steady> {
        (self.lag_stale || self.lag.told > 0.0).then_some(self.lag_due)
    }
}

fn add(counter: &Counter, new: u64, old: u64) {
    if new > old {
        counter.increment(new - old);
    }
}

fn describe() {
    describe_counter!("crdt_sync_traffic_bytes", Unit::Bytes, "Bytes of frames, by direction and by what they serve.");
    describe_counter!("crdt_sync_traffic_messages", Unit::Count, "Frames, by direction and by what they serve.");
    describe_counter!("crdt_sync_repairs", Unit::Count, "Repairs that ended, by what they used, or failed.");
    describe_counter!("crdt_sync_records", Unit::Count, "Records pushed to peers, received, and received again.");
    describe_counter!("crdt_sync_records_dropped", Unit::Count, "Records left out; a repair brings them.");
    describe_counter!("crdt_sync_frames_refused", Unit::Count, "Frames that broke a rule.");
    describe_gauge!("crdt_sync_parked_records", Unit::Count, "Records that wait for their causes.");
    describe_gauge!("crdt_sync_parked_bytes", Unit::Bytes, "Bytes of those.");
    describe_gauge!("crdt_sync_log_bytes", Unit::Bytes, "Bytes of records that can be sent again.");
    describe_gauge!("crdt_sync_held_bytes", Unit::Bytes, "Bytes of messages that wait for the disk.");
    describe_gauge!("crdt_sync_links", Unit::Count, "Links that are up.");
    describe_gauge!("crdt_sync_lag_dots", Unit::Count, "Own edits that the peer lagging most is not known to have.");
}
