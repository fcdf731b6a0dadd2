//! Two replicas and one repair.

use std::collections::{BTreeSet, VecDeque};

use crdt_core::{Delta, DotSet, Merge, OrSet, ReplicaId};

use super::history::{Edited, Nested};
use super::node::{Item, World};
use super::random::Random;
use crate::{Config, Message, Mode, Plan, RepairTier};

#[test]
fn a_first_repair_brings_both_to_the_merge() {
    for plan in [None, Some(Plan::Log), Some(Plan::Sketch), Some(Plan::LiveSet), Some(Plan::Whole)] {
        let mut world = World::<OrSet<u64>>::new(2, |config| config.plan = plan);
        for n in 0..40u64 {
            world.edit((n % 2) as usize, |set| {
                set.insert(n);
            });
        }
        world.open(0, 1);
        world.drain();
        let merged = world.merged();
        assert_eq!(world.nodes[0].state, merged, "{plan:?}");
        assert_eq!(world.nodes[1].state, merged, "{plan:?}");
        for at in 0..2 {
            assert_eq!(world.fault(at), None);
        }
        let tiers: BTreeSet<_> = world.ended.iter().map(|(.., tier)| *tier).collect();
        assert_eq!(tiers.len(), 1, "{tiers:?}");
        assert!(!tiers.contains(&None), "{plan:?}");
        world.ended.clear();
        world.open(1, 0);
        world.drain();
        assert_eq!(world.ended.iter().map(|(.., tier)| *tier).collect::<Vec<_>>(), [Some(RepairTier::Same); 2]);
    }
}

#[test]
fn a_repair_that_is_cut_anywhere_changes_nothing_by_itself() {
    for plan in [Plan::Sketch, Plan::LiveSet, Plan::Whole] {
        for cut_after in 0..12 {
            let mut world = World::<OrSet<u64>>::new(2, |config| config.plan = Some(plan));
            for n in 0..30u64 {
                world.edit((n % 2) as usize, |set| {
                    set.insert(n);
                });
            }
            let before = [world.nodes[0].state.clone(), world.nodes[1].state.clone()];
            world.open(0, 1);
            let done = (0..cut_after).all(|_| world.deliver(0, 1) | world.deliver(1, 0));
            world.cut(0, 1);
            world.wait(1_000);
            for (at, before) in before.iter().enumerate() {
                assert_eq!(world.fault(at), None);
                // All of the repair or nothing of it.
                let state = &world.nodes[at].state;
                assert!(state == before || *state == world.merged(), "{plan:?} cut after {cut_after}");
            }
            world.open(1, 0);
            world.drain();
            assert!(
                world.nodes.iter().all(|node| node.state == world.merged()),
                "{plan:?} cut after {cut_after} {done}"
            );
        }
    }
}

/// Replicas 0 and 1 with some of each other's records, and of a third one's.
fn apart<S: Edited>(random: &mut Random, configure: impl Fn(&mut Config)) -> World<S> {
    let mut world = World::<S>::new(3, configure);
    for _ in 0..random.below(40) + 2 {
        let at = random.below(3);
        if random.percent(60) {
            world.edit(at, |cursor| S::act(cursor, random));
        } else if !world.records.is_empty() {
            let record = random.below(world.records.len());
            world.receive(at, record);
        }
        if random.percent(3) {
            world.nodes[at].log.0.clear();
        }
    }
    world
}

fn repairs_are_merges<S: Edited>(count: u64, salt: u64) {
    let plans = [None, Some(Plan::Log), Some(Plan::Sketch), Some(Plan::LiveSet), Some(Plan::Whole)];
    let mut apart_both_ways = 0;
    for seed in 0..count {
        let mut random = Random(seed << 8 | salt);
        let mode = *random.pick(&[Mode::Causal, Mode::Fifo, Mode::Immediate]);
        let plan = *random.pick(&plans);
        let whole_bytes_max = *random.pick(&[0, 4_096]);
        let mut world = apart::<S>(&mut random, |config| {
            config.mode = mode;
            config.plan = plan;
            config.limits.whole_bytes_max = whole_bytes_max;
        });
        let (mine, theirs) = (world.nodes[0].state.clone(), world.nodes[1].state.clone());
        let mut received = world.nodes[0].received.clone();
        apart_both_ways +=
            u64::from(!received.is_subset(&world.nodes[1].received) && !world.nodes[1].received.is_subset(&received));
        received.union_with(&world.nodes[1].received);
        let mut merged = mine.clone();
        merged.merge(&theirs);

        world.open(0, 1);
        world.drain();
        for at in 0..2 {
            let node = &world.nodes[at];
            assert_eq!(world.fault(at), None, "seed {seed}");
            assert!(node.state == merged, "seed {seed}, {mode:?}, {plan:?}");
            assert_eq!(node.received, received, "seed {seed}");
        }
        assert!(world.ended.iter().all(|(.., tier)| tier.is_some()), "seed {seed}: {:?}", world.ended);
        assert_eq!(world.diverged, 0);
    }
    assert!(apart_both_ways > count / 4, "{apart_both_ways} of {count} had news for each other");
}

