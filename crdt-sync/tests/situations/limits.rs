//! Limits that a replica keeps whatever a peer says, each at its edge. Those of the bytes of a frame are in
//! `tests/hostile.rs`.

use std::sync::Arc;

use super::net::{Net, Shop, Stranger};
use crdt_core::{Delta, DotSet, ReplicaId, Timestamp};
use crdt_sync::{Event, FrameError, Limits, Message, Own, Payload, Record};

const WRITER: ReplicaId = ReplicaId::from_u128(900);

fn one(adapt: impl Fn(&mut Limits)) -> (Net, Stranger) {
    let mut net = Net::with(1, |_, mut config| {
        adapt(&mut config.limits);
        config
    });
    let stranger = net.stranger(0, 900);
    (net, stranger)
}

fn record(net: &Net, first: u64, last: u64) -> Record<Shop> {
    record_of(net, WRITER, first, last)
}

/// A record without an entry.
fn record_of(net: &Net, replica: ReplicaId, first: u64, last: u64) -> Record<Shop> {
    let own = Own { replica, first, last };
    Record {
        own,
        after: DotSet::new(),
        time: Timestamp::new(net.now().wall.0, 0),
        payload: Payload::Edit(Delta::retiring(own.to_dot_set(), DotSet::new())),
        extensions: Vec::new(),
    }
}

fn push(record: Record<Shop>) -> Message<Shop> {
    Message::Push(vec![Arc::new(record)])
}

#[test]
fn a_counter_may_jump_so_far_above_what_is_known_and_no_further() {
    let (mut net, mut stranger) = one(|limits| (limits.counter_jump_max, limits.strikes_max) = (100, 100));
    for (known, most) in [(0, 100), (50, 150)] {
        if known > 0 {
            let first = record(&net, 1, known);
            net.say(&mut stranger, push(first));
        }
        for (last, fits) in [(most - 1, true), (most, true), (most + 1, false)] {
            let expected = if fits { Ok(()) } else { Err(FrameError::CounterJump) };
            let far = record(&net, last, last);
            assert_eq!(net.try_say(&mut stranger, push(far.clone())), expected, "{last} above {known}");
            assert_eq!(net.try_say(&mut stranger, Message::Have(far.own.to_dot_set())), expected);
            let own = Own { replica: WRITER, first: known + 1, last: known + 1 };
            let retires = Payload::Edit(Delta::retiring(own.to_dot_set(), far.own.to_dot_set()));
            if !fits {
                let next = record(&net, known + 1, known + 1);
                let names =
                    [Record { payload: retires, ..next.clone() }, Record { after: far.own.to_dot_set(), ..next }];
                for record in names {
                    assert_eq!(net.try_say(&mut stranger, push(record)), expected, "what it names counts as well");
                }
            }
        }
    }
    assert_eq!(net.replicas[0].0.received().last(WRITER), 50, "what was refused, or waits, has done nothing");
}

/// A relay with a tab for each: above the limit an edit comes with a repair, seconds later. So it is far above what may
/// come together; a record of this kind takes some kilobytes, and the next one does not.
#[test]
fn an_edit_made_on_what_hundreds_wrote_at_once_travels_as_a_record() {
    let (mut net, mut stranger) = one(|_| ());
    let writers = (1_000..1_300).map(|writer| Arc::new(record_of(&net, ReplicaId::from_u128(writer), 1, 1)));
    let writers = Message::Push(writers.collect());
    net.say(&mut stranger, writers);
    stranger.told.clear();
    net.edit(0, |shop| shop.note().write("on all of that"));
    net.pass(10);
    net.say(&mut stranger, Message::Graft);
    let after = stranger.told.iter().find_map(|message| match message {
        Message::Push(records) => records.iter().find(|record| record.own.replica == ReplicaId::from_u128(1)),
        _ => None,
    });
    assert_eq!(after.map(|record| record.after.len()), Some(300), "{:?}", stranger.told);
}

#[test]
fn bytes_of_records_that_wait_for_their_causes_are_bounded() {
    let (mut net, mut stranger) = one(|_| ());
    let parked = push(record(&net, 3, 3));
    net.say(&mut stranger, parked);
    let len = net.replicas[0].0.stats().parked_bytes;
    assert!(len > 0);
    let (mut net, mut stranger) = one(|limits| limits.inbox_bytes_max = 10 * len);
    // Each lacks the one before it.
    for n in 1..=12 {
        let next = record(&net, 1 + 2 * n, 1 + 2 * n);
        net.say(&mut stranger, push(next));
    }
    let stats = net.replicas[0].0.stats();
    assert_eq!((stats.parked_records, stats.parked_bytes, stats.parked_dropped), (10, 10 * len, 2));
}

#[test]
fn the_table_of_the_retired_has_an_end() {
    let (mut net, mut stranger) = one(|limits| limits.retired_max = 10);
    let rows = |range: std::ops::Range<u128>, last| range.map(|id| (ReplicaId::from_u128(id), last)).collect();
    net.say(&mut stranger, Message::Retirements(rows(100..109, 1)));
    assert_eq!(net.replicas[0].0.retired().count(), 9);
    net.say(&mut stranger, Message::Retirements(rows(109..120, 1)));
    assert_eq!(net.replicas[0].0.retired().count(), 10);
    // Of those that are in it more may become known.
    net.say(&mut stranger, Message::Retirements(rows(100..109, 5)));
    assert_eq!(net.replicas[0].0.retired().filter(|(_, last)| *last == 5).count(), 9);
}

#[test]
fn a_clock_that_is_too_far_ahead_is_reported_and_its_data_taken() {
    let (mut net, mut stranger) = one(|limits| limits.skew_ms_max = 500);
    for (counter, ahead, fits) in [(1, 499, true), (2, 500, true), (3, 501, false)] {
        net.events[0].clear();
        let mut skewed = record(&net, counter, counter);
        skewed.time = Timestamp::new(net.now().wall.0 + ahead, 0);
        net.say(&mut stranger, push(skewed));
        let reported = net.events[0].iter().any(|event| matches!(event, Event::Skewed { replica: WRITER, .. }));
        assert_eq!(reported, !fits, "{ahead} ms");
        assert_eq!(net.replicas[0].0.received().last(WRITER), counter);
    }
}

#[test]
fn a_small_question_has_no_endless_answer() {
    let (mut net, mut stranger) = one(|limits| limits.want_bytes_max = 2_000);
    // It asks for what it wants.
    net.say(&mut stranger, Message::Prune);
    for n in 0..20 {
        net.edit(0, |shop| shop.note().write(format!("{n} {}", "x".repeat(300))));
        net.pass(10);
    }
    let all = net.replicas[0].0.received().clone();
    let (mut came, mut rounds) = (DotSet::new(), 0);
    while came != all {
        net.say(&mut stranger, Message::Want(all.difference(&came)));
        let mut bytes = 0;
        for message in &stranger.told {
            if let Message::Push(records) = message {
                for record in records {
                    bytes += record.encode().len();
                    came.union_with(&record.own.to_dot_set());
                }
            }
        }
        assert!((1..=2_400).contains(&bytes), "{bytes} B");
        rounds += 1;
        assert!(rounds <= 20, "{came:?} of {all:?}");
    }
    assert!(rounds > 3, "{rounds}");
}
