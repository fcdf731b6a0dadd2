//! Replicas that are said to make no more dots.

use core::time::Duration;

use crate::{at, earn, met, play, put, settle, tags};
use crdt_sync::sim::{Profile, Step};

#[test]
fn retiring_one_that_comes_back_after_all_loses_none_of_its_edits() {
    let mut profile = Profile::calm(3);
    profile.config.timing.dormant_after = Duration::from_secs(30);
    let mut world = met(profile, 17);
    play(
        &mut world,
        [Step::Edit(2, put(1)), Step::Wait(2_000), Step::Cut(0, 2), Step::Cut(1, 2), Step::Edit(2, put(2))],
    );
    play(&mut world, [Step::Wait(100), Step::Crash(2, 0), Step::Wait(100_000), Step::Retire(0, 2), Step::Wait(60_000)]);
    let gone = at(&world, 0).retired().collect::<Vec<_>>();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].1, 1, "the second edit is known to nobody else");
    play(&mut world, [Step::Edit(0, earn(1))]);
    settle(&mut world);
    assert!((0..3).all(|node| tags(&world, node) == [1, 2]));
    play(&mut world, [Step::Edit(2, put(3)), Step::Wait(500)]);
    assert_eq!(tags(&world, 0), [1, 2, 3], "and it may write on");
}
