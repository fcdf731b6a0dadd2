//! Every order of edits, records that come by themselves, repairs, deliveries and cuts, for worlds that are small enough
//! (2 or 3 replicas, 2 keys): the real code of the repairs, driven by a model checker.
//!
//! The links are queues in order that break between any two messages. That a state is the effect of what was received,
//! and that from here, if links work, all become equal to the merge of all edits, is asked in every state that is
//! reached; the negative models must find their counterexample, and the rest must find what is rare.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::time::Instant;

use crdt_core::OrSet;
use stateright::{Checker, HasDiscoveries, Model, Property};
use xxhash_rust::xxh3::xxh3_128;

use super::node::{Item, World};
use crate::{Fault, Message, Mode, Plan};

type Small = World<OrSet<u64>>;

/// How much may happen.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    replicas: usize,
    edits: usize,
    records: usize,
    opened: usize,
    cuts: usize,
    losses: usize,
    /// Rare cases that these bounds leave out: two repairs that cross, and news in between.
    spared: [bool; 2],
    mode: Mode,
    plan: Plan,
    fault: Option<Fault>,
}

const PAIR: Bounds = Bounds {
    replicas: 2,
    edits: 2,
    records: 1,
    opened: 2,
    cuts: 1,
    losses: 0,
    spared: [false; 2],
    mode: Mode::Immediate,
    plan: Plan::LiveSet,
    fault: None,
};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Act {
    Insert(usize, u64),
    Remove(usize, u64),
    Record(usize, usize),
    Open(usize, usize),
    Deliver(usize, usize),
    Cut(usize, usize),
    Lose(usize, usize),
}

/// A world, with what may still happen. Two with equal descriptions are one state.
#[derive(Clone)]
struct State {
    world: Small,
    left: [usize; 5],
    id: u128,
}

impl State {
    fn described(mut self) -> Self {
        let World { nodes, links, .. } = &self.world;
        let node = |node: &super::node::Node<OrSet<u64>>| {
            format!("{:?}{:?}{:?}{:?}{:?}", node.state, node.received, node.frontier, node.log, node.repairs)
        };
        let links = links.iter().filter(|(_, queue)| !queue.is_empty());
        let text =
            format!("{:?}{:?}{:?}", nodes.iter().map(node).collect::<Vec<_>>(), links.collect::<Vec<_>>(), self.left);
        self.id = xxh3_128(text.as_bytes());
        self
    }

    fn on_the_way(&self, wanted: impl Fn(&Message<OrSet<u64>>) -> bool) -> bool {
        let items = self.world.links.values().flatten();
        items.into_iter().any(|item| matches!(item, Item::Message(message) if wanted(message)))
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.id)
    }
}

impl Bounds {
    /// One repair has nothing to cross.
    fn without_crossing(mut self) -> Self {
        self.spared[0] = true;
        self
    }

    /// One edit leaves nobody anything to learn or to retire in between.
    fn without_news(mut self) -> Self {
        self.spared[1] = true;
        self
    }
}

impl Model for Bounds {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        let world = World::new(self.replicas, |config| {
            config.mode = self.mode;
            config.plan = Some(self.plan);
            config.limits.whole_bytes_max = 0;
            config.faults = self.fault.map(Into::into).unwrap_or_default();
            // One entry to a frame, so that a repair can be cut between any two.
            config.limits.frame_bytes_max = 40;
        });
        vec![State { world, left: [self.edits, self.records, self.opened, self.cuts, self.losses], id: 0 }.described()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Act>) {
        let [edits, records, opened, cuts, losses] = state.left;
        let nodes = &state.world.nodes;
        for at in 0..self.replicas {
            if edits > 0 {
                actions.push(Act::Insert(at, 0));
                actions.push(Act::Insert(at, 1));
                let inside = [0, 1].into_iter().filter(|key| nodes[at].state.contains(key));
                actions.extend(inside.map(|key| Act::Remove(at, key)));
            }
            if records > 0 {
                let lacks = |index: &usize| !state.world.records[*index].own.is_subset(&nodes[at].received);
                actions.extend((0..state.world.records.len()).filter(lacks).map(|index| Act::Record(at, index)));
            }
            for other in (0..self.replicas).filter(|other| *other != at) {
                if opened > 0 && !nodes[at].repairs.is_open(Small::peer(other)) {
                    actions.push(Act::Open(at, other));
                }
                let open =
                    nodes[at].repairs.is_open(Small::peer(other)) || nodes[other].repairs.is_open(Small::peer(at));
                if cuts > 0 && at < other && open {
                    actions.push(Act::Cut(at, other));
                }
            }
        }
        let busy = state.world.links.iter().filter(|(_, queue)| !queue.is_empty());
        for ((from, to), _) in busy {
            actions.push(Act::Deliver(*from, *to));
            if losses > 0 {
                actions.push(Act::Lose(*from, *to));
            }
        }
    }

