//! Records that came before what they build on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crdt_core::{Dot, DotSet, DotStore, ReplicaId};

use crate::few::Few;
use crate::{Limits, Mode, Own, Record};

/// Holds records until their causes are here. What waits is neither announced nor acknowledged, so dropping it is safe:
/// its gap brings it back.
pub(crate) struct Inbox<S: DotStore> {
    parked: BTreeMap<Own, Parked<S>>,
    /// What each waits for: one missing dot at a time.
    waiting: BTreeSet<(Dot, Own)>,
    per_writer: Few<ReplicaId, usize>,
    bytes: usize,
    dots: DotSet,
}

/// What a record takes here beside its bytes, about.
const OVERHEAD: usize = 512;

struct Parked<S: DotStore> {
    record: Arc<Record<S>>,
    len: usize,
    missing: Dot,
}

/// The first dot that a record still waits for; none if it may take effect.
pub(crate) fn missing_cause<S: DotStore>(record: &Record<S>, received: &DotSet, mode: Mode) -> Option<Dot> {
    if mode == Mode::Immediate {
        return None;
    }
    let own = record.own;
    if own.first > 1 {
        let previous = Dot::new(own.replica, own.first - 1)?;
        if !received.contains(previous) {
            return Some(previous);
        }
    }
    match mode {
        Mode::Causal => record.after.difference(received).iter().next(),
        _ => None,
    }
}

/// Records, each after what it builds on beside what is received already; none if something is missing. As quick as
/// receiving them in that order is.
pub(crate) fn in_causal_order<S: DotStore>(
    records: Vec<Arc<Record<S>>>,
    mut received: DotSet,
    mode: Mode,
) -> Option<Vec<Arc<Record<S>>>> {
    let unbounded = Limits { inbox_records_max: usize::MAX, inbox_bytes_max: usize::MAX, ..Limits::default() };
    let mut inbox = Inbox::new();
    let mut ordered = Vec::with_capacity(records.len());
    for record in records {
        let mut ready = vec![record];
        while let Some(record) = ready.pop() {
            if let Some(missing) = missing_cause(&record, &received, mode) {
                inbox.park(record, 0, missing, &unbounded);
                continue;
            }
            let own = record.own;
            received.insert_run(own.replica, own.first, own.last);
            ready.extend(inbox.ready(&own.to_dot_set(), &received, mode));
            ordered.push(record);
        }
    }
    (inbox.len() == 0).then_some(ordered)
}

impl<S: DotStore> Inbox<S> {
    pub(crate) fn new() -> Self {
        Self {
            parked: BTreeMap::new(),
            waiting: BTreeSet::new(),
            per_writer: Few::new(),
            bytes: 0,
            dots: DotSet::new(),
        }
    }

    /// Lets a record wait for a dot. False if it was dropped, as too much waits already.
    pub(crate) fn park(&mut self, record: Arc<Record<S>>, len: usize, missing: Dot, limits: &Limits) -> bool {
        let own = record.own;
        if self.parked.contains_key(&own) {
            return true;
        }
        let len = len + OVERHEAD;
        let of_writer = self.per_writer.get(&own.replica).copied().unwrap_or(0);
        if of_writer >= limits.inbox_records_max || self.bytes + len > limits.inbox_bytes_max {
            return false;
        }
        self.per_writer.insert(own.replica, of_writer + 1);
        self.bytes += len;
        self.dots.insert_run(own.replica, own.first, own.last);
        self.waiting.insert((missing, own));
        self.parked.insert(own, Parked { record, len, missing });
        true
    }

    fn take(&mut self, own: Own) -> Option<Arc<Record<S>>> {
        let parked = self.parked.remove(&own)?;
        self.waiting.remove(&(parked.missing, own));
        self.bytes -= parked.len;
        if let Some(of_writer) = self.per_writer.get_mut(&own.replica) {
            *of_writer -= 1;
            if *of_writer == 0 {
                self.per_writer.remove(&own.replica);
            }
        }
        self.dots = self.dots.difference(&own.to_dot_set());
        Some(parked.record)
    }

    /// Takes out the records that waited for one of these dots, which are here now. Those that still lack something
    /// wait on.
    pub(crate) fn ready(&mut self, arrived: &DotSet, received: &DotSet, mode: Mode) -> Vec<Arc<Record<S>>> {
        let mut woken = Vec::new();
        for (replica, first, last) in arrived.runs() {
            let (Some(first), Some(last)) = (Dot::new(replica, first), Dot::new(replica, last)) else { continue };
            let lowest = Own { replica: ReplicaId::from_u128(0), first: 0, last: 0 };
            let waiting = self.waiting.range((first, lowest)..).take_while(|(missing, _)| *missing <= last);
            woken.extend(waiting.map(|(_, own)| *own));
        }
        let mut ready = Vec::new();
        for own in woken {
            let Some(parked) = self.parked.get_mut(&own) else { continue };
            match missing_cause(&parked.record, received, mode) {
                Some(missing) => {
                    self.waiting.remove(&(parked.missing, own));
                    parked.missing = missing;
                    self.waiting.insert((missing, own));
                }
                None => ready.extend(self.take(own)),
            }
        }
        ready
    }

