//! The replica behind a lock, and what comes out of it handed on: batches to the disk, frames to links, events to
//! whoever waits.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crdt_core::{DotSet, ReplicaId};

use super::backoff::Refusal;
use super::disk::{Disk, Done, Task};
use super::link::Outgoing;
use super::watch::Watch;
use super::{Data, NodeError, fresh_id, own_dots};
use crate::{EditError, Event, FrameError, Limits, LinkKind, Now, ParcelError, PeerId, Replica, Steady, Ticket, Wall};

/// Events that wait for one subscriber; the oldest make room for new ones.
const EVENTS_MAX: usize = 1_024;

pub(super) struct Core<S: Data> {
    machine: Mutex<Machine<S>>,
    started: Instant,
    pub(super) limits: Limits,
    pub(super) disk: Disk,
    pub(super) durable: Arc<Watch<Durable>>,
    pub(super) have: Arc<Watch<Have>>,
    /// When the machine wants to be called next.
    clock: Arc<Watch<Clock>>,
}

struct Machine<S: Data> {
    replica: Replica<S>,
    links: BTreeMap<PeerId, Outgoing>,
    /// Who said last that it is there.
    ends: BTreeMap<PeerId, ReplicaId>,
    next_peer: u64,
    subscribers: Vec<Weak<Watch<Events>>>,
    /// The newest batch that the disk was given.
    given: Ticket,
    /// Somebody waits for the record that is open: it is closed as soon as the disk is idle.
    urged: bool,
    closed: bool,
    /// Where the membership hears of links.
    #[cfg(feature = "foca")]
    members: Option<tokio::sync::mpsc::Sender<super::tcp::Note>>,
    /// What a relay passes on between the links of a document.
    #[cfg(feature = "relay")]
    presence: Option<super::relay::Presence>,
    #[cfg(feature = "metrics")]
    meter: super::meter::Meter,
    /// What it had done when that was last told.
    #[cfg(feature = "tracing")]
    told: crate::Stats,
}

/// How far the disk is.
#[derive(Debug, Default)]
pub(super) struct Durable {
    pub(super) ticket: Ticket,
    pub(super) failed: Option<String>,
}

/// What other replicas durably have of what was written here, as far as heard: of each replica in the roster, which is
/// bounded, one run for the present id and one for the one before it. Whatever a peer says of others' dots is not kept.
#[derive(Debug, Default)]
pub(super) struct Have {
    pub(super) by: BTreeMap<ReplicaId, DotSet>,
    pub(super) closed: bool,
}

impl Have {
    /// A replica says that it has these. `own` is all that was written here.
    fn note(&mut self, by: ReplicaId, own: &DotSet, has: &DotSet) {
        let Some((me, _, last)) = own.runs().last() else { return };
        let missing = own.difference(has).runs().next().map(|(_, first, _)| first - 1);
        let upto = missing.unwrap_or(last);
        if upto > 0 {
            // A new link starts to count anew, so what it says comes on top of what is known.
            self.by.entry(by).or_default().insert_run(me, 1, upto);
        }
    }

    /// Edits go on under another id: of what was written under all but this one nobody asks any more.
    fn keep(&mut self, lost: ReplicaId) {
        for has in self.by.values_mut() {
            *has = has.runs().filter(|(replica, ..)| *replica == lost).fold(DotSet::new(), |mut kept, run| {
                kept.insert_run(run.0, run.1, run.2);
                kept
            });
        }
    }
}

#[derive(Debug, Default)]
struct Clock {
    due: Option<Steady>,
    stopped: bool,
}

/// One subscriber's events.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) queue: VecDeque<Event>,
    pub(super) missed: u64,
    pub(super) closed: bool,
}

impl Events {
    fn push(&mut self, event: Event) {
        if self.queue.len() == EVENTS_MAX {
            self.queue.pop_front();
            self.missed += 1;
        }
        self.queue.push_back(event);
    }
}

impl<S: Data> Core<S> {
    pub(super) fn new(replica: Replica<S>, started: Instant) -> Self {
        Self {
            started,
            limits: replica.config().limits.clone(),
            machine: Mutex::new(Machine {
                replica,
                links: BTreeMap::new(),
                ends: BTreeMap::new(),
                next_peer: 0,
                subscribers: Vec::new(),
                given: Ticket(0),
                urged: false,
                closed: false,
                #[cfg(feature = "foca")]
                members: None,
                #[cfg(feature = "relay")]
                presence: None,
                #[cfg(feature = "metrics")]
                meter: super::meter::Meter::new(),
                #[cfg(feature = "tracing")]
                told: crate::Stats::default(),
            }),
            disk: Disk::default(),
            durable: Arc::default(),
            have: Arc::default(),
            clock: Arc::default(),
        }
    }

