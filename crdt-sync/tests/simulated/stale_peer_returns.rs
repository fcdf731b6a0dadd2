//! Somebody was away for long.

use core::time::Duration;

use crate::{at, earn, met, play, put, settle, tags, take_out};
use crdt_sync::Standing;
use crdt_sync::sim::{Profile, Step};

#[test]
fn a_peer_that_was_away_for_long_brings_nothing_back_and_loses_nothing() {
    let mut profile = Profile::calm(3);
    profile.config.timing.dormant_after = Duration::from_secs(60);
    profile.config.limits.log_age_max = Duration::from_secs(120);
    let mut world = met(profile, 9);
    play(&mut world, [Step::Edit(0, put(1)), Step::Edit(0, put(2)), Step::Wait(2_000)]);
    let away = at(&world, 2).id();
    // What it does on its last evening reaches nobody.
    play(&mut world, [Step::Cut(0, 2), Step::Cut(1, 2), Step::Edit(2, put(3)), Step::Wait(1_000), Step::Crash(2, 0)]);
    play(&mut world, [Step::Edit(0, take_out(1)), Step::Edit(1, take_out(2)), Step::Heal, Step::Wait(600_000)]);
    play(&mut world, [Step::Edit(0, earn(1)), Step::Wait(10_000)]);
    assert_eq!(at(&world, 0).standing(away), Some(Standing::Dormant));
    assert!(at(&world, 0).received().is_subset(at(&world, 0).stable()), "it holds nothing back");
    assert!(world.tally().dormant > 0);
    settle(&mut world);
    assert!((0..3).all(|node| tags(&world, node) == [3]));
    assert_eq!(at(&world, 0).standing(away), Some(Standing::Active));
}
