//! One id, one memory: what a replica does when that is in doubt.

use super::net::{Net, Shop};
use std::sync::Arc;

use crdt_core::{Delta, ReplicaId};
use crdt_sync::{Config, Durability, EditError, Event, Message, Payload, Record, Storage};

fn id(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

fn lost_identity(net: &Net, at: usize) -> bool {
    net.events[at].iter().any(|event| matches!(event, Event::IdentityLost { .. }))
}

#[test]
fn a_replica_that_was_closed_or_killed_goes_on_under_its_id_and_uses_no_dot_twice() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.edit(0, |shop| shop.note().write("one"));
    net.pass(100);
    let before = net.replicas[0].0.received().clone();
    net.restart(0, 77);
    assert_eq!(net.replicas[0].0.id(), id(1));
    assert_eq!(net.replicas[0].0.received(), &before);
    net.edit(0, |shop| shop.note().write("two"));
    net.pass(3_000);
    net.assert_equal();
    assert_eq!(net.replicas[1].0.state().note().values(), ["two"]);
}

#[test]
fn a_store_that_was_restored_from_a_copy_takes_a_fresh_id() {
    let mut net = Net::new(1);
    net.edit(0, |shop| shop.note().write("one"));
    net.pass(100);
    let mut copy = net.replicas[0].1.load().unwrap();
    // The marker beside the store has moved on since the copy was made.
    copy.marker = copy.marker.map(|marker| marker ^ 1);
    let config = net.replicas[0].0.config().clone();
    let restored = crdt_sync::Replica::<Shop>::open(copy, config, id(9), [0; 32], net.now()).unwrap();
    assert_eq!(restored.id(), id(9));
    assert_eq!(restored.state().note().values(), ["one"], "the data is kept, under the old id");
}

#[test]
fn a_copy_that_nobody_noticed_is_found_out_by_a_dot_it_did_not_make_and_nothing_vanishes() {
    let mut net = Net::new(3);
    net.edit(0, |shop| shop.note().write("before"));
    net.pass(100);
    // Replica 1 becomes a clone of replica 0, marker and all.
    let clone = net.replicas[0].1.clone();
    net.replicas[1].1 = clone;
    net.restart(1, 50);
    assert_eq!(net.replicas[1].0.id(), net.replicas[0].0.id());
    net.edit(0, |shop| {
        shop.tags().insert("from the first");
    });
    net.pass(100);
    net.link(0, 2);
    net.pass(3_000);
    net.link(1, 2);
    net.pass(3_000);
    assert!(lost_identity(&net, 1), "{:?}", net.events[1]);
    let now = net.now();
    assert_eq!(net.replicas[1].0.edit(now, |_| ()), Err(EditError::Frozen));
    net.replicas[1].0.adopt_id(id(60), now);
    net.drain();
    net.edit(1, |shop| {
        shop.tags().insert("from the clone");
    });
    net.pass(20_000);
    net.assert_equal();
    let tags: Vec<_> = net.replicas[2].0.state().tags().iter().cloned().collect();
    assert_eq!(tags, ["from the clone", "from the first"]);
}

/// Replica 0 was put back to before its second edit, and knows nothing of it. A record of which only a part is about that
/// edit is the sign.
#[test]
fn a_dot_that_was_not_made_here_is_noticed_wherever_it_is_named() {
    let lost = crdt_core::Dot::new(id(1), 2).unwrap();
    let other = |last| crdt_sync::Own { replica: id(7), first: last, last };
    let record = |own: crdt_sync::Own, after: &[crdt_core::Dot], payload| {
        let after = after.iter().copied().collect();
        let time = crdt_core::Timestamp::new(1, 0);
        Message::Push(vec![Arc::new(Record { own, after, time, payload, extensions: Vec::new() })])
    };
    let edit = |own: crdt_sync::Own, retired: &[crdt_core::Dot]| {
        Payload::Edit(Delta::retiring(own.to_dot_set(), retired.iter().copied().collect()))
    };
    let own = other(1);
    let named = [
        record(own, &[lost], edit(own, &[])),
        record(own, &[], edit(own, &[lost])),
        record(own, &[], Payload::Retire { replica: id(1), last: 2 }),
        Message::Retirements(vec![(id(1), 2)]),
        Message::Known(vec![(id(7), [lost].into_iter().collect())]),
        Message::Have([lost].into_iter().collect()),
    ];
    for message in named {
        let mut net = Net::new(1);
        net.edit(0, |shop| shop.note().write("one"));
        let mut stranger = net.stranger(0, 7);
        assert!(!lost_identity(&net, 0));
        let told = format!("{message:?}");
        net.say(&mut stranger, message);
        assert!(lost_identity(&net, 0), "{told} was not noticed");
    }
}

#[test]
fn two_live_instances_under_one_id_notice_at_once() {
    let mut net = Net::new(2);
    net.edit(0, |shop| shop.note().write("before"));
    net.pass(100);
    net.replicas[1].1 = net.replicas[0].1.clone();
    net.restart(1, 50);
    net.link(0, 1);
    assert!(lost_identity(&net, 0) || lost_identity(&net, 1));
}

#[test]
fn in_lease_mode_an_unclean_stop_costs_the_id_and_a_clean_one_does_not() {
    let lease = |_, config: Config| Config { durability: Durability::Lease, ..config };
    let mut net = Net::with(1, lease);
    net.edit(0, |shop| shop.note().write("one"));
    net.pass(100);
    net.restart(0, 70);
    assert_eq!(net.replicas[0].0.id(), id(70));
    net.edit(0, |shop| shop.note().write("two"));
    let now = net.now();
    net.replicas[0].0.close(now);
    net.drain();
    net.restart(0, 80);
    assert_eq!(net.replicas[0].0.id(), id(70));
    assert_eq!(net.replicas[0].0.state().note().values(), ["two"]);
}
