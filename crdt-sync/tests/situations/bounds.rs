//! Peers that take more than their share: each is held to it, and the others are served.

use core::time::Duration;

use super::net::{Net, Stranger};
use crdt_core::{Dot, DotSet, ReplicaId};
use crdt_sync::{CancelReason, Config, Event, Hello, Limits, Message, Plan, RepairId, Role, SummaryOf, Tier};

/// A Hello of somebody who has nothing.
fn hello(repair: u64) -> Hello {
    let summary = SummaryOf {
        repair: RepairId(repair),
        plan: Plan::Ask,
        base: None,
        received: DotSet::new(),
        ahead: DotSet::new(),
        frontier: DotSet::new(),
        live_count: 0,
        staged: DotSet::new(),
        retired: (0, 0),
        left_out: None,
        sketch_key: 0,
    };
    let (received_hash, state_hash) = (1, 1);
    Hello { repair: RepairId(repair), received_hash, state_hash, summary: Some(Box::new(summary)), content_hash: None }
}

fn was_cancelled(stranger: &Stranger, why: CancelReason) -> bool {
    stranger.told.iter().any(|told| matches!(told, Message::Cancel { reason, .. } if *reason == why))
}

fn was_answered(stranger: &Stranger) -> bool {
    stranger.told.iter().any(|told| matches!(told, Message::Summary(_)))
}

fn with_limits(limits: Limits) -> Net {
    let mut net = Net::with(1, |_, config| Config { limits: limits.clone(), ..config });
    net.edit(0, |shop| shop.note().write("something"));
    net
}

#[test]
fn parts_of_a_live_set_are_bounded_together() {
    // A hundred runs.
    let mut net = with_limits(Limits { live_set_bytes_max: 1_600, ..Limits::default() });
    let mut stranger = net.stranger(0, 900);
    net.say(&mut stranger, Message::Hello(hello(5)));
    assert!(was_answered(&stranger));
    for part in 0..4_u64 {
        let live = (1..=40).filter_map(|n| Dot::new(ReplicaId::from_u128(800), 2 * (40 * part + n))).collect();
        net.say(&mut stranger, Message::LiveSet { repair: RepairId(5), live });
        // Forty and eighty fit; a hundred and twenty do not.
        assert_eq!(was_cancelled(&stranger, CancelReason::TooLarge), part == 2, "part {part}");
    }
}

#[test]
fn a_peer_that_says_a_word_now_and_then_does_not_keep_the_others_out() {
    let mut net = with_limits(Limits { repairs_max: 1, ..Limits::default() });
    let (mut slow, mut other) = (net.stranger(0, 900), net.stranger(0, 901));
    net.say(&mut slow, Message::Hello(hello(5)));
    assert!(was_answered(&slow));
    net.say(&mut other, Message::Hello(hello(6)));
    assert!(was_cancelled(&other, CancelReason::Busy), "there is one at a time, and it has just begun");
    let mut told_off = false;
    for _ in 0..3 {
        net.pass(14_000);
        net.say(&mut slow, Message::LiveSet { repair: RepairId(5), live: DotSet::new() });
        assert!(!was_cancelled(&slow, CancelReason::Idle), "it was heard every 14 s");
        told_off |= was_cancelled(&slow, CancelReason::Busy);
    }
    net.say(&mut other, Message::Hello(hello(7)));
    assert!(was_answered(&other), "{:?}", other.told);
    net.say(&mut slow, Message::Prune);
    assert!(told_off || was_cancelled(&slow, CancelReason::Busy), "and the first one is told");
}

#[test]
fn a_peer_that_asks_for_much_that_is_on_disk_does_not_keep_a_repair_from_it() {
    let limits = Limits { log_memory_bytes_max: 0, links_max: 8, whole_bytes_max: 0, ..Limits::default() };
    let mut net = Net::with(2, |_, mut config| {
        (config.limits, config.plan) = (limits.clone(), Some(Plan::Log));
        config
    });
    for index in 0..20 {
        net.edit(0, |shop| shop.note().write(format!("note {index}")));
        net.pass(10);
    }
    let mut greedy = net.stranger(0, 900);
    net.unread[0] = true;
    for counter in 1..=20 {
        let wanted = Dot::new(ReplicaId::from_u128(1), counter).into_iter().collect();
        net.say(&mut greedy, Message::Want(wanted));
    }
    net.unread[0] = false;
    net.link(0, 1);
    net.assert_equal();
}