    /// Runs the machine's timers until [`stop`](Self::stop).
    pub(super) fn start_clock(self: &Arc<Self>) -> std::io::Result<thread::JoinHandle<()>> {
        let (core, clock, started) = (Arc::downgrade(self), Arc::clone(&self.clock), self.started);
        thread::Builder::new().name("crdt-sync clock".to_owned()).spawn(move || {
            loop {
                let due = clock.read(|clock| clock.due);
                // Woken early, or the wait is over: look again either way.
                let until = due.map(|due| started + Duration::from_millis(due.0));
                let stopped = clock.wait(until, |clock| (clock.stopped || clock.due != due).then_some(clock.stopped));
                match (stopped, core.upgrade()) {
                    (Some(true), _) | (_, None) => return,
                    (Some(false), _) => {}
                    (None, Some(core)) => core.input(|machine, now| machine.replica.handle_timeout(now)),
                }
            }
        })
    }

    pub(super) fn now(&self) -> Now {
        now_since(self.started)
    }

    fn lock(&self) -> MutexGuard<'_, Machine<S>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One input, then everything that comes out of it.
    fn input<R>(&self, f: impl FnOnce(&mut Machine<S>, Now) -> R) -> R {
        let mut machine = self.lock();
        let answer = f(&mut machine, self.now());
        self.drain(&mut machine);
        answer
    }

    fn drain(&self, machine: &mut Machine<S>) {
        loop {
            while let Some(persist) = machine.replica.poll_persist() {
                machine.given = persist.ticket;
                self.disk.push(Task::Commit(Box::new(persist)));
            }
            while let Some(fetch) = machine.replica.poll_fetch() {
                self.disk.push(Task::Fetch(fetch));
            }
            while let Some(transmit) = machine.replica.poll_transmit() {
                let Some(link) = machine.links.get(&transmit.peer) else { continue };
                // Twice what the machine allows itself, beside what one repair may send at once: it keeps below that
                // for every peer that reads.
                let waits_max = 2 * self.limits.link_bytes_max + self.limits.part_bytes_max;
                let waits = link.push(transmit.frame, waits_max);
                machine.replica.set_backlog(transmit.peer, waits);
            }
            let Some(event) = machine.replica.poll_event() else { break };
            self.hear(machine, event);
        }
        let due = machine.replica.poll_timeout();
        #[cfg(feature = "tracing")]
        {
            let stats = machine.replica.stats();
            super::tell::parked(machine.replica.id(), &machine.told, &stats);
            machine.told = stats;
        }
        #[cfg(feature = "metrics")]
        let due = {
            machine.meter.tell(&machine.replica, machine.links.len(), self.now().steady);
            due.into_iter().chain(machine.meter.due()).min()
        };
        if self.clock.read(|clock| clock.due != due) {
            self.clock.update(|clock| clock.due = due);
        }
    }

    fn hear(&self, machine: &mut Machine<S>, event: Event) {
        #[cfg(feature = "tracing")]
        super::tell::event(machine.replica.id(), &event);
        #[cfg(feature = "foca")]
        match &event {
            Event::PeerOpened { peer, .. } => machine.note(super::tcp::Note::Opened(*peer)),
            // A frame may hold far more than a message of the membership, and many of them may wait.
            Event::Gossip { peer, bytes } if bytes.len() <= super::swim::BYTES_MAX => {
                machine.note(super::tcp::Note::Heard(*peer, bytes.clone()));
            }
            _ => {}
        }
        #[cfg(feature = "relay")]
        if let Event::Gossip { peer, bytes } = &event {
            machine.pass_on(*peer, bytes, self.now());
        }
        match &event {
            Event::Durable(ticket) => {
                self.durable.update(|durable| durable.ticket = durable.ticket.max(*ticket));
                if machine.urged && *ticket >= machine.given {
                    machine.urged = false;
                    machine.replica.flush(self.now());
                }
            }
            Event::PeerOpened { peer, replica } => {
                // It goes on under a fresh id, and is one peer as before.
                let before = machine.ends.insert(*peer, *replica).filter(|before| before != replica);
                if let Some(before) = before {
                    self.have.update(|have| have.by.remove(&before));
                }
            }
            // Others are served, and not counted.
            Event::PeerHas { replica, dots } if machine.replica.standing(*replica).is_some() => {
                let own = own_dots(&machine.replica);
                self.have.update(|have| have.note(*replica, &own, dots));
            }
            Event::Dormant(replica) | Event::Retired(replica) => {
                self.have.update(|have| have.by.remove(replica));
            }
            Event::Incompatible { peer, reason } => {
                if let Some(link) = machine.links.get(peer) {
                    link.refuse(Refusal::of(*reason));
                }
            }
            Event::Close { peer } => {
                if let Some(link) = machine.links.get(peer) {
                    link.refuse(Refusal::Struck);
                    link.close();
                }
            }
            Event::IdentityLost { .. } => {
                let fresh = fresh_id();
                let lost = machine.replica.id();
                self.have.update(|have| have.keep(lost));
                #[cfg(feature = "tracing")]
                super::tell::adopted(machine.replica.id(), fresh);
                machine.replica.adopt_id(fresh, self.now());
            }
            _ => {}
        }
        machine.subscribers.retain(|subscriber| match subscriber.upgrade() {
            Some(queue) => {
                queue.update(|events| events.push(event.clone()));
                true
            }
            None => false,
        });
    }

