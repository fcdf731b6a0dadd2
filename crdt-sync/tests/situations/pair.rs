//! Two or three replicas on a perfect network: what has to work before anything goes wrong.

use super::net::Net;
use crdt_sync::Event;

#[test]
fn an_edit_reaches_the_others_and_is_announced_as_a_change() {
    let mut net = Net::new(3);
    net.link(0, 1);
    net.link(1, 2);
    net.edit(0, |shop| shop.items().entry("milk").add(2));
    net.edit(2, |shop| {
        shop.tags().insert("urgent");
    });
    net.pass(100);
    net.assert_equal();
    assert_eq!(net.replicas[2].0.state().items().get("milk").map(|milk| milk.value()), Some(2));
    let told = net.events[2].iter().any(|event| matches!(event, Event::Changed { changes, .. } if !changes.is_empty()));
    assert!(told, "{:?}", net.events[2]);
}

#[test]
fn edits_in_quick_succession_travel_as_one_record() {
    let mut net = Net::new(2);
    net.link(0, 1);
    for index in 0..20 {
        net.edit(0, |shop| {
            shop.tags().insert(format!("tag {index}"));
        });
    }
    net.pass(50);
    net.assert_equal();
    assert_eq!(net.replicas[1].0.stats().records_fresh, 1);
}

#[test]
fn what_went_on_while_the_link_was_down_is_there_after_it_came_back() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.edit(0, |shop| shop.items().entry("milk").add(2));
    net.pass(100);
    net.cut(0, 1);
    net.edit(0, |shop| {
        shop.items().remove("milk");
    });
    net.edit(1, |shop| shop.items().entry("milk").add(1));
    net.pass(100);
    net.link(0, 1);
    net.pass(2_000);
    net.assert_equal();
    assert_eq!(net.replicas[0].0.state().items().get("milk").map(|milk| milk.value()), Some(1));
}

#[test]
fn what_is_stable_is_what_both_have_on_disk() {
    let mut net = Net::new(2);
    net.link(0, 1);
    net.edit(0, |shop| shop.note().write("hello"));
    net.pass(5_000);
    let all = net.replicas[0].0.received().clone();
    assert_eq!(net.replicas[0].0.stable(), &all);
    assert_eq!(net.replicas[1].0.stable(), &all);
}
