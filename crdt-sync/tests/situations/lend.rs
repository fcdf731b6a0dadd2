//! Ids for tabs: lent, given back, and never out twice.

use super::net::Net;
use crdt_core::ReplicaId;
use crdt_sync::{Config, Event, PeerId, Role};

fn home_and_tabs(tabs: usize) -> Net {
    let role = |at: usize, config: Config| Config { role: if at == 0 { Role::Replica } else { Role::Tab }, ..config };
    let mut net = Net::with(1 + tabs, role);
    (1..=tabs).for_each(|tab| net.link(0, tab));
    net
}

/// The link that a tab has to its home.
fn home(net: &Net, tab: usize) -> PeerId {
    net.link_to(tab, 0)
}

fn borrow(net: &mut Net, tab: usize) -> Option<(ReplicaId, u64)> {
    let link = home(net, tab);
    net.events[tab].clear();
    net.replicas[tab].0.borrow_id(link);
    net.drain();
    net.events[tab].iter().find_map(|event| match event {
        Event::Lent { replica, next } => Some((*replica, *next)),
        _ => None,
    })
}

#[test]
fn a_lent_id_is_lent_again_once_it_came_back_with_all_its_dots() {
    let mut net = home_and_tabs(2);
    net.replicas[0].0.offer_ids([ReplicaId::from_u128(100)]);
    let (lent, next) = borrow(&mut net, 1).expect("one to lend");
    assert_eq!((lent, next), (ReplicaId::from_u128(100), 1));
    let now = net.now();
    net.replicas[1].0.adopt_lent(lent, next, now);
    net.edit(1, |shop| shop.note().write("by a tab"));
    net.pass(100);

    assert_eq!(borrow(&mut net, 2), None, "it is still out");
    assert!(net.events[0].iter().any(|event| matches!(event, Event::IdsWanted)));
    // Never on a time-out.
    net.pass(3_600_000);
    assert_eq!(borrow(&mut net, 2), None);

    let (link, now) = (home(&net, 1), net.now());
    net.replicas[1].0.give_back(link, now);
    net.drain();
    assert_eq!(borrow(&mut net, 2), Some((lent, 2)));
}

#[test]
fn an_id_whose_dots_have_not_all_arrived_stays_out() {
    let mut net = home_and_tabs(2);
    net.replicas[0].0.offer_ids([ReplicaId::from_u128(100)]);
    let (lent, next) = borrow(&mut net, 1).expect("one to lend");
    let now = net.now();
    net.replicas[1].0.adopt_lent(lent, next, now);
    // The home's disk is stuck: what the tab writes is not safe there.
    net.stuck[0] = true;
    net.edit(1, |shop| shop.note().write("by a tab"));
    net.pass(100);
    let (link, now) = (home(&net, 1), net.now());
    net.replicas[1].0.give_back(link, now);
    net.drain();
    assert_eq!(borrow(&mut net, 2), None);
}

#[test]
fn only_tabs_are_lent_to() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.replicas[0].0.offer_ids([ReplicaId::from_u128(100)]);
    assert_eq!(borrow(&mut net, 1), None);
}
