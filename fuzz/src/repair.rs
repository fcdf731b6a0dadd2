//! Two honest replicas, and a peer of one of them that means harm: it sends bytes
//! from anywhere, messages that are well-formed and make no sense, and what it was
//! sent a while ago. Nothing may panic, what is held stays bounded, and once that
//! peer is gone the honest two agree.
//!
//! Members of a scope are trusted not to forge each other's dots, so the messages
//! that are made up are about dots of ids that nobody honest writes under. Frames
//! that were overheard and changed may well be forgeries; then the honest two lose
//! what was forged and still agree in the end.

use crdt_core::{Causal, Dot, DotSet, OrSet, ReplicaId, Timestamp, Writer};
use crdt_sync::{
    CancelReason, Cell, Config, Finish, FrameError, FrameWriter, Hello, LinkKind, Loaded, MemoryStorage, Message, Now,
    Open, Own, Payload, PeerId, Plan, Record, Refuse, RefuseReason, RepairId, Replica, ScopeId, Steady, Storage,
    SummaryOf, Wall,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

type Set = OrSet<u64>;

const SCOPE: ScopeId = ScopeId::from_bytes(*b"a scope of tests");
const HONEST: PeerId = PeerId(1);

/// More steps find nothing that fewer do not, only later.
const STEPS_MAX: usize = 300;

/// What the whole machine may hold, far above what an honest history of this length needs.
const HELD_MAX: usize = 32 << 20;

/// Bytes of a script, as numbers; zeros past its end.
struct Script<'s>(&'s [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        u64::from(self.byte()) % bound
    }

    fn wide(&mut self) -> u64 {
        match self.byte() {
            byte @ 0..=249 => u64::from(byte),
            250 => 1 << 31,
            251 => 1 << 48,
            252 => u64::MAX,
            253 => u64::MAX - 1,
            _ => u64::from(self.byte()) << 24 | u64::from(self.byte()),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes.to_vec()
    }

    /// An id that nobody honest writes under.
    fn id(&mut self) -> ReplicaId {
        ReplicaId::from_u128(100 + u128::from(self.byte() % 4))
    }

    fn dots(&mut self) -> DotSet {
        let mut dots = DotSet::new();
        for _ in 0..self.below(4) {
            let (id, first) = (self.id(), 1 + self.wide() % (1 << 47));
            dots.insert_run(id, first, first + self.below(9));
        }
        dots
    }
}

struct Node {
    replica: Replica<Set>,
    disk: MemoryStorage,
}

impl Node {
    fn new(id: u128, now: Now) -> Self {
        let mut config = Config::new(SCOPE);
        // A frame that was overheard and changed may be another value under an honest replica's dot. Only a hash of the
        // content shows that; it need not take ten minutes.
        config.timing.content_hash_every = Duration::from_secs(30);
        let replica = Replica::open(Loaded::default(), config, ReplicaId::from_u128(id), [id as u8; 32], now)
            .expect("nothing was loaded");
        Self { replica, disk: MemoryStorage::new() }
    }

    /// Commits and fetches until nothing is asked for, and returns what is to be sent.
    fn drain(&mut self, now: Now) -> Vec<(PeerId, Vec<u8>)> {
        let mut sent = Vec::new();
        loop {
            let mut idle = true;
            while let Some(persist) = self.replica.poll_persist() {
                self.disk.commit(&[persist.batch]).expect("memory does not fail");
                self.replica.durable(persist.ticket, now);
                idle = false;
            }
            while let Some(fetch) = self.replica.poll_fetch() {
                let records = self.disk.records(&fetch.dots, fetch.bytes_max).expect("memory does not fail");
                self.replica.fetched(fetch.id, records, now);
                idle = false;
            }
            while let Some(transmit) = self.replica.poll_transmit() {
                sent.push((transmit.peer, transmit.frame));
                idle = false;
            }
            while self.replica.poll_event().is_some() {}
            if idle {
                return sent;
            }
        }
    }
}

struct World {
    ms: u64,
    victim: Node,
    friend: Node,
    /// Frames between the honest two, by whom they are for.
    to_friend: VecDeque<Vec<u8>>,
    to_victim: VecDeque<Vec<u8>>,
    /// What the bad peer was sent, and what it writes with.
    overheard: Vec<Vec<u8>>,
    writer: FrameWriter,
    link: LinkKind,
    /// The bad peer's link, each time another.
    bad: PeerId,
    is_up: bool,
    repairs: Vec<u64>,
    tally: Tally,
}

/// What became of the bad peer's frames.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Taken in.
    pub accepted: u32,
    /// Turned down.
    pub refused: u32,
    /// Answers that it got.
    pub answers: u32,
}