#[test]
fn the_repair_of_sets_is_the_full_merge() {
    repairs_are_merges::<OrSet<u64>>(20_000, 3);
}

#[test]
fn the_repair_of_nested_data_is_the_full_merge() {
    repairs_are_merges::<Nested>(6_000, 4);
}

#[test]
fn both_sides_may_open_at_the_same_time() {
    for first in 0..2 {
        let mut world = World::<OrSet<u64>>::new(2, |config| config.plan = Some(Plan::Sketch));
        for n in 0..10u64 {
            world.edit(n as usize % 2, |set| {
                set.insert(n);
            });
        }
        world.open(0, 1);
        world.open(1, 0);
        world.deliver(first, 1 - first);
        world.drain();
        assert!(world.nodes.iter().all(|node| node.state == world.merged()));
        let ended: Vec<_> = world.ended.iter().filter_map(|(.., tier)| *tier).collect();
        assert_eq!(ended, [RepairTier::Sketch; 2], "{:?}", world.ended);
    }
}

#[test]
fn entries_of_a_cut_repair_do_not_travel_again() {
    let mut world = World::<OrSet<u64>>::new(2, |config| {
        config.plan = Some(Plan::Whole);
        config.limits.frame_bytes_max = 200;
    });
    world.edit(1, |set| {
        for n in 0..2_000u64 {
            set.insert(n << 32);
        }
    });
    let mut rounds = 0;
    // Each connection lives for ten messages.
    while world.nodes[0].state != world.merged() {
        rounds += 1;
        assert!(rounds < 100, "a flapping link never gets a state through");
        world.open(0, 1);
        let mut left = 10;
        while left > 0 && (world.deliver(0, 1) || world.deliver(1, 0)) {
            left -= 1;
        }
        world.cut(0, 1);
        world.wait(2_000);
        assert_eq!(world.fault(0), None);
    }
    assert!(rounds > 3, "{rounds} connections");
    // They are forgotten after a while, and the next one starts anew.
    world.wait(700_000);
    assert_eq!(world.nodes[0].repairs.deadline(), None);
}

#[test]
fn more_than_one_repair_may_copy_comes_in_several() {
    let mut world = World::<OrSet<u64>>::new(2, |config| {
        config.plan = Some(Plan::Whole);
        config.limits.frame_bytes_max = 400;
        config.limits.part_bytes_max = 1_500;
    });
    for at in 0..2 {
        world.edit(at, |set| {
            for n in 0..500u64 {
                set.insert(n << 32 | at as u64);
            }
        });
    }
    world.open(0, 1);
    world.drain();
    let failed = world.ended.iter().filter(|(.., tier)| tier.is_none()).count();
    assert!(failed > 2, "one repair took it all: {:?}", world.ended);
    assert!(world.nodes.iter().all(|node| node.state == world.merged()), "{:?}", world.ended);
}

#[test]
fn equal_dots_and_different_state_are_told_and_made_equal() {
    let mut world = World::<OrSet<u64>>::new(2, |_| {});
    for n in 0..20u64 {
        world.edit(0, |set| {
            set.insert(n);
        });
        world.receive(1, n as usize);
    }
    // A disk lost an entry and kept its dot.
    let lost = world.nodes[1].state.live().iter().take(1).collect::<DotSet>();
    world.nodes[1].merge(&Delta::retiring(DotSet::new(), lost));
    world.open(0, 1);
    world.drain();
    assert!(world.diverged > 0);
    assert_eq!(world.nodes[0].state, world.nodes[1].state);
    world.ended.clear();
    world.open(1, 0);
    world.drain();
    assert!(world.ended.iter().all(|(.., tier)| *tier == Some(RepairTier::Same)), "{:?}", world.ended);
}

#[test]
fn one_dot_with_two_values_is_found_by_the_content_and_made_equal() {
    let mut world = World::<OrSet<u64>>::new(2, |_| {});
    let mut twin = World::<OrSet<u64>>::new(2, |_| {});
    for (world, value) in [(&mut world, 5u64), (&mut twin, 9)] {
        world.edit(0, |set| {
            set.insert(value);
        });
    }
    // Two memories wrote under one id.
    world.records.push(twin.records.remove(0));
    world.receive(1, 1);
    assert_ne!(world.nodes[0].state, world.nodes[1].state);
    world.open(0, 1);
    world.drain();
    assert_ne!(world.nodes[0].state, world.nodes[1].state, "dots alone can't show it");
    for _ in 0..2 {
        world.wait(700_000);
        world.open(0, 1);
        world.drain();
    }
    assert_eq!(world.nodes[0].state, world.nodes[1].state);
    assert!(world.nodes[0].state.contains(&9), "the greater value wins, from whichever side");
    assert!(world.diverged > 0);
}

