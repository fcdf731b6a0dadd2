//! Clocks that jump by an hour.

use crate::{at, earn, met, play, settle};
use crdt_sync::sim::{Profile, Step};

#[test]
fn edits_of_a_replica_whose_clock_is_ahead_are_taken_in_and_its_time_is_not() {
    let mut world = met(Profile::calm(3), 16);
    play(&mut world, [Step::JumpClock(0, 3_600_000), Step::Edit(0, earn(1)), Step::Wait(200)]);
    assert!((0..3).all(|node| at(&world, node).state().balance().value() == 1));
    assert!(world.tally().skews > 0);
    play(&mut world, [Step::JumpClock(0, -7_200_000), Step::Edit(0, earn(1)), Step::Edit(1, earn(1)), Step::Wait(200)]);
    assert!((0..3).all(|node| at(&world, node).state().balance().value() == 3));
    settle(&mut world);
}