impl World {
    fn new(link: LinkKind) -> Self {
        let now = at(0);
        let mut world = Self {
            ms: 0,
            victim: Node::new(1, now),
            friend: Node::new(2, now),
            to_friend: VecDeque::new(),
            to_victim: VecDeque::new(),
            overheard: Vec::new(),
            writer: FrameWriter::new(link, SCOPE, &Config::new(SCOPE).limits),
            link,
            bad: HONEST,
            is_up: false,
            repairs: vec![0, 1],
            tally: Tally::default(),
        };
        world.victim.replica.peer_up(HONEST, LinkKind::Stream, now);
        world.friend.replica.peer_up(HONEST, LinkKind::Stream, now);
        world
    }

    fn now(&self) -> Now {
        at(self.ms)
    }

    fn drain(&mut self) {
        let now = self.now();
        for (peer, frame) in self.victim.drain(now) {
            if peer == HONEST {
                self.to_friend.push_back(frame);
                continue;
            }
            self.tally.answers += 1;
            if self.overheard.len() < 64 {
                self.overheard.push(frame);
            }
        }
        let frames = self.friend.drain(now);
        self.to_victim.extend(frames.into_iter().map(|(_, frame)| frame));
    }

    fn deliver(&mut self, most: usize) {
        for _ in 0..most {
            let now = self.now();
            if let Some(frame) = self.to_friend.pop_front() {
                self.friend.replica.handle_message(HONEST, &frame, now).expect("honest frames are accepted");
            }
            if let Some(frame) = self.to_victim.pop_front() {
                self.victim.replica.handle_message(HONEST, &frame, now).expect("honest frames are accepted");
            }
            self.drain();
            if self.to_friend.is_empty() && self.to_victim.is_empty() {
                return;
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        self.ms += ms;
        let now = self.now();
        for node in [&mut self.victim, &mut self.friend] {
            if node.replica.poll_timeout().is_some_and(|due| due <= now.steady) {
                node.replica.handle_timeout(now);
            }
        }
        self.drain();
    }

    fn bad_up(&mut self) {
        let now = self.now();
        self.bad_down();
        self.bad = PeerId(self.bad.0 + 1);
        self.victim.replica.peer_up(self.bad, self.link, now);
        self.writer = FrameWriter::new(self.link, SCOPE, &Config::new(SCOPE).limits);
        self.is_up = true;
        let mut open = Open::new(ReplicaId::from_u128(100), 7, &Config::new(SCOPE));
        open.instance = self.ms;
        self.send(&Message::Open(open));
    }

    fn bad_down(&mut self) {
        if self.is_up {
            self.victim.replica.peer_down(self.bad, self.now());
            self.is_up = false;
            self.drain();
        }
    }

    fn send(&mut self, message: &Message<Set>) {
        let frame = self.writer.write(message);
        self.send_bytes(&frame);
    }

    fn send_bytes(&mut self, frame: &[u8]) {
        let before = self.victim.replica.state().encode();
        let result = self.victim.replica.handle_message(self.bad, frame, self.now());
        self.tally.accepted += u32::from(result.is_ok());
        self.tally.refused += u32::from(result.is_err());
        if result.is_err() {
            assert_eq!(self.victim.replica.state().encode(), before, "a frame was refused, and changed the state");
        }
        self.drain();
        if result == Err(FrameError::Closed) {
            // It was shut out, and comes back.
            self.bad_up();
        }
        let stats = self.victim.replica.stats();
        let held = stats.parked_bytes + stats.held_bytes;
        assert!(held < HELD_MAX, "{held} bytes are held");
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 | 1 => {
                let (key, now) = (script.wide() % 64, self.now());
                let _ = self.victim.replica.edit(now, |set| set.insert(key));
            }
            2 => {
                let (key, now) = (script.wide() % 64, self.now());
                let _ = self.victim.replica.edit(now, |set| set.remove(&key));
            }
            3 => {
                let (key, now) = (script.wide() % 64, self.now());
                let _ = self
                    .friend
                    .replica
                    .edit(now, |set| if key % 3 == 0 { set.remove(&key) } else { usize::from(set.insert(key)) });
            }
            4 | 5 => self.wait(40 * script.wide().min(1_000)),
            6 => {
                let most = script.below(40) as usize;
                self.deliver(most);
            }
            7 => self.bad_up(),
            8 => self.bad_down(),
            9 => {
                let bytes = script.bytes();
                self.send_bytes(&bytes);
            }
            10 => {
                // What it was sent, perhaps changed.
                let (which, at, with) = (usize::from(script.byte()), usize::from(script.byte()), script.byte());
                if !self.overheard.is_empty() {
                    let mut frame = self.overheard[which % self.overheard.len()].clone();
                    let len = frame.len();
                    frame[at % len] ^= with;
                    self.send_bytes(&frame);
                }
            }
            11 => {
                let now = self.now();
                self.victim.replica.repair_with(if script.byte() & 1 == 0 { self.bad } else { HONEST }, now);
            }
            _ => {
                let message = self.message(script);
                self.send(&message);
            }
        }
        self.drain();
    }

    fn repair(&mut self, script: &mut Script<'_>) -> RepairId {
        let which = usize::from(script.byte());
        RepairId(if which & 1 == 0 { self.repairs[which / 2 % self.repairs.len()] } else { script.wide() })
    }

    fn summary(&mut self, script: &mut Script<'_>, repair: RepairId) -> SummaryOf {
        let plans = [Plan::Ask, Plan::Log, Plan::Sketch, Plan::LiveSet, Plan::Whole];
        SummaryOf {
            repair,
            plan: plans[script.below(5) as usize],
            base: (script.byte() > 200).then(|| script.wide()),
            received: script.dots(),
            ahead: script.dots(),
            frontier: script.dots(),
            live_count: script.wide(),
            staged: script.dots(),
            retired: (script.below(2), script.wide()),
            left_out: (script.byte() > 200).then(|| script.dots()),
            sketch_key: script.wide(),
        }
    }

    /// A message that is well-formed and makes no sense.
    fn message(&mut self, script: &mut Script<'_>) -> Message<Set> {
        let repair = self.repair(script);
        if self.repairs.len() < 8 {
            self.repairs.push(repair.0);
        }
        match script.byte() % 20 {
            0 | 1 => Message::Push((0..script.below(4)).map(|_| record(script)).collect()),
            2 => Message::Have(script.dots()),
            3 => Message::Want(script.dots()),
            4 => Message::NotInLog(script.dots()),
            5 => {
                if script.byte() & 1 == 0 {
                    Message::Prune
                } else {
                    Message::Graft
                }
            }
            6 => {
                let summary = (script.byte() & 1 == 0).then(|| Box::new(self.summary(script, repair)));
                let mut hello = Hello {
                    repair,
                    received_hash: script.wide(),
                    state_hash: script.wide(),
                    summary,
                    content_hash: None,
                };
                if script.byte() > 220 {
                    hello.content_hash = Some(u128::from(script.wide()));
                }
                Message::Hello(hello)
            }
            7 => Message::Same(repair),
            8 | 9 => Message::Summary(Box::new(self.summary(script, repair))),
            10 => {
                let mut state = Causal::<Set>::new();
                let (id, last) = (script.id(), script.wide() % (1 << 47));
                let mut writer = Writer::resume(id, last);
                for _ in 0..script.below(5) {
                    let key = script.wide();
                    let _ = state.edit(&mut writer, |set| set.insert(key));
                }
                Message::Entries { repair, index: script.below(4) as u32, entries: state.restrict(state.seen()) }
            }
            11 => {
                let cell = |script: &mut Script<'_>| Cell {
                    symbol: u128::from(script.wide()) << (script.byte() & 64),
                    check: script.wide() as u32,
                    count: script.byte(),
                };
                let cells = (0..script.below(24)).map(|_| cell(script)).collect();
                Message::Cells { repair, from: script.wide() as u32, cells }
            }
            12 => Message::LiveSet { repair, live: script.dots() },
            13 => Message::More { repair, from: script.wide() as u32, count: (script.wide() % 4_097) as u32 },
            14 => Message::Finish(Box::new(Finish {
                repair,
                since: script.dots(),
                since_ahead: script.dots(),
                frontier: script.dots(),
                kept: script.dots(),
                retired: script.dots(),
                entry_count: script.wide(),
                entry_hash: script.wide(),
                check: script.wide(),
            })),
            15 => Message::Done { repair, check: script.wide() },
            16 => {
                let reasons = [CancelReason::Idle, CancelReason::Partial, CancelReason::Superseded, CancelReason::Busy];
                Message::Cancel { repair, reason: reasons[script.below(4) as usize] }
            }
            17 => Message::Known(vec![(script.id(), script.dots())]),
            18 => match script.byte() % 5 {
                0 => Message::Retirements(vec![(script.id(), script.wide() % (1 << 48))]),
                1 => Message::Borrow,
                2 => Message::Lent { replica: script.id(), next: script.wide() % (1 << 48) },
                3 => Message::Return { replica: script.id(), last: script.wide() % (1 << 48) },
                _ => Message::Write(script.bytes()),
            },
            _ => match script.byte() % 4 {
                0 => Message::Gossip(script.bytes()),
                1 => {
                    let reasons = [RefuseReason::Busy, RefuseReason::Mode, RefuseReason::Malformed];
                    let reason = reasons[script.below(3) as usize];
                    Message::Refuse(Refuse { reason, kind: script.byte(), detail: String::new() })
                }
                _ => Message::Open(Open::new(script.id(), script.wide(), &Config::new(SCOPE))),
            },
        }
    }

