//! One run: replicas, disks, links and one queue of what happens next, in virtual time.

mod hostile;
mod loads;
mod parcels;
mod settle;
mod steps;
mod tabs;
mod wires;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crdt_core::laws::{Enrolled, StoreOp};
use crdt_core::{DotSet, ReplicaId};

use super::chance::Chance;
use super::disk::Flush;
use super::net::Link;
use super::node::Node;
use super::oracle::Oracle;
use super::profile::Profile;
use super::tally::Tally;
use super::violation::{Check, Violation};
use crate::fault::Fault;
use crate::{Config, Durability, EditError, Event, Fetch, Now, PeerId, Replica, Ticket};

/// A scope under simulation: take steps, look at replicas, let it settle.
///
/// After each input to each replica the checks of [`Check`] are made, by an oracle that stands beside the machine; the
/// first that fails ends the run.
pub struct World<S: Enrolled> {
    pub(super) now: u64,
    pub(super) nodes: Vec<Node<S>>,
    pub(super) links: Vec<Link>,
    queue: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    queued: u64,
    pub(super) chance: Chance,
    pub(super) profile: Profile,
    pub(super) oracle: Oracle<S>,
    pub(super) tally: Tally,
    transcript: Transcript,
    peers: u64,
    /// Parcels that lie about, oldest first.
    parcels: Vec<parcels::Parcel>,
}

/// What happens at some moment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    /// A frame arrives at one side of a link.
    Arrives { link: usize, generation: u64, side: usize, frame: Vec<u8> },
    /// Somebody else's message system hands a frame on.
    Handed { node: usize, life: u64, frame: Vec<u8> },
    /// A link comes up, if it was to come up now.
    LinkUp { link: usize },
    /// An end of a link finds out that the other one is gone.
    LinkDown { node: usize, life: u64, peer: PeerId },
    /// A flush ends.
    Flushed { node: usize, life: u64 },
    /// The disk answers.
    Fetched { node: usize, life: u64, id: u64, dots: DotKey, bytes_max: usize },
    /// A replica wanted to be woken.
    Wake { node: usize, life: u64 },
    /// A replica that lost its identity gets another one.
    Adopt { node: usize, life: u64 },
    /// A stopped replica is opened.
    Open { node: usize, life: u64 },
}

/// A set of dots as its runs: the queue wants an order.
type DotKey = Vec<(ReplicaId, u64, u64)>;

/// A sum over all that a run put out: equal runs have equal ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Transcript(u64);

impl Transcript {
    fn add(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.add(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }
}

/// A wake-up may lead to another one at the same moment, but not without end.
const WAKES_MAX: u32 = 50;

impl<S: Enrolled> World<S> {
    /// Replicas that have just been opened, with links that are about to come up.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn new(profile: Profile, seed: u64) -> Result<Self, Violation> {
        let mut chance = Chance::new(seed);
        let strict = profile.config.durability == Durability::Strict;
        let mut oracle = Oracle::new(profile.replicas, profile.config.mode, strict, profile.blind.clone());
        let nodes = (0..profile.replicas).map(|number| Node::new(number, oracle.fresh_identity())).collect();
        let pairs = profile.topology.pairs(profile.replicas);
        let links = pairs.into_iter().enumerate().map(|(place, (one, other))| {
            let mut link = Link::new(profile.links[place % profile.links.len()], one, other, chance.fork());
            link.cut = [profile.apart; 2];
            link
        });
        let links = links.collect();
        let mut world = Self {
            now: 0,
            nodes,
            links,
            queue: BinaryHeap::new(),
            queued: 0,
            chance,
            profile,
            oracle,
            tally: Tally { runs: 1, ..Tally::default() },
            transcript: Transcript::default(),
            peers: 0,
            parcels: Vec::new(),
        };
        for node in 0..world.nodes.len() {
            world.nodes[node].disk.flush_ms = world.profile.flush_ms;
            world.open(node)?;
        }
        Ok(world)
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now
    }

    /// A replica; none while it is stopped.
    #[must_use]
    pub fn replica(&self, node: usize) -> Option<&Replica<S>> {
        self.nodes[node].replica.as_ref()
    }

