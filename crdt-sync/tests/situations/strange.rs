//! What nobody should send, and somebody will: each ends in the same state as if it had not come, or in one that all
//! agree on.

use std::sync::Arc;

use super::net::{Net, Shop};
use crdt_core::{Causal, Delta, Dot, DotSet, ReplicaId, Timestamp, Writer};
use crdt_sync::{
    Config, Event, FrameError, FrameWriter, LinkKind, MemoryStorage, Message, Own, Payload, PeerId, Record,
};

fn id(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

fn run(number: u128, first: u64, last: u64) -> DotSet {
    Own { replica: id(number), first, last }.to_dot_set()
}

fn push(records: Vec<Record<Shop>>) -> Message<Shop> {
    Message::Push(records.into_iter().map(Arc::new).collect())
}

/// The first record of a writer: a note.
fn note(net: &Net, writer: u128, text: &str) -> Record<Shop> {
    let (delta, ()) = Causal::<Shop>::new().edit(&mut Writer::new(id(writer)), |shop| shop.note().write(text));
    let own = Own { replica: id(writer), first: 1, last: 1 };
    let time = Timestamp::new(net.now().wall.0, 0);
    Record { own, after: DotSet::new(), time, payload: Payload::Edit(delta), extensions: Vec::new() }
}

/// Everything that can be seen of a replica's data.
fn seen(net: &Net, at: usize) -> (Vec<u8>, DotSet, DotSet) {
    let replica = &net.replicas[at].0;
    (replica.state().encode(), replica.received().clone(), replica.frontier().clone())
}

fn lost_its_id(net: &Net, at: usize) -> bool {
    net.events[at].iter().any(|event| matches!(event, Event::IdentityLost { .. }))
}

fn two_with_notes() -> Net {
    let mut net = Net::new(2);
    net.link(0, 1);
    for n in 0..5 {
        net.edit(n % 2, |shop| {
            shop.tags().insert(format!("tag {n}"));
            shop.note().write(format!("note {n}"));
        });
        net.pass(100);
    }
    net
}

/// 41
#[test]
fn all_that_was_said_played_again_a_thousand_times_changes_nothing() {
    let mut net = two_with_notes();
    let (frames, before) = (net.heard[1].clone(), seen(&net, 0));
    assert!(frames.iter().filter(|frame| frame[1] == 2).count() >= 2, "records are among it");
    net.cut(0, 1);
    for _ in 0..1_000 {
        net.replay(0, &frames);
    }
    assert_eq!(seen(&net, 0), before);
    assert!(!lost_its_id(&net, 0) && net.replicas[0].0.stats().records_repeated >= 2_000);
    assert_eq!(net.replicas[0].0.stats().parked_records, 0);
}

/// 42
#[test]
fn records_in_the_reverse_of_their_order_take_effect_in_it() {
    let mut net = Net::new(2);
    for n in 0..30 {
        net.edit(0, |shop| shop.note().write(format!("note {n}")));
        net.pass(10);
    }
    let mut asker = net.stranger(0, 900);
    let all = net.replicas[0].0.received().clone();
    net.say(&mut asker, Message::Want(all));
    let told = asker.told.iter().filter_map(|message| match message {
        Message::Push(records) => Some(records.clone()),
        _ => None,
    });
    let mut records: Vec<_> = told.flatten().collect();
    assert_eq!(records.len(), 30);
    records.reverse();
    let mut teller = net.stranger(1, 901);
    for (at, record) in records.into_iter().enumerate() {
        assert_eq!(net.replicas[1].0.received().len(), 0, "{at}: nothing before its cause");
        net.say(&mut teller, Message::Push(vec![record]));
    }
    net.assert_equal();
    assert_eq!(net.replicas[1].0.stats().parked_records_max, 29);
}

/// 43
#[test]
fn a_replica_that_hears_itself_learns_nothing_and_keeps_its_id() {
    let mut net = two_with_notes();
    let (frames, before) = (net.heard[0].clone(), seen(&net, 0));
    net.replay(0, &frames);
    assert_eq!(seen(&net, 0), before);
    assert!(!lost_its_id(&net, 0));
    // Without the introduction, by somebody else: a record is one that is known.
    let mut echo = net.stranger(0, 900);
    let mut asker = net.stranger(0, 901);
    let all = net.replicas[0].0.received().clone();
    net.say(&mut asker, Message::Want(all));
    for message in asker.told.clone() {
        if matches!(message, Message::Push(_)) {
            net.say(&mut echo, message);
        }
    }
    assert_eq!(seen(&net, 0), before);
    assert!(!lost_its_id(&net, 0));
}

/// 44, 45
#[test]
fn acknowledgements_of_what_is_not_there_and_by_whom_nobody_knows_count_for_nothing() {
    let mut net = Net::new(1);
    net.edit(0, |shop| shop.note().write("mine"));
    // Of dots that a third one has not made yet.
    let mut stranger = net.stranger(0, 900);
    net.say(&mut stranger, Message::Have(run(77, 1, 50)));
    net.pass(10_000);
    assert!(net.replicas[0].0.stable().intersection(&run(77, 1, 50)).is_empty());
    net.edit(0, |shop| shop.note().write("mine still"));
    assert!(!lost_its_id(&net, 0));
    // Of one's own that were never made: two memories under one id.
    net.say(&mut stranger, Message::Have(run(1, 1, 50)));
    assert!(lost_its_id(&net, 0));

    // By one that did not say who it is.
    let mut net = Net::new(1);
    net.edit(0, |shop| shop.note().write("mine"));
    let (now, link) = (net.now(), PeerId(70));
    let config = net.replicas[0].0.config().clone();
    net.replicas[0].0.peer_up(link, LinkKind::Stream, now);
    let frame =
        FrameWriter::new(LinkKind::Stream, config.scope, &config.limits).write::<Shop>(&Message::Have(run(1, 1, 1)));
    assert_eq!(net.replicas[0].0.handle_message(link, &frame, now), Err(FrameError::OutOfTurn(3)));
    net.drain();
    assert!(!net.events[0].iter().any(|event| matches!(event, Event::PeerHas { .. })));
}

/// 46
#[test]
fn what_a_peer_had_before_it_lost_its_disk_is_told_again() {
    let mut net = two_with_notes();
    net.replicas[1].1 = MemoryStorage::new();
    net.restart(1, 50);
    assert_eq!(net.replicas[1].0.id(), id(50));
    net.pass(20_000);
    net.assert_equal();
    // And what it lost does not count as being there.
    net.edit(0, |shop| shop.note().write("after"));
    net.pass(1_000);
    net.assert_equal();
}

/// 47
#[test]
fn one_that_claims_to_have_everything_and_tells_nothing_is_passed_by() {
    let mut net = Net::new(2);
    for n in 0..3 {
        net.edit(0, |shop| shop.note().write(format!("note {n}")));
        net.pass(10);
    }
    let mut liar = net.stranger(1, 900);
    net.say(&mut liar, Message::Have(run(1, 1, 3)));
    net.pass(1_000);
    assert_eq!(net.replicas[1].0.received().len(), 0);
    net.say(&mut liar, Message::NotInLog(run(1, 1, 3)));
    net.link(0, 1);
    net.pass(5_000);
    assert_eq!(seen(&net, 0), seen(&net, 1));
}

/// 48
#[test]
fn two_links_between_the_same_two_are_as_good_as_one() {
    let mut net = two_with_notes();
    net.link(0, 1);
    net.link(0, 1);
    for n in 0..10 {
        net.edit(n % 2, |shop| shop.items().entry("milk").add(1));
        net.pass(700);
    }
    net.assert_equal();
    assert_eq!(net.replicas[1].0.state().items().get("milk").map(|milk| milk.value()), Some(10));
    let alarm =
        |event: &Event| matches!(event, Event::Diverged { .. } | Event::BadFrame { .. } | Event::Equivocation(_));
    assert!(!net.events.iter().flatten().any(alarm), "{:?}", net.events);
}

/// 49
#[test]
fn a_peer_that_changes_its_version_on_the_way_is_let_go_and_has_changed_nothing() {
    let mut net = two_with_notes();
    let before = seen(&net, 0);
    let stranger = net.stranger(0, 900);
    let now = net.now();
    assert_eq!(net.replicas[0].0.handle_message(stranger.link, &[2, 6, 0], now), Err(FrameError::Version(2)));
    assert_eq!(net.replicas[0].0.handle_message(stranger.link, &[1, 6, 0], now), Err(FrameError::Closed));
    net.drain();
    assert!(net.events[0].contains(&Event::Close { peer: stranger.link }));
    assert_eq!(seen(&net, 0), before);
}

/// 50
#[test]
fn who_asks_for_what_nobody_made_hears_that_it_is_not_here() {
    let mut net = two_with_notes();
    let mut asker = net.stranger(0, 900);
    let mut never = run(77, 5, 9);
    never.union_with(&run(1, 1_000, 2_000));
    net.say(&mut asker, Message::Want(never.clone()));
    assert!(asker.told.contains(&Message::NotInLog(never)), "{:?}", asker.told);
    assert!(!lost_its_id(&net, 0), "a question claims nothing");
}

/// 54: somebody retires a dot that its writer has not made. The honest add under it is gone then, at all replicas alike;
/// members are trusted not to do that.
#[test]
fn a_dot_that_was_retired_before_it_was_made_is_gone_everywhere() {
    let mut net = Net::new(2);
    let forged = Own { replica: id(900), first: 1, last: 1 };
    let payload = Payload::Edit(Delta::retiring(forged.to_dot_set(), run(77, 1, 3)));
    let forged = Record { own: forged, payload, ..note(&net, 900, "") };
    let honest = note(&net, 77, "honest");
    let (mut forger, mut writer) = (net.stranger(0, 900), net.stranger(0, 77));
    net.say(&mut forger, push(vec![forged.clone()]));
    net.say(&mut writer, push(vec![honest.clone()]));
    // The other way round at the other one.
    let (mut forger, mut writer) = (net.stranger(1, 900), net.stranger(1, 77));
    net.say(&mut writer, push(vec![honest]));
    assert_eq!(net.replicas[1].0.state().note().values(), ["honest"]);
    net.say(&mut forger, push(vec![forged]));
    assert_eq!(net.replicas[0].0.state().note().values(), Vec::<&String>::new());
    assert_eq!(net.replicas[0].0.state().encode(), net.replicas[1].0.state().encode());
    net.link(0, 1);
    net.pass(1_000);
    net.assert_equal();
    assert!(net.replicas[0].0.received().contains(Dot::new(id(77), 1).unwrap()));
}

/// Two memories under one id make one dot name two values.
#[test]
fn one_dot_with_two_values_is_told_and_the_greater_stays_whatever_came_first() {
    let from_disk = |_: usize, mut config: Config| {
        config.limits.log_memory_bytes_max = 0;
        config
    };
    let found = |net: &Net, at: usize| net.events[at].contains(&Event::Equivocation(Dot::new(id(900), 1).unwrap()));
    for (adapt, restarts) in [(None, false), (Some(from_disk), false), (None, true)] {
        let mut net = match adapt {
            Some(adapt) => Net::with(2, adapt),
            None => Net::new(2),
        };
        let (one, other) = (note(&net, 900, "one"), note(&net, 900, "another"));
        for (at, first, second) in [(0, &one, &other), (1, &other, &one)] {
            let mut stranger = net.stranger(at, 900);
            net.say(&mut stranger, push(vec![first.clone()]));
            net.say(&mut stranger, push(vec![first.clone()]));
            if restarts {
                net.restart(at, 300);
                stranger = net.stranger(at, 900);
                net.say(&mut stranger, push(vec![first.clone()]));
            }
            assert!(!found(&net, at), "the same again is no second value");
            net.say(&mut stranger, push(vec![second.clone()]));
            assert!(found(&net, at), "{:?}", net.events[at]);
        }
        assert_eq!(net.replicas[0].0.state().encode(), net.replicas[1].0.state().encode());
        assert_eq!(net.replicas[0].0.state().note().values(), ["another"]);
    }
}

/// Records above the default limits were written to the log, and could not be read back from it.
#[test]
fn a_record_within_raised_limits_comes_back_from_the_log_on_disk() {
    let mut net = Net::with(2, |_, mut config| {
        config.limits.record_dots_max = 100_000;
        config.limits.log_memory_bytes_max = 0;
        config.limits.whole_bytes_max = 0;
        config.plan = Some(crdt_sync::Plan::Log);
        config
    });
    net.edit(0, |shop| {
        let mut items = shop.items();
        let mut milk = items.entry("milk");
        (0..70_000).for_each(|_| milk.add(1));
    });
    net.pass(100);
    assert_eq!(net.replicas[0].0.received().len(), 70_000);
    net.link(0, 1);
    net.pass(1_000);
    net.assert_equal();
    let by_log = |event: &Event| matches!(event, Event::Repaired { by: crdt_sync::RepairTier::Log, .. });
    let ended = |event: &&Event| matches!(event, Event::Repaired { .. } | Event::RepairFailed { .. });
    let first = net.events[1].iter().find(ended);
    assert!(first.is_some_and(by_log), "{:?}", net.events);
}
