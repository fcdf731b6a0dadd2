//! Ids for tabs: lent, given back, and never out twice.

use super::net::{Net, Shop};
use crdt_core::ReplicaId;
use crdt_sync::{Config, EditError, Event, PeerId, Replica, Role, Storage};

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

/// The first tab has an id and has written under it; the second one is there.
fn one_that_writes() -> (Net, ReplicaId) {
    let mut net = home_and_tabs(2);
    net.replicas[0].0.offer_ids([ReplicaId::from_u128(100)]);
    let (lent, next) = borrow(&mut net, 1).expect("one to lend");
    let now = net.now();
    net.replicas[1].0.adopt_lent(lent, next, now);
    net.edit(1, |shop| shop.note().write("by a tab"));
    net.pass(100);
    (net, lent)
}

fn give_back(net: &mut Net, tab: usize) {
    let (link, now) = (home(net, tab), net.now());
    net.replicas[tab].0.give_back(link, now);
    net.drain();
}

#[test]
fn a_tab_that_gave_its_id_back_does_not_write_under_it_when_it_is_opened_again() {
    let (mut net, lent) = one_that_writes();
    give_back(&mut net, 1);
    let now = net.now();
    assert_eq!(net.replicas[1].0.edit(now, |_| ()).err(), Some(EditError::Frozen));
    net.restart(1, 200);
    assert_eq!(net.replicas[1].0.id(), ReplicaId::from_u128(200));
    assert_eq!(borrow(&mut net, 2), Some((lent, 2)));
}

#[test]
fn a_home_that_was_restored_lends_nothing_that_was_free_then() {
    let (mut net, lent) = one_that_writes();
    give_back(&mut net, 1);
    let backup = net.replicas[0].1.clone();
    assert_eq!(borrow(&mut net, 2), Some((lent, 2)), "after the backup was made");
    net.cut(0, 2);
    net.replicas[0].1 = backup;
    net.restart(0, 300);
    net.link(0, 2);
    assert_eq!(net.replicas[0].0.id(), ReplicaId::from_u128(1), "nothing shows yet that the store is an old one");
    // A store that is known to be a copy is in doubt about all that it lent.
    let mut loaded = net.replicas[0].1.load().unwrap();
    loaded.marker = None;
    let config = net.replicas[0].0.config().clone();
    let mut copy = Replica::<Shop>::open(loaded, config, ReplicaId::from_u128(301), [9; 32], net.now()).unwrap();
    let meta = copy.poll_persist().and_then(|persist| persist.batch.meta).unwrap();
    assert_eq!(meta.lent, [(lent, None)]);
}

#[test]
fn an_id_that_was_not_asked_for_is_not_taken() {
    let (mut net, lent) = one_that_writes();
    let repeated: Vec<Vec<u8>> =
        net.heard[0].iter().filter(|frame| matches!(frame[1], 0 | 23)).take(3).cloned().collect();
    assert!(repeated.iter().any(|frame| frame[1] == 23), "it was lent in one of these");
    net.events[2].clear();
    net.replay(2, &repeated);
    assert!(!net.events[2].iter().any(|event| matches!(event, Event::Lent { .. })), "{lent} is another one's");
}

#[test]
fn who_borrows_an_id_waits_for_what_was_written_under_it_before() {
    let (mut net, lent) = one_that_writes();
    give_back(&mut net, 1);
    net.cut(0, 2);
    let mut net_two = Net::with(1, |_, config| Config { role: Role::Tab, ..config });
    let now = net_two.now();
    net_two.replicas[0].0.adopt_lent(lent, 2, now);
    assert_eq!(net_two.replicas[0].0.edit(now, |_| ()).err(), Some(EditError::Frozen), "its first dot is not here");
}
