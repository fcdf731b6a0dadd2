//! A peer that says nothing any more.

use core::time::Duration;

use crate::{at, earn, met, play, settle};
use crdt_sync::sim::{Profile, Step};

/// What a replica holds after many edits, with a peer cut off or without.
fn held_after_edits(cut: bool) -> (usize, usize) {
    let mut profile = Profile::calm(3);
    profile.config.timing.dormant_after = Duration::from_secs(60);
    profile.config.limits.log_bytes_max = 10_000;
    let mut world = met(profile, 15);
    if cut {
        play(&mut world, [Step::Cut(0, 2), Step::Cut(1, 2)]);
    }
    for round in 0..300 {
        play(&mut world, [Step::Edit(round % 2, earn(1)), Step::Wait(400)]);
    }
    play(&mut world, [Step::Wait(5_000)]);
    let stats = at(&world, 0).stats();
    settle(&mut world);
    assert_eq!(at(&world, 2).state().balance().value(), 300);
    (stats.log_bytes, stats.held_bytes)
}

#[test]
fn a_silent_peer_pins_nothing() {
    let (with, without) = (held_after_edits(true), held_after_edits(false));
    assert!(with.0 <= 10_000 && without.0 <= 10_000, "{with:?} {without:?}");
    assert_eq!((with.1, without.1), (0, 0));
}
