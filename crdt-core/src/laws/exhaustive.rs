//! All histories of a few replicas and two keys, up to a depth: small, but nothing is left to chance.
//!
//! Random histories reach deep; this one leaves no gap at the bottom. Two orders of steps that make the same abstract
//! execution (the same edits, each knowing the same) are followed once.

use super::execution::EventSet;
use super::law::Broken;
use super::op::Operation;
use super::subject::{OpOf, Subject, check_pair, check_triple};
use super::world::World;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::prelude::rust_2024::*;
use std::rc::Rc;

/// What an exhaustive search covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Different abstract executions with what each replica knew.
    pub configurations: usize,
    /// Different states met.
    pub states: usize,
    /// Pairs of states for which the laws of two were checked.
    pub pairs: usize,
    /// Triples of states for which the laws of three were checked.
    pub triples: usize,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { configurations, states, pairs, triples } = self;
        write!(f, "{configurations} configurations, {states} states, {pairs} pairs, {triples} triples")
    }
}

/// The most triples that are checked.
const TRIPLES_MAX: usize = 20_000;

/// The bits of a mask of events: so many for each replica's own.
const EVENTS_PER_REPLICA: u32 = 16;
/// As many as a mask of 64 bits has room for.
const REPLICAS_MAX: usize = 4;

/// A point of the search: the world, what was asked in it, and every state that somebody has been in on the way here.
struct Point<T: Subject> {
    world: World<T>,
    /// The letters of the edits, oldest first.
    edits: Vec<u8>,
    /// By number, as two states of different histories may not be mixed: they may give one name to two edits.
    trail: Vec<Numbered<T>>,
}

impl<T: Subject> Point<T> {
    fn branch(&self) -> Self {
        Self { world: self.world.branch(), edits: self.edits.clone(), trail: self.trail.clone() }
    }
}

/// A state with its number.
type Numbered<T> = (usize, Rc<<T as Subject>::State>);

/// The states met, each once, and the combinations of them that were checked.
struct Met<T: Subject> {
    states: HashMap<Vec<u8>, Vec<Numbered<T>>>,
    count: usize,
    pairs: HashSet<[usize; 2]>,
    triples: HashSet<[usize; 3]>,
}

impl<T: Subject> Met<T> {
    fn new() -> Self {
        Self { states: Default::default(), count: 0, pairs: HashSet::new(), triples: HashSet::new() }
    }

    /// The number of a state; a new one is asked for the laws of one.
    fn number(&mut self, state: &T::State) -> Result<Numbered<T>, Broken> {
        let alike = self.states.entry(T::encode(state)).or_default();
        if let Some(known) = alike.iter().find(|(_, other)| **other == *state) {
            return Ok(known.clone());
        }
        T::check_parts(state)?;
        let new = (self.count, Rc::new(state.clone()));
        alike.push(new.clone());
        self.count += 1;
        Ok(new)
    }

    /// Adds the state that a replica is in to a trail, and asks for the laws of two and three on all that is new there.
    fn arrive(&mut self, at: usize, point: &mut Point<T>) -> Result<(), Broken> {
        let (newest, state) = self.number(&point.world.replicas[at].state)?;
        for (older, other) in &point.trail {
            if self.pairs.insert([newest, *older]) {
                check_pair::<T>(&state, other)?;
            }
            for (third, last) in &point.trail {
                if self.triples.len() < TRIPLES_MAX && self.triples.insert([newest, *older, *third]) {
                    check_triple::<T>(&state, other, last)?;
                }
            }
        }
        if point.trail.iter().all(|(number, _)| *number != newest) {
            point.trail.push((newest, state));
        }
        Ok(())
    }
}

/// Follows every history of `depth` steps of so many replicas, from the alphabet of the type's operations, deliveries of
/// single deltas in any order, and merges of whole states; every law of a step is checked at each, and the laws of two
/// and three states on the states met in one history.
///
/// # Errors
/// The first law that does not hold.
///
/// # Panics
/// With more than four replicas, or more than sixteen steps.
pub fn explore<T: Subject>(replicas: usize, depth: usize) -> Result<Covered, Broken> {
    assert!((1..=REPLICAS_MAX).contains(&replicas), "one to four replicas, not {replicas}");
    assert!(depth <= EVENTS_PER_REPLICA as usize, "at most sixteen steps, not {depth}");
    let letters = OpOf::<T>::alphabet();
    let mut known = HashSet::new();
    let mut met = Met::<T>::new();
    let mut first = Point { world: World::new(replicas), edits: Vec::new(), trail: Vec::new() };
    met.arrive(0, &mut first)?;
    let mut frontier = std::vec![first];
    for step in 1..=depth {
        let mut next = Vec::new();
        let mut follow = |mut after: Point<T>, at: usize| -> Result<(), Broken> {
            met.arrive(at, &mut after)?;
            if known.insert(name(&after.world, &after.edits)) && step < depth {
                next.push(after);
            }
            Ok(())
        };
        for point in &frontier {
            for (letter, op) in letters.iter().enumerate() {
                for at in 0..replicas {
                    let mut after = point.branch();
                    after.world.edit(at, op)?;
                    if after.world.execution.len() > point.world.execution.len() {
                        after.edits.push(letter as u8);
                        follow(after, at)?;
                    }
                }
            }
            for to in 0..replicas {
                let all = &point.world.replicas;
                let missing = |event: &usize| !all[to].known.contains(*event);
                for event in point.world.sent.iter().copied().filter(missing) {
                    let mut after = point.branch();
                    after.world.deliver_group(to, &[event].into_iter().collect(), false)?;
                    follow(after, to)?;
                }
                for other in all.iter().filter(|other| !other.known.is_subset(&all[to].known)) {
                    let mut after = point.branch();
                    after.world.merge_state(to, &other.state, &other.known)?;
                    follow(after, to)?;
                }
            }
        }
        frontier = next;
    }
    Ok(Covered {
        configurations: known.len() + 1,
        states: met.count,
        pairs: met.pairs.len(),
        triples: met.triples.len(),
    })
}

/// A configuration by what was asked where and what was known, whatever the order of steps that led there.
fn name<T: Subject>(world: &World<T>, edits: &[u8]) -> Vec<u64> {
    // Events are named by writer and place among that writer's edits.
    let mut places = [0u32; REPLICAS_MAX];
    let mut bits = Vec::new();
    for event in 0..world.execution.len() {
        let writer = world.execution.event(event).writer;
        bits.push(EVENTS_PER_REPLICA * writer as u32 + places[writer]);
        places[writer] += 1;
    }
    let mask = |events: &EventSet| events.iter().fold(0u64, |mask, event| mask | 1 << bits[event]);
    let mut rows: Vec<[u64; 3]> = (0..world.execution.len())
        .map(|event| [u64::from(bits[event]), u64::from(edits[event]), mask(&world.execution.event(event).visible)])
        .collect();
    rows.sort_unstable();
    let mut name: Vec<u64> = world.replicas.iter().map(|replica| mask(&replica.known)).collect();
    name.extend(rows.into_iter().flatten());
    name
}