    /// The bad peer is gone; the honest two have all the time they need.
    fn end(mut self) {
        self.bad_down();
        for round in 0..400 {
            let now = self.now();
            if round % 40 == 5 {
                self.victim.replica.repair_with(HONEST, now);
            }
            self.wait(1_000);
            self.deliver(10_000);
            let (here, there) = (&self.victim.replica, &self.friend.replica);
            if round > 30 && here.received() == there.received() && here.state().encode() == there.state().encode() {
                return;
            }
        }
        let (here, there) = (&self.victim.replica, &self.friend.replica);
        panic!(
            "the honest two do not agree:\nreceived {:?}\n     and {:?}\nlive {:?}\n and {:?}",
            here.received(),
            there.received(),
            here.state().live(),
            there.state().live(),
        );
    }
}

fn at(ms: u64) -> Now {
    Now { steady: Steady(ms), wall: Wall(1_790_000_000_000 + ms) }
}

fn record(script: &mut Script<'_>) -> Arc<Record<Set>> {
    let (id, last) = (script.id(), script.wide() % (1 << 47));
    let own = Own { replica: id, first: last + 1, last: last + 1 };
    let mut state = Causal::<Set>::new();
    let key = script.wide() % 64;
    let (delta, _) = state.edit(&mut Writer::resume(id, last), |set| set.insert(key));
    let retired = script.dots().difference(&own.to_dot_set());
    let payload = match script.byte() % 4 {
        0 => Payload::Retire { replica: script.id(), last: script.wide() % (1 << 48) },
        1 => Payload::Edit(crdt_core::Delta::retiring(own.to_dot_set(), retired)),
        _ => Payload::Edit(delta),
    };
    let mut after = script.dots();
    if let Some(dot) = Dot::new(script.id(), 1 + script.below(5)) {
        after.insert(dot);
    }
    let after = if script.byte() & 1 == 0 { DotSet::new() } else { after };
    Arc::new(Record { own, after, time: Timestamp::new(script.wide(), 0), payload, extensions: Vec::new() })
}

/// Plays a script. Its first byte chooses the bad peer's kind of link.
pub fn check(input: &[u8]) -> Tally {
    let Some((first, rest)) = input.split_first() else { return Tally::default() };
    let link = [LinkKind::Stream, LinkKind::Datagram, LinkKind::Hint][usize::from(*first) % 3];
    let mut world = World::new(link);
    let mut script = Script(rest);
    world.bad_up();
    for _ in 0..STEPS_MAX {
        if script.0.is_empty() {
            break;
        }
        world.step(&mut script);
    }
    let tally = world.tally;
    world.end();
    tally
}