    /// What was met so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A sum over all that was put out so far.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.transcript
    }

    fn after(&mut self, wait: u64, what: Happening) {
        self.queued += 1;
        self.queue.push(Reverse((self.now + wait, self.queued, what)));
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn run(&mut self, ms: u64) -> Result<(), Violation> {
        let until = self.now + ms;
        while let Some(Reverse((at, ..))) = self.queue.peek() {
            if *at > until {
                break;
            }
            let Some(Reverse((at, _, what))) = self.queue.pop() else { break };
            self.now = at;
            self.happen(what)?;
        }
        self.now = until;
        Ok(())
    }

    fn happen(&mut self, what: Happening) -> Result<(), Violation> {
        match what {
            Happening::Arrives { link, generation, side, frame } => self.arrive(link, generation, side, &frame),
            Happening::LinkUp { link } => self.link_up(link),
            Happening::Handed { node, life, frame } if self.is_alive(node, life) => self.handed(node, &frame),
            Happening::LinkDown { node, life, peer } if self.is_alive(node, life) => {
                self.forget_end(node, peer);
                self.input(node, |replica, now| replica.peer_down(peer, now))
            }
            Happening::Flushed { node, life } if self.is_alive(node, life) => self.flushed(node),
            Happening::Fetched { node, life, id, dots, bytes_max } if self.is_alive(node, life) => {
                let mut wanted = DotSet::new();
                for (replica, first, last) in dots {
                    wanted.insert_run(replica, first, last);
                }
                let records = self.nodes[node].disk.records(&wanted, bytes_max);
                self.input(node, |replica, now| replica.fetched(id, records, now))
            }
            Happening::Wake { node, life } if self.is_alive(node, life) => self.wake(node),
            Happening::Adopt { node, life } if self.is_alive(node, life) => self.adopt(node),
            Happening::Open { node, life } if self.nodes[node].life == life => self.open(node),
            _ => Ok(()),
        }
    }

    fn is_alive(&self, node: usize, life: u64) -> bool {
        self.nodes[node].life == life && self.nodes[node].replica.is_some()
    }

    /// Gives one input to a replica, and takes all it puts out.
    pub(super) fn input(&mut self, node: usize, f: impl FnOnce(&mut Replica<S>, Now)) -> Result<(), Violation> {
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        f(replica, now);
        self.drain(node)
    }

    fn drain(&mut self, node: usize) -> Result<(), Violation> {
        let life = self.nodes[node].life;
        while let Some(persist) = self.poll(node, Replica::poll_persist) {
            self.transcript.add(persist.ticket.0);
            persist.batch.log_put.iter().for_each(|record| self.oracle.logged(record.own));
            self.nodes[node].disk.write(persist);
        }
        if self.nodes[node].disk.start_flush() {
            let wait = self.nodes[node].disk.flush_ms;
            self.after(wait, Happening::Flushed { node, life });
        }
        while let Some(Fetch { id, dots, bytes_max }) = self.poll(node, Replica::poll_fetch) {
            self.tally.fetches += 1;
            let wait = self.chance.below(20);
            self.after(wait, Happening::Fetched { node, life, id, dots: dots.runs().collect(), bytes_max });
        }
        while let Some(transmit) = self.poll(node, Replica::poll_transmit) {
            self.transcript.add_bytes(&transmit.frame);
            self.send(node, transmit.peer, transmit.frame);
        }
        while let Some(event) = self.poll(node, Replica::poll_event) {
            self.hear(node, event)?;
            if !self.is_alive(node, life) {
                return Ok(());
            }
        }
        if let Some(replica) = &self.nodes[node].replica {
            self.tally.states += 1;
            self.oracle.look(node, replica)?;
        }
        let alarm = self.nodes[node].alarm();
        if let Some(at) = alarm
            && self.nodes[node].wake_at.is_none_or(|due| at < due)
        {
            let at = at.max(self.now);
            self.nodes[node].wake_at = Some(at);
            self.after(at - self.now, Happening::Wake { node, life });
        }
        Ok(())
    }

    fn poll<R>(&mut self, node: usize, poll: impl FnOnce(&mut Replica<S>) -> Option<R>) -> Option<R> {
        self.nodes[node].replica.as_mut().and_then(poll)
    }

    fn wake(&mut self, node: usize) -> Result<(), Violation> {
        let at = self.now;
        let place = &mut self.nodes[node];
        if place.wake_at.is_none_or(|due| due > at) {
            return Ok(());
        }
        place.wake_at = None;
        if place.alarm().is_none_or(|alarm| alarm > at) {
            return self.input(node, |_, _| ());
        }
        let (moment, wakes) = place.wakes;
        place.wakes = if moment == at { (at, wakes + 1) } else { (at, 0) };
        Check::Rest.holds(place.wakes.1 < WAKES_MAX, || format!("replica {node} wants to be woken again and again"))?;
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        let before = replica.received().clone();
        replica.handle_timeout(now);
        // A home retires ids that vanished, by itself.
        let (me, new) = (replica.id(), replica.received().difference(&before));
        let own: DotSet = new.iter().filter(|dot| dot.replica() == me).collect();
        if !own.is_empty() {
            self.tally.retired_vanished += 1;
            self.oracle.edited_roster(node, &own)?;
        }
        self.drain(node)
    }

    fn flushed(&mut self, node: usize) -> Result<(), Violation> {
        let place = &mut self.nodes[node];
        let mut flush = place.disk.finish_flush();
        if matches!(flush, Some(Flush::Failed(_))) {
            self.tally.failed_flushes += 1;
            if self.profile.config.faults.has(Fault::FlushRetried) {
                flush = place.disk.retry_flush();
            }
        }
        match flush {
            Some(Flush::Done(ticket)) => {
                self.oracle.durable(node, place.disk.received());
                self.hand_on(node, ticket);
                self.input(node, |replica, now| replica.durable(ticket, now))?;
            }
            Some(Flush::Failed(ticket)) => {
                self.input(node, |replica, _| replica.persist_failed(ticket))?;
                return Ok(());
            }
            None => {}
        }
        let life = self.nodes[node].life;
        if self.nodes[node].disk.start_flush() {
            let wait = self.nodes[node].disk.flush_ms;
            self.after(wait, Happening::Flushed { node, life });
        }
        Ok(())
    }

    /// What a replica tells its application.
    fn hear(&mut self, node: usize, event: Event) -> Result<(), Violation> {
        let life = self.nodes[node].life;
        match event {
            Event::Durable(ticket) => self.tally.acknowledged += self.oracle.acknowledged(node, ticket)?,
            Event::IdentityLost { .. } => {
                self.tally.identities_lost += 1;
                let wait = self.chance.below(50);
                self.after(wait, Happening::Adopt { node, life });
            }
            Event::Lent { replica, next } => self.lent(node, replica, next)?,
            Event::IdsWanted => self.offer_ids(node)?,
            Event::PeerHas { replica, dots } => self.oracle.check_belief(node, replica, &dots, "was told of")?,
            Event::Close { peer } => self.close(node, peer)?,
            Event::StoreFailed => {
                let keep = self.chance.below(4) as usize;
                self.stop(node, keep);
                let wait = self.chance.between(1, 500);
                let life = self.nodes[node].life;
                self.after(wait, Happening::Open { node, life });
            }
            Event::BadFrame { peer, error } => {
                let stranger = self.nodes[node].strangers.contains(&peer);
                // A datagram may overtake the introduction that belongs before it.
                let early = matches!(error, crate::FrameError::OutOfTurn(_));
                self.oracle.blind.holds(Check::Peace, stranger || early || self.oracle.tainted, || {
                    format!("replica {node} refuses a frame of an honest peer: {error}")
                })?;
            }
            Event::Diverged { peer } => {
                // A stranger may say whatever it likes.
                let stranger = self.nodes[node].strangers.contains(&peer);
                self.oracle.blind.holds(Check::Peace, stranger || self.oracle.tainted, || {
                    format!("replica {node} reports {event:?}")
                })?;
            }
            Event::Equivocation(_) => {
                self.tally.equivocations += 1;
                self.oracle
                    .blind
                    .holds(Check::Peace, self.oracle.tainted, || format!("replica {node} reports {event:?}"))?;
            }
            Event::Skewed { .. } => self.tally.skews += 1,
            Event::Dormant(_) => self.tally.dormant += 1,
            _ => {}
        }
        Ok(())
    }

    fn adopt(&mut self, node: usize) -> Result<(), Violation> {
        let fresh = self.oracle.fresh_identity();
        self.nodes[node].id = fresh;
        self.oracle.renamed(node, fresh);
        self.input(node, |replica, now| replica.adopt_id(fresh, now))
    }

    /// Opens a stopped replica with what its disk holds.
    pub(super) fn open(&mut self, node: usize) -> Result<(), Violation> {
        if self.nodes[node].replica.is_some() {
            return Ok(());
        }
        let fresh = if self.nodes[node].life == 0 { self.nodes[node].id } else { self.oracle.fresh_identity() };
        let fresh = if self.profile.config.faults.has(Fault::FreshFromStore) {
            self.oracle.identity_from(self.nodes[node].disk.load().meta.as_ref(), fresh)
        } else {
            fresh
        };
        let mut seed = [0; 32];
        seed.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&self.chance.draw().to_le_bytes()));
        let place = &mut self.nodes[node];
        let loaded = place.disk.load();
        let had_id = loaded.meta.is_some();
        let now = place.now(self.now);
        place.life += 1;
        place.wake_at = None;
        let config = Config { role: self.role(node), ..self.profile.config.clone() };
        let opened = Replica::open(loaded, config, fresh, seed, now);
        let replica = opened.map_err(|error| Check::Opens.broken(format!("replica {node} does not open: {error}")))?;
        if had_id {
            self.tally.restarts += 1;
            self.tally.fresh_ids += u64::from(replica.id() == fresh);
        }
        let place = &mut self.nodes[node];
        place.id = replica.id();
        self.oracle.opened(node, &replica, place.disk.received());
        place.replica = Some(replica);
        self.drain(node)?;
        self.offer_ids(node)?;
        self.join_engine(node)?;
        self.raise_links(node);
        Ok(())
    }

    /// Stops a replica where it stands; of its batches that are not flushed, so many are on the disk.
    pub(super) fn stop(&mut self, node: usize, keep: usize) {
        let place = &mut self.nodes[node];
        let Some(replica) = place.replica.take() else { return };
        place.life += 1;
        place.strangers.clear();
        place.engine = None;
        let stats = replica.stats();
        self.tally.crashes += 1;
        self.tally.crashes_in_write += u64::from(place.disk.unsafe_batches() > 0);
        self.tally.crashes_in_flush += u64::from(place.disk.is_flushing());
        let (kept, lost) = place.disk.crash(keep);
        self.tally.crashes_kept_part += u64::from(kept > 0 && lost > 0);
        self.oracle.durable(node, place.disk.received());
        // Nothing of this life was on the disk, so nothing of it could be shown, not even on trust.
        let unshown = kept == 0 && place.flushed == Ticket::default();
        self.tally.edits_lost += self.oracle.stopped(node, place.disk.received(), unshown);
        self.add_stats(&stats);
        self.lose_parcels(node);
        self.lose_links(node);
    }

    pub(super) fn add_stats(&mut self, stats: &crate::Stats) {
        self.tally.records_fresh += stats.records_fresh;
        self.tally.records_repeated += stats.records_repeated;
        self.tally.parked += stats.parked_records_max as u64;
        self.tally.parked_dropped += stats.parked_dropped;
        self.tally.pushes_dropped += stats.pushes_dropped;
        self.tally.repairs_failed += stats.repairs_failed;
        let by = |tier| stats.repairs_by(tier);
        self.tally.repairs_same += by(crate::RepairTier::Same);
        self.tally.repairs_log += by(crate::RepairTier::Log);
        self.tally.repairs_sketch += by(crate::RepairTier::Sketch);
        self.tally.repairs_live_set += by(crate::RepairTier::LiveSet);
        self.tally.repairs_whole += by(crate::RepairTier::Whole);
    }

    /// Makes an edit.
    ///
    /// # Errors
    /// A check that fails. An edit that the machine refuses is none.
    pub fn edit(&mut self, node: usize, op: StoreOp<S>) -> Result<Option<Ticket>, Violation> {
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(None) };
        let before = replica.state().summary();
        let edited = replica.try_edit(now, |cursor| S::perform(cursor, &op));
        let delta = replica.state().diff(&before);
        match edited {
            Ok(Ok(((), ticket))) => {
                self.tally.edits += u64::from(!delta.is_empty());
                self.tally.idle_edits += u64::from(delta.is_empty());
                self.oracle.edited(node, op, delta, ticket)?;
                self.drain(node)?;
                Ok(Some(ticket))
            }
            refused => {
                Check::Unchanged.holds(delta.is_empty(), || format!("a refused edit has written {delta:?}"))?;
                self.tally.busy_edits += u64::from(matches!(refused, Err(EditError::Busy)));
                self.tally.frozen_edits += u64::from(matches!(refused, Err(EditError::Frozen)));
                self.drain(node)?;
                Ok(None)
            }
        }
    }

    /// Looks closely at all replicas.
    pub(super) fn look_closely(&mut self) -> Result<(), Violation> {
        for (number, node) in self.nodes.iter().enumerate() {
            if let Some(replica) = &node.replica {
                self.oracle.look_closely(number, replica)?;
                self.check_loads(number)?;
            }
        }
        self.tally.reads = self.oracle.reads;
        self.tally.concurrent_pairs = self.oracle.concurrent_pairs;
        Ok(())
    }
}
