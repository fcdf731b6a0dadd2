//! Two replicas and one repair.

use std::collections::BTreeSet;

use crdt_core::OrSet;

use super::node::World;
use crate::{Plan, RepairTier};

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
            for at in 0..2 {
                assert_eq!(world.fault(at), None);
                // All of the repair or nothing of it.
                let state = &world.nodes[at].state;
                assert!(*state == before[at] || *state == world.merged(), "{plan:?} cut after {cut_after}");
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
