//! How often a payload travels.

use crate::{earn, met, play};
use crdt_sync::sim::{Household, Profile, Step, Topology, World};
use crdt_sync::{Fault, Faults};

/// Records that came, over those that had to.
fn redundancy(topology: Topology, faults: impl Into<Faults>) -> f64 {
    let profile = Profile { topology, ..Profile::calm(15) }.with_faults(faults);
    let mut world: World<Household> = met(profile, 18);
    play(&mut world, [Step::Wait(3_000)]);
    for round in 0..90 {
        play(&mut world, [Step::Edit(round % 15, earn(1)), Step::Wait(300)]);
    }
    world.settle().unwrap_or_else(|violation| panic!("{violation}"));
    let tally = world.tally();
    (tally.records_fresh + tally.records_repeated) as f64 / tally.records_fresh as f64
}

#[test]
fn payloads_travel_about_once_on_a_tree_and_few_times_while_a_mesh_forms_one() {
    let (tree, braid) = (redundancy(Topology::Star, Faults::default()), redundancy(Topology::Braid, Faults::default()));
    eprintln!("redundancy of payloads: star {tree:.2}, four links each {braid:.2}");
    assert!(tree <= 1.05, "{tree}");
    assert!(braid <= 3.3, "{braid}");
}

#[test]
fn each_rule_that_keeps_redundancy_low_is_missed_when_it_is_off() {
    let back = redundancy(Topology::Star, Fault::PushedBack);
    let usual = redundancy(Topology::Braid, Faults::default());
    let again = redundancy(Topology::Braid, Fault::PushedAgain);
    let unpruned = redundancy(Topology::Braid, Fault::NeverPruned);
    eprintln!(
        "pushed back {back:.2} (star); four links each: {usual:.2}, again {again:.2}, never pruned {unpruned:.2}"
    );
    assert!(back > 1.05, "records that go back to where they came from: {back}");
    assert!(again > usual * 1.5, "records that were known go on: {again}, usually {usual}");
    assert!(unpruned > usual * 1.5, "nobody asks to be spared: {unpruned}, usually {usual}");
}
