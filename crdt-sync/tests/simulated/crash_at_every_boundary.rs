//! A replica stops at every moment of a short story, with every part of what was on its way to the disk.

use crate::{earn, play, put, settle, take_out};
use crdt_sync::sim::{Profile, Step, World};

#[test]
fn wherever_a_replica_stops_nothing_acknowledged_is_lost_and_no_dot_is_made_twice() {
    let (mut in_write, mut in_flush, mut kept_part, mut lost) = (0, 0, 0, 0);
    for moment in 0..60 {
        for keep in 0..4 {
            let mut profile = Profile::calm(2);
            profile.flush_ms = 7;
            let mut world = World::new(profile, moment).unwrap();
            let mut story = vec![Step::Wait(20)];
            for number in 0..5 {
                story.extend([Step::Edit(0, put(number)), Step::Flush(0), Step::Wait(2), Step::Edit(1, earn(1))]);
                story.extend([Step::Edit(0, take_out(number)), Step::Wait(5)]);
            }
            // The story goes on until that moment.
            let mut left = moment + 10;
            for step in story {
                if let Step::Wait(ms) = step {
                    play(&mut world, [Step::Wait(ms.min(left))]);
                    left -= ms.min(left);
                    if left == 0 {
                        break;
                    }
                } else {
                    play(&mut world, [step]);
                }
            }
            play(&mut world, [Step::Crash(0, keep), Step::Wait(moment), Step::Restart(0), Step::Edit(0, put(9))]);
            settle(&mut world);
            in_write += world.tally().crashes_in_write;
            in_flush += world.tally().crashes_in_flush;
            kept_part += world.tally().crashes_kept_part;
            lost += world.tally().edits_lost;
        }
    }
    // Of 240 stops.
    assert!(
        in_write > 100 && in_flush > 100 && kept_part > 20 && lost > 50,
        "{in_write} {in_flush} {kept_part} {lost}"
    );
}
