//! The records that can still be sent again.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use crdt_core::{DotSet, DotStore, ReplicaId};

use crate::repair::LogIndex;
use crate::{Limits, LogEntry, Own, Record, Wall};

/// Durable records by their dots, under a budget that no peer can stretch: what the log can't serve, a repair rebuilds
/// from the state. The newest are in memory, the rest on disk.
pub(crate) struct Log<S: DotStore> {
    items: BTreeMap<Own, Item<S>>,
    /// In the order in which they came: what goes first.
    order: VecDeque<Own>,
    /// Those in memory, in the order in which they came.
    in_memory: VecDeque<Own>,
    dots: DotSet,
    bytes: usize,
    memory_bytes: usize,
}

struct Item<S: DotStore> {
    record: Option<Arc<Record<S>>>,
    logged_ms: u64,
    len: usize,
    hash: u64,
}

impl<S: DotStore> LogIndex for Log<S> {
    fn holds(&self, dots: &DotSet) -> bool {
        dots.is_subset(&self.dots)
    }

    fn bytes_of(&self, dots: &DotSet) -> usize {
        self.touching(dots).map(|(_, item)| item.len).sum()
    }
}

/// What the log has of some dots.
pub(crate) struct Found<S: DotStore> {
    /// Records in memory.
    pub(crate) records: Vec<Arc<Record<S>>>,
    /// Dots of records that have to be fetched from disk.
    pub(crate) on_disk: DotSet,
    /// Dots of no record here.
    pub(crate) missing: DotSet,
}

impl<S: DotStore> Log<S> {
    pub(crate) fn new(entries: &[LogEntry]) -> Self {
        let mut log = Self {
            items: BTreeMap::new(),
            order: VecDeque::new(),
            in_memory: VecDeque::new(),
            dots: DotSet::new(),
            bytes: 0,
            memory_bytes: 0,
        };
        for entry in entries {
            log.add(*entry, None);
        }
        log
    }

    fn add(&mut self, entry: LogEntry, record: Option<Arc<Record<S>>>) {
        let LogEntry { own, logged_ms, len, hash } = entry;
        self.dots.insert_run(own.replica, own.first, own.last);
        self.bytes += len;
        self.order.push_back(own);
        self.items.insert(own, Item { record, logged_ms, len, hash });
    }

    /// Adds a record, whose bytes are as `entry` says. False if it is there already.
    pub(crate) fn insert(&mut self, record: Arc<Record<S>>, entry: LogEntry, limits: &Limits) -> bool {
        let own = record.own;
        if self.items.contains_key(&own) {
            return false;
        }
        self.add(entry, Some(record));
        self.in_memory.push_back(own);
        self.memory_bytes += entry.len;
        while self.memory_bytes > limits.log_memory_bytes_max {
            let Some(oldest) = self.in_memory.pop_front() else { break };
            if let Some(item) = self.items.get_mut(&oldest) {
                item.record = None;
                self.memory_bytes -= item.len;
            }
        }
        true
    }

    /// Whether a record that is here says something else of the same dots. As records are never cut, one that has only
    /// some of them in common does.
    pub(crate) fn contradicts(&self, record: &Record<S>) -> bool {
        match self.items.get(&record.own) {
            Some(Item { record: Some(logged), .. }) => **logged != *record,
            Some(item) => item.hash != record.hash64(),
            None => self.touching(&record.own.to_dot_set()).next().is_some(),
        }
    }