    /// Drops what a repair has brought in the meantime.
    pub(crate) fn drop_received(&mut self, received: &DotSet) {
        let here: Vec<Own> = self.parked.keys().filter(|own| own.is_within(received)).copied().collect();
        for own in here {
            self.take(own);
        }
    }

    /// The dots of all that waits.
    pub(crate) fn dots(&self) -> &DotSet {
        &self.dots
    }

    pub(crate) fn len(&self) -> usize {
        self.parked.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All dots that something here waits for or comes after.
    pub(crate) fn causes(&self) -> DotSet {
        let mut causes = DotSet::new();
        for own in self.parked.keys().filter(|own| own.first > 1) {
            causes.insert_run(own.replica, 1, own.first - 1);
        }
        for parked in self.parked.values() {
            causes.union_with(&parked.record.after);
        }
        causes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;
    use crdt_core::{Delta, OrSet, Timestamp};

    const A: ReplicaId = ReplicaId::from_u128(1);
    const B: ReplicaId = ReplicaId::from_u128(2);

    fn record(replica: ReplicaId, first: u64, last: u64, after: &[(ReplicaId, u64)]) -> Arc<Record<OrSet<u64>>> {
        let own = Own { replica, first, last };
        Arc::new(Record {
            own,
            after: after.iter().map(|(replica, counter)| Dot::new(*replica, *counter).unwrap()).collect(),
            time: Timestamp::default(),
            payload: Payload::Edit(Delta::retiring(own.to_dot_set(), DotSet::new())),
            extensions: Vec::new(),
        })
    }

    fn park(inbox: &mut Inbox<OrSet<u64>>, record: Arc<Record<OrSet<u64>>>, received: &DotSet) -> bool {
        let missing = missing_cause(&record, received, Mode::Causal).expect("something is missing");
        inbox.park(record, 10, missing, &Limits { inbox_records_max: 2, ..Limits::default() })
    }

    #[test]
    fn a_record_waits_for_each_of_its_causes_in_turn() {
        let (mut inbox, mut received) = (Inbox::new(), DotSet::new());
        assert!(park(&mut inbox, record(A, 3, 4, &[(B, 2)]), &received));
        received.insert_run(A, 1, 2);
        assert!(inbox.ready(&received.clone(), &received, Mode::Causal).is_empty());
        received.insert_run(B, 1, 5);
        let mut arrived = DotSet::new();
        arrived.insert_run(B, 1, 5);
        let ready = inbox.ready(&arrived, &received, Mode::Causal);
        assert_eq!(ready.iter().map(|record| record.own.first).collect::<Vec<_>>(), [3]);
        assert_eq!((inbox.len(), inbox.bytes()), (0, 0));
        assert!(inbox.dots().is_empty());
    }

    #[test]
    fn first_in_first_out_asks_for_the_writers_own_order_alone() {
        let received = DotSet::new();
        assert_eq!(missing_cause(&record(A, 1, 1, &[(B, 2)]), &received, Mode::Fifo), None);
        assert_eq!(missing_cause(&record(A, 2, 2, &[]), &received, Mode::Fifo), Dot::new(A, 1));
        assert_eq!(missing_cause(&record(A, 2, 2, &[(B, 1)]), &received, Mode::Immediate), None);
        assert_eq!(missing_cause(&record(A, 1, 1, &[(B, 2)]), &received, Mode::Causal), Dot::new(B, 2));
    }

    /// Each was once held against all that still waited: a megabyte of records took minutes.
    #[test]
    fn a_long_dialogue_is_brought_into_its_order_at_once() {
        let said = 10_000;
        let of_a = (1..=said).map(|turn| record(A, turn, turn, &[(B, turn - 1)][usize::from(turn == 1)..]));
        let of_b = (1..=said).map(|turn| record(B, turn, turn, &[(A, turn)]));
        let start = std::time::Instant::now();
        let ordered = in_causal_order(of_a.chain(of_b.clone()).collect(), DotSet::new(), Mode::Causal).unwrap();
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
        let turns = (1..=said).flat_map(|turn| [(A, turn), (B, turn)]);
        assert!(ordered.iter().map(|record| (record.own.replica, record.own.first)).eq(turns));
        assert!(in_causal_order(of_b.collect(), DotSet::new(), Mode::Causal).is_none(), "it has no beginning");
    }

    #[test]
    fn a_writer_that_floods_fills_its_own_share_and_no_others() {
        let (mut inbox, received) = (Inbox::new(), DotSet::new());
        assert!(park(&mut inbox, record(A, 3, 3, &[]), &received));
        assert!(park(&mut inbox, record(A, 5, 5, &[]), &received));
        assert!(!park(&mut inbox, record(A, 7, 7, &[]), &received));
        assert!(park(&mut inbox, record(B, 7, 7, &[]), &received));
        assert_eq!(inbox.len(), 3);
    }

    #[test]
    fn nothing_is_kept_of_what_was_dropped_whoever_wrote_it() {
        let (mut inbox, received) = (Inbox::new(), DotSet::new());
        let limits = Limits { inbox_bytes_max: 100, ..Limits::default() };
        for id in 1..100 {
            let record = record(ReplicaId::from_u128(id), 3, 3, &[]);
            let missing = missing_cause(&record, &received, Mode::Causal).unwrap();
            assert!(!inbox.park(record, 10, missing, &limits));
        }
        assert_eq!(inbox.per_writer.len(), 0);
    }
}
