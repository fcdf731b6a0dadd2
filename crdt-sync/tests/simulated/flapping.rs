//! Links that break all the time.

use crate::{at, earn, met, play, settle};
use crdt_sync::sim::{Profile, Step};

#[test]
fn edits_get_through_while_every_link_breaks_again_and_again() {
    let mut world = met(Profile::calm(3), 11);
    for round in 0..100 {
        let (one, other) = (round % 3, (round + 1) % 3);
        play(&mut world, [Step::Edit(one, earn(1)), Step::Wait(30), Step::Break(one, other, 10)]);
    }
    assert!(at(&world, 0).received().len() > 60, "not before the links come to rest, but while they break");
    settle(&mut world);
    assert!((0..3).all(|node| at(&world, node).state().balance().value() == 100));
    assert_eq!(world.tally().breaks, 100);
}
