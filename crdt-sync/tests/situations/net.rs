//! A few replicas on a perfect network, driven by hand: for situations that are told step by step. Whatever is random
//! is the simulator's.

use std::collections::{BTreeMap, VecDeque};

use crdt_core::{Counter, MvRegister, OrMap, OrSet, ReplicaId};
use crdt_sync::{
    Config, Event, FrameError, FrameReader, FrameWriter, LinkKind, MemoryStorage, Message, Now, Open, PeerId, Replica,
    ScopeId, Steady, Storage, Wall,
};

crdt_core::fields! {
    pub(crate) struct Shop { items: OrMap<String, Counter>, tags: OrSet<String>, note: MvRegister<String> }
}

/// Somebody at a link whose frames the test writes.
pub(crate) struct Stranger {
    at: usize,
    pub(crate) link: PeerId,
    writer: FrameWriter,
    /// What was said to it since it last spoke.
    pub(crate) told: Vec<Message<Shop>>,
}

/// Replicas, each with a store in memory, and a network that delivers everything in order.
pub(crate) struct Net {
    pub(crate) replicas: Vec<(Replica<Shop>, MemoryStorage)>,
    /// The links of each: its name here, who is at the other end, and its name there.
    ends: Vec<Vec<(PeerId, usize, PeerId)>>,
    wires: VecDeque<(usize, PeerId, Vec<u8>)>,
    time: u64,
    pub(crate) events: Vec<Vec<Event>>,
    /// Disks that take batches and do not say that they are durable.
    pub(crate) stuck: Vec<bool>,
    links: u64,
    /// All frames that each has sent.
    pub(crate) heard: Vec<Vec<Vec<u8>>>,
    strangers: u64,
    to_strangers: BTreeMap<PeerId, Vec<Vec<u8>>>,
    readers: BTreeMap<PeerId, FrameReader>,
    /// Bytes of identities and of tables of the retired that each has had written, and in how many batches.
    pub(crate) written: Vec<(usize, usize)>,
    /// Disks that do not answer questions for records.
    pub(crate) unread: Vec<bool>,
}

impl Net {
    pub(crate) fn new(count: usize) -> Self {
        Self::with(count, |_, config| config)
    }

    /// Replicas whose configuration is adapted by `adapt`.
    pub(crate) fn with(count: usize, adapt: impl Fn(usize, Config) -> Config) -> Self {
        let mut net = Self {
            replicas: Vec::new(),
            ends: vec![Vec::new(); count],
            wires: VecDeque::new(),
            time: 1_000,
            events: vec![Vec::new(); count],
            links: 0,
            heard: vec![Vec::new(); count],
            strangers: 1,
            to_strangers: BTreeMap::new(),
            readers: BTreeMap::new(),
            written: vec![(0, 0); count],
            unread: vec![false; count],
            stuck: vec![false; count],
        };
        for at in 0..count {
            let mut store = MemoryStorage::new();
            let config = Config { report_changes: true, ..Config::new(ScopeId::from_bytes([7; 16])) };
            let config = adapt(at, config);
            let id = ReplicaId::from_u128(at as u128 + 1);
            let replica = Replica::open(store.load().unwrap(), config, id, [at as u8; 32], net.now()).unwrap();
            net.replicas.push((replica, store));
        }
        net.drain();
        net
    }

    pub(crate) fn now(&self) -> Now {
        Now { steady: Steady(self.time), wall: Wall(1_700_000_000_000 + self.time) }
    }

    pub(crate) fn link(&mut self, a: usize, b: usize) {
        let (end_a, end_b) = (PeerId(self.links), PeerId(self.links + 1));
        self.links += 2;
        self.ends[a].push((end_a, b, end_b));
        self.ends[b].push((end_b, a, end_a));
        let now = self.now();
        self.replicas[a].0.peer_up(end_a, LinkKind::Stream, now);
        self.replicas[b].0.peer_up(end_b, LinkKind::Stream, now);
        self.drain();
    }

    /// Some peer that comes and goes tells a replica who is retired.
    pub(crate) fn tell_retirements(&mut self, at: usize, rows: Vec<(ReplicaId, u64)>) {
        let mut stranger = self.stranger(at, u128::MAX);
        self.say(&mut stranger, Message::Retirements(rows));
        let now = self.now();
        self.replicas[at].0.peer_down(stranger.link, now);
        self.drain();
    }

    /// Somebody whose frames are written by the test has introduced itself on a link of its own.
    pub(crate) fn stranger(&mut self, at: usize, id: u128) -> Stranger {
        self.strangers += 1;
        let (now, link) = (self.now(), PeerId(u64::MAX - self.strangers));
        let config = self.replicas[at].0.config().clone();
        let mut open = Open::new(ReplicaId::from_u128(id), 1, &config);
        open.schema = <Shop as crdt_core::DotStore>::KIND as u64;
        let writer = FrameWriter::new(LinkKind::Stream, config.scope, &config.limits);
        let mut reader = FrameReader::new(LinkKind::Stream, config.scope, &config.limits);
        let mut stranger = Stranger { at, link, writer, told: Vec::new() };
        self.replicas[at].0.peer_up(link, LinkKind::Stream, now);
        self.say(&mut stranger, Message::Open(open));
        // What was said to it so far has its ids in the dictionary of that link.
        stranger.told = self.told(&stranger, &mut reader);
        self.readers.insert(link, reader);
        stranger
    }

    /// Says something in a stranger's name; what the replica answers, it is told.
    pub(crate) fn say(&mut self, stranger: &mut Stranger, message: Message<Shop>) {
        self.try_say(stranger, message).unwrap();
    }

