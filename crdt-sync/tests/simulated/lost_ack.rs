//! Half of all frames are lost, acknowledgements as well.

use crate::{at, earn, met, play, settle};
use crdt_sync::LinkKind;
use crdt_sync::sim::{Profile, Step, Weather};

#[test]
fn an_edit_whose_acknowledgement_is_lost_is_not_applied_twice() {
    for seed in 0..20 {
        let mut profile = Profile { links: vec![LinkKind::Datagram], ..Profile::calm(3) };
        profile.weather = Weather { loss_percent: 50, repeat_percent: 30, ..Weather::fair() };
        let mut world = met(profile, seed);
        for round in 0..20 {
            play(&mut world, [Step::Edit(round % 3, earn(1)), Step::Wait(50)]);
        }
        settle(&mut world);
        assert!((0..3).all(|node| at(&world, node).state().balance().value() == 20), "seed {seed}");
        let tally = world.tally();
        assert!(tally.lost > 5 && tally.repeated > 0, "the network was too kind: {tally}");
    }
}
