//! Nothing passes, both sides go on, and then they meet again.

use crate::{at, earn, met, play, put, settle, tags, take_out};
use crdt_sync::LinkKind;
use crdt_sync::sim::{Profile, Step};

fn profile(kind: LinkKind) -> Profile {
    Profile { links: vec![kind], ..Profile::calm(3) }
}

#[test]
fn both_sides_of_a_partition_go_on_and_agree_after_it() {
    for kind in [LinkKind::Stream, LinkKind::Datagram] {
        let mut world = met(profile(kind), 2);
        play(&mut world, [Step::Edit(0, put(1)), Step::Wait(500), Step::Cut(0, 1), Step::Cut(0, 2)]);
        for _ in 0..10 {
            play(
                &mut world,
                [Step::Edit(0, earn(1)), Step::Edit(1, earn(2)), Step::Edit(2, put(2)), Step::Wait(1_000)],
            );
        }
        play(&mut world, [Step::Edit(0, take_out(1)), Step::Edit(1, put(1)), Step::Wait(1_000)]);
        assert_ne!(at(&world, 0).received(), at(&world, 1).received());
        assert_eq!(at(&world, 1).received(), at(&world, 2).received(), "they were not cut off");
        settle(&mut world);
        for node in 0..3 {
            assert_eq!(at(&world, node).state().balance().value(), 30);
            assert_eq!(tags(&world, node), [1, 2], "inserted again where the removal was not known");
        }
    }
}

#[test]
fn a_cut_in_one_direction_stops_that_direction_alone() {
    let mut profile = profile(LinkKind::Datagram);
    profile.replicas = 2;
    let mut world = met(profile, 3);
    play(&mut world, [Step::CutOneWay(0, 1), Step::Edit(1, put(1)), Step::Edit(0, put(2)), Step::Wait(500)]);
    assert_eq!((tags(&world, 0), tags(&world, 1)), (vec![1, 2], vec![1]));
    settle(&mut world);
    assert_eq!(tags(&world, 1), [1, 2]);
}
