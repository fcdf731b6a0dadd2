//! Replicas that live as long as their memory does.

use crdt_sync::{Config, Durability, Event, Storage};

use crate::net::Net;

fn in_memory(_: usize, config: Config) -> Config {
    Config { durability: Durability::Memory, ..config }
}

#[test]
fn one_in_memory_makes_no_batch_and_no_record_and_a_late_peer_gets_all() {
    let mut net = Net::with(2, |at, config| if at == 0 { in_memory(at, config) } else { config });
    for n in 0..300 {
        net.edit(0, |shop| shop.items().entry(format!("item {}", n % 40)).add(1));
    }
    net.edit(0, |shop| assert!(shop.items().remove("item 7") > 0));
    net.edit(0, |shop| shop.note().write("before anybody came"));
    net.pass(100);
    let (alone, store) = &mut net.replicas[0];
    assert_eq!(alone.stats().log_bytes, 0);
    assert_eq!(alone.received(), alone.durably_received());
    assert_eq!(alone.frontier().len(), 1);
    assert!(alone.poll_timeout().is_none(), "nobody waits for anything");
    let kept = store.load().unwrap();
    assert!(kept.rows.is_empty() && kept.meta.is_none(), "it has no disk");
    net.link(0, 1);
    net.pass(1_000);
    net.assert_equal();
    assert_eq!(net.replicas[1].0.state().items().len(), 39);
    // From now on it is as any other: what is written travels as records, and what is removed goes.
    net.edit(0, |shop| assert!(shop.tags().insert("after")));
    net.edit(1, |shop| assert!(shop.items().remove("item 8") > 0));
    net.pass(100);
    net.assert_equal();
    assert!(net.replicas[0].0.stats().log_bytes > 0);
    assert!(!net.events[0].iter().any(|event| matches!(event, Event::Durable(_))), "all is durable at once");
}

#[test]
fn a_chain_in_memory_passes_on_what_comes_late_and_what_goes() {
    let mut net = Net::with(3, in_memory);
    for at in 0..3 {
        for n in 0..50 {
            net.edit(at, |shop| assert!(shop.tags().insert(format!("{at} {n}"))));
        }
    }
    net.link(0, 1);
    net.link(1, 2);
    net.pass(10_000);
    net.assert_equal();
    assert_eq!(net.replicas[2].0.state().tags().len(), 150);
    net.edit(2, |shop| assert!(shop.tags().remove("0 7") > 0));
    net.edit(0, |shop| shop.items().entry("lamp".to_owned()).add(2));
    net.pass(10_000);
    net.assert_equal();
    assert_eq!(net.replicas[0].0.state().tags().len(), 149);
    assert!(net.replicas.iter().all(|(replica, _)| !replica.stable().is_empty()), "nobody knows what all have");
}