    fn next_state(&self, last: &State, action: Act) -> Option<State> {
        let mut next = last.clone();
        let world = &mut next.world;
        match action {
            Act::Insert(at, key) => {
                next.left[0] -= 1;
                world.edit(at, |set| {
                    set.insert(key);
                });
            }
            Act::Remove(at, key) => {
                next.left[0] -= 1;
                world.edit(at, |set| {
                    set.remove(&key);
                });
            }
            Act::Record(at, index) => {
                next.left[1] -= 1;
                world.receive(at, index);
            }
            Act::Open(at, other) => {
                next.left[2] -= 1;
                world.open(at, other);
            }
            Act::Deliver(from, to) => {
                world.deliver(from, to);
            }
            Act::Cut(a, b) => {
                next.left[3] -= 1;
                world.cut(a, b);
            }
            Act::Lose(from, to) => {
                next.left[4] -= 1;
                world.links.get_mut(&(from, to))?.pop_front();
            }
        }
        world.ended.clear();
        Some(next.described())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(EFFECT, |model: &Bounds, state: &State| {
                (0..model.replicas).all(|at| state.world.fault(at).is_none())
            }),
            Property::always(NO_ALARM, |_, state: &State| state.world.diverged == 0),
            Property::always(CONVERGES, |_, state: &State| converges(state)),
            Property::sometimes("a repair ends", |_, state: &State| {
                state.on_the_way(|message| matches!(message, Message::Done { .. }))
            }),
            Property::sometimes("somebody learnt something in between", |model: &Bounds, state: &State| {
                model.spared[1]
                    || state
                        .on_the_way(|message| matches!(message, Message::Finish(finish) if !finish.since.is_empty()))
            }),
            Property::sometimes("something is named as retired", |model: &Bounds, state: &State| {
                model.spared[1]
                    || state
                        .on_the_way(|message| matches!(message, Message::Finish(finish) if !finish.retired.is_empty()))
            }),
            Property::sometimes("two repairs cross", |model: &Bounds, state: &State| {
                model.spared[0]
                    || state.on_the_way(|message| {
                        matches!(message, Message::Cancel { reason: crate::CancelReason::Superseded, .. })
                    })
            }),
            Property::sometimes("a removal is known before what it removed", |model: &Bounds, state: &State| {
                model.mode != Mode::Immediate
                    || model.records < 1
                    || model.edits < 2
                    || state.world.nodes.iter().any(|node| *node.state.seen() != node.received)
            }),
        ]
    }
}

const EFFECT: &str = "every state is the effect of what was received";
const NO_ALARM: &str = "no sum is wrong";
const CONVERGES: &str = "from here all become the merge of all edits";

/// From here on nothing is lost: a round of repairs makes all equal, the next one finds them so.
fn converges(state: &State) -> bool {
    let mut world = state.world.clone();
    let pairs = [(0, 1), (1, 2), (0, 2), (0, 1)];
    let pairs = pairs.into_iter().filter(|(a, b)| world.nodes.len() > (*a).max(*b)).collect::<Vec<_>>();
    for (a, b) in &pairs {
        world.cut(*a, *b);
    }
    for (a, b) in pairs {
        world.open(a, b);
        world.drain();
    }
    let merged = world.merged();
    world.nodes.iter().all(|node| node.state == merged)
}

/// Goes through all that may happen; says how many states there are.
fn exhausted(bounds: Bounds) -> usize {
    let start = Instant::now();
    let checker = bounds.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    eprintln!("{bounds:?}: {states} states, depth {depth}, {:.1} s", start.elapsed().as_secs_f64());
    states
}

#[test]
fn two_replicas_with_a_set_of_live_dots() {
    assert!(exhausted(PAIR) > 40_000);
}

