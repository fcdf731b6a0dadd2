//! Fifteen replicas in one shape or another: how soon all have what one writes, and how often a record travels. And two
//! that drifted apart: how many round trips it takes to be equal again.
//!
//! Time goes in rounds of ten milliseconds: whatever is sent in one arrives in the next, and each disk is quick.

use crate::row::{Row, Target::*};
use crate::workload::Random;
use crate::{Job, Who};
use crdt_core::{OrSet, ReplicaId};
use crdt_sync::{Config, LinkKind, Loaded, Now, PeerId, Replica, ScopeId, Steady, Wall};
use std::collections::BTreeMap;

const REPLICAS: usize = 15;
const ROUND_MS: u64 = 10;
/// Edits that form the tree before rounds are counted.
const FORMING: usize = 90;
/// Pairs that drift apart.
const PAIRS: u64 = 400;

macro_rules! shapes {
    ($($pairs:ident: $rounds:ident $redundancy:ident $name:literal $work:literal $soonest:expr, $often:expr;)+) => {
        $(
            static $rounds: Row = Row::count(concat!("sync/rounds-", $name), concat!("15 replicas, ", $work, ": rounds until all have an edit, the slowest"), $soonest);
            static $redundancy: Row = Row::ratio(concat!("sync/redundancy-", $name), "the same: records that came ÷ records that had to, from the first link on", $often);
        )+

        fn shape_jobs() -> Vec<Job> {
            vec![$(
                Job::count(&$rounds, Who::Ours, || spread($pairs()).0),
                Job::count(&$redundancy, Who::Ours, || spread($pairs()).1),
            )+]
        }
    };
}

shapes! {
    star: ROUNDS_STAR REDUNDANCY_STAR "star" "all linked to one" AtMost(2.0), AtMost(1.05);
    tree: ROUNDS_TREE REDUNDANCY_TREE "tree" "a tree of two branches each" AtMost(6.0), AtMost(1.05);
    line: ROUNDS_LINE REDUNDANCY_LINE "line" "each linked to the next" AtMost(14.0), AtMost(1.05);
    ring: ROUNDS_RING REDUNDANCY_RING "ring" "a line whose ends meet" Open, Open;
    mesh: ROUNDS_MESH REDUNDANCY_MESH "mesh" "four links each" Open, AtMost(3.3);
}

static TRIPS: Row = Row::count(
    "sync/round-trips-p50",
    "a repair when a link comes up, each side up to 20 edits ahead: round trips until both have committed, median of 400",
    AtMost(1.5),
);
static TRIPS_P99: Row = Row::count("sync/round-trips-p99", "the same, of a hundred the slowest but one", AtMost(3.0));

fn star() -> Vec<(usize, usize)> {
    (1..REPLICAS).map(|leaf| (0, leaf)).collect()
}

fn tree() -> Vec<(usize, usize)> {
    (1..REPLICAS).map(|child| ((child - 1) / 2, child)).collect()
}

fn line() -> Vec<(usize, usize)> {
    (1..REPLICAS).map(|next| (next - 1, next)).collect()
}

fn ring() -> Vec<(usize, usize)> {
    line().into_iter().chain([(0, REPLICAS - 1)]).collect()
}

fn mesh() -> Vec<(usize, usize)> {
    (0..REPLICAS).flat_map(|one| [1, 2].map(|step| (one, (one + step) % REPLICAS))).collect()
}

/// Replicas and the links between them.
struct Group {
    replicas: Vec<Replica<OrSet<u64>>>,
    /// From one end of a link to the other.
    ends: BTreeMap<(usize, PeerId), (usize, PeerId)>,
    wires: Vec<(usize, PeerId, Vec<u8>)>,
    ms: u64,
}

impl Group {
    fn new(count: usize, pairs: &[(usize, usize)], seed: u64, adapt: fn(&mut Config)) -> Self {
        let mut random = Random::new(seed);
        let mut group = Self { replicas: Vec::new(), ends: BTreeMap::new(), wires: Vec::new(), ms: 0 };
        for _ in 0..count {
            let mut config = Config::new(ScopeId::from_bytes([7; 16]));
            adapt(&mut config);
            let id = ReplicaId::from_u128(u128::from(random.bits()) << 64 | u128::from(random.bits()));
            let mut draws = [0; 32];
            draws.chunks_mut(8).for_each(|word| word.copy_from_slice(&random.bits().to_le_bytes()));
            let replica = Replica::open(Loaded::default(), config, id, draws, group.now()).expect("a new store");
            group.replicas.push(replica);
        }
        pairs.iter().for_each(|(one, other)| group.link(*one, *other));
        group
    }

    fn link(&mut self, one: usize, other: usize) {
        let (here, there) = ((one, self.peer()), (other, self.peer()));
        self.ends.extend([(here, there), (there, here)]);
        for (at, link) in [here, there] {
            let now = self.now();
            self.replicas[at].peer_up(link, LinkKind::Stream, now);
            self.send(at);
        }
    }

