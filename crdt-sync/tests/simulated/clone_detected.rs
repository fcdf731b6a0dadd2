//! Disks that are copied, and backups that are brought back.

use crate::{at, earn, met, play, put, settle, tags};
use crdt_sync::sim::{Marker, Profile, Step};

#[test]
fn a_clone_takes_a_fresh_id_before_its_first_edit() {
    let mut world = met(Profile::calm(3), 6);
    play(&mut world, [Step::Edit(0, put(1)), Step::Wait(100), Step::Clone(1, 0, Marker::Gone), Step::Edit(1, put(2))]);
    assert_ne!(at(&world, 0).id(), at(&world, 1).id());
    play(&mut world, [Step::Edit(0, earn(1))]);
    settle(&mut world);
    assert_eq!(tags(&world, 2), [1, 2]);
    assert_eq!((world.tally().fresh_ids, world.tally().equivocations), (1, 0));
}

#[test]
fn a_backup_that_is_brought_back_takes_a_fresh_id_and_learns_what_it_forgot() {
    let mut world = met(Profile::calm(2), 7);
    play(&mut world, [Step::Edit(0, earn(1)), Step::Wait(100), Step::Backup(0)]);
    play(&mut world, [Step::Edit(0, earn(1)), Step::Wait(100), Step::Restore(0, Marker::Gone), Step::Edit(0, earn(1))]);
    assert_eq!(world.tally().fresh_ids, 1);
    settle(&mut world);
    assert_eq!(at(&world, 0).state().balance().value(), 3);
}

#[test]
fn a_rewind_that_nothing_shows_is_found_out_by_the_first_dot_that_comes_back() {
    let mut world = met(Profile::calm(2), 8);
    let id = at(&world, 0).id();
    play(&mut world, [Step::Edit(0, earn(1)), Step::Wait(100), Step::Backup(0), Step::Edit(0, earn(1))]);
    play(&mut world, [Step::Wait(100), Step::Restore(0, Marker::Matches)]);
    assert_eq!((at(&world, 0).id(), world.tally().rewound), (id, 1));
    play(&mut world, [Step::Wait(500), Step::Edit(0, earn(1))]);
    assert_ne!(at(&world, 0).id(), id, "the peer held a dot of it that it had not made");
    assert_eq!(world.tally().identities_lost, 1);
    settle(&mut world);
    assert_eq!(at(&world, 1).state().balance().value(), 3);
    assert_eq!(world.tally().tainted, 0, "no dot was made twice");
}