#[test]
fn more_differences_than_were_guessed_take_a_second_window() {
    let mut world = World::<OrSet<u64>>::new(2, |config| config.plan = Some(Plan::Sketch));
    world.edit(0, |set| {
        for n in 0..3_000u64 {
            set.insert(n);
        }
    });
    world.receive(1, 0);
    world.nodes.iter_mut().for_each(|node| node.log.0.clear());
    // Overwriting retires and adds with one dot, which the counts can't tell from doing nothing.
    for n in 0..400u64 {
        world.edit(0, |set| {
            set.insert(n * 3);
        });
    }
    world.nodes[0].log.0.clear();
    world.open(0, 1);
    // The answering side edits on: later windows must show the moment of the first.
    world.deliver(0, 1);
    world.edit(1, |set| {
        for n in 1_000..1_050 {
            set.remove(&n);
        }
    });
    world.drain();
    assert!(world.ended.iter().all(|(.., tier)| *tier == Some(RepairTier::Sketch)), "{:?}", world.ended);
    for at in 0..2 {
        assert_eq!(world.fault(at), None);
    }
    world.open(1, 0);
    world.drain();
    assert_eq!(world.nodes[0].state, world.nodes[1].state);
}

#[test]
fn a_silent_peer_is_given_up_after_a_while() {
    let mut world = World::<OrSet<u64>>::new(2, |_| {});
    world.edit(0, |set| {
        set.insert(1u64);
    });
    world.open(0, 1);
    world.wait(29_000);
    assert!(world.nodes[0].repairs.is_open(World::<OrSet<u64>>::peer(1)));
    world.wait(1_000);
    assert!(!world.nodes[0].repairs.is_open(World::<OrSet<u64>>::peer(1)));
    assert_eq!(world.ended, [(0, 1, None)]);
}

/// Whatever arrives, in whatever order: no panic, no endless talk, and the state stays the effect of what was received.
#[test]
fn altered_messages_change_nothing_or_nothing_wrong() {
    let mut refused = 0;
    for seed in 0..3_000u64 {
        let mut random = Random(seed << 8 | 5);
        let plan = *random.pick(&[Plan::Sketch, Plan::LiveSet, Plan::Whole]);
        let mut world = apart::<OrSet<u64>>(&mut random, |config| {
            config.mode = Mode::Immediate;
            config.plan = Some(plan);
        });
        world.liars = true;
        let before: Vec<_> = world.nodes.iter().map(|node| node.state.clone()).collect();
        world.open(0, 1);
        for _ in 0..20 {
            let link = if random.percent(50) { (0, 1) } else { (1, 0) };
            let Some(item) = world.links.get_mut(&link).and_then(VecDeque::pop_front) else { continue };
            let item = match item {
                Item::Message(message) => Item::Message(altered(message, &mut random)),
                record => record,
            };
            world.take(link.0, link.1, item);
        }
        for (node, before) in world.nodes.iter().zip(&before) {
            assert_eq!(node.state.validate(), Ok(()), "seed {seed}");
            refused += u64::from(node.state == *before);
        }
    }
    assert!(refused > 1_000, "{refused} refused");
}

fn altered(message: Message<OrSet<u64>>, random: &mut Random) -> Message<OrSet<u64>> {
    let some = |random: &mut Random| {
        let mut dots = DotSet::new();
        for _ in 0..random.below(3) {
            let id = ReplicaId::from_u128(random.below(4) as u128 + 1);
            let first = random.below(6) as u64 + 1;
            let last = first + if random.percent(10) { 1 << 40 } else { random.below(9) as u64 };
            dots.insert_run(id, first, last);
        }
        dots
    };
    match message {
        Message::Summary(mut summary) => {
            match random.below(5) {
                0 => summary.received = some(random),
                1 => summary.ahead = some(random),
                2 => summary.live_count = random.next(),
                3 => summary.base = Some(random.next()),
                _ => summary.plan = *random.pick(&[Plan::Ask, Plan::Log, Plan::Sketch, Plan::LiveSet, Plan::Whole]),
            }
            Message::Summary(summary)
        }
        Message::Finish(mut finish) => {
            match random.below(6) {
                0 => finish.since = some(random),
                1 => finish.retired = some(random),
                2 => finish.kept = some(random),
                3 => finish.entry_count = random.next(),
                4 => finish.frontier = some(random),
                _ => finish.check ^= 1,
            }
            Message::Finish(finish)
        }
        Message::Cells { repair, from, mut cells } => {
            if let Some(cell) = cells.first_mut() {
                cell.symbol = u128::from(random.next()) << random.below(64);
            }
            Message::Cells { repair, from: from + random.below(2) as u32 * 1_000_000, cells }
        }
        Message::LiveSet { repair, .. } => Message::LiveSet { repair, live: some(random) },
        Message::More { repair, .. } => {
            Message::More { repair, from: random.next() as u32, count: random.next() as u32 }
        }
        Message::Entries { repair, index, entries } => {
            let entries = if random.percent(50) { Delta::retiring(some(random), some(random)) } else { entries };
            Message::Entries { repair, index, entries }
        }
        other => other,
    }
}
