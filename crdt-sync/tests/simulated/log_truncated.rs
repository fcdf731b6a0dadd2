//! No record is kept at all.

use crate::{at, earn, met, play, put, settle, tags, take_out};
use crdt_sync::sim::{Profile, Step};

#[test]
fn without_any_log_the_state_brings_what_is_missing() {
    let mut profile = Profile::calm(3);
    profile.config.limits.log_bytes_max = 0;
    profile.config.limits.whole_bytes_max = 0;
    let mut world = met(profile, 10);
    play(&mut world, [Step::Edit(0, put(1)), Step::Edit(1, put(2)), Step::Wait(500), Step::Cut(0, 1), Step::Cut(1, 2)]);
    for _ in 0..30 {
        play(&mut world, [Step::Edit(1, earn(1)), Step::Edit(0, put(3)), Step::Edit(0, take_out(3)), Step::Wait(30)]);
    }
    play(&mut world, [Step::Edit(0, take_out(2)), Step::Edit(1, take_out(1)), Step::Wait(500)]);
    settle(&mut world);
    assert!((0..3).all(|node| tags(&world, node).is_empty() && at(&world, node).state().balance().value() == 30));
    let tally = world.tally();
    assert_eq!(tally.repairs_log, 0, "there is no log");
    assert!(tally.repairs_sketch + tally.repairs_live_set > 0, "{tally}");
    assert!((0..3).all(|node| at(&world, node).stats().log_bytes == 0));
}
