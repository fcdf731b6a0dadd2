//! A check that no fault can turn red checks nothing: each fault is switched on, and the check that is named for it must
//! see it. The whole suite is green without them.
//!
//! `cargo test -p crdt-sync --test faults -- --nocapture` prints the table.

use crdt_core::{DotStore, ReplicaId};
use crdt_sync::sim::{Check, Counterexample, Household, HouseholdOp, Plan, Profile, Topology, hunt};
use crdt_sync::{
    Config, Fault, FrameReader, FrameWriter, LinkKind, Loaded, Message, Mode, Now, Open, PeerId, RefuseReason, Replica,
    ScopeId, Steady, Wall,
};
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
        row(Fault::ReceivedIsSeen, Check::Whole, |profile| {
            unordered(profile);
            profile.blind = vec![Check::Belief];
        }),
        row(Fault::PushedIsSeen, Check::Effect, unordered),
        row(Fault::UnitedBeforeFinish, Check::Effect, ANY),
        row(Fault::UnitedPerChunk, Check::Effect, ANY),
        row(Fault::FinishWithoutProof, Check::Effect, |profile| profile.links = vec![LinkKind::Datagram]),
        row(Fault::RetiredSinceUnnamed, Check::Peace, |profile| {
            compared(profile);
            profile.weather.delay_ms = 200;
        }),
        row(Fault::RetiredLeftOut, Check::Belief, |profile| {
            unordered(profile);
            profile.config.limits.log_bytes_max = 0;
        }),
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
        row(Fault::HintIsAcked, Check::Belief, |profile| profile.engine = true),
        row(Fault::DormantCounts, Check::Belief, |profile| {
            profile.config.timing.dormant_after = Duration::from_secs(30);
        }),
        row(Fault::StableSkipsOne, Check::Belief, ANY),
        row(Fault::OverflowAcknowledged, Check::Effect, |profile| {
            profile.config.limits.inbox_records_max = 1;
            profile.links = vec![LinkKind::Datagram];
        }),
        row(Fault::HoleVoid, Check::Effect, |profile| profile.links = vec![LinkKind::Datagram]),
        row(Fault::LargestTimeWins, Check::Reads, reads_alone),
        row(Fault::LentAgain, Check::OneDotOneEdit, |profile| {
            (profile.replicas, profile.tabs, profile.topology) = (4, 2, Topology::Star);
            profile.links = vec![LinkKind::Stream];
        }),
        row(Fault::LengthBelieved, Check::Panics, ANY),
        row(Fault::SkewRefused, Check::Peace, ANY),
        row(Fault::DictionaryKept, Check::Peace, |profile| profile.links = vec![LinkKind::Stream]),
    ]
}

fn hunted(row: &Row) -> Result<Box<Counterexample<HouseholdOp>>, String> {
    let plan = Plan {
        adjust: row.adjust,
        faults: row.fault.into(),
        shrink_for: Duration::from_millis(500),
        ..Plan::from_environment(40_000)
    };
    hunt::<Household>(&plan, row.check).map_err(|others| format!("not in {} runs; others: {others:?}", plan.runs))
}

/// Faults of what is reserved and not built: there is nothing yet that could do them wrong. Each with the kinds of frames
/// that a build without it must refuse, and a test below that it does.
const RESERVED: [(&str, &[u8]); 2] =
    [("a Write repeated without a look at its ticket", &[20]), ("a token held against `seen`", &[26, 63])];

#[test]
fn what_is_reserved_is_refused_as_unsupported() {
    let config = Config::new(ScopeId::from_bytes([5; 16]));
    let now = Now { steady: Steady(0), wall: Wall(1_780_000_000_000) };
    for kind in RESERVED.iter().flat_map(|(_, kinds)| *kinds) {
        let (id, peer) = (ReplicaId::from_u128(1), PeerId(1));
        let mut replica = Replica::<Household>::open(Loaded::default(), config.clone(), id, [0; 32], now).unwrap();
        let mut writer = FrameWriter::new(LinkKind::Stream, config.scope, &config.limits);
        let mut open = Open::new(ReplicaId::from_u128(2), 1, &config);
        open.schema = <Household as DotStore>::KIND as u64;
        replica.peer_up(peer, LinkKind::Stream, now);
        replica.handle_message(peer, &writer.write(&Message::<Household>::Open(open)), now).unwrap();
        let mut frame = writer.write(&Message::<Household>::Write(vec![7]));
        frame[1] = *kind;
        let _ = replica.handle_message(peer, &frame, now);
        while let Some(persist) = replica.poll_persist() {
            replica.durable(persist.ticket, now);
        }
        let mut reader = FrameReader::new(LinkKind::Stream, config.scope, &config.limits);
        let mut refused = Vec::new();
        while let Some(transmit) = replica.poll_transmit() {
            if let Ok(Some(Message::Refuse(refuse))) = reader.read::<Household>(&transmit.frame) {
                refused.push((refuse.kind, refuse.reason));
            }
        }
        assert_eq!(refused, [(*kind, RefuseReason::Unsupported)]);
        assert!(replica.received().is_empty());
    }
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
    for (fault, kinds) in RESERVED {
        eprintln!("reserved: {fault}; frames of kinds {kinds:?} are refused");
    }
    assert!(missed.is_empty(), "faults that no check saw: {missed:?}");
}
