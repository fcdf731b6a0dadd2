//! Dot stores under the laws.

use super::law::{Broken, Law};
use super::spec::Specification;
use super::subject::{Refused, Subject, join_delta, reencoded};
use crate::{Causal, Delta, Dot, DotSet, DotStore, Merge, ReplicaId, Writer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::format;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;
use std::string::ToString;

/// What a store may be asked for.
pub type StoreOp<S> = <<S as Enrolled>::Spec as Specification>::Op;
/// What a reader of a store sees.
pub type StoreValue<S> = <<S as Enrolled>::Spec as Specification>::Value;

/// A dot store that can be put through histories.
///
/// Everything else follows from this: how its operations are done, what a reader sees, and what it is meant to mean.
/// Stores nest: a map asks the type of its values.
pub trait Enrolled: DotStore + Debug {
    /// The meaning, which imports nothing of the implementation.
    type Spec: Specification;

    /// Whether two changes may have one path, as several stores stand under one name.
    const SHARES_PATHS: bool = false;

    /// Does what `op` says.
    ///
    /// # Errors
    /// If the type refuses; then nothing may have been written.
    fn perform(cursor: &mut Self::Cursor<'_>, op: &StoreOp<Self>) -> Result<(), Refused>;

    /// What a reader sees, through all the ways to read that the type offers.
    fn read(&self) -> StoreValue<Self>;

    /// Whether two states must look alike to whoever listens to changes. A type whose changes leave out part of what
    /// can be read says here what they leave out.
    fn looks_alike(one: &Self, other: &Self) -> bool {
        one.read() == other.read()
    }
}

/// The identity of the writer with this number, ordered as the numbers are.
pub fn replica_id(number: usize) -> ReplicaId {
    ReplicaId::from_u128((number as u128 + 1) << 64 | 0xd0)
}

/// A dot store as a subject: its states are `Causal<S>`, its deltas `Delta<S>`.
#[derive(Debug)]
pub struct Store<S>(PhantomData<S>);

type Entries<S> = BTreeMap<Dot, <S as DotStore>::Entry>;

/// All entries, found by walking the store: what the index of a state must agree with.
fn entries<S: DotStore>(store: &S) -> Entries<S> {
    let mut entries = BTreeMap::new();
    store.visit(&mut |dot, place| {
        entries.insert(dot, store.entry(dot, &place));
    });
    entries
}

fn same<S: Enrolled>(law: Law, what: &str, one: &Causal<S>, other: &Causal<S>) -> Result<(), Broken> {
    law.equal(what, one, other)?;
    law.equal(what, &one.dots_digest(), &other.dots_digest())
}

impl<S: Enrolled> Subject for Store<S> {
    type State = Causal<S>;
    type Delta = Delta<S>;
    type Author = Writer;
    type Spec = S::Spec;

    fn author(number: usize) -> Writer {
        Writer::new(replica_id(number))
    }

    fn branch(author: &Writer) -> Writer {
        Writer::resume(author.id(), author.last())
    }

    fn edit(state: &mut Causal<S>, author: &mut Writer, op: &StoreOp<S>) -> Result<Delta<S>, Refused> {
        let (delta, ()) = state.try_edit(author, |cursor| S::perform(cursor, op))?;
        Ok(delta)
    }

    fn merge(state: &mut Causal<S>, other: &Causal<S>) -> bool {
        Merge::merge(state, other)
    }

    fn merge_delta(state: &mut Causal<S>, delta: &Delta<S>) -> bool {
        Merge::merge(state, delta)
    }

    fn group(group: &mut Delta<S>, delta: &Delta<S>) {
        Merge::merge(group, delta);
    }

    fn value(state: &Causal<S>) -> StoreValue<S> {
        state.read()
    }

    fn encode(state: &Causal<S>) -> Vec<u8> {
        state.encode()
    }

    fn reencode(state: &Causal<S>) -> Result<Causal<S>, String> {
        Causal::decode(&state.encode()).map_err(|error| error.to_string())
    }

    fn reencode_delta(delta: &Delta<S>) -> Result<Delta<S>, String> {
        let bytes = delta.encode();
        let decoded = Delta::<S>::decode(&bytes).map_err(|error| error.to_string())?;
        if decoded != *delta || decoded.encode() != bytes {
            return Err(format!("it decodes to {decoded:?}"));
        }
        Ok(decoded)
    }

    fn since(giver: &Causal<S>, receiver: &Causal<S>) -> Option<Delta<S>> {
        Some(giver.delta_since(receiver.seen()))
    }

    fn difference(giver: &Causal<S>, receiver: &Causal<S>) -> Option<Delta<S>> {
        Some(giver.diff(&receiver.summary()))
    }

    fn check_edit(before: &Causal<S>, delta: &Delta<S>, after: &Causal<S>) -> Result<(), Broken> {
        let story = |what: &str| format!("{what}\nbefore: {before:?}\n delta: {delta:?}\n after: {after:?}");
        let live = |holds: bool, what: &str| Law::Live.holds(holds, || story(what));
        live(delta.is_empty() == (before == after), "a delta is empty iff its edit changed nothing")?;
        live(delta.is_empty() == delta.own().is_empty(), "an edit that changes anything takes a dot of its own")?;
        live(before.seen().intersection(delta.own()).is_empty(), "an edit's own dots are new")?;
        let writers: BTreeSet<ReplicaId> = delta.own().iter().map(|dot| dot.replica()).collect();
        live(writers.len() <= 1, "an edit's own dots are one writer's")?;
        live(delta.retired().is_subset(&before.live()), "an edit retires what was live")?;
        let mut seen = before.seen().clone();
        seen.union_with(delta.own());
        live(seen == *after.seen(), "an edit has then seen its own dots beside the old ones")?;
        let mut expected = entries::<S>(before);
        expected.retain(|dot, _| !delta.retired().contains(*dot));
        for (dot, entry) in delta.entries() {
            live(delta.own().contains(dot), "a delta's entries stand under its own dots")?;
            expected.insert(dot, entry.clone());
        }
        live(expected == entries::<S>(after), "old entries - retired + the delta's = new entries")
    }

    fn check_failed_edit(state: &Causal<S>, op: &StoreOp<S>) -> Result<(), Broken> {
        // A writer of its own, as the edits are thrown away.
        let mut writer = Writer::resume(replica_id(900), 7);
        let mut failed = state.clone();
        let refused = failed.try_edit(&mut writer, |cursor| {
            S::perform(cursor, op)?;
            S::perform(cursor, op)?;
            Err::<(), _>(Refused("on purpose".into()))
        });
        Law::L17.holds(refused.is_err(), || "an edit that failed was committed".into())?;
        same(Law::L17, "the state before and after a failed edit", &failed, state)?;
        Law::L17.equal("the entries before and after a failed edit", &entries::<S>(&failed), &entries::<S>(state))?;
        Law::L17.equal("the writer's counter before and after", &writer.last(), &7)?;
        valid(Law::L17, &failed)?;

        let (mut plain, mut twin) = (state.clone(), Writer::resume(replica_id(900), 7));
        let (delta, answer) = plain.edit(&mut writer, |cursor| S::perform(cursor, op));
        match failed.try_edit(&mut twin, |cursor| S::perform(cursor, op)) {
            Ok((tried, ())) => {
                Law::L17.equal("the deltas of edit and try_edit", &delta, &tried)?;
                same(Law::L17, "the states after edit and try_edit", &plain, &failed)
            }
            Err(_) => Law::L17.holds(answer.is_err() && delta.is_empty() && plain == *state, || {
                format!("a refusal wrote something\nbefore: {state:?}\n delta: {delta:?}\n after: {plain:?}")
            }),
        }
    }

    fn check_merge(before: &Causal<S>, delta: &Delta<S>, after: &Causal<S>) -> Result<(), Broken> {
        let mut by_value = before.clone();
        let grew = Merge::merge(&mut by_value, delta.clone());
        same(Law::L6, "merging a delta by value and by reference", &by_value, after)?;
        Law::Truthful
            .holds(grew == (before != after), || format!("merging {delta:?} by value answered {grew} at {before:?}"))?;

        let mut merged = before.clone();
        let effect = merged.merge_effect(delta);
        same(Law::Effect, "merging with and without an effect", &merged, after)?;
        let mut expected = entries::<S>(before);
        for (dot, entry) in &effect.removed {
            let had = expected.remove(dot);
            Law::Effect.equal("what an effect says it removed, and what was there", &had.as_ref(), &Some(entry))?;
        }
        for (dot, entry) in &effect.added {
            let had = expected.insert(*dot, entry.clone());
            Law::Effect.equal("what stood where an effect adds", &had, &None)?;
        }
        Law::Effect.equal("old - removed + added and new", &expected, &entries::<S>(after))?;

        let mut merged = before.clone();
        let changes = merged.merge_changes(delta);
        same(Law::Effect, "merging with and without changes", &merged, after)?;
        let paths: BTreeSet<_> = changes.iter().map(|change| &change.path).collect();
        let story = || format!("{changes:?}\nbefore: {before:?}\n delta: {delta:?}\n after: {after:?}");
        Law::Effect
            .holds(paths.len() == changes.len() || S::SHARES_PATHS, || format!("a path changes twice: {}", story()))?;
        Law::Effect
            .holds(changes.iter().all(|change| change.before != change.after), || format!("no change: {}", story()))?;
        Law::Effect.holds(changes.is_empty() == S::looks_alike(before, after), || {
            format!("changes and readers differ: {}", story())
        })
    }

    fn check_state(state: &Causal<S>) -> Result<(), Broken> {
        valid(Law::L13, state)?;
        let stored: DotSet = entries::<S>(state).into_keys().collect();
        Law::Live.equal("the live dots and those of the store", &state.live(), &stored)?;
        Law::Live.equal("the number of live dots", &(state.live_len() as u64), &stored.len())?;
        Law::Live.holds(stored.is_subset(state.seen()), || format!("a live dot was not seen: {state:?}"))?;
        // A decoded state has computed anew whatever the other one kept.
        let anew = reencoded::<Self>(state)?;
        Law::L15.equal("the digest of the dots, kept and computed anew", &state.dots_digest(), &anew.dots_digest())?;
        Law::L15.equal("what a reader sees, kept and computed anew", &state.read(), &anew.read())?;
        Law::L15.equal("the digest of the content", &state.content_digest(), &anew.content_digest())
    }

    fn check_parts(state: &Causal<S>) -> Result<(), Broken> {
        same(
            Law::Since,
            "everything as a delta, merged into nothing",
            &join_delta::<Self>(&Causal::new(), &state.to_delta()),
            state,
        )?;
        check_decomposition(state)?;

        // The store alone: grafting in another order, and pruning, which undoes it.
        let mut store = S::with_seed(11);
        let mut places = Vec::new();
        for (dot, entry) in entries::<S>(state).into_iter().rev() {
            let place = store.graft(dot, entry);
            places.push((dot, place));
        }
        let regrafted = Causal::from_parts(store.clone(), state.seen().clone(), 0)
            .map_err(|fault| Broken { law: Law::L13, story: format!("regrafted: {fault}") })?;
        same(Law::L15, "the entries grafted newest first, and the state", &regrafted, state)?;
        Law::L10.equal("bytes, whatever the order of grafting", &regrafted.encode(), &state.encode())?;
        Law::L15.equal("what a reader sees, whatever the order of grafting", &store.read(), &state.read())?;
        let middle = places.len() / 2;
        let rest: Entries<S> = entries::<S>(&store)
            .into_iter()
            .filter(|(dot, _)| places[middle..].iter().any(|(kept, _)| kept == dot))
            .collect();
        for (dot, place) in &places[..middle] {
            store.prune(*dot, place);
        }
        Law::Live.equal("the entries left after pruning half", &entries::<S>(&store), &rest)?;
        for (dot, place) in &places[middle..] {
            store.prune(*dot, place);
        }
        Law::Live.holds(store.is_bottom(), || format!("a store without entries is not empty: {store:?}"))?;
        Law::Live.equal("what is read in an empty store", &store.read(), &S::default().read())
    }

    fn check_pair(one: &Causal<S>, other: &Causal<S>) -> Result<(), Broken> {
        let mut by_value = one.clone();
        Merge::merge(&mut by_value, other.clone());
        let mut joined = one.clone();
        Merge::merge(&mut joined, other);
        same(Law::L1, "merging a state by value and by reference", &by_value, &joined)?;
        let (summary, theirs) = (one.summary(), other.summary());
        Law::L8.holds((summary == theirs) == (one == other), || {
            format!("equal dots, different states\n   one: {one:?}\n other: {other:?}")
        })?;
        Law::L15.holds((one.dots_digest() == other.dots_digest()) == (one == other), || {
            format!("the digests are equal and the states are not, or the other way round\n   one: {one:?}\n other: {other:?}")
        })?;
        Law::L8.holds(one.diff(&summary).is_empty(), || {
            format!("the difference of a state with itself says something: {one:?}")
        })?;
        // Every part of a difference is news to its receiver.
        let delta = one.diff(&theirs);
        for part in parts(&delta) {
            let with_part = join_delta::<Self>(other, &part);
            Law::L8.holds(with_part != *other, || {
                format!("part {part:?} of the difference is known\n giver: {one:?}\n receiver: {other:?}")
            })?;
        }
        // The effect of a whole state is that of everything it holds, as a delta.
        Self::check_merge(one, &other.to_delta(), &joined)
    }
}

fn valid<S: Enrolled>(law: Law, state: &Causal<S>) -> Result<(), Broken> {
    state.validate().map_err(|fault| Broken { law, story: format!("{fault} in {state:?}") })
}

/// The smallest deltas which `delta` joins: one per dot.
fn parts<S: DotStore>(delta: &Delta<S>) -> Vec<Delta<S>> {
    let own = delta.own().iter().map(|dot| {
        let entry = delta.entries().find(|(other, _)| *other == dot).map(|(_, entry)| (dot, entry.clone()));
        Delta { entries: entry.into_iter().collect(), own: [dot].into_iter().collect(), retired: DotSet::new() }
    });
    let retired = delta.retired().iter().map(|dot| Delta { retired: [dot].into_iter().collect(), ..Delta::new() });
    own.chain(retired).collect()
}

/// L7: a state is the join of its parts, and without any of them it is less.
fn check_decomposition<S: Enrolled>(state: &Causal<S>) -> Result<(), Broken> {
    let parts = parts(&state.to_delta());
    let join_without = |left_out: usize| {
        let mut joined = Causal::<S>::new();
        for (_, part) in parts.iter().enumerate().rev().filter(|(index, _)| *index != left_out) {
            Merge::merge(&mut joined, part);
        }
        joined
    };
    same(Law::L7, "a state and the join of its parts", &join_without(usize::MAX), state)?;
    for part in &parts {
        Law::L7.equal("a part, taken apart again", &self::parts(part), &[part.clone()].to_vec())?;
    }
    for (left_out, part) in parts.iter().enumerate() {
        let less = join_without(left_out);
        let mut again = less.clone();
        Merge::merge(&mut again, state);
        Law::L7.holds(less != *state && again == *state, || format!("part {part:?} can be left out of {state:?}"))?;
    }
    Ok(())
}