#[test]
fn ids_of_tabs_that_vanished_are_retired_and_make_room_for_others() {
    let day = Duration::from_secs(24 * 3_600).as_millis() as u64;
    let mut net = Net::with(2, |at, mut config| {
        config.limits.lent_ids_max = 2;
        config.role = if at == 0 { Role::Replica } else { Role::Tab };
        config
    });
    net.link(0, 1);
    net.replicas[0].0.offer_ids((100..102).map(ReplicaId::from_u128));
    let borrow = |net: &mut Net| {
        let link = net.link_to(1, 0);
        net.events[1].clear();
        net.replicas[1].0.borrow_id(link);
        net.drain();
        net.events[1].iter().find_map(|event| match event {
            Event::Lent { replica, next } => Some((*replica, *next)),
            _ => None,
        })
    };
    // Two that are never heard of again, and one that writes on.
    let first = borrow(&mut net).expect("one to lend");
    let second = borrow(&mut net).expect("another one");
    net.replicas[0].0.offer_ids([ReplicaId::from_u128(102)]);
    assert_eq!(borrow(&mut net), None, "as many as may be are out");
    let now = net.now();
    net.replicas[1].0.adopt_lent(second.0, second.1, now);
    net.pass(day / 2);
    net.edit(1, |shop| shop.note().write("still here"));
    net.pass(day / 2 + 1_000);
    let retired: Vec<ReplicaId> = net.replicas[0].0.retired().map(|(replica, _)| replica).collect();
    assert_eq!(retired, [first.0], "the other one was heard of in between");
    let third = borrow(&mut net).expect("there is room again");
    assert_ne!(third.0, first.0, "the one that vanished may come back");
}

/// A writer without a log, and a newcomer of which one repair may bring 4,000 bytes, and `staged` bytes may wait.
fn newcomer_with_room_for(staged: usize) -> Net {
    let mut net = Net::with(2, |_, mut config| {
        (config.limits.log_bytes_max, config.limits.frame_bytes_max) = (0, 2_000);
        (config.limits.part_bytes_max, config.limits.staged_bytes_max) = (4_000, staged);
        config
    });
    for batch in 0..40 {
        net.edit(0, |shop| {
            (0..25).for_each(|tag| {
                shop.tags().insert(format!("a tag with the number {}", 25 * batch + tag));
            });
        });
        net.pass(100);
    }
    net.link(0, 1);
    net
}

fn too_large(net: &Net, at: usize) -> usize {
    net.events[at].iter().filter(|event| matches!(event, Event::TooLarge { .. })).count()
}

#[test]
fn a_large_state_comes_in_pieces() {
    let mut net = newcomer_with_room_for(100_000);
    net.pass(20_000);
    net.assert_equal();
    assert_eq!((too_large(&net, 0), too_large(&net, 1)), (0, 0));
    let state = net.replicas[0].0.state().encode().len() as u64;
    let sent = net.replicas[0].0.stats().sent_by(Tier::Repair).bytes;
    assert!(state > 3 * 4_000 && sent < 2 * state, "{sent} B for a state of {state}");
}

/// The third part did not fit, so it came again, and again, as fast as the link took it.
#[test]
fn a_state_above_the_limits_is_refused_so_that_both_hear_of_it() {
    let mut net = newcomer_with_room_for(9_000);
    net.pass(60_000);
    assert_eq!(*net.replicas[1].0.received(), DotSet::new());
    assert_eq!((too_large(&net, 0), too_large(&net, 1)), (1, 1));
    let sent = net.replicas[0].0.stats().sent_by(Tier::Repair).bytes;
    assert!(sent < 20_000, "{sent} B sent in vain");
    // It is tried again, in case somebody has changed a limit.
    net.pass(700_000);
    assert_eq!((too_large(&net, 0), too_large(&net, 1)), (2, 2));
    // Nobody else is kept from anything.
    net.edit(1, |shop| shop.note().write("still here"));
}
