//! What synchronising costs in bytes, through whole replicas and their frames: the bars that the design was built to.
#![allow(clippy::print_stdout, reason = "the measured bytes are shown beside their bars")]

use crdt_sync::crdt_core::{OrSet, ReplicaId};
use crdt_sync::{Config, LinkKind, Loaded, Now, PeerId, RepairTier, Replica, ScopeId, Steady, Wall};

/// Two replicas, and a link that works while it is up.
struct Duo {
    replicas: [Replica<OrSet<String>>; 2],
    ms: u64,
    link: u64,
    bytes: usize,
    frames: usize,
    /// Who sent what kind of frame, how long: for whoever asks where the bytes go.
    kinds: Vec<(usize, u8, usize)>,
}

/// A string of 16 bytes that no other number has.
fn element(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

impl Duo {
    fn new(configure: impl Fn(&mut Config)) -> Self {
        let replicas = [1u128, 2].map(|id| {
            let mut config = Config::new(ScopeId::from_bytes(*b"bytes in a scope"));
            config.limits.log_memory_bytes_max = config.limits.log_bytes_max;
            configure(&mut config);
            // Ids that look drawn.
            let fresh = ReplicaId::from_u128(id.wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15));
            let now = Now { steady: Steady(0), wall: Wall(1_790_000_000_000) };
            Replica::open(Loaded::default(), config, fresh, [id as u8; 32], now).unwrap()
        });
        Self { replicas, ms: 0, link: 0, bytes: 0, frames: 0, kinds: Vec::new() }
    }

    fn now(&self) -> Now {
        Now { steady: Steady(self.ms), wall: Wall(1_790_000_000_000 + self.ms) }
    }

    fn up(&mut self) {
        self.link += 1;
        let (peer, now) = (PeerId(self.link), self.now());
        self.replicas.iter_mut().for_each(|replica| replica.peer_up(peer, LinkKind::Stream, now));
    }

    fn down(&mut self) {
        let (peer, now) = (PeerId(self.link), self.now());
        self.replicas.iter_mut().for_each(|replica| replica.peer_down(peer, now));
        self.run(false);
    }

    /// Until nothing is on its way; frames are handed over or lost.
    fn run(&mut self, works: bool) {
        loop {
            let mut moved = false;
            for here in [0, 1] {
                let now = self.now();
                while let Some(persist) = self.replicas[here].poll_persist() {
                    self.replicas[here].durable(persist.ticket, now);
                }
                assert!(self.replicas[here].poll_fetch().is_none(), "the whole log is in memory");
                while self.replicas[here].poll_event().is_some() {}
                while let Some(transmit) = self.replicas[here].poll_transmit() {
                    moved = true;
                    if works && transmit.peer == PeerId(self.link) {
                        self.bytes += transmit.frame.len();
                        self.frames += 1;
                        self.kinds.push((here, transmit.frame.get(1).copied().unwrap_or(0), transmit.frame.len()));
                        self.replicas[1 - here].handle_message(transmit.peer, &transmit.frame, now).unwrap();
                    }
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn insert(&mut self, here: usize, numbers: impl IntoIterator<Item = u64>) {
        let now = self.now();
        for number in numbers {
            self.replicas[here].edit(now, |set| set.insert(element(number))).unwrap();
        }
        self.replicas[here].flush(now);
        self.run(true);
    }

    fn remove(&mut self, here: usize, numbers: impl IntoIterator<Item = u64>) {
        let now = self.now();
        for number in numbers {
            self.replicas[here].edit(now, |set| set.remove(&element(number))).unwrap();
        }
        self.replicas[here].flush(now);
        self.run(true);
    }

    /// Both have these; the link is up and knows all ids.
    fn share(&mut self, count: u64) {
        self.up();
        self.run(true);
        for first in (0..count).step_by(2_000) {
            let here = (first / 2_000 % 2) as usize;
            self.insert(here, first..(first + 2_000).min(count));
            self.ms += 1;
        }
        self.contact();
        // Each side has pushed something, so both directions know both ids.
        self.insert(0, [u64::MAX]);
        self.insert(1, [u64::MAX - 1]);
        self.repair();
    }

    fn is_equal(&self) -> bool {
        self.replicas[0].state() == self.replicas[1].state()
    }

    /// Bytes of all frames from when the link comes up until both are equal.
    fn contact(&mut self) -> usize {
        let wholes = self.wholes();
        self.bytes = 0;
        self.frames = 0;
        self.kinds.clear();
        self.up();
        self.run(true);
        assert!(self.is_equal());
        assert_eq!(self.wholes(), wholes, "a whole state was sent");
        self.bytes
    }

    /// The same over a link that is up and lost what was pushed.
    fn repair(&mut self) -> usize {
        let wholes = self.wholes();
        self.bytes = 0;
        self.frames = 0;
        self.kinds.clear();
        let (peer, now) = (PeerId(self.link), self.now());
        self.replicas[0].repair_with(peer, now);
        self.run(true);
        assert!(self.is_equal());
        assert_eq!(self.wholes(), wholes, "a whole state was sent");
        self.bytes
    }

    /// Edits whose pushes are lost.
    fn lose(&mut self, edits: impl FnOnce(&mut Self)) {
        let link = core::mem::replace(&mut self.link, u64::MAX);
        edits(self);
        self.link = link;
    }

    /// States that were sent whole. All that differ here do so by less than a third.
    fn wholes(&self) -> u64 {
        self.replicas.iter().map(|replica| replica.stats().repairs_by(RepairTier::Whole)).sum()
    }

    /// Repairs that used this, as this side counts them.
    fn repaired(&self, tier: RepairTier) -> u64 {
        self.replicas[0].stats().repairs_by(tier)
    }
}

const LOTS: u64 = 20_000;

#[test]
fn finding_out_that_both_are_equal_takes_two_frames_and_at_most_64_bytes() {
    let mut duo = Duo::new(|_| {});
    duo.share(LOTS);
    let bytes = duo.repair();
    assert_eq!(duo.frames, 2);
    assert!(bytes <= 64, "{bytes} bytes");
    println!("in sync: {bytes} B in {} frames", duo.frames);
}

#[test]
fn ten_new_elements_on_each_side_cost_at_most_1_9_times_their_bytes_at_first_contact() {
    let mut duo = Duo::new(|_| {});
    duo.share(LOTS);
    duo.down();
    duo.insert(0, 1_000_000..1_000_010);
    duo.insert(1, 2_000_000..2_000_010);
    let ratio = duo.contact() as f64 / 320.0;
    println!("10 each way, first contact: {ratio:.2} {:?}", duo.kinds);
    assert!(ratio <= 1.9, "{ratio}");
}

#[test]
fn ten_new_elements_on_each_side_cost_at_most_1_4_times_their_bytes_on_a_link_that_knows_the_ids() {
    let mut duo = Duo::new(|_| {});
    duo.share(LOTS);
    duo.lose(|duo| {
        duo.insert(0, 1_000_000..1_000_010);
        duo.insert(1, 2_000_000..2_000_010);
    });
    let ratio = duo.repair() as f64 / 320.0;
    println!("10 each way, ids known: {ratio:.2} {:?}", duo.kinds);
    assert!(ratio <= 1.4, "{ratio}");
}

#[test]
fn a_thousand_new_elements_on_each_side_cost_at_most_1_15_times_their_bytes() {
    let mut duo = Duo::new(|_| {});
    duo.share(LOTS);
    duo.down();
    duo.insert(0, 1_000_000..1_001_000);
    duo.insert(1, 2_000_000..2_001_000);
    let ratio = duo.contact() as f64 / 32_000.0;
    println!("1,000 each way, first contact: {ratio:.3}");
    assert!(ratio <= 1.15, "{ratio}");
}

#[test]
fn past_deletions_cost_nothing() {
    let ratio = |deleted: u64| {
        let mut duo = Duo::new(|_| {});
        duo.share(LOTS);
        duo.remove(0, (0..deleted).map(|n| n * 10));
        assert!(duo.is_equal());
        duo.down();
        duo.insert(0, 1_000_000..1_000_010);
        duo.insert(1, 2_000_000..2_000_010);
        duo.contact() as f64 / 320.0
    };
    let (without, with) = (ratio(0), ratio(LOTS / 10));
    println!("10 each way, first contact, after deletions: {with:.2} (without: {without:.2})");
    assert!(with <= without * 1.05, "{with} instead of {without}");
}

/// Records above this are neither pushed nor logged, so only a repair carries what they did.
fn without_log(config: &mut Config) {
    config.limits.record_bytes_max = 1;
}

/// Both have `count` elements, between which others were, whose dots are retired.
fn full_of_holes(count: u64) -> Duo {
    let mut duo = Duo::new(without_log);
    duo.share(count * 4 / 3);
    let now = duo.now();
    for n in (0..count * 4 / 3).filter(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 == 0) {
        duo.replicas[0].edit(now, |set| set.remove(&element(n))).unwrap();
    }
    duo.replicas[0].flush(now);
    duo.run(true);
    duo.repair();
    duo
}

#[test]
fn a_removal_costs_at_most_25_bytes_in_a_sketch_when_the_log_is_gone_and_20_where_there_are_a_thousand() {
    // A thousand are worth a sketch only among many more: elsewhere a bitmap is shorter.
    for (among, removed, bar) in [(LOTS, 50, 25.0), (LOTS, 100, 25.0), (8 * LOTS, 1_000, 20.0)] {
        let mut duo = full_of_holes(among);
        let sketches = duo.repaired(RepairTier::Sketch);
        let gone: Vec<String> = duo.replicas[0].state().iter().step_by(17).take(removed).cloned().collect();
        duo.lose(|duo| {
            let now = duo.now();
            for element in &gone {
                duo.replicas[0].edit(now, |set| set.remove(element)).unwrap();
            }
            duo.replicas[0].flush(now);
            duo.run(true);
        });
        let all = duo.repair() as f64 / removed as f64;
        let cells: usize = duo.kinds.iter().filter(|(_, kind, _)| *kind == 12).map(|(.., len)| len).sum();
        let each = cells as f64 / removed as f64;
        println!("{removed} removals: {each:.1} B of cells each, {all:.1} B in all, in {} frames", duo.frames);
        assert_eq!(duo.repaired(RepairTier::Sketch), sketches + 1);
        assert!(each <= bar, "{removed} removals: {each} B each");
    }
}

/// Where hardly anything was ever removed, the runs of what is live tell it for less.
#[test]
fn a_removal_costs_at_most_6_bytes_where_there_are_few_holes() {
    let mut duo = Duo::new(without_log);
    duo.share(LOTS);
    let before = duo.repaired(RepairTier::LiveSet);
    duo.lose(|duo| duo.remove(0, (0..200).map(|n| n * 7)));
    let each = duo.repair() as f64 / 200.0;
    println!("200 removals, few holes: {each:.1} B each in all");
    assert!(each <= 6.0, "{each} B");
    assert_eq!(duo.repaired(RepairTier::LiveSet), before + 1);
}

#[test]
fn half_a_thousand_additions_and_removals_cost_at_most_10_kb_of_metadata() {
    let mut duo = full_of_holes(69_940);
    let gone: Vec<String> = duo.replicas[1].state().iter().step_by(11).take(499).cloned().collect();
    duo.lose(|duo| {
        duo.insert(0, 1_000_000..1_000_499);
        let now = duo.now();
        for element in &gone {
            duo.replicas[1].edit(now, |set| set.remove(element)).unwrap();
        }
        duo.replicas[1].flush(now);
        duo.run(true);
    });
    let metadata = duo.repair() - 499 * 16;
    println!("499 additions and 499 removals: {metadata} B of metadata in {} frames", duo.frames);
    assert!(metadata <= 10_000, "{metadata} B");
}

/// How long the Hello is with which a repair begins, where so many of a hundred writers went on since the last one.
fn hello_after(changed: usize) -> usize {
    let mut duo = Duo::new(|_| {});
    let now = duo.now();
    let mut writers: Vec<Replica<OrSet<String>>> = (1..=100u128)
        .map(|n| {
            let id = ReplicaId::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_2545_f491_4f6c_dd1d));
            let config = Config::new(ScopeId::from_bytes(*b"bytes in a scope"));
            Replica::open(Loaded::default(), config, id, [n as u8; 32], now).unwrap()
        })
        .collect();
    let write = |duo: &mut Duo, writer: &mut Replica<OrSet<String>>, times: u64| {
        for _ in 0..times {
            let number = u64::from(writer.id().to_bytes()[15]) << 32 | writer.received().len();
            writer.edit(now, |set| set.insert(element(number))).unwrap();
        }
        writer.flush(now);
        while let Some(persist) = writer.poll_persist() {
            writer.durable(persist.ticket, now);
        }
        let (parcel, _) = writer.export_all(now).unwrap();
        duo.replicas[0].import(&parcel, now).unwrap();
        duo.run(true);
    };
    writers.iter_mut().for_each(|writer| write(&mut duo, writer, 40));
    // One that comes after all of them.
    duo.insert(0, [u64::MAX]);
    duo.up();
    duo.run(true);
    duo.repair();
    duo.lose(|duo| writers[..changed].iter_mut().for_each(|writer| write(duo, writer, 3)));
    duo.repair();
    let (_, kind, len) = duo.kinds[0];
    assert_eq!(kind, 8);
    len
}

/// Against a summary that both had, one lists only what changed. The bar was 2 bytes for each replica; 3 is what is reached:
/// its index, its last dot, and that there is no gap, and a bit where that dot is a maximal one. One byte less would take a
/// form of its own for sets without gaps.
#[test]
fn a_summary_against_the_agreed_one_costs_3_bytes_for_each_replica_that_changed() {
    let (few, many) = (hello_after(10), hello_after(60));
    let each = (many - few) as f64 / 50.0;
    println!("a Hello where 10 replicas of 100 changed {few} B, 60 {many} B: {each:.2} B each");
    assert!(each <= 3.2, "{each}");
}
