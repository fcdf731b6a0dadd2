//! Nothing is shown before it is on disk.

use super::net::Net;
use crdt_sync::{Config, EditError, Event, Limits};

#[test]
fn an_edit_that_is_not_on_disk_is_shown_to_nobody() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.stuck[0] = true;
    net.edit(0, |shop| shop.note().write("unsafe"));
    net.pass(20_000);
    assert!(net.replicas[1].0.state().note().values().is_empty());
    assert!(net.replicas[1].0.received().is_empty());
    let told = net.events[0].iter().filter(|event| matches!(event, Event::Durable(_))).count();

    net.stuck[0] = false;
    net.edit(0, |shop| {
        shop.tags().insert("and on");
    });
    net.pass(5_000);
    net.assert_equal();
    assert_eq!(net.replicas[1].0.state().note().values(), ["unsafe"]);
    assert!(net.events[0].iter().filter(|event| matches!(event, Event::Durable(_))).count() > told);
}

#[test]
fn nothing_is_acknowledged_to_others_before_it_is_on_disk_here() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.pass(5_000);
    net.stuck[1] = true;
    net.edit(0, |shop| shop.note().write("hello"));
    net.pass(5_000);
    let dot = net.replicas[0].0.frontier().iter().next().unwrap();
    assert!(net.replicas[1].0.received().contains(dot));
    let acknowledged = |net: &Net| {
        net.events[0].iter().any(|event| matches!(event, Event::PeerHas { dots, .. } if dots.contains(dot)))
    };
    assert!(!acknowledged(&net) && !net.replicas[0].0.stable().contains(dot));
    net.stuck[1] = false;
    net.edit(1, |shop| {
        shop.tags().insert("on");
    });
    net.pass(5_000);
    assert!(acknowledged(&net) && net.replicas[0].0.stable().contains(dot));
}

#[test]
fn a_slow_disk_refuses_edits_before_they_change_anything() {
    let small = |_, config: Config| Config { limits: Limits { held_bytes_max: 1_000, ..Limits::default() }, ..config };
    let mut net = Net::with(2, small);
    net.link(0, 1);
    net.stuck[0] = true;
    let refused = (0..1_000).find_map(|index| {
        let now = net.now();
        let edited = net.replicas[0].0.edit(now, |shop| shop.note().write(format!("note {index}")));
        net.replicas[0].0.flush(now);
        net.drain();
        edited.err()
    });
    assert_eq!(refused, Some(EditError::Busy));
    let before = net.replicas[0].0.state().clone();
    let now = net.now();
    assert_eq!(net.replicas[0].0.edit(now, |shop| shop.note().write("more")).err(), Some(EditError::Busy));
    assert_eq!(net.replicas[0].0.state(), &before);
}

#[test]
fn after_a_failed_commit_nothing_more_is_shown_and_a_restart_goes_on_from_the_disk() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.edit(0, |shop| shop.note().write("kept"));
    net.pass(1_000);
    net.stuck[0] = true;
    let now = net.now();
    net.replicas[0].0.edit(now, |shop| shop.note().write("lost")).unwrap();
    net.replicas[0].0.flush(now);
    let persist = net.replicas[0].0.poll_persist().unwrap();
    net.replicas[0].0.persist_failed(persist.ticket);
    net.drain();
    net.pass(5_000);
    assert!(net.events[0].iter().any(|event| matches!(event, Event::StoreFailed)));
    assert_eq!(net.replicas[0].0.edit(now, |_| ()), Err(EditError::Failed));
    assert_eq!(net.replicas[1].0.state().note().values(), ["kept"]);
    net.stuck[0] = false;
    net.restart(0, 99);
    net.pass(3_000);
    net.assert_equal();
    assert_eq!(net.replicas[0].0.state().note().values(), ["kept"]);
}

#[test]
fn what_a_peer_has_is_told_on_a_new_link_without_an_edit() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.edit(0, |shop| shop.note().write("hello"));
    net.pass(3_000);
    net.cut(0, 1);
    net.events[0].clear();
    net.link(0, 1);
    // Both are equal, so nothing is pushed or announced: the repair that finds it out is all there is.
    net.pass(3_000);
    let all = net.replicas[0].0.received().clone();
    let told = |event: &Event| matches!(event, Event::PeerHas { dots, .. } if all.is_subset(dots));
    assert!(net.events[0].iter().any(told), "{:?}", net.events[0]);
}
