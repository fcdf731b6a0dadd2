//! Runs one history and asks for the laws at every step.
//!
//! Beside each replica's state stands the set of events it knows. Two things follow from that set alone, and are checked
//! wherever a state changes: the state is the join of the deltas of those events (L9, whatever the order and the gaps),
//! and, where the set is causally closed, the value is what the specification says of them (L11).

use super::execution::{EventId, EventSet, Execution};
use super::history::{History, Step};
use super::law::{Broken, Law};
use super::op::{Operation, Removal};
use super::spec::Specification;
use super::subject::{OpOf, Subject, check_pair, check_state, check_triple, join, join_delta, reencoded};
use super::tally::Tally;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::format;
use std::prelude::rust_2024::*;

/// Runs `history` on subject `T` and checks every law on the way.
pub fn run<T: Subject>(history: &History<OpOf<T>>) -> Result<Tally, Broken> {
    let mut world = World::<T>::new(usize::from(history.replicas.max(1)));
    for step in &history.steps {
        world.take(step, history.causes_first)?;
    }
    world.finish()?;
    Ok(world.tally)
}

pub(super) struct Replica<T: Subject> {
    writer: usize,
    author: T::Author,
    pub(super) state: T::State,
    pub(super) known: EventSet,
}

impl<T: Subject> Replica<T> {
    fn new(writer: usize, state: T::State, known: EventSet) -> Self {
        Self { writer, author: T::author(writer), state, known }
    }
}

pub(super) struct World<T: Subject> {
    pub(super) execution: Execution<OpOf<T>>,
    /// By event.
    deltas: Vec<T::Delta>,
    /// Events whose edit changed nothing: there is nothing of them to send, so they travel with what follows them.
    idle: EventSet,
    /// All others, oldest first.
    pub(super) sent: Vec<EventId>,
    pub(super) replicas: Vec<Replica<T>>,
    writers: usize,
    copies: Vec<(T::State, EventSet)>,
    /// The join of the deltas of each set of events met so far, with its bytes.
    joins: HashMap<EventSet, (T::State, Vec<u8>)>,
    pub(super) tally: Tally,
}

impl<T: Subject> World<T> {
    pub(super) fn new(replicas: usize) -> Self {
        Self {
            execution: Execution::default(),
            deltas: Vec::new(),
            idle: EventSet::new(),
            sent: Vec::new(),
            replicas: (0..replicas).map(|writer| Replica::new(writer, T::State::default(), EventSet::new())).collect(),
            writers: replicas,
            copies: Vec::new(),
            joins: HashMap::new(),
            tally: Tally { histories: 1, ..Tally::default() },
        }
    }

    /// The same world, to go on in another way.
    pub(super) fn branch(&self) -> Self {
        let replica = |replica: &Replica<T>| Replica {
            writer: replica.writer,
            author: T::branch(&replica.author),
            state: replica.state.clone(),
            known: replica.known.clone(),
        };
        Self {
            execution: self.execution.clone(),
            deltas: self.deltas.clone(),
            idle: self.idle.clone(),
            sent: self.sent.clone(),
            replicas: self.replicas.iter().map(replica).collect(),
            writers: self.writers,
            copies: self.copies.clone(),
            // Found again when needed.
            joins: HashMap::new(),
            tally: Tally::default(),
        }
    }

