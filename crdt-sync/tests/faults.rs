//! A check that no fault can turn red checks nothing: each fault is switched on, and the check that is named for it must
//! see it. The whole suite is green without them.
//!
//! `cargo test -p crdt-sync --test faults -- --nocapture` prints the table.

use crdt_sync::sim::{Check, Counterexample, Household, HouseholdOp, Plan, Profile, hunt};
use crdt_sync::{Fault, LinkKind, Mode};
use std::time::Duration;

/// A fault, the check that must see it, and what is made likely for it.
struct Row {
    fault: Fault,
    check: Check,
    adjust: fn(&mut Profile),
}

const ANY: fn(&mut Profile) = |_| ();

/// Records in any order, so that a delta is all there is to go by.
fn unordered(profile: &mut Profile) {
    profile.config.mode = Mode::Immediate;
    profile.links = vec![LinkKind::Datagram];
}

/// The effect of what was received is not looked at: what is read must show it.
fn reads_alone(profile: &mut Profile) {
    profile.blind = vec![Check::Effect];
}

/// Repairs compare states, however small, as they would large ones, and are what spreads edits.
fn compared(profile: &mut Profile) {
    profile.config.limits.whole_bytes_max = 0;
    profile.config.limits.log_bytes_max = 0;
    profile.config.plan = Some(crdt_sync::Plan::Sketch);
}

fn rows() -> Vec<Row> {
    let row = |fault, check, adjust| Row { fault, check, adjust };
    vec![
        row(Fault::VersionPrefix, Check::Reads, reads_alone),
        row(Fault::RemovalUntold, Check::Reads, reads_alone),
        row(Fault::RemovalUntold, Check::Effect, ANY),
        row(Fault::ReceivedIsSeen, Check::Whole, unordered),
        row(Fault::UnitedBeforeFinish, Check::Effect, ANY),
        row(Fault::UnitedPerChunk, Check::Effect, ANY),
        row(Fault::FinishWithoutProof, Check::Effect, |profile| profile.links = vec![LinkKind::Datagram]),
        row(Fault::SketchOverLive, Check::Converges, compared),
        row(Fault::CopyKeepsId, Check::OneDotOneEdit, ANY),
        row(Fault::FreshFromStore, Check::OneDotOneEdit, ANY),
        row(Fault::AfterAtOpening, Check::Causes, |profile| {
            profile.config.mode = Mode::Causal;
            profile.config.timing.flush_after = Duration::from_millis(200);
        }),
        row(Fault::ShownBeforeDurable, Check::Shown, |profile| profile.flush_ms = 30),
        row(Fault::FlushRetried, Check::Shown, ANY),
        row(Fault::SentIsAcked, Check::Belief, ANY),
        row(Fault::StableSkipsOne, Check::Belief, ANY),
        row(Fault::OverflowAcknowledged, Check::Effect, |profile| {
            profile.config.limits.inbox_records_max = 1;
            profile.links = vec![LinkKind::Datagram];
        }),
        row(Fault::HoleVoid, Check::Effect, |profile| profile.links = vec![LinkKind::Datagram]),
        row(Fault::SkewRefused, Check::Peace, ANY),
        row(Fault::DictionaryKept, Check::Peace, |profile| profile.links = vec![LinkKind::Stream]),
    ]
}

fn hunted(row: &Row) -> Result<Box<Counterexample<HouseholdOp>>, String> {
    let plan = Plan {
        adjust: row.adjust,
        faults: row.fault.into(),
        shrink_for: Duration::from_millis(500),
        ..Plan::from_environment(4_000)
    };
    hunt::<Household>(&plan, row.check).map_err(|others| format!("not in {} runs; others: {others:?}", plan.runs))
}

#[test]
fn each_fault_turns_its_check_red() {
    // A panic that is caught is one more way to go red; its words are in the table.
    std::panic::set_hook(Box::new(|_| ()));
    let rows = rows();
    let results: Vec<_> = std::thread::scope(|scope| {
        let half = rows.len() / 2;
        let running =
            [&rows[..half], &rows[half..]].map(|part| scope.spawn(|| part.iter().map(hunted).collect::<Vec<_>>()));
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let _ = std::panic::take_hook();
    let mut missed = Vec::new();
    eprintln!("{:<22} {:<14} {:>6} {:>6}", "fault", "caught by", "runs", "steps");
    for (row, result) in rows.iter().zip(results) {
        let (fault, check) = (format!("{:?}", row.fault), format!("{:?}", row.check));
        match result {
            Ok(found) => eprintln!("{fault:<22} {check:<14} {:>6} {:>6}", found.runs, found.schedule.steps.len()),
            Err(story) => {
                eprintln!("{fault:<22} {check:<14} {story}");
                missed.push(fault);
            }
        }
    }
    assert!(missed.is_empty(), "faults that no check saw: {missed:?}");
}