    /// Bytes of all records.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn touching<'l>(&'l self, dots: &'l DotSet) -> impl Iterator<Item = (&'l Own, &'l Item<S>)> {
        dots.runs().flat_map(move |(replica, first, last)| {
            // The record that starts before the run may reach into it.
            let reaching = self.items.range(..Own { replica, first, last: 0 }).next_back();
            let reaching = reaching.filter(move |(own, _)| own.replica == replica && own.last >= first);
            let inside =
                self.items.range(Own { replica, first, last: 0 }..=Own { replica, first: last, last: u64::MAX });
            reaching.into_iter().chain(inside)
        })
    }

    /// The records that these dots lie in, the sooner written ones of each replica first.
    pub(crate) fn find(&self, dots: &DotSet) -> Found<S> {
        let mut found = Found { records: Vec::new(), on_disk: DotSet::new(), missing: dots.difference(&self.dots) };
        let mut last = None;
        for (own, item) in self.touching(dots) {
            // Two runs may lie in one record.
            if last.replace(*own) == Some(*own) {
                continue;
            }
            match &item.record {
                Some(record) => found.records.push(record.clone()),
                None => {
                    found.on_disk.insert_run(own.replica, own.first, own.last);
                }
            }
        }
        found
    }

    /// Forgets what the budget no longer allows: records that every active replica has go first, then the oldest of other
    /// writers, which those may have as well, and those that were written here last. Says which.
    pub(crate) fn truncate(&mut self, now: Wall, me: ReplicaId, stable: &DotSet, limits: &Limits) -> Vec<Own> {
        let mut dropped = Vec::new();
        let age_max = u64::try_from(limits.log_age_max.as_millis()).unwrap_or(u64::MAX);
        while let Some(oldest) = self.order.front().copied() {
            let expired = self.items.get(&oldest).is_none_or(|item| now.0.saturating_sub(item.logged_ms) > age_max);
            if !expired {
                break;
            }
            self.order.pop_front();
            self.drop_item(oldest, &mut dropped);
        }
        // A little more than has to go: a log that is full is gone through once for many records.
        let full = self.bytes > limits.log_bytes_max;
        let kept_max = limits.log_bytes_max - limits.log_bytes_max / 64;
        for first in [&|own: &Own| own.is_within(stable), &|own: &Own| own.replica != me] as [&dyn Fn(&Own) -> bool; 2]
        {
            if !full || self.bytes <= kept_max {
                break;
            }
            let mut kept = VecDeque::new();
            for own in core::mem::take(&mut self.order) {
                if self.bytes > kept_max && first(&own) {
                    self.drop_item(own, &mut dropped);
                } else {
                    kept.push_back(own);
                }
            }
            self.order = kept;
        }
        while full && self.bytes > kept_max {
            let Some(oldest) = self.order.pop_front() else { break };
            self.drop_item(oldest, &mut dropped);
        }
        if !dropped.is_empty() {
            let gone: DotSet = dropped.iter().fold(DotSet::new(), |mut gone, own| {
                gone.insert_run(own.replica, own.first, own.last);
                gone
            });
            self.dots = self.dots.difference(&gone);
        }
        dropped
    }

    fn drop_item(&mut self, own: Own, dropped: &mut Vec<Own>) {
        let Some(item) = self.items.remove(&own) else { return };
        self.bytes -= item.len;
        if item.record.is_some() {
            self.memory_bytes -= item.len;
            // The oldest leave first, so it is near the front.
            if let Some(at) = self.in_memory.iter().position(|other| *other == own) {
                self.in_memory.remove(at);
            }
        }
        dropped.push(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;
    use crdt_core::{Delta, Dot, OrSet, ReplicaId, Timestamp};

    const A: ReplicaId = ReplicaId::from_u128(1);
    const B: ReplicaId = ReplicaId::from_u128(2);

    fn record(first: u64, last: u64) -> Arc<Record<OrSet<u64>>> {
        record_of(A, first, last)
    }

    fn record_of(replica: ReplicaId, first: u64, last: u64) -> Arc<Record<OrSet<u64>>> {
        let own = Own { replica, first, last };
        Arc::new(Record {
            own,
            after: DotSet::new(),
            time: Timestamp::default(),
            payload: Payload::Edit(Delta::retiring(own.to_dot_set(), DotSet::new())),
            extensions: Vec::new(),
        })
    }

    fn dots(counters: impl IntoIterator<Item = u64>) -> DotSet {
        counters.into_iter().map(|counter| Dot::new(A, counter).unwrap()).collect()
    }

    fn entry(record: &Record<OrSet<u64>>, at: usize) -> LogEntry {
        LogEntry { own: record.own, logged_ms: at as u64, len: 10, hash: record.hash64() }
    }

    fn filled(limits: &Limits) -> Log<OrSet<u64>> {
        let mut log = Log::new(&[]);
        for (at, (first, last)) in [(1, 3), (4, 4), (5, 9), (20, 29)].into_iter().enumerate() {
            assert!(log.insert(record(first, last), entry(&record(first, last), at), limits));
            assert!(!log.insert(record(first, last), entry(&record(first, last), at), limits));
        }
        log
    }

    #[test]
    fn records_are_found_by_any_of_their_dots() {
        let log = filled(&Limits::default());
        let found = log.find(&dots([2, 8, 9, 10, 25, 27]));
        assert_eq!(found.records.iter().map(|record| record.own.first).collect::<Vec<_>>(), [1, 5, 20]);
        assert_eq!(found.missing, dots([10]));
        assert!(found.on_disk.is_empty());
        assert!(log.holds(&dots(20..=29)) && !log.holds(&dots([10])));
        assert_eq!(log.bytes_of(&dots([4, 5])), 20);
    }

    #[test]
    fn the_older_records_leave_memory_and_stay_in_the_log() {
        let limits = Limits { log_memory_bytes_max: 20, ..Limits::default() };
        let log = filled(&limits);
        let found = log.find(&dots(1..=29));
        assert_eq!(found.records.iter().map(|record| record.own.first).collect::<Vec<_>>(), [5, 20]);
        assert_eq!(found.on_disk, dots(1..=4));
    }

    #[test]
    fn over_its_budget_the_log_drops_what_all_have_and_then_the_oldest() {
        let mut log = filled(&Limits::default());
        let limits = Limits { log_bytes_max: 20, ..Limits::default() };
        let dropped = log.truncate(Wall(10), B, &dots(5..=9), &limits);
        assert_eq!(dropped.iter().map(|own| own.first).collect::<Vec<_>>(), [5, 1]);
        assert!(log.holds(&dots([4, 20])) && !log.holds(&dots([5])) && !log.holds(&dots([1])));
        assert_eq!(log.bytes(), 20);
    }

    #[test]
    fn a_writer_drops_its_own_records_last() {
        let mut log = filled(&Limits::default());
        let theirs = record_of(B, 1, 1);
        log.insert(theirs.clone(), entry(&theirs, 9), &Limits::default());
        let dropped = |log: &mut Log<OrSet<u64>>, log_bytes_max| {
            let limits = Limits { log_bytes_max, ..Limits::default() };
            log.truncate(Wall(10), A, &dots([4]), &limits)
        };
        assert_eq!(dropped(&mut log, 40), [record(4, 4).own], "what all have");
        assert_eq!(dropped(&mut log, 30), [theirs.own], "the newest, as it is another one's");
        assert_eq!(dropped(&mut log, 20), [record(1, 3).own], "the bound holds all the same");
    }

    #[test]
    fn a_record_that_says_something_else_is_found_out_when_it_has_left_memory() {
        for limits in [Limits::default(), Limits { log_memory_bytes_max: 0, ..Limits::default() }] {
            let log = filled(&limits);
            let mut other = (*record(5, 9)).clone();
            assert!(!log.contradicts(&other));
            other.time = Timestamp::new(1, 0);
            assert!(log.contradicts(&other));
            assert!(log.contradicts(&record(5, 8)) && log.contradicts(&record(8, 12)), "other parts of the same dots");
            assert!(!log.contradicts(&record(40, 41)), "of what is not here it knows nothing");
        }
    }

    #[test]
    fn what_is_too_old_goes_whatever_the_room() {
        let mut log = filled(&Limits::default());
        let limits = Limits { log_age_max: core::time::Duration::from_millis(5), ..Limits::default() };
        let dropped = log.truncate(Wall(7), B, &DotSet::new(), &limits);
        assert_eq!(dropped.iter().map(|own| own.first).collect::<Vec<_>>(), [1, 4]);
    }
}