    fn unlink_all(&mut self) {
        let now = self.now();
        for (at, link) in std::mem::take(&mut self.ends).into_keys() {
            self.replicas[at].peer_down(link, now);
        }
        self.wires.clear();
    }

    /// A name that no link has yet.
    fn peer(&mut self) -> PeerId {
        self.ms += 1;
        PeerId(self.ms)
    }

    fn now(&self) -> Now {
        Now { steady: Steady(self.ms), wall: Wall(crate::workload::wall_ms(0) + self.ms) }
    }

    /// Frames that were sent arrive; says of which kinds they were.
    fn round(&mut self) -> Vec<u8> {
        self.ms += ROUND_MS;
        let now = self.now();
        let arriving = std::mem::take(&mut self.wires);
        let kinds = arriving.iter().map(|(.., frame)| frame[1]).collect();
        for (at, link, frame) in arriving {
            self.replicas[at].handle_message(link, &frame, now).expect("its own frame");
        }
        for at in 0..self.replicas.len() {
            let replica = &mut self.replicas[at];
            if replica.poll_timeout().is_some_and(|due| due <= now.steady) {
                replica.handle_timeout(now);
            }
            self.send(at);
        }
        kinds
    }

    fn send(&mut self, at: usize) {
        let now = self.now();
        let replica = &mut self.replicas[at];
        while let Some(persist) = replica.poll_persist() {
            replica.durable(persist.ticket, now);
        }
        while replica.poll_event().is_some() {}
        while let Some(transmit) = replica.poll_transmit() {
            if let Some((to, link)) = self.ends.get(&(at, transmit.peer)) {
                self.wires.push((*to, *link, transmit.frame));
            }
        }
    }

    fn edit(&mut self, at: usize, f: impl FnOnce(&mut <OrSet<u64> as crdt_core::DotStore>::Cursor<'_>)) {
        let now = self.now();
        self.replicas[at].edit(now, f).expect("room for an edit");
        self.replicas[at].flush(now);
        self.send(at);
    }

    fn all_have(&self, key: u64) -> bool {
        self.replicas.iter().all(|replica| replica.state().contains(&key))
    }
}

/// The most rounds that an edit takes to all, and how often records travel.
fn spread(pairs: Vec<(usize, usize)>) -> (f64, f64) {
    let mut group = Group::new(REPLICAS, &pairs, 5, |_| ());
    (0..100).for_each(|_| drop(group.round()));
    let mut slowest = 0;
    for number in 0..FORMING + REPLICAS {
        let key = number as u64;
        group.edit(number % REPLICAS, |set| {
            set.insert(key);
        });
        let mut rounds = 0;
        while !group.all_have(key) {
            group.round();
            rounds += 1;
        }
        if number >= FORMING {
            slowest = slowest.max(rounds);
        }
        (0..30).for_each(|_| drop(group.round()));
    }
    let of = |count: fn(&crdt_sync::Stats) -> u64| group.replicas.iter().map(|one| count(&one.stats())).sum::<u64>();
    let (fresh, repeated) = (of(|stats| stats.records_fresh), of(|stats| stats.records_repeated));
    (f64::from(slowest), (fresh + repeated) as f64 / fresh as f64)
}

/// Round trips of repairs between pairs, each in a new mood: adds, removals and overwrites on both sides.
fn trips() -> Vec<f64> {
    let mut all: Vec<f64> = (0..PAIRS).map(one_repair).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn one_repair(seed: u64) -> f64 {
    let compared = |config: &mut Config| {
        // As large states do: neither the log nor a whole state, and nobody repairs on its own.
        (config.limits.log_bytes_max, config.limits.whole_bytes_max) = (0, 0);
    };
    let mut random = Random::new(seed ^ 0x5eed);
    let mut group = Group::new(2, &[(0, 1)], seed, compared);
    group.edit(0, |set| {
        (0..400u64).for_each(|key| {
            set.insert(key);
        });
    });
    (0..50).for_each(|_| drop(group.round()));
    assert!(group.all_have(399), "they share what is there");
    group.unlink_all();
    for side in [0, 1] {
        for _ in 0..random.below(21) {
            let (add, key) = (random.below(2) == 0, random.bits() % 600);
            group.edit(side, |set| {
                if add {
                    set.insert(key);
                } else {
                    set.remove(&key);
                }
            });
        }
    }
    group.link(0, 1);
    let mut ways = 0;
    while group.replicas[0].state() != group.replicas[1].state() || ways == 0 {
        // From Hello to the Finish after which both commit; introductions and Done are not counted.
        ways += u32::from(group.round().iter().any(|kind| (8..=15).contains(kind)));
        assert!(group.ms < 100_000, "seed {seed} does not end");
    }
    f64::from(ways) / 2.0
}

pub fn jobs() -> Vec<Job> {
    let mut jobs = shape_jobs();
    jobs.push(Job::count(&TRIPS, Who::Ours, || trips()[PAIRS as usize / 2]));
    jobs.push(Job::count(&TRIPS_P99, Who::Ours, || trips()[PAIRS as usize * 99 / 100]));
    jobs
}
