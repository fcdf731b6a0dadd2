//! Stops, clean and unclean.

use crate::{at, earn, met, play, settle};
use crdt_sync::Durability;
use crdt_sync::sim::{Profile, Step};

#[test]
fn a_replica_that_is_opened_again_goes_on_under_its_id() {
    for stop in [Step::Close(0), Step::Crash(0, 0)] {
        let mut world = met(Profile::calm(2), 4);
        let id = at(&world, 0).id();
        play(&mut world, [Step::Edit(0, earn(1)), Step::Wait(100), stop, Step::Restart(0), Step::Edit(0, earn(1))]);
        assert_eq!(at(&world, 0).id(), id);
        settle(&mut world);
        assert_eq!(at(&world, 1).state().balance().value(), 2);
        assert_eq!(at(&world, 1).received().last(id), 2, "no counter was skipped, and none used twice");
    }
}

#[test]
fn in_lease_mode_a_clean_stop_skips_no_counter_and_an_unclean_one_costs_the_id() {
    for (stop, same) in [(Step::Close(0), true), (Step::Crash(0, 0), false)] {
        let mut profile = Profile::calm(2);
        profile.config.durability = Durability::Lease;
        let mut world = met(profile, 5);
        let id = at(&world, 0).id();
        play(&mut world, [Step::Edit(0, earn(1)), Step::Wait(100), stop, Step::Restart(0), Step::Edit(0, earn(1))]);
        assert_eq!(at(&world, 0).id() == id, same);
        settle(&mut world);
        assert_eq!(at(&world, 1).received().last(id), if same { 2 } else { 1 });
    }
}

/// It was, before any of its counters was known to be used: the one that stopped then used it again (seed 110164571).
#[test]
fn in_lease_mode_a_retirement_is_not_shown_before_its_counter_is_used_for_good() {
    let mut profile = Profile::calm(2);
    (profile.config.durability, profile.flush_ms) = (Durability::Lease, 30);
    let mut world = met(profile, 7);
    play(&mut world, [Step::Retire(0, 1), Step::Wait(10), Step::Crash(0, 0), Step::Wait(10)]);
    assert!(at(&world, 1).received().is_empty(), "{:?}", at(&world, 1).received());
    play(&mut world, [Step::Restart(0)]);
    settle(&mut world);
}

/// The counter of the edit that was lost is used again. Nobody saw it: the batch that would have let it be shown on
/// trust was not on the disk either (seed 532).
#[test]
fn in_lease_mode_a_stop_before_anything_is_on_the_disk_is_none() {
    let mut profile = Profile::calm(2);
    (profile.config.durability, profile.flush_ms) = (Durability::Lease, 30);
    let mut world = met(profile, 6);
    let id = at(&world, 0).id();
    let reopened = [Step::Close(0), Step::Restart(0), Step::Edit(0, earn(1)), Step::Crash(0, 0)];
    play(&mut world, reopened.into_iter().chain([Step::Restart(0), Step::Edit(0, earn(2))]));
    assert_eq!(at(&world, 0).id(), id);
    settle(&mut world);
    assert_eq!((at(&world, 1).received().last(id), at(&world, 1).state().balance().value()), (1, 2));
}