    fn take(&mut self, step: &Step<OpOf<T>>, causes_first: bool) -> Result<(), Broken> {
        let replica = |number: &u8| usize::from(*number) % self.replicas.len();
        match step {
            Step::Edit(at, op) => self.edit(replica(at), op),
            Step::Deliver { back, to } => {
                let to = replica(to);
                self.deliver(to, *back, 1, causes_first)
            }
            Step::DeliverGroup { back, count, to } => {
                let to = replica(to);
                self.deliver(to, *back, usize::from(*count), causes_first)
            }
            Step::Resend { to } => {
                let to = replica(to);
                let known = &self.replicas[to].known;
                let missing = || self.sent.iter().copied().filter(|&event| !known.contains(event));
                let is_cause =
                    |event: &EventId| known.iter().any(|held| self.execution.event(held).visible.contains(*event));
                let oldest = missing().find(is_cause).or_else(|| missing().next());
                oldest.map_or(Ok(()), |event| self.deliver_group(to, &[event].into_iter().collect(), causes_first))
            }
            Step::Copy(of) => {
                let Replica { state, known, .. } = &self.replicas[replica(of)];
                self.copies.push((state.clone(), known.clone()));
                Ok(())
            }
            Step::MergeCopy { back, to } => {
                let to = replica(to);
                let Some(copy) = nth_back(self.copies.len(), *back) else { return Ok(()) };
                let (state, known) = self.copies[copy].clone();
                if !self.replicas[to].known.is_subset(&known) {
                    self.tally.stale_merges += 1;
                }
                self.merge_state(to, &state, &known)
            }
            Step::Meet { from, to } => {
                let (from, to) = (replica(from), replica(to));
                let Replica { state, known, .. } = &self.replicas[from];
                let (state, known) = (state.clone(), known.clone());
                self.merge_state(to, &state, &known)
            }
            Step::Repair { from, to } => {
                let (from, to) = (replica(from), replica(to));
                let delta = T::since(&self.replicas[from].state, &self.replicas[to].state);
                self.merge_answer(from, to, delta, Law::Since)
            }
            Step::Difference { from, to } => {
                let (from, to) = (replica(from), replica(to));
                let delta = T::difference(&self.replicas[from].state, &self.replicas[to].state);
                self.merge_answer(from, to, delta, Law::L8)
            }
            Step::Reencode(at) => {
                let at = replica(at);
                self.replicas[at].state = reencoded::<T>(&self.replicas[at].state)?;
                self.check(at)
            }
            Step::Restore { replica: lost, back } => {
                let lost = replica(lost);
                let Some(copy) = nth_back(self.copies.len(), *back) else { return Ok(()) };
                let (state, known) = self.copies[copy].clone();
                self.replicas[lost] = Replica::new(self.writers, state, known);
                self.writers += 1;
                self.check(lost)
            }
        }
    }

    pub(super) fn edit(&mut self, at: usize, op: &OpOf<T>) -> Result<(), Broken> {
        let Replica { writer, author, state, known } = &mut self.replicas[at];
        let before = state.clone();
        // It takes longer than all other checks of an edit together, so a part of them is asked for it.
        if self.execution.len().is_multiple_of(3) {
            T::check_failed_edit(&before, op)?;
        }
        let grounded = self.execution.is_grounded(known);
        let delta = match T::edit(state, author, op) {
            Ok(delta) => delta,
            Err(refused) => {
                self.tally.refusals += 1;
                Law::L17.equal("the state before and after a refused edit", &before, state)?;
                let expected = !grounded || T::Spec::refuses(&self.execution.view(known), *writer, op);
                return Law::L11.holds(expected, || format!("{op:?} was refused without need: {refused:?}"));
            }
        };
        if grounded {
            let refuses = T::Spec::refuses(&self.execution.view(known), *writer, op);
            Law::L11.holds(!refuses, || format!("{op:?} was not refused by writer {writer} at {before:?}"))?;
        }
        let story = |what: &str, other: &T::State, state: &T::State| {
            format!(
                "{what}, after {op:?} by writer {writer}\nbefore: {before:?}\n delta: {delta:?}\n after: {state:?}\n other: {other:?}"
            )
        };
        let grown = join::<T>(&before, state);
        Law::L5.holds(grown == *state, || story("x ⊔ m(x) is not m(x)", &grown, state))?;
        let mut merged = before.clone();
        let grew = T::merge_delta(&mut merged, &delta);
        Law::L6.holds(merged == *state, || story("x ⊔ δ is not m(x)", &merged, state))?;
        Law::Truthful
            .holds(grew == (before != *state), || story("merging the delta answered wrongly", &merged, state))?;
        T::check_edit(&before, &delta, state)?;
        T::check_merge(&before, &delta, state)?;

        let changed = before != *state;
        let removal = op.removal();
        if removal != Removal::None && T::value(&before) != T::value(state) {
            self.tally.removals += 1;
            self.tally.nested_removals += u64::from(removal == Removal::Nested);
        }
        let event = self.execution.issue(*writer, op.clone(), known.clone());
        known.insert(event);
        self.tally.edits += 1;
        if changed {
            self.sent.push(event);
        } else {
            self.tally.idle_edits += 1;
            self.idle.insert(event);
        }
        let sent = T::reencode_delta(&delta).map_err(|error| Broken {
            law: Law::L10,
            story: format!("own delta is refused: {error}\n delta: {delta:?}"),
        })?;
        self.deltas.push(sent);
        self.check_after(at, changed)
    }

    fn deliver(&mut self, to: usize, back: u8, count: usize, causes_first: bool) -> Result<(), Broken> {
        let Some(last) = nth_back(self.sent.len(), back) else { return Ok(()) };
        let first = (last + 1).saturating_sub(count);
        let group: EventSet = self.sent[first..=last].iter().copied().collect();
        self.deliver_group(to, &group, causes_first)
    }

