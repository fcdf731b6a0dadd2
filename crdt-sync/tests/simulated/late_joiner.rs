//! Somebody comes when much has happened.

use crate::{at, earn, met, play, put, settle, tags, take_out};
use crdt_sync::sim::{Profile, Step};

fn history() -> Vec<Step<crdt_sync::sim::HouseholdOp>> {
    let mut steps = vec![Step::Crash(2, 0)];
    for round in 0..60 {
        steps.extend([Step::Edit(round % 2, earn(1)), Step::Edit(0, put(1)), Step::Edit(1, take_out(1))]);
        steps.extend([Step::Edit(1, put(2)), Step::Wait(20)]);
    }
    steps
}

#[test]
fn a_late_joiner_gets_everything_in_one_repair() {
    let mut world = met(Profile::calm(3), 1);
    play(&mut world, history());
    assert!(at(&world, 0).received().len() > 150);
    play(&mut world, [Step::Restart(2), Step::Wait(300)]);
    assert!(world.is_settled(), "300 ms after it came");
    assert_eq!(at(&world, 2).state().balance().value(), 60);
    assert_eq!(tags(&world, 2), tags(&world, 0));
    settle(&mut world);
}

#[test]
fn what_was_removed_before_a_late_joiner_came_costs_it_nothing() {
    let mut world = met(Profile::calm(3), 1);
    let rounds = (0..50).flat_map(|_| [Step::Edit(0, put(1)), Step::Edit(0, take_out(1)), Step::Wait(10)]);
    play(&mut world, [Step::Crash(2, 0)].into_iter().chain(rounds));
    play(&mut world, [Step::Restart(2), Step::Wait(300)]);
    assert!(world.is_settled());
    assert_eq!((at(&world, 2).state().live_len(), at(&world, 2).state().seen().len()), (0, 100));
}
