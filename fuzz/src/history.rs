//! A script drives three replicas through edits, partial merges, stale copies,
//! groups and restarts; then everything is exchanged in several orders, and every
//! order must end in the same bytes.

use crate::sample::{Record, Sample};
use crdt_core::{Causal, Delta, DotStore, EditError, Merge, ReplicaId, Writer};
use std::fmt::Debug;

const REPLICAS: usize = 3;

/// Longer scripts find nothing that shorter ones do not, only later.
const STEPS_MAX: usize = 200;

/// Who is who; seeds are made of these.
pub const FIRST_ID: u128 = 1;

/// Plays the script on a type that nests every other, and compares the ends.
pub fn check(script: &[u8]) {
    World::<Record>::play(script, FIRST_ID).check_all_ends();
}

struct Replica<S: Sample> {
    writer: Writer,
    state: Causal<S>,
}

/// Replicas, and all that was ever said.
pub struct World<S: Sample> {
    replicas: Vec<Replica<S>>,
    deltas: Vec<Delta<S>>,
    /// Copies of replicas that were away since.
    stale: Vec<Causal<S>>,
}

impl<S: Sample> World<S> {
    /// Plays a script of two-byte steps: who does what, and an argument. Every
    /// script is legal: numbers wrap around to what exists.
    pub fn play(script: &[u8], first_id: u128) -> Self {
        let mut world = Self {
            replicas: (0..REPLICAS as u128)
                .map(|index| Replica {
                    writer: Writer::new(ReplicaId::from_u128(first_id + index)),
                    state: Causal::new(),
                })
                .collect(),
            deltas: Vec::new(),
            stale: Vec::new(),
        };
        for step in script.chunks_exact(2).take(STEPS_MAX) {
            let (who, action) = (usize::from(step[0]) % REPLICAS, step[0] / REPLICAS as u8);
            world.step(who, action, step[1]);
        }
        world
    }

    fn step(&mut self, who: usize, action: u8, argument: u8) {
        let chosen = usize::from(argument);
        match action % 12 {
            0..=3 => self.edit(who, argument),
            4 => self.fail(who, argument),
            5 | 6 if !self.deltas.is_empty() => {
                let delta = self.deltas[chosen % self.deltas.len()].clone();
                self.merge(who, |state| state.merge(&delta));
            }
            7 => {
                let other = self.replicas[chosen % REPLICAS].state.clone();
                self.merge(who, |state| state.merge(&other));
            }
            8 if !self.stale.is_empty() => {
                let copy = self.stale[chosen % self.stale.len()].clone();
                self.merge(who, |state| state.merge(copy));
            }
            9 => self.stale.push(self.replicas[who].state.clone()),
            10 => self.restart(who),
            11 => self.catch_up(who, chosen % REPLICAS, argument & 0x80 == 0),
            _ => {}
        }
    }

    fn edit(&mut self, who: usize, argument: u8) {
        let Replica { writer, state } = &mut self.replicas[who];
        let before = state.clone();
        let (delta, ()) = state.edit(writer, |cursor| S::edit(cursor, argument));
        assert_valid(state);
        assert_eq!(delta.is_empty(), before.encode() == state.encode(), "an edit takes a dot iff it changes something");
        let mut told = before;
        told.merge(&delta);
        assert_eq!(told.encode(), state.encode(), "the delta is not what the edit did");
        assert_eq!(Delta::<S>::decode(&delta.encode()).expect("own bytes"), delta);
        self.deltas.push(delta);
    }

    fn fail(&mut self, who: usize, argument: u8) {
        let Replica { writer, state } = &mut self.replicas[who];
        let before = state.encode();
        let failed: Result<(Delta<S>, ()), EditError> = state.try_edit(writer, |cursor| {
            S::edit(cursor, argument);
            Err(EditError::Overflow)
        });
        assert!(failed.is_err());
        assert_valid(state);
        assert_eq!(state.encode(), before, "a failed edit left something behind");
    }

    fn merge(&mut self, who: usize, merge: impl FnOnce(&mut Causal<S>) -> bool) {
        let state = &mut self.replicas[who].state;
        let before = state.encode();
        let grew = merge(state);
        assert_valid(state);
        assert_eq!(grew, before != state.encode(), "merge's answer is not true");
    }

    /// Goes on from what it had written down.
    fn restart(&mut self, who: usize) {
        let state = &mut self.replicas[who].state;
        let again = Causal::<S>::decode(&state.encode()).expect("own bytes");
        assert_eq!(again, *state);
        *state = again;
    }

    /// `who` learns what it lacks of `other`, by what it has seen or by a summary.
    fn catch_up(&mut self, who: usize, other: usize, by_summary: bool) {
        let (receiver, giver) = (&self.replicas[who].state, &self.replicas[other].state);
        let delta = match by_summary {
            true => giver.diff(&receiver.summary()),
            false => giver.delta_since(receiver.seen()),
        };
        let mut whole = receiver.clone();
        whole.merge(giver);
        self.merge(who, |state| state.merge(delta));
        assert_eq!(self.replicas[who].state.encode(), whole.encode(), "what was lacking is not all");
    }

    /// The replicas as they are now.
    pub fn states(&self) -> impl Iterator<Item = &Causal<S>> {
        self.replicas.iter().map(|replica| &replica.state)
    }

    /// What each edit said.
    pub fn deltas(&self) -> &[Delta<S>] {
        &self.deltas
    }

    /// Exchanges everything in several orders and groupings.
    pub fn check_all_ends(&self) {
        let in_order = fold(&self.deltas);
        let end = in_order.encode();

        let reversed: Vec<_> = self.deltas.iter().rev().cloned().collect();
        assert_eq!(fold(&reversed).encode(), end, "deltas in reverse");

        let twice: Vec<_> = self.deltas.iter().flat_map(|delta| [delta.clone(), delta.clone()]).collect();
        assert_eq!(fold(&twice).encode(), end, "each delta twice");

        let (even, odd): (Vec<_>, Vec<_>) = self.deltas.iter().enumerate().partition(|(index, _)| index % 2 == 0);
        let group = |part: Vec<(usize, &Delta<S>)>| {
            part.into_iter().fold(Delta::new(), |mut group, (_, delta)| {
                group.merge(delta);
                group
            })
        };
        assert_eq!(fold(&[group(odd), group(even)]).encode(), end, "in two groups");

        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut joined = self.replicas[order[0]].state.clone();
            for &next in &order[1..] {
                joined.merge(&self.replicas[next].state);
            }
            for stale in &self.stale {
                assert!(!joined.merge(stale), "a stale copy brought something back");
            }
            assert_valid(&joined);
            assert_eq!(joined.encode(), end, "replicas in the order {order:?}");
            assert_eq!(joined.dots_digest(), in_order.dots_digest());
        }
    }
}

fn fold<S: Sample>(deltas: &[Delta<S>]) -> Causal<S> {
    let mut state = Causal::<S>::new();
    for delta in deltas {
        state.merge(delta);
        assert_valid(&state);
    }
    state
}

/// Panics if something that must always hold of a state does not.
pub fn assert_valid<S: DotStore + Debug>(state: &Causal<S>) {
    if let Err(fault) = state.validate() {
        panic!("{fault}: {state:?}");
    }
}
