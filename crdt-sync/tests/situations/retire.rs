//! Replicas that are done, and one that was not.

use super::net::Net;
use crdt_core::{DotSet, ReplicaId};
use crdt_sync::{EditError, Event, Stats, Tier};

fn retired(net: &Net, at: usize) -> Vec<ReplicaId> {
    let told = net.events[at].iter().filter_map(|event| match event {
        Event::Retired(replica) => Some(*replica),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_replica_that_says_farewell_is_retired_once_all_have_its_dots() {
    let mut net = Net::new(3);
    net.link(0, 1);
    net.link(1, 2);
    net.edit(2, |shop| shop.note().write("my last words"));
    net.pass(5_000);
    let now = net.now();
    net.replicas[2].0.retire(ReplicaId::from_u128(3), now).unwrap();
    net.drain();
    assert_eq!(net.replicas[2].0.edit(now, |_| ()).err(), Some(EditError::Frozen));
    net.pass(60_000);
    for at in [0, 1] {
        assert_eq!(retired(&net, at), [ReplicaId::from_u128(3)]);
        assert!(net.replicas[at].0.retired().any(|(replica, last)| (replica, last) == (ReplicaId::from_u128(3), 2)));
        assert_eq!(net.replicas[at].0.state().note().values(), ["my last words"]);
    }
    net.assert_equal();
}

#[test]
fn one_that_was_retired_by_mistake_loses_nothing_and_is_told_to_take_a_fresh_id() {
    let mut net = Net::new(3);
    net.link(0, 1);
    net.link(1, 2);
    net.edit(2, |shop| shop.note().write("one"));
    net.pass(5_000);
    net.cut(1, 2);
    net.edit(2, |shop| {
        shop.tags().insert("written while away");
    });
    let now = net.now();
    net.replicas[0].0.retire(ReplicaId::from_u128(3), now).unwrap();
    net.pass(5_000);
    net.link(1, 2);
    net.pass(20_000);
    net.assert_equal();
    assert!(net.replicas[0].0.state().tags().contains("written while away"));
    assert!(net.events[2].iter().any(|event| matches!(event, Event::IdentityLost { .. })), "{:?}", net.events[2]);
}

/// Short-lived writers: each edits once at the second of two replicas, which then says that it is gone.
fn with_visitors(count: u128) -> Net {
    let mut net = Net::new(2);
    net.link(0, 1);
    for visitor in 0..count {
        let now = net.now();
        net.replicas[1].0.adopt_id(ReplicaId::from_u128(1_000 + visitor), now);
        net.edit(1, |shop| shop.note().write(format!("visitor {visitor}")));
        net.pass(20);
    }
    let now = net.now();
    net.replicas[1].0.adopt_id(ReplicaId::from_u128(2), now);
    net.pass(5_000);
    for visitor in 0..count {
        let now = net.now();
        net.replicas[0].0.retire(ReplicaId::from_u128(1_000 + visitor), now).unwrap();
    }
    net.edit(0, |shop| shop.note().write("all are gone"));
    net.pass(5_000);
    net.assert_equal();
    net
}

fn repair_bytes(stats: &Stats) -> u64 {
    stats.sent_by(Tier::Repair).bytes
}

/// Bytes of a repair on a link that has just come up, from the first Hello on.
fn bytes_to_meet_again(net: &mut Net) -> u64 {
    net.cut(0, 1);
    net.edit(0, |shop| shop.note().write("apart"));
    net.edit(1, |shop| {
        shop.tags().insert("apart");
    });
    let before: u64 = net.replicas.iter().map(|(replica, _)| repair_bytes(&replica.stats())).sum();
    net.link(0, 1);
    net.drain();
    net.assert_equal();
    net.replicas.iter().map(|(replica, _)| repair_bytes(&replica.stats())).sum::<u64>() - before
}

#[test]
fn summaries_do_not_grow_with_those_that_are_retired() {
    let (few, many) = (bytes_to_meet_again(&mut with_visitors(2)), bytes_to_meet_again(&mut with_visitors(200)));
    eprintln!("{few} B after 2 visitors, {many} B after 200");
    assert!(many < few + 32, "{few} B after 2 visitors, {many} B after 200");
}

/// The table of a thousand visitors is not told again for the next one.
#[test]
fn one_more_retirement_costs_one_row() {
    let control = |net: &Net| -> u64 {
        net.replicas.iter().map(|(replica, _)| replica.stats().sent_by(Tier::Control).bytes).sum()
    };
    let mut net = with_visitors(0);
    let gone: Vec<_> = (0..1_000).map(|visitor| (ReplicaId::from_u128(1_000 + visitor), 1)).collect();
    // Nobody has their dots: a table that a summary cannot do without.
    net.tell_retirements(0, gone);
    net.pass(30_000);
    assert_eq!(net.replicas[1].0.retired().count(), 1_000);
    let before = control(&net);
    net.pass(30_000);
    let quiet = control(&net) - before;
    for more in 0..3 {
        let before = control(&net);
        net.tell_retirements(more % 2, vec![(ReplicaId::from_u128(5_000 + more as u128), 1)]);
        net.pass(30_000);
        let cost = control(&net) - before;
        assert!(net.replicas.iter().all(|(replica, _)| replica.retired().count() == 1_001 + more));
        assert!(cost < quiet + 200, "{cost} B for one row, {quiet} B without");
    }
    // On a new link as well: both ends know how the table was.
    net.cut(0, 1);
    let before = control(&net);
    net.tell_retirements(1, vec![(ReplicaId::from_u128(6_000), 1)]);
    net.link(0, 1);
    net.pass(30_000);
    let cost = control(&net) - before;
    assert!(net.replicas.iter().all(|(replica, _)| replica.retired().count() == 1_004));
    assert!(cost < quiet + 400, "{cost} B for one row on a new link, {quiet} B without");
}

/// The whole table, up to 24 MB of it, went to the disk again with each row, and whenever an edit became stable: n rows
/// cost n² bytes.
#[test]
fn a_retirement_costs_its_row_on_disk_and_an_edit_none() {
    let mut net = with_visitors(0);
    let gone = |range: std::ops::Range<u128>| -> Vec<_> {
        range.map(|visitor| (ReplicaId::from_u128(1_000 + visitor), 1)).collect()
    };
    net.tell_retirements(0, gone(0..1_000));
    net.pass(30_000);
    assert_eq!(net.replicas[1].0.retired().count(), 1_000);
    let cost = |net: &mut Net, act: &mut dyn FnMut(&mut Net)| {
        let before = net.written.clone();
        act(net);
        let spent = |(now, then): (&(usize, usize), &(usize, usize))| (now.0 - then.0, now.1 - then.1);
        net.written.iter().zip(&before).map(spent).collect::<Vec<_>>()
    };
    for more in 0..5_u128 {
        let row = cost(&mut net, &mut |net| {
            net.tell_retirements(0, gone(1_000 + more..1_001 + more));
            net.pass(5_000);
        });
        assert!(row.iter().all(|(bytes, _)| (24..2_000).contains(bytes)), "{row:?} for a row");
    }
    let edits = cost(&mut net, &mut |net| {
        for n in 0..20 {
            net.edit(0, |shop| shop.note().write(format!("note {n}")));
            net.pass(200);
        }
    });
    eprintln!("20 edits with 1,005 retired: bytes of identity and batches {edits:?}");
    assert!(edits.iter().all(|(bytes, batches)| *bytes < 2_000 && *batches <= 23), "{edits:?} for 20 edits");
    // All of it is there when they come back.
    net.restart(0, 500);
    net.restart(1, 501);
    for (replica, _) in &net.replicas {
        assert_eq!(replica.retired().count(), 1_005);
        assert!(replica.id().to_bytes() < ReplicaId::from_u128(500).to_bytes(), "and nobody lost an id");
    }
}

/// A third replica, which knows nobody, meets two that leave out most of what they have.
#[test]
fn who_knows_other_retirements_is_told_of_them_and_repaired_as_well() {
    let mut net = Net::new(3);
    net.link(0, 1);
    for visitor in 0..20 {
        let now = net.now();
        net.replicas[1].0.adopt_id(ReplicaId::from_u128(1_000 + visitor), now);
        net.edit(1, |shop| {
            shop.tags().insert(format!("tag {visitor}"));
        });
        net.pass(20);
        let now = net.now();
        net.replicas[0].0.retire(ReplicaId::from_u128(1_000 + visitor), now).unwrap();
        net.drain();
    }
    // One whose dots are known to nobody else is said to be gone where it never was.
    let now = net.now();
    net.edit(2, |shop| shop.note().write("alone"));
    net.replicas[2].0.retire(ReplicaId::from_u128(500), now).unwrap();
    net.pass(2_000);
    net.link(1, 2);
    net.pass(2_000);
    net.assert_equal();
    let tables: Vec<Vec<_>> = net.replicas.iter().map(|(replica, _)| replica.retired().collect()).collect();
    assert_eq!(tables[0].len(), 21);
    assert!(tables.iter().all(|table| *table == tables[0]));
    assert_eq!(net.replicas[0].0.state().tags().len(), 20);
}

/// The table is the same everywhere, and some of the dots are not: what is left out of a summary is said to be missing.
#[test]
fn dots_of_the_retired_that_are_missing_are_brought_all_the_same() {
    let mut net = Net::new(2);
    let gone = |visitor: u128| ReplicaId::from_u128(1_000 + visitor);
    for visitor in 0..6 {
        let now = net.now();
        net.replicas[1].0.adopt_id(gone(visitor), now);
        net.edit(1, |shop| {
            shop.tags().insert(format!("tag {visitor}"));
        });
    }
    let now = net.now();
    net.replicas[1].0.adopt_id(ReplicaId::from_u128(2), now);
    (0..6).for_each(|visitor| {
        net.replicas[1].0.retire(gone(visitor), now).unwrap();
    });
    net.drain();
    // Only the table has arrived at the first one.
    let table: Vec<_> = net.replicas[1].0.retired().collect();
    net.tell_retirements(0, table);
    assert_eq!(net.replicas[0].0.retired().count(), 6);
    assert_eq!(*net.replicas[0].0.received(), DotSet::new());
    net.link(0, 1);
    net.pass(100);
    net.assert_equal();
    assert_eq!(net.replicas[0].0.state().tags().len(), 6);
}

/// Each row was once held against all others: one frame of a megabyte kept a replica busy for many minutes.
#[test]
fn a_frame_full_of_retirements_is_taken_in_within_moments() {
    let mut net = Net::new(2);
    net.link(0, 1);
    let rows: Vec<_> = (0..30_000).map(|number| (ReplicaId::from_u128(1_000 + number), 1)).collect();
    let start = std::time::Instant::now();
    net.tell_retirements(0, rows);
    net.edit(0, |shop| shop.note().write("on"));
    assert_eq!(net.replicas[0].0.retired().count(), 30_000);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}
