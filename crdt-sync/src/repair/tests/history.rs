//! Random histories: edits, records that come and that do not, several repairs at once, cuts and losses anywhere; after
//! each step the state is compared with the plain effect of what was received.

use std::collections::BTreeMap;

use crdt_core::{Counter, DotSet, DotStore, MvRegister, OrMap, OrSet};

use super::node::{Item, World};
use super::random::Random;
use crate::{Config, Fault, Message, Mode, Plan, RepairTier};

crdt_core::fields! {
    /// Nested data of each kind that keeps dots in its own way.
    pub(super) struct Nested { tags: OrMap<String, OrSet<u64>>, counts: OrMap<String, Counter>, note: MvRegister<u64> }
}

/// Data that a test edits at random.
pub(super) trait Edited: DotStore {
    fn act(cursor: &mut Self::Cursor<'_>, random: &mut Random);
}

impl Edited for OrSet<u64> {
    fn act(cursor: &mut Self::Cursor<'_>, random: &mut Random) {
        for _ in 0..=random.below(2) {
            let key = random.below(4) as u64;
            match random.below(10) {
                0..6 => {
                    cursor.insert(key);
                }
                6 => {
                    cursor.clear();
                }
                _ => {
                    cursor.remove(&key);
                }
            }
        }
    }
}

impl Edited for Nested {
    fn act(cursor: &mut Self::Cursor<'_>, random: &mut Random) {
        let key = ["a", "b"][random.below(2)];
        match random.below(8) {
            0 | 1 => {
                cursor.tags().entry(key).insert(random.below(3) as u64);
            }
            2 => {
                cursor.tags().entry(key).remove(&(random.below(3) as u64));
            }
            3 => {
                cursor.tags().remove(key);
            }
            4 | 5 => {
                cursor.counts().entry(key).add(random.below(3) as i64 + 1);
            }
            6 => {
                cursor.counts().remove(key);
            }
            _ => cursor.note().write(random.below(100) as u64),
        }
    }
}

/// What happened in all histories: a case that was not reached was not tested.
#[derive(Default, Debug)]
pub(super) struct Reached {
    tiers: BTreeMap<Option<RepairTier>, usize>,
    cut: usize,
    lost: usize,
    more: usize,
    kept: usize,
    since: usize,
    named: usize,
    base: usize,
    ahead: usize,
    chunks: usize,
    cancels: usize,
}

impl Reached {
    fn note<S: DotStore>(&mut self, item: &Item<S>) {
        match item {
            Item::Message(Message::More { .. }) => self.more += 1,
            Item::Message(Message::Finish(finish)) => {
                self.kept += usize::from(!finish.kept.is_empty());
                self.since += usize::from(!finish.since.is_empty());
                self.named += usize::from(!finish.retired.is_empty());
            }
            Item::Message(Message::Summary(summary)) => {
                self.base += usize::from(summary.base.is_some());
                self.ahead += usize::from(!summary.ahead.is_empty());
            }
            Item::Message(Message::Entries { index, .. }) => self.chunks += usize::from(*index > 0),
            Item::Message(Message::Cancel { .. }) => self.cancels += 1,
            _ => {}
        }
    }
}

/// One history; says what went wrong, if anything did.
pub(super) fn run<S: Edited>(seed: u64, fault: Option<Fault>, reached: &mut Reached) -> Result<(), String> {
    let mut random = Random(seed);
    let mode = *random.pick(&[Mode::Causal, Mode::Immediate, Mode::Immediate, Mode::Fifo]);
    let plans = [None, Some(Plan::Log), Some(Plan::Sketch), Some(Plan::Sketch), Some(Plan::LiveSet), Some(Plan::Whole)];
    let frame = *random.pick(&[1 << 20, 60]);
    let lossy = random.percent(40);
    let own_plan = random.percent(50);
    let plan = *random.pick(&plans);
    let configure = |config: &mut Config| {
        config.mode = mode;
        config.plan = plan;
        config.limits.frame_bytes_max = frame;
        config.limits.whole_bytes_max = 0;
        config.faults = fault.map(Into::into).unwrap_or_default();
    };
    let mut world = World::<S>::new(3, configure);
    if own_plan {
        for node in &mut world.nodes {
            node.config.plan = *random.pick(&plans);
        }
    }
    let mut opened = BTreeMap::<(usize, usize), DotSet>::new();
    for step in 0..80 {
        let at = random.below(3);
        let other = (at + 1 + random.below(2)) % 3;
        match random.below(100) {
            0..25 if world.records.len() < 40 => world.edit(at, |cursor| S::act(cursor, &mut random)),
            25..40 => {
                let held: Vec<usize> = world.nodes[at].log.0.keys().copied().collect();
                if !held.is_empty() {
                    world.receive(other, *random.pick(&held));
                }
            }
            40..50 if !world.nodes[at].repairs.is_open(World::<S>::peer(other)) => {
                opened.insert((at, other), world.nodes[at].received.clone());
                world.open(at, other);
            }
            50..90 => {
                let busy: Vec<_> =
                    world.links.iter().filter(|(_, queue)| !queue.is_empty()).map(|(link, _)| *link).collect();
                if !busy.is_empty() {
                    deliver(*random.pick(&busy), lossy, &mut world, &mut random, reached);
                }
            }
            90..94 => {
                reached.cut += usize::from(world.nodes[at].repairs.is_open(World::<S>::peer(other)));
                world.cut(at, other);
            }
            94..96 => world.wait(if random.percent(50) { 31_000 } else { 1_000 }),
            96..98 => world.nodes[at].log.0.clear(),
            _ => {}
        }
        for at in 0..3 {
            if let Some(fault) = world.fault(at) {
                return Err(format!("step {step}: {fault}"));
            }
        }
        for (at, other, tier) in core::mem::take(&mut world.ended) {
            *reached.tiers.entry(tier).or_default() += 1;
            // A repair that the opener saw end brought the other what it had opened with.
            if let (Some(_), Some(had)) = (tier, opened.remove(&(at, other)))
                && !had.is_subset(&world.nodes[other].received)
            {
                return Err(format!("step {step}: a repair ended and {other} lacks what {at} had"));
            }
        }
    }
    settle(&mut world)
}

fn deliver<S: Edited>(
    link: (usize, usize),
    lossy: bool,
    world: &mut World<S>,
    random: &mut Random,
    reached: &mut Reached,
) {
    let queue = world.links.get_mut(&link).expect("a link that is busy");
    let at = if lossy && random.percent(20) { random.below(queue.len()) } else { 0 };
    let item = queue.remove(at).expect("an item on its way");
    if lossy && random.percent(8) {
        reached.lost += 1;
        return;
    }
    if lossy && random.percent(10) {
        queue.push_back(item.clone());
    }
    reached.note(&item);
    world.take(link.0, link.1, item);
}

/// Links that work from now on: all become equal, and equal to the merge of all records.
fn settle<S: Edited>(world: &mut World<S>) -> Result<(), String> {
    let pairs = [(0, 1), (1, 2), (2, 0)];
    for (a, b) in pairs {
        world.cut(a, b);
    }
    for _ in 0..6 {
        world.wait(20_000);
        for (a, b) in pairs {
            world.open(a, b);
            world.drain();
        }
        for at in 0..3 {
            if let Some(fault) = world.fault(at) {
                return Err(format!("at rest: {fault}"));
            }
        }
    }
    let merged = world.merged();
    if let Some(at) = (0..3).find(|at| world.nodes[*at].state != merged) {
        return Err(format!("node {at} is not the merge of all: {:?}", world.nodes[at].received));
    }
    world.ended.clear();
    for (a, b) in pairs {
        world.open(a, b);
        world.drain();
    }
    match world.ended.iter().find(|(.., tier)| *tier != Some(RepairTier::Same)) {
        None if world.diverged == 0 => Ok(()),
        None => Err("a sum was wrong".into()),
        Some(end) => Err(format!("equal replicas do not find themselves equal: {end:?}")),
    }
}

fn histories<S: Edited>(count: u64, salt: u64) {
    let mut reached = Reached::default();
    for seed in 0..count {
        if let Err(what) = run::<S>(seed << 8 | salt, None, &mut reached) {
            panic!("seed {seed}: {what}");
        }
    }
    let tier = |tier| reached.tiers.get(&tier).copied().unwrap_or(0) as u64;
    let all =
        [None, Some(RepairTier::Same), Some(RepairTier::Log), Some(RepairTier::Sketch), Some(RepairTier::LiveSet)];
    for wanted in all.into_iter().chain([Some(RepairTier::Whole)]) {
        assert!(tier(wanted) > count / 20, "{wanted:?}: {reached:?}");
    }
    let Reached { cut, lost, more, kept, since, named, base, ahead, chunks, cancels, .. } = reached;
    let seldom = [more, kept, since, named];
    assert!(seldom.iter().all(|times| *times as u64 > count / 200), "{seldom:?}");
    let often = [cut, lost, base, ahead, chunks, cancels];
    assert!(often.iter().all(|times| *times as u64 > count / 40), "{often:?}");
}

/// `CRDT_HISTORIES` says how many.
fn how_many(default: u64) -> u64 {
    std::env::var("CRDT_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

#[test]
fn sets_follow_what_was_received_whatever_happens_to_their_repairs() {
    histories::<OrSet<u64>>(how_many(4_000), 1);
}

#[test]
fn nested_data_follows_what_was_received_whatever_happens_to_its_repairs() {
    histories::<Nested>(how_many(2_000), 2);
}

/// The first history in which a fault shows, and what is seen of it.
fn caught(fault: Fault) -> String {
    let mut reached = Reached::default();
    let found = (0..3_000).find_map(|seed| run::<OrSet<u64>>(seed << 8 | 1, Some(fault), &mut reached).err());
    found.unwrap_or_else(|| panic!("{fault:?} goes unnoticed: {reached:?}"))
}

#[test]
fn telling_seen_as_received_is_caught_by_the_effect_of_what_was_received() {
    // At rest or before: a record that is never asked for again.
    let what = caught(Fault::ReceivedIsSeen);
    assert!(what.contains("is not the effect of what was received") || what.contains("in part"), "{what}");
}

#[test]
fn uniting_before_the_finish_is_caught_by_the_effect_of_what_was_received() {
    let what = caught(Fault::UnitedBeforeFinish);
    assert!(what.contains("is not the effect of what was received"), "{what}");
}

#[test]
fn uniting_per_chunk_is_caught_by_the_effect_of_what_was_received() {
    let what = caught(Fault::UnitedPerChunk);
    assert!(what.contains("is not the effect of what was received"), "{what}");
}

#[test]
fn a_finish_believed_without_proof_is_caught_by_the_effect_of_what_was_received() {
    let what = caught(Fault::FinishWithoutProof);
    assert!(what.contains("is not the effect of what was received"), "{what}");
}

#[test]
fn retired_since_and_unnamed_is_caught_by_the_effect_of_what_was_received() {
    let what = caught(Fault::RetiredSinceUnnamed);
    assert!(what.contains("is not the effect of what was received") || what.contains("a sum was wrong"), "{what}");
}

#[test]
fn a_sketch_over_all_that_is_live_is_caught_as_a_repair_that_never_ends() {
    // Dots outside what both have seen have no place in the alphabet: the sketch is never read off, so the sum in Finish
    // is never reached, and nothing wrong is merged.
    let what = caught(Fault::SketchOverLive);
    assert!(what.contains("is not the merge of all"), "{what}");
}