    /// An edit. If its closure panics, the state may be half-way: nothing more is shown or stored, and the panic goes on.
    pub(super) fn edit<R>(&self, f: impl FnOnce(&mut Replica<S>, Now) -> Result<R, EditError>) -> Result<R, NodeError> {
        let outcome = self.input(|machine, now| {
            if machine.closed {
                return Ok(Err(NodeError::Closed));
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| f(&mut machine.replica, now).map_err(NodeError::Refused)));
            if outcome.is_err() {
                self.fail(machine, "an edit panicked".to_owned());
            }
            outcome
        });
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// A parcel made or taken in.
    pub(super) fn carry<R>(
        &self,
        f: impl FnOnce(&mut Replica<S>, Now) -> Result<R, ParcelError>,
    ) -> Result<Result<R, NodeError>, ParcelError> {
        self.input(
            |machine, now| {
                if machine.closed { Ok(Err(NodeError::Closed)) } else { f(&mut machine.replica, now).map(Ok) }
            },
        )
    }

    /// Whether nothing more comes of this node: it was closed, or its store failed.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed || self.has_failed()
    }

    fn has_failed(&self) -> bool {
        self.durable.read(|durable| durable.failed.is_some())
    }

    /// Looks at the replica. A closure that panics here has changed nothing.
    pub(super) fn read<R>(&self, f: impl FnOnce(&Replica<S>) -> R) -> R {
        f(&self.lock().replica)
    }

    /// All that was edited until now is on its way to the disk.
    pub(super) fn flush(&self) {
        self.input(|machine, now| machine.replica.flush(now));
    }

    /// Somebody waits for a ticket: what is open is closed now, or as soon as the disk has done what it is at.
    pub(super) fn urge(&self) {
        self.input(|machine, now| {
            if self.durable.read(|durable| durable.ticket) >= machine.given {
                machine.replica.flush(now);
            } else {
                machine.urged = true;
            }
        });
    }

    pub(super) fn subscribe(&self) -> Arc<Watch<Events>> {
        let events = Arc::new(Watch::new(Events::default()));
        let mut machine = self.lock();
        events.update(|events| events.closed = machine.closed);
        machine.subscribers.push(Arc::downgrade(&events));
        events
    }

    /// A link came up, whose other end has proved to be that of the certificate, if there is one; none where too many
    /// are, or nothing more comes of the node.
    pub(super) fn link_up(&self, kind: LinkKind, certificate: Option<Vec<u8>>) -> Option<(PeerId, Outgoing)> {
        self.input(|machine, now| {
            if machine.closed || self.has_failed() || machine.links.len() >= self.limits.links_max {
                return None;
            }
            machine.next_peer += 1;
            let (peer, link) = (PeerId(machine.next_peer), Outgoing::new());
            machine.links.insert(peer, link.clone());
            machine.replica.peer_up(peer, kind, now);
            if let Some(certificate) = certificate {
                machine.replica.set_certificate(peer, certificate);
            }
            Some((peer, link))
        })
    }

    pub(super) fn link_down(&self, peer: PeerId) {
        self.input(|machine, now| {
            machine.ends.remove(&peer);
            if let Some(link) = machine.links.remove(&peer) {
                link.cut();
                machine.replica.peer_down(peer, now);
                #[cfg(feature = "relay")]
                if let Some(presence) = &mut machine.presence {
                    presence.link_down(peer);
                }
                #[cfg(feature = "foca")]
                machine.note(super::tcp::Note::Closed(peer));
            }
        });
    }

    /// A frame came in.
    pub(super) fn receive(&self, peer: PeerId, frame: &[u8]) -> Result<(), FrameError> {
        self.input(|machine, now| {
            if !machine.links.contains_key(&peer) {
                return Err(FrameError::Closed);
            }
            machine.replica.handle_message(peer, frame, now)
        })
    }

    /// A frame was written: as much less waits on that link.
    pub(super) fn sent(&self, peer: PeerId) {
        let mut machine = self.lock();
        if let Some(waits) = machine.links.get(&peer).map(Outgoing::bytes) {
            machine.replica.set_backlog(peer, waits);
        }
    }

    /// What peers say in gossip is passed on to the other links from now on.
    #[cfg(feature = "relay")]
    pub(super) fn pass_on_presence(&self) {
        self.lock().presence = Some(super::relay::Presence::default());
    }

    /// The membership hears of links from now on.
    #[cfg(feature = "foca")]
    pub(super) fn note_members(&self, notes: tokio::sync::mpsc::Sender<super::tcp::Note>) {
        self.lock().members = Some(notes);
    }

    /// Sends bytes of the membership protocol.
    #[cfg(feature = "foca")]
    pub(super) fn gossip(&self, peer: PeerId, bytes: Vec<u8>) {
        self.input(|machine, _| machine.replica.gossip(peer, bytes));
    }

    /// Whether a link is up.
    #[cfg(feature = "foca")]
    pub(super) fn has_link(&self, peer: PeerId) -> bool {
        self.lock().links.contains_key(&peer)
    }

    /// The store's answers.
    pub(super) fn done(&self, done: Done) {
        self.input(|machine, now| match done {
            Done::Durable(ticket) => machine.replica.durable(ticket, now),
            Done::Fetched(id, records) => machine.replica.fetched(id, records, now),
            Done::Failed(error) => self.fail(machine, error.to_string()),
        });
    }

    /// Nothing is shown or stored from now on, and every link ends.
    fn fail(&self, machine: &mut Machine<S>, reason: String) {
        self.durable.update(|durable| durable.failed.get_or_insert(reason).len());
        machine.replica.persist_failed(machine.given);
        #[cfg(feature = "foca")]
        machine.note(super::tcp::Note::Stopped);
        machine.links.values().for_each(Outgoing::cut);
        // Nobody will say any more that they have something.
        self.have.update(|have| have.closed = true);
    }

    /// The last batch, which marks the store as cleanly closed. Links end here.
    pub(super) fn close(&self) -> Ticket {
        self.input(|machine, now| {
            if !machine.closed {
                machine.closed = true;
                #[cfg(feature = "foca")]
                machine.note(super::tcp::Note::Stopped);
                machine.replica.close(now);
                while let Some(persist) = machine.replica.poll_persist() {
                    machine.given = persist.ticket;
                    self.disk.push(Task::Commit(Box::new(persist)));
                }
            }
            machine.given
        })
    }

    /// Ends links, clock and store. What was given to the store is still done.
    pub(super) fn stop(&self) {
        let mut machine = self.lock();
        machine.closed = true;
        #[cfg(feature = "foca")]
        machine.note(super::tcp::Note::Stopped);
        machine.links.values().for_each(Outgoing::cut);
        for subscriber in machine.subscribers.iter().filter_map(Weak::upgrade) {
            subscriber.update(|events| events.closed = true);
        }
        self.have.update(|have| have.closed = true);
        self.clock.update(|clock| clock.stopped = true);
        self.disk.stop();
    }
}