    pub(super) fn deliver_group(&mut self, to: usize, group: &EventSet, causes_first: bool) -> Result<(), Broken> {
        // Newest first, as the order must not matter.
        let mut members: Vec<EventId> = group.iter().collect();
        let Some(newest) = members.pop() else { return Ok(()) };
        let mut delta = self.deltas[newest].clone();
        for older in members {
            T::group(&mut delta, &self.deltas[older]);
        }
        let mut known = self.replicas[to].known.clone();
        self.tally.repeats += u64::from(group.is_subset(&known));
        self.learn(&mut known, group);
        let closed = self.execution.is_closed(&known);
        if causes_first && !closed {
            return Ok(());
        }
        let had_gap = !self.execution.is_closed(&self.replicas[to].known);
        self.tally.gaps += u64::from(!closed);
        self.tally.gaps_filled += u64::from(had_gap && closed);
        self.merge_delta(to, &delta, known)
    }

    /// Adds `news` to what a replica knows, and with it the edits before it that changed nothing.
    fn learn(&self, known: &mut EventSet, news: &EventSet) {
        known.union_with(news);
        for event in news.iter() {
            let before = &self.execution.event(event).visible;
            for idle in self.idle.iter().filter(|&idle| before.contains(idle)) {
                known.insert(idle);
            }
        }
    }

    fn merge_delta(&mut self, to: usize, delta: &T::Delta, known: EventSet) -> Result<(), Broken> {
        let Replica { state, known: knew, .. } = &mut self.replicas[to];
        let before = state.clone();
        let grew = T::merge_delta(state, delta);
        let story =
            || format!("merging a delta answered {grew}\nbefore: {before:?}\n delta: {delta:?}\n after: {state:?}");
        Law::Truthful.holds(grew == (before != *state), story)?;
        let again = join_delta::<T>(state, delta);
        Law::L3.holds(again == *state, || {
            format!("a delta merged twice\n delta: {delta:?}\n  once: {state:?}\n twice: {again:?}")
        })?;
        T::check_merge(&before, delta, state)?;
        *knew = known;
        self.check_after(to, grew)
    }

    pub(super) fn merge_state(&mut self, to: usize, other: &T::State, theirs: &EventSet) -> Result<(), Broken> {
        let had_gap = !self.execution.is_closed(&self.replicas[to].known);
        let Replica { state, known, .. } = &mut self.replicas[to];
        let before = state.clone();
        let grew = T::merge(state, other);
        known.union_with(theirs);
        Law::Truthful.holds(grew == (before != *state), || {
            format!("merging a state answered {grew}\nbefore: {before:?}\n other: {other:?}\n after: {state:?}")
        })?;
        self.tally.gaps_filled += u64::from(had_gap && self.execution.is_closed(known));
        self.check_after(to, grew)
    }

    /// Merges what `from` answered to `to`: then `to` knows what `from` knows.
    fn merge_answer(&mut self, from: usize, to: usize, delta: Option<T::Delta>, law: Law) -> Result<(), Broken> {
        let Some(delta) = delta else { return Ok(()) };
        let whole = join::<T>(&self.replicas[to].state, &self.replicas[from].state);
        let by_delta = join_delta::<T>(&self.replicas[to].state, &delta);
        law.equal("the receiver after the answer and after the whole state", &by_delta, &whole)?;
        let mut known = self.replicas[to].known.clone();
        known.union_with(&self.replicas[from].known);
        self.merge_delta(to, &delta, known)
    }

