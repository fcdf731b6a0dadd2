//! A replica without anything but state, log and repairs; and a world of some, with the effect of what each received
//! computed anew from a list of records.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crdt_core::{Causal, Delta, Dot, DotSet, DotStore, Merge, ReplicaId, Writer};

use crate::repair::{LogIndex, RepairAction, Repairs, View, join_frontiers};
use crate::sketch::{LiveSketch, SketchKey};
use crate::{Config, Message, Mode, Now, PeerId, RepairTier, ScopeId};

/// What one flush made.
#[derive(Clone)]
pub(super) struct Rec<S: DotStore> {
    pub(super) own: DotSet,
    pub(super) after: DotSet,
    pub(super) delta: Delta<S>,
}

/// The records that a node can serve.
#[derive(Clone, Default, Debug)]
pub(super) struct Served(pub(super) BTreeMap<usize, DotSet>);

impl LogIndex for Served {
    fn holds(&self, dots: &DotSet) -> bool {
        let mut all = DotSet::new();
        self.0.values().for_each(|own| {
            all.union_with(own);
        });
        dots.is_subset(&all)
    }

    fn bytes_of(&self, dots: &DotSet) -> usize {
        self.0.values().filter(|own| !own.intersection(dots).is_empty()).count() * 20
    }
}

pub(super) struct Node<S: DotStore> {
    pub(super) writer: Writer,
    pub(super) state: Causal<S>,
    pub(super) received: DotSet,
    pub(super) frontier: DotSet,
    /// Shared by the copies of a node that a model makes.
    pub(super) sketch: Arc<LiveSketch>,
    pub(super) log: Served,
    pub(super) repairs: Repairs<S>,
    pub(super) config: Config,
    retired_dots: Arc<DotSet>,
}

/// A model goes on from every state in several ways, so it needs what nobody else may do: to copy a writer.
impl<S: DotStore> Clone for Node<S> {
    fn clone(&self) -> Self {
        Self {
            writer: Writer::resume(self.writer.id(), self.writer.last()),
            state: self.state.clone(),
            received: self.received.clone(),
            frontier: self.frontier.clone(),
            sketch: self.sketch.clone(),
            log: self.log.clone(),
            repairs: self.repairs.clone(),
            config: self.config.clone(),
            retired_dots: self.retired_dots.clone(),
        }
    }
}

impl<S: DotStore> Node<S> {
    pub(super) fn view(&self, now: Now) -> View<'_, S> {
        View {
            state: &self.state,
            received: &self.received,
            frontier: &self.frontier,
            sketch: &self.sketch,
            log: &self.log,
            retired: (0, 0),
            retired_dots: &self.retired_dots,
            frame_bytes_max: self.config.limits.frame_bytes_max,
            idle_max: self.config.timing.repair_idle_max,
            config: &self.config,
            now,
        }
    }

    pub(super) fn merge(&mut self, delta: &Delta<S>) {
        let effect = self.state.merge_effect(delta);
        if !effect.is_empty() {
            let sketch = Arc::make_mut(&mut self.sketch);
            effect.removed.iter().for_each(|(dot, _)| sketch.remove(*dot));
            effect.added.iter().for_each(|(dot, _)| sketch.add(*dot));
        }
    }
}

/// What travels.
#[derive(Clone, Debug)]
pub(super) enum Item<S: DotStore> {
    Message(Message<S>),
    Record(usize),
}

/// Some replicas and the links between them.
#[derive(Clone)]
pub(super) struct World<S: DotStore> {
    pub(super) nodes: Vec<Node<S>>,
    pub(super) records: Vec<Rec<S>>,
    pub(super) links: BTreeMap<(usize, usize), VecDeque<Item<S>>>,
    pub(super) now: Now,
    pub(super) ended: Vec<(usize, usize, Option<RepairTier>)>,
    pub(super) diverged: usize,
    /// Whether messages are altered on their way.
    pub(super) liars: bool,
}

impl<S: DotStore> World<S> {
    pub(super) fn new(count: usize, configure: impl Fn(&mut Config)) -> Self {
        let node = |at: usize| {
            let mut config = Config::new(ScopeId::from_bytes([7; 16]));
            configure(&mut config);
            Node {
                writer: Writer::new(ReplicaId::from_u128(at as u128 + 1)),
                state: Causal::new(),
                received: DotSet::new(),
                frontier: DotSet::new(),
                sketch: Arc::new(LiveSketch::new(SketchKey::of(&config))),
                log: Served::default(),
                repairs: Repairs::new(at as u64 * 1_000 + 17),
                config,
                retired_dots: Arc::default(),
            }
        };
        Self {
            nodes: (0..count).map(node).collect(),
            records: Vec::new(),
            links: BTreeMap::new(),
            now: Now::default(),
            ended: Vec::new(),
            diverged: 0,
            liars: false,
        }
    }