#[cfg(feature = "foca")]
impl<S: Data> Machine<S> {
    /// Tells the membership, if there is one. Too much at once is left out: it is a protocol for messages that are lost.
    fn note(&self, note: super::tcp::Note) {
        if let Some(members) = &self.members {
            let _ = members.try_send(note);
        }
    }
}

#[cfg(feature = "relay")]
impl<S: Data> Machine<S> {
    /// Tells the other links what one of them said, if this is a relay's.
    fn pass_on(&mut self, from: PeerId, bytes: &[u8], now: Now) {
        let Some(presence) = &mut self.presence else { return };
        if !presence.takes(from, bytes, now.steady) {
            return;
        }
        for (to, link) in &self.links {
            if *to != from && link.bytes() <= super::relay::WAITING_BYTES_MAX {
                self.replica.gossip(*to, bytes.to_vec());
            }
        }
    }
}

pub(super) fn now_since(started: Instant) -> Now {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    // A wall clock before 1970 is as good as any that is wrong.
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { steady: Steady(millis(started.elapsed())), wall: Wall(millis(wall)) }
}

#[cfg(test)]
mod tests {
    use crdt_core::{DotStore, OrSet};

    use super::*;
    use crate::drive::Node;
    use crate::{Config, FrameWriter, MemoryStorage, Message, Open, ScopeId};