#[test]
fn two_replicas_with_a_sketch() {
    assert!(exhausted(Bounds { opened: 1, plan: Plan::Sketch, ..PAIR }.without_crossing()) > 4_000);
}

#[test]
fn two_replicas_with_whole_states() {
    assert!(exhausted(Bounds { opened: 1, plan: Plan::Whole, mode: Mode::Causal, ..PAIR }.without_crossing()) > 4_000);
}

#[test]
fn two_replicas_over_a_link_that_loses_frames() {
    assert!(exhausted(Bounds { opened: 1, cuts: 0, losses: 2, ..PAIR }.without_crossing()) > 4_000);
}

#[test]
fn three_replicas_with_two_repairs_at_once() {
    let bounds = Bounds { replicas: 3, edits: 1, records: 0, mode: Mode::Causal, ..PAIR };
    assert!(exhausted(bounds.without_news()) > 4_000);
}

/// Three edits and one repair, cut or not: 48,997 states, exhausted in 90 s on two busy processors.
#[test]
#[ignore = "soak"]
fn more_edits() {
    exhausted(Bounds { edits: 3, opened: 1, ..PAIR }.without_crossing());
}

/// Two repairs that may cross, one of them cut, with sketches: 77,787 states, exhausted in 254 s.
#[test]
#[ignore = "soak"]
fn two_sketches() {
    exhausted(Bounds { plan: Plan::Sketch, ..PAIR });
}

/// Three replicas, two edits, and two repairs between any two of them: 158,703 states, exhausted in 310 s. The largest
/// bound with a verdict: three edits and two repairs with a cut, at two replicas, had none after half an hour.
#[test]
#[ignore = "soak"]
fn more_replicas() {
    exhausted(Bounds { replicas: 3, records: 0, cuts: 0, mode: Mode::Causal, ..PAIR });
}

/// One edit and a record that comes by itself, with a cut: 54,943 states, exhausted in 54 s.
#[test]
#[ignore = "soak"]
fn more_replicas_and_a_cut() {
    exhausted(Bounds { replicas: 3, edits: 1, records: 1, cuts: 1, ..PAIR }.without_news());
}

/// The first state in which a fault shows.
fn counterexample(fault: Fault, bounds: Bounds) -> (&'static str, Vec<Act>) {
    let bounds = Bounds { fault: Some(fault), ..bounds };
    let checker = bounds.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = [EFFECT, NO_ALARM, CONVERGES].into_iter().find_map(|name| Some((name, checker.discovery(name)?)));
    let (name, path) = found.unwrap_or_else(|| panic!("{fault:?} goes unnoticed within {bounds:?}"));
    let acts = path.into_actions();
    eprintln!("{fault:?}: not {name:?} after {acts:?}");
    (name, acts)
}

#[test]
fn uniting_before_the_finish_has_a_counterexample() {
    assert_eq!(counterexample(Fault::UnitedBeforeFinish, PAIR).0, EFFECT);
}

#[test]
fn uniting_per_chunk_has_a_counterexample() {
    assert_eq!(counterexample(Fault::UnitedPerChunk, PAIR).0, EFFECT);
}

#[test]
fn a_finish_believed_without_proof_has_a_counterexample() {
    let bounds = Bounds { cuts: 0, losses: 1, opened: 1, ..PAIR };
    assert_eq!(counterexample(Fault::FinishWithoutProof, bounds).0, EFFECT);
}

/// The sum over both snapshots joined finds it even before anything wrong is merged.
#[test]
fn retired_since_and_unnamed_has_a_counterexample() {
    let bounds = Bounds { cuts: 0, opened: 1, ..PAIR };
    assert_eq!(counterexample(Fault::RetiredSinceUnnamed, bounds).0, NO_ALARM);
}

/// Three writes of one key, of which the second is still on its way: equal dots and different state.
#[test]
fn telling_seen_as_received_has_a_counterexample() {
    let bounds = Bounds { edits: 3, records: 2, cuts: 0, opened: 1, ..PAIR };
    let (name, _) = counterexample(Fault::ReceivedIsSeen, bounds);
    assert_ne!(name, CONVERGES);
}

#[test]
fn a_sketch_over_all_that_is_live_has_a_counterexample() {
    let bounds = Bounds { plan: Plan::Sketch, opened: 1, cuts: 0, records: 0, ..PAIR };
    assert_eq!(counterexample(Fault::SketchOverLive, bounds).0, CONVERGES);
}
