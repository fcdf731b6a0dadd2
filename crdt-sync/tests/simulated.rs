//! Situations on a simulated network with simulated disks, one file each; the oracle looks at every step of them. One
//! program for all of them: each would compile the whole machine anew.

#[path = "simulated/clone_detected.rs"]
mod clone_detected;
#[path = "simulated/crash_at_every_boundary.rs"]
mod crash_at_every_boundary;
#[path = "simulated/flapping.rs"]
mod flapping;
#[path = "simulated/flood.rs"]
mod flood;
#[path = "simulated/late_joiner.rs"]
mod late_joiner;
#[path = "simulated/log_truncated.rs"]
mod log_truncated;
#[path = "simulated/lost_ack.rs"]
mod lost_ack;
#[path = "simulated/partition_heals.rs"]
mod partition_heals;
#[path = "simulated/redundancy.rs"]
mod redundancy;
#[path = "simulated/restart.rs"]
mod restart;
#[path = "simulated/retirement.rs"]
mod retirement;
#[path = "simulated/silent_peer.rs"]
mod silent_peer;
#[path = "simulated/skewed_clocks.rs"]
mod skewed_clocks;
#[path = "simulated/slow_disk.rs"]
mod slow_disk;
#[path = "simulated/stale_peer_returns.rs"]
mod stale_peer_returns;

use crdt_core::laws::op::{CounterOp, Either, SetOp};
use crdt_sync::Replica;
use crdt_sync::sim::{Household, HouseholdOp, Profile, Step, World};

/// Takes steps one after the other.
fn play(world: &mut World<Household>, steps: impl IntoIterator<Item = Step<HouseholdOp>>) {
    for step in steps {
        world.take(&step).unwrap_or_else(|violation| panic!("{violation}\nat {step:?}"));
    }
}

/// Replicas that have found each other.
fn met(profile: Profile, seed: u64) -> World<Household> {
    let mut world = World::new(profile, seed).unwrap();
    play(&mut world, [Step::Wait(200)]);
    world
}

fn settle(world: &mut World<Household>) {
    world.settle().unwrap_or_else(|violation| panic!("{violation}"));
}

fn put(tag: u8) -> HouseholdOp {
    Either::Second(Either::First(Either::First(SetOp::Insert(tag))))
}

fn take_out(tag: u8) -> HouseholdOp {
    Either::Second(Either::First(Either::First(SetOp::Remove(tag))))
}

fn earn(amount: u8) -> HouseholdOp {
    Either::Second(Either::First(Either::Second(CounterOp::Add(amount))))
}

fn at(world: &World<Household>, node: usize) -> &Replica<Household> {
    world.replica(node).expect("running")
}

fn tags(world: &World<Household>, node: usize) -> Vec<u8> {
    at(world, node).state().tags().iter().copied().collect()
}
