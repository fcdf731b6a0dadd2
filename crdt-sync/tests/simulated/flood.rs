//! Strangers that send whatever comes to mind.

use crate::{at, earn, met, play, settle};
use crdt_sync::sim::{Hostile, Profile, Step};

#[test]
fn a_flood_of_bad_frames_changes_nothing_and_disturbs_nobody() {
    let mut world = met(Profile::calm(2), 13);
    play(&mut world, [Step::Edit(1, earn(1)), Step::Wait(300)]);
    let before = at(&world, 0).state().encode();
    for seed in 0..3_000 {
        // All but whole connections, which have a test of their own.
        let [lone @ .., Hostile::Replay] = Hostile::ALL else { panic!("a replay is the last") };
        play(&mut world, [Step::Hostile(0, lone[seed as usize % lone.len()], seed)]);
    }
    assert_eq!(at(&world, 0).state().encode(), before);
    assert!(world.tally().hostile > 3_000 && world.tally().hostile_refused > 2_000, "{}", world.tally());
    play(&mut world, [Step::Edit(1, earn(1)), Step::Wait(50)]);
    assert_eq!(at(&world, 0).state().balance().value(), 2, "an honest peer is heard as ever");
    assert!(at(&world, 0).active().count() <= 2, "strangers count for nothing");
    settle(&mut world);
}

#[test]
fn whole_connections_that_are_played_again_do_no_harm() {
    let mut world = met(Profile::calm(3), 14);
    for round in 0..200 {
        let to = round as usize % 3;
        play(&mut world, [Step::Edit(to, earn(1)), Step::Wait(40), Step::Hostile(to, Hostile::Replay, round)]);
    }
    assert!(world.tally().replayed > 1_000);
    settle(&mut world);
    assert!(at(&world, 0).state().balance().value() > 100);
}
