//! All histories of two replicas and two keys, up to a depth: small, but nothing is left to chance.
//!
//! Random histories reach deep; this one leaves no gap at the bottom. Two orders of steps that make the same abstract
//! execution (the same edits, each knowing the same) are followed once.

use super::execution::EventSet;
use super::law::Broken;
use super::op::Operation;
use super::subject::{OpOf, Subject, check_pair, check_triple};
use super::world::World;
use std::collections::{BTreeMap, HashSet};
use std::prelude::rust_2024::*;

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

/// The most states of which all pairs are checked, and all triples. Beyond, an even selection is taken.
const PAIRED_MAX: usize = 160;
const TRIPLED_MAX: usize = 36;

/// Follows every history of `depth` steps, from the alphabet of the type's operations, deliveries of single deltas in
/// any order, and merges of whole states; every law is checked at every step, and the laws of two and three states on
/// the states met.
///
/// # Errors
/// The first law that does not hold.
pub fn explore<T: Subject>(depth: usize) -> Result<Covered, Broken> {
    let letters = OpOf::<T>::alphabet();
    let mut known = HashSet::new();
    let mut states = BTreeMap::<Vec<u8>, T::State>::new();
    let mut frontier = std::vec![(World::<T>::new(2), Vec::<u8>::new())];
    for step in 1..=depth {
        let mut next = Vec::new();
        for (world, edits) in frontier {
            for (letter, op) in letters.iter().enumerate() {
                for at in 0..2 {
                    let mut after = world.branch();
                    let before = after.execution.len();
                    after.edit(at, op)?;
                    if after.execution.len() > before {
                        let mut edits = edits.clone();
                        edits.push(letter as u8);
                        next.push((after, edits));
                    }
                }
            }
            for to in 0..2 {
                let missing = |event: &usize| !world.replicas[to].known.contains(*event);
                for event in world.sent.iter().copied().filter(missing) {
                    let mut after = world.branch();
                    after.deliver_group(to, &[event].into_iter().collect(), false)?;
                    next.push((after, edits.clone()));
                }
                let other = &world.replicas[1 - to];
                if !other.known.is_subset(&world.replicas[to].known) {
                    let mut after = world.branch();
                    after.merge_state(to, &other.state, &other.known)?;
                    next.push((after, edits.clone()));
                }
            }
        }
        frontier = Vec::new();
        for (world, edits) in next {
            if known.insert(name(&world, &edits)) {
                for replica in &world.replicas {
                    let bytes = T::encode(&replica.state);
                    states.entry(bytes).or_insert_with(|| replica.state.clone());
                }
                if step < depth {
                    frontier.push((world, edits));
                }
            }
        }
    }
    let mut covered = Covered { configurations: known.len() + 1, states: states.len(), pairs: 0, triples: 0 };
    for state in states.values() {
        T::check_parts(state)?;
    }
    let paired = selection(&states, PAIRED_MAX);
    for a in &paired {
        for b in &paired {
            check_pair::<T>(a, b)?;
            covered.pairs += 1;
        }
    }
    let tripled = selection(&states, TRIPLED_MAX);
    for a in &tripled {
        for b in &tripled {
            for c in &tripled {
                check_triple::<T>(a, b, c)?;
                covered.triples += 1;
            }
        }
    }
    Ok(covered)
}

/// At most `count` of the states, evenly spread.
fn selection<S>(states: &BTreeMap<Vec<u8>, S>, count: usize) -> Vec<&S> {
    states.values().step_by(states.len().div_ceil(count).max(1)).collect()
}

/// A configuration by what was asked where and what was known, whatever the order of steps that led there.
fn name<T: Subject>(world: &World<T>, edits: &[u8]) -> Vec<u64> {
    // Events are named by writer and place among that writer's edits.
    let mut places = [0u32; 2];
    let mut bits = Vec::new();
    for event in 0..world.execution.len() {
        let writer = world.execution.event(event).writer;
        bits.push(32 * writer as u32 + places[writer]);
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