    /// An edit is a record at once.
    pub(super) fn edit(&mut self, at: usize, f: impl FnOnce(&mut S::Cursor<'_>)) {
        let node = &mut self.nodes[at];
        let (delta, ()) = node.state.edit(&mut node.writer, f);
        if delta.is_empty() {
            return;
        }
        let sketch = Arc::make_mut(&mut node.sketch);
        node.state.live_within(delta.own()).iter().for_each(|dot| sketch.add(dot));
        delta.retired().iter().for_each(|dot| sketch.remove(dot));
        let own = delta.own().clone();
        let id = node.writer.id();
        let after = node.frontier.iter().filter(|dot| dot.replica() != id).collect();
        node.received.union_with(&own);
        node.frontier = DotSet::from_iter(Dot::new(id, own.last(id)));
        node.log.0.insert(self.records.len(), own.clone());
        self.records.push(Rec { own, after, delta });
    }

    /// A record arrives; out of order it is dropped, as a full inbox would.
    pub(super) fn receive(&mut self, at: usize, index: usize) {
        let (node, record) = (&mut self.nodes[at], &self.records[index]);
        if record.own.is_subset(&node.received) {
            return;
        }
        let (replica, first, last) = record.own.runs().next().expect("a record makes dots");
        let previous = (first > 1).then(|| Dot::new(replica, first - 1)).flatten();
        let in_order = previous.is_none_or(|dot| node.received.contains(dot));
        let ready = match node.config.mode {
            Mode::Immediate => true,
            Mode::Fifo => in_order,
            Mode::Causal => in_order && record.after.is_subset(&node.received),
        };
        if !ready {
            return;
        }
        let delta = record.delta.clone();
        let mut built_on = record.after.clone();
        built_on.extend(previous);
        node.frontier = node.frontier.difference(&built_on);
        if node.received.intersection(&record.own).is_empty() {
            node.frontier.extend(Dot::new(replica, last));
        }
        node.received.union_with(&record.own);
        node.log.0.insert(index, record.own.clone());
        node.merge(&delta);
    }

    pub(super) fn peer(at: usize) -> PeerId {
        PeerId(at as u64)
    }

    fn with(&mut self, at: usize, f: impl FnOnce(&mut Repairs<S>, &View<'_, S>, &mut Vec<RepairAction<S>>)) {
        let mut out = Vec::new();
        let mut repairs = core::mem::replace(&mut self.nodes[at].repairs, Repairs::new(0));
        f(&mut repairs, &self.nodes[at].view(self.now), &mut out);
        self.nodes[at].repairs = repairs;
        self.act(at, out);
    }

    pub(super) fn act(&mut self, at: usize, actions: Vec<RepairAction<S>>) {
        for action in actions {
            match action {
                RepairAction::Send(peer, message) => self.post(at, peer, Item::Message(message)),
                RepairAction::PushFromLog { peer, dots, then } => {
                    let log = &self.nodes[at].log.0;
                    let pushed: Vec<usize> =
                        log.iter().filter(|(_, own)| !own.intersection(&dots).is_empty()).map(|(at, _)| *at).collect();
                    pushed.into_iter().for_each(|index| self.post(at, peer, Item::Record(index)));
                    self.post(at, peer, Item::Message(then));
                }
                RepairAction::Commit { peer, repair, delta, received, frontier, .. } => {
                    let node = &mut self.nodes[at];
                    node.merge(&delta);
                    node.frontier = join_frontiers((&node.frontier, &node.received), (&frontier, &received));
                    node.received.union_with(&received);
                    self.with(at, |repairs, view, out| repairs.committed(peer, repair, view, out));
                }
                RepairAction::Has { peer, received } => {
                    // What is said to be there is there.
                    let true_there = received.is_subset(&self.nodes[peer.0 as usize].received);
                    assert!(true_there || self.liars || self.has_faults());
                }
                RepairAction::Ended { peer, tier } => self.ended.push((at, peer.0 as usize, tier)),
                RepairAction::Diverged { .. } => self.diverged += 1,
                RepairAction::Stage(_)
                | RepairAction::ClearStage
                | RepairAction::TooLarge { .. }
                | RepairAction::SameTable { .. } => {}
            }
        }
    }

    fn has_faults(&self) -> bool {
        self.nodes.iter().any(|node| node.config.faults != crate::Faults::default())
    }

    fn post(&mut self, at: usize, peer: PeerId, item: Item<S>) {
        self.links.entry((at, peer.0 as usize)).or_default().push_back(item);
    }

    pub(super) fn open(&mut self, at: usize, with: usize) {
        self.with(at, |repairs, view, out| repairs.open(Self::peer(with), view, out));
    }

    /// Hands over the next item of a link.
    pub(super) fn deliver(&mut self, from: usize, to: usize) -> bool {
        let Some(item) = self.links.get_mut(&(from, to)).and_then(VecDeque::pop_front) else { return false };
        self.take(from, to, item);
        true
    }

    pub(super) fn take(&mut self, from: usize, to: usize, item: Item<S>) {
        match item {
            Item::Record(index) => self.receive(to, index),
            Item::Message(message) => {
                self.with(to, |repairs, view, out| repairs.handle(Self::peer(from), message, 100, view, out));
            }
        }
    }

    pub(super) fn cut(&mut self, a: usize, b: usize) {
        for (at, other) in [(a, b), (b, a)] {
            self.links.remove(&(at, other));
        }
        for (at, other) in [(a, b), (b, a)] {
            self.with(at, |repairs, view, out| repairs.peer_down(Self::peer(other), view, out));
        }
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.now.steady.0 += ms;
        for at in 0..self.nodes.len() {
            self.with(at, |repairs, view, out| repairs.timeout(view, out));
        }
    }

    /// Delivers until nothing is on its way.
    pub(super) fn drain(&mut self) {
        for _ in 0..100_000 {
            let busy = self.links.iter().find(|(_, queue)| !queue.is_empty()).map(|(link, _)| *link);
            let Some((from, to)) = busy else { return };
            self.deliver(from, to);
        }
        panic!("two replicas talk for ever");
    }

    /// What a node's received records do, one by one, without a store: `(live, seen)`.
    pub(super) fn effect(&self, received: &DotSet) -> (DotSet, DotSet) {
        let (mut added, mut seen, mut retired) = (DotSet::new(), DotSet::new(), DotSet::new());
        for record in &self.records {
            if record.own.intersection(received).is_empty() {
                continue;
            }
            assert!(record.own.is_subset(received), "a record was received in part");
            added.extend(record.delta.entries().map(|(dot, _)| dot));
            seen.union_with(&record.own);
            seen.union_with(record.delta.retired());
            retired.union_with(record.delta.retired());
        }
        (added.difference(&retired), seen)
    }

    /// What must hold after every step; says what does not.
    pub(super) fn fault(&self, at: usize) -> Option<String> {
        let node = &self.nodes[at];
        let (live, seen) = self.effect(&node.received);
        let sum = node.sketch.key().sum(&node.state.live());
        [
            (*node.state.seen() != seen, "seen is not the effect of what was received"),
            (node.state.live() != live, "live is not the effect of what was received"),
            (node.sketch.sum() != sum, "the sketch does not follow the state"),
            (!node.frontier.is_subset(&node.received), "the frontier was not received"),
            (
                node.config.mode == Mode::Causal && node.frontier != self.maximal(&node.received),
                "the frontier is not what is maximal",
            ),
        ]
        .into_iter()
        .find(|(wrong, _)| *wrong)
        .map(|(_, what)| {
            format!(
                "node {at}: {what}\n received {:?}\n state {:?}\n effect {live:?} of {seen:?}",
                node.received,
                node.state.live()
            )
        })
    }

    /// The received dots that no received record was made on.
    fn maximal(&self, received: &DotSet) -> DotSet {
        let mut maximal = DotSet::new();
        let mut built_on = DotSet::new();
        for record in self.records.iter().filter(|record| record.own.is_subset(received)) {
            let (replica, first, last) = record.own.runs().next().expect("a record makes dots");
            maximal.extend(Dot::new(replica, last));
            built_on.union_with(&record.after);
            built_on.extend(Dot::new(replica, first - 1));
        }
        maximal.difference(&built_on)
    }

    /// The state of all records merged.
    pub(super) fn merged(&self) -> Causal<S> {
        let mut all = Causal::<S>::new();
        for record in &self.records {
            all.merge(&record.delta);
        }
        all
    }
}