    /// The same with something that may be refused.
    pub(crate) fn try_say(&mut self, stranger: &mut Stranger, message: Message<Shop>) -> Result<(), FrameError> {
        let (now, frame) = (self.now(), stranger.writer.write(&message));
        let outcome = self.replicas[stranger.at].0.handle_message(stranger.link, &frame, now);
        self.drain();
        if let Some(mut reader) = self.readers.remove(&stranger.link) {
            stranger.told = self.told(stranger, &mut reader);
            self.readers.insert(stranger.link, reader);
        }
        outcome
    }

    fn told(&mut self, stranger: &Stranger, reader: &mut FrameReader) -> Vec<Message<Shop>> {
        let frames = self.to_strangers.remove(&stranger.link).unwrap_or_default();
        frames.iter().filter_map(|frame| reader.read(frame).unwrap()).collect()
    }

    /// A stranger sends frames on a link of its own.
    pub(crate) fn replay(&mut self, at: usize, frames: &[Vec<u8>]) {
        let (now, link) = (self.now(), PeerId(u64::MAX - 1));
        self.replicas[at].0.peer_up(link, LinkKind::Stream, now);
        for frame in frames {
            let _ = self.replicas[at].0.handle_message(link, frame, now);
            self.drain();
        }
        self.replicas[at].0.peer_down(link, now);
        self.drain();
    }

    /// The name that a link has at one of its ends.
    pub(crate) fn link_to(&self, at: usize, other: usize) -> PeerId {
        self.ends[at].iter().find(|(_, end, _)| *end == other).expect("linked").0
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        let now = self.now();
        for (here, there) in [(a, b), (b, a)] {
            let (gone, kept): (Vec<_>, Vec<_>) = self.ends[here].iter().partition(|(_, other, _)| *other == there);
            self.ends[here] = kept;
            for (link, ..) in gone {
                self.wires.retain(|(to, end, _)| (*to, *end) != (here, link));
                self.replicas[here].0.peer_down(link, now);
            }
        }
        self.drain();
    }

    /// Drains all outputs and delivers all frames, until nothing moves.
    pub(crate) fn drain(&mut self) {
        loop {
            for at in 0..self.replicas.len() {
                let now = self.now();
                let (replica, store) = &mut self.replicas[at];
                while let Some(persist) = replica.poll_persist() {
                    let identity = persist.batch.meta.as_ref().map_or(0, |meta| meta.encode().len());
                    self.written[at].0 += identity + 24 * persist.batch.retired.len();
                    self.written[at].1 += 1;
                    store.commit(std::slice::from_ref(&persist.batch)).unwrap();
                    if !self.stuck[at] {
                        replica.durable(persist.ticket, now);
                    }
                }
                while let Some(fetch) = replica.poll_fetch().filter(|_| !self.unread[at]) {
                    let records = store.records(&fetch.dots, fetch.bytes_max).unwrap();
                    replica.fetched(fetch.id, records, now);
                }
                while let Some(transmit) = replica.poll_transmit() {
                    self.heard[at].push(transmit.frame.clone());
                    if let Some((_, to, end)) = self.ends[at].iter().find(|(link, ..)| *link == transmit.peer) {
                        self.wires.push_back((*to, *end, transmit.frame));
                    } else {
                        self.to_strangers.entry(transmit.peer).or_default().push(transmit.frame);
                    }
                }
                while let Some(event) = replica.poll_event() {
                    self.events[at].push(event);
                }
            }
            let Some((to, end, frame)) = self.wires.pop_front() else { break };
            let now = self.now();
            // What is refused is reported as an event.
            let _ = self.replicas[to].0.handle_message(end, &frame, now);
        }
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.time + ms;
        loop {
            let due = self.replicas.iter().filter_map(|(replica, _)| replica.poll_timeout()).min();
            match due {
                Some(due) if due.0 <= until => self.time = self.time.max(due.0),
                _ => break,
            }
            let now = self.now();
            for at in 0..self.replicas.len() {
                if self.replicas[at].0.poll_timeout().is_some_and(|due| due <= now.steady) {
                    self.replicas[at].0.handle_timeout(now);
                }
            }
            self.drain();
        }
        self.time = until;
    }

    pub(crate) fn edit(&mut self, at: usize, f: impl FnOnce(&mut <Shop as crdt_core::DotStore>::Cursor<'_>)) {
        let now = self.now();
        self.replicas[at].0.edit(now, f).unwrap();
        self.drain();
    }

    /// The process of a replica dies and comes back with what its disk holds. `fresh` is its id if it needs one.
    pub(crate) fn restart(&mut self, at: usize, fresh: u128) {
        let others: Vec<usize> = self.ends[at].iter().map(|(_, other, _)| *other).collect();
        for other in &others {
            self.cut(at, *other);
        }
        let config = self.replicas[at].0.config().clone();
        let loaded = self.replicas[at].1.load().unwrap();
        let id = ReplicaId::from_u128(fresh);
        self.replicas[at].0 = Replica::open(loaded, config, id, [fresh as u8; 32], self.now()).unwrap();
        self.drain();
        for other in others {
            self.link(at, other);
        }
    }

    pub(crate) fn assert_equal(&self) {
        let first = &self.replicas[0].0;
        for (replica, _) in &self.replicas {
            assert_eq!(replica.received(), first.received());
            assert_eq!(replica.frontier(), first.frontier());
            assert_eq!(replica.state().encode(), first.state().encode());
        }
    }
}
