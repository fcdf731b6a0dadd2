//! Replicas that are done, and one that was not.

use super::net::Net;
use crdt_core::ReplicaId;
use crdt_sync::{EditError, Event};

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