    /// The join of the deltas of `known`, oldest first, with its bytes.
    fn join_of(&mut self, known: &EventSet) -> &(T::State, Vec<u8>) {
        match self.joins.entry(known.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let mut state = T::State::default();
                // A lattice may say again what is known where an edit changed nothing; that was never sent.
                for event in known.iter().filter(|event| !self.idle.contains(*event)) {
                    T::merge_delta(&mut state, &self.deltas[event]);
                }
                let bytes = T::encode(&state);
                entry.insert((state, bytes))
            }
        }
    }

    /// Everything that must hold of a replica at any time.
    fn check(&mut self, at: usize) -> Result<(), Broken> {
        self.check_after(at, true)
    }

    /// The same after a step; of a state that did not change only what depends on what is known.
    fn check_after(&mut self, at: usize, changed: bool) -> Result<(), Broken> {
        let known = self.replicas[at].known.clone();
        let (expected, expected_bytes) = self.join_of(&known).clone();
        let Replica { state, .. } = &self.replicas[at];
        Law::L9.holds(*state == expected, || {
            format!("the state of one who knows {known:?} is not the join of their deltas\n state: {state:?}\n  join: {expected:?}")
        })?;
        Law::L10.equal("bytes of equal states", &T::encode(state), &expected_bytes)?;
        if changed {
            check_state::<T>(state)?;
        }
        if self.execution.is_grounded(&known) {
            self.tally.compared += 1;
            let specified = T::Spec::value(&self.execution.view(&known));
            let shown = T::value(state);
            Law::L11.holds(shown == specified, || {
                format!("one who knows {known:?} sees {shown:?}, specified is {specified:?}\n state: {state:?}")
            })?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Broken> {
        let events: EventSet = (0..self.execution.len()).collect();
        for one in events.iter() {
            self.tally.concurrent_pairs +=
                (one..self.execution.len()).filter(|&other| self.execution.are_concurrent(one, other)).count() as u64;
            self.tally.losses += u64::from(self.replicas.iter().any(|replica| !replica.known.contains(one)));
        }
        self.check_samples()?;
        self.check_orders(&events)?;
        self.check_quiescence()
    }

    /// The laws of two and three states, on states met in this history: on all of them if they are few.
    fn check_samples(&mut self) -> Result<(), Broken> {
        // In order of the events known, as the table has no order of its own.
        let mut sets: Vec<&EventSet> = self.joins.keys().collect();
        sets.sort();
        let pool: Vec<&T::State> = sets.iter().map(|set| &self.joins[*set].0).collect();
        let size = pool.len();
        if size <= 3 {
            for a in &pool {
                for b in &pool {
                    check_pair::<T>(a, b)?;
                    for c in &pool {
                        check_triple::<T>(a, b, c)?;
                    }
                }
            }
        } else {
            // Strides spread the samples over the history, so that old meets new.
            for round in 0..4 {
                let [a, b, c] =
                    [round * 7 + size, round * 11 + size / 2, round * 13 + size / 3].map(|index| pool[index % size]);
                check_pair::<T>(a, b)?;
                check_triple::<T>(a, b, c)?;
                check_triple::<T>(a, b, &join::<T>(&join::<T>(a, b), c))?;
            }
        }
        for state in pool.iter().rev().take(2) {
            T::check_parts(state)?;
        }
        Ok(())
    }

    /// L9: newest first, everything twice, and in groups, gives the same state; L15: a group at once, or one by one.
    fn check_orders(&mut self, events: &EventSet) -> Result<(), Broken> {
        let expected = self.join_of(events).0.clone();
        let mut backwards = T::State::default();
        for event in (0..self.deltas.len()).rev() {
            T::merge_delta(&mut backwards, &self.deltas[event]);
            T::merge_delta(&mut backwards, &self.deltas[event / 2]);
        }
        Law::L9.equal("all deltas newest first and oldest first", &backwards, &expected)?;
        let by_parity = |parity: EventId| {
            let mut chosen = self.deltas.iter().skip(parity).step_by(2);
            let mut group = chosen.next()?.clone();
            chosen.for_each(|delta| T::group(&mut group, delta));
            Some(group)
        };
        let mut grouped = T::State::default();
        for group in [by_parity(1), by_parity(0)].into_iter().flatten() {
            T::merge_delta(&mut grouped, &group);
        }
        Law::L15.equal("all deltas in two groups and one by one", &grouped, &expected)
    }

    /// L12: after everybody has heard from everybody, nobody differs.
    fn check_quiescence(&mut self) -> Result<(), Broken> {
        let last = self.replicas.len() - 1;
        for from in 0..=last {
            let Replica { state, known, .. } = &self.replicas[from];
            let (state, known) = (state.clone(), known.clone());
            T::merge(&mut self.replicas[last].state, &state);
            self.replicas[last].known.union_with(&known);
        }
        let (everything, all_known) = (self.replicas[last].state.clone(), self.replicas[last].known.clone());
        let bytes = T::encode(&everything);
        for to in 0..=last {
            T::merge(&mut self.replicas[to].state, &everything);
            self.replicas[to].known = all_known.clone();
            Law::L12.equal("bytes after everybody heard everything", &T::encode(&self.replicas[to].state), &bytes)?;
        }
        self.check(0)
    }
}

/// The index of what was made `back` before the newest of `count`, counted round.
fn nth_back(count: usize, back: u8) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(last - usize::from(back) % count)
}
