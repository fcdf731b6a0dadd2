//! A disk that takes two seconds for a flush.

use crate::{at, earn, met, play, settle};
use crdt_sync::sim::{Profile, Step};

#[test]
fn a_slow_disk_shows_nothing_early_and_refuses_edits_before_they_change_anything() {
    let mut profile = Profile::calm(2);
    profile.config.limits.held_bytes_max = 2_000;
    let mut world = met(profile, 12);
    play(&mut world, [Step::Wait(2_000), Step::SlowDisk(0, 2_000)]);
    for _ in 0..300 {
        play(&mut world, [Step::Edit(0, earn(1)), Step::Flush(0), Step::Wait(1)]);
    }
    assert!(at(&world, 1).received().is_empty(), "300 ms, and nothing is on the disk");
    assert!(world.tally().busy_edits > 100 && world.tally().edits > 10, "{}", world.tally());
    let made = world.tally().edits;
    assert!(at(&world, 0).stats().held_bytes < 4_000);
    settle(&mut world);
    assert_eq!(at(&world, 1).state().balance().value(), i128::from(made), "what was refused left nothing");
}