    type Set = OrSet<u64>;

    fn config() -> Config {
        let limits = Limits { roster_max: 8, ..Limits::default() };
        Config { limits, ..Config::new(ScopeId::from_bytes([4; 16])) }
    }

    /// A link, and somebody at its other end.
    struct Other {
        peer: PeerId,
        _link: Outgoing,
        writer: FrameWriter,
    }

    impl Other {
        fn up(node: &Node<Set>) -> Self {
            let (peer, link) = node.core.link_up(LinkKind::Stream, None).unwrap();
            let config = config();
            Self { peer, _link: link, writer: FrameWriter::new(LinkKind::Stream, config.scope, &config.limits) }
        }

        fn says(&mut self, node: &Node<Set>, message: &Message<Set>) {
            node.core.receive(self.peer, &self.writer.write(message)).unwrap();
        }

        fn is(&mut self, node: &Node<Set>, id: u128) {
            let mut open = Open::new(ReplicaId::from_u128(id), 1, &config());
            open.schema = Set::KIND as u64;
            self.says(node, &Message::Open(open));
        }

        fn has(&mut self, node: &Node<Set>, dots: DotSet) {
            self.says(node, &Message::Have(dots));
        }
    }

    fn node_with_an_edit() -> (Node<Set>, DotSet) {
        let node = Node::<Set>::open(MemoryStorage::new(), config()).unwrap();
        node.edit(|set| set.insert(1_u64)).wait().unwrap();
        let received = node.received();
        (node, received)
    }

    fn spread(node: &Node<Set>, peers: usize) -> bool {
        node.spread(peers).wait(Duration::ZERO)
    }

    /// Each id that was ever said had its own set of dots, for ever, with whatever the peer claimed.
    #[test]
    fn made_up_ids_and_claims_cost_bounded_memory() {
        let (node, received) = node_with_an_edit();
        let foreign = (1..1_000).filter_map(|n| crdt_core::Dot::new(ReplicaId::from_u128(7), 2 * n));
        let mut claims: DotSet = foreign.collect();
        claims.union_with(&received);
        for id in 1_000..1_100 {
            let mut other = Other::up(&node);
            other.is(&node, id);
            other.has(&node, claims.clone());
            node.core.link_down(other.peer);
        }
        let (replicas, runs) =
            node.core.have.read(|have| (have.by.len(), have.by.values().map(DotSet::run_count).sum::<usize>()));
        assert!((1..=8).contains(&replicas) && runs == replicas, "{replicas} replicas, {runs} runs");
    }

    #[test]
    fn a_peer_that_goes_on_under_a_fresh_id_is_one_peer() {
        let (node, received) = node_with_an_edit();
        let mut other = Other::up(&node);
        other.is(&node, 1);
        other.has(&node, received.clone());
        assert!(spread(&node, 1));
        other.is(&node, 2);
        assert!(!spread(&node, 1), "nobody who is there has said so");
        other.has(&node, received.clone());
        assert!(spread(&node, 1) && !spread(&node, 2));
        // One that went away still has it on its disk.
        node.core.link_down(other.peer);
        let mut third = Other::up(&node);
        third.is(&node, 3);
        third.has(&node, received);
        assert!(spread(&node, 2) && !spread(&node, 3));
    }

    #[test]
    fn what_spread_under_an_id_that_was_lost_meanwhile_has_spread() {
        let (node, received) = node_with_an_edit();
        let waiting = node.spread(1);
        let mut other = Other::up(&node);
        other.is(&node, 1);
        other.has(&node, received.clone());
        let me = node.id();
        let mut forged = DotSet::new();
        forged.insert_run(me, 1, 9);
        other.has(&node, forged);
        assert_ne!(node.id(), me);
        assert!(waiting.wait(Duration::ZERO));
        node.edit(|set| set.insert(2_u64)).wait().unwrap();
        assert!(!spread(&node, 1));
        other.has(&node, node.received());
        assert!(spread(&node, 1));
    }
}
