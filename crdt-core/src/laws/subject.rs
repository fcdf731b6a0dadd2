//! What the laws need to know of a type: how to edit, merge, read and write it down.

use super::law::{Broken, Law};
use super::spec::Specification;
use std::fmt::Debug;
use std::prelude::rust_2024::*;

/// What may be asked of a subject.
pub type OpOf<T> = <<T as Subject>::Spec as Specification>::Op;
/// What a reader of a subject sees.
pub type ValueOf<T> = <<T as Subject>::Spec as Specification>::Value;

/// An edit was refused, for the reason given. The state must be as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused(
    /// The reason, as the type states it.
    pub String,
);

/// Anything that can be put through histories.
///
/// Dot stores and plain lattices get this from [`Store`](super::Store) and [`Plain`](super::Plain); implement it by
/// hand only for something that is neither. The methods with a body are laws which not every subject can state.
pub trait Subject: 'static {
    /// A replica's state.
    type State: Clone + PartialEq + Debug + Default;
    /// What an edit yields to send.
    type Delta: Clone + Debug;
    /// One writer: an identity, and what it must remember.
    type Author;
    /// The meaning of the type.
    type Spec: Specification;

    /// The writer with this number. Numbers and identities are ordered alike.
    fn author(number: usize) -> Self::Author;

    /// A second author with the first one's identity and memory, for a search that follows two branches of one history.
    fn branch(author: &Self::Author) -> Self::Author;

    /// Does what `op` says.
    fn edit(state: &mut Self::State, author: &mut Self::Author, op: &OpOf<Self>) -> Result<Self::Delta, Refused>;

    /// Merges a whole state; true iff `state` grew.
    fn merge(state: &mut Self::State, other: &Self::State) -> bool;

    /// Merges a delta; true iff `state` grew.
    fn merge_delta(state: &mut Self::State, delta: &Self::Delta) -> bool;

    /// Adds one delta to a group.
    fn group(group: &mut Self::Delta, delta: &Self::Delta);

    /// What a reader sees.
    fn value(state: &Self::State) -> ValueOf<Self>;

    /// Canonical bytes.
    fn encode(state: &Self::State) -> Vec<u8>;

    /// The state, encoded and decoded.
    fn reencode(state: &Self::State) -> Result<Self::State, String>;

    /// The delta, encoded and decoded.
    fn reencode_delta(delta: &Self::Delta) -> Result<Self::Delta, String>;

    /// What `receiver` lacks of `giver`, by what the receiver has seen. None if the type knows only whole states.
    fn since(_giver: &Self::State, _receiver: &Self::State) -> Option<Self::Delta> {
        None
    }

    /// The least that `receiver` lacks of `giver`. None if the type knows only whole states.
    fn difference(_giver: &Self::State, _receiver: &Self::State) -> Option<Self::Delta> {
        None
    }

    /// Further laws of one edit, which led from `before` to `after`.
    fn check_edit(_before: &Self::State, _delta: &Self::Delta, _after: &Self::State) -> Result<(), Broken> {
        Ok(())
    }

    /// Further laws of an edit that fails after doing what `op` says.
    fn check_failed_edit(_state: &Self::State, _op: &OpOf<Self>) -> Result<(), Broken> {
        Ok(())
    }

    /// Further laws of one merge of a delta, which led from `before` to `after`.
    fn check_merge(_before: &Self::State, _delta: &Self::Delta, _after: &Self::State) -> Result<(), Broken> {
        Ok(())
    }

    /// Further laws of one state.
    fn check_state(_state: &Self::State) -> Result<(), Broken> {
        Ok(())
    }

    /// Further laws of one state that take longer: asked of a few states in each history.
    fn check_parts(_state: &Self::State) -> Result<(), Broken> {
        Ok(())
    }

    /// Further laws of two states.
    fn check_pair(_one: &Self::State, _other: &Self::State) -> Result<(), Broken> {
        Ok(())
    }
}

/// The join of two states.
pub fn join<T: Subject>(one: &T::State, other: &T::State) -> T::State {
    let mut joined = one.clone();
    T::merge(&mut joined, other);
    joined
}

/// A state with a delta merged into it.
pub fn join_delta<T: Subject>(state: &T::State, delta: &T::Delta) -> T::State {
    let mut joined = state.clone();
    T::merge_delta(&mut joined, delta);
    joined
}

/// Whether `one` is below `other` in the order of the lattice.
pub fn is_below<T: Subject>(one: &T::State, other: &T::State) -> bool {
    join::<T>(one, other) == *other
}

/// L1, L4 and the truth of merge's answer, for two states.
pub fn check_pair<T: Subject>(a: &T::State, b: &T::State) -> Result<(), Broken> {
    let mut ab = a.clone();
    let grew = T::merge(&mut ab, b);
    Law::Truthful
        .holds(grew == (ab != *a), || std::format!("answered {grew}\n  self: {a:?}\n other: {b:?}\n  join: {ab:?}"))?;
    let ba = join::<T>(b, a);
    Law::L1.equal("a ⊔ b and b ⊔ a", &ab, &ba)?;
    Law::L4.equal("a ⊔ (a ⊔ b) and a ⊔ b", &join::<T>(a, &ab), &ab)?;
    Law::L4.equal("b ⊔ (a ⊔ b) and a ⊔ b", &join::<T>(b, &ab), &ab)?;
    let (below, above) = (is_below::<T>(a, b), is_below::<T>(b, a));
    Law::L4.holds((below && above) == (a == b), || {
        std::format!("each is below the other, yet they differ\n   one: {a:?}\n other: {b:?}")
    })?;
    for (giver, receiver) in [(a, b), (b, a)] {
        if let Some(delta) = T::since(giver, receiver) {
            Law::Since.equal("x ⊔ since and x ⊔ all", &join_delta::<T>(receiver, &delta), &ab)?;
        }
        if let Some(delta) = T::difference(giver, receiver) {
            Law::L8.equal("b ⊔ diff(a, b) and b ⊔ a", &join_delta::<T>(receiver, &delta), &ab)?;
        }
    }
    T::check_pair(a, b)
}

/// L2, and that the join is the least upper bound, for three states.
pub fn check_triple<T: Subject>(a: &T::State, b: &T::State, c: &T::State) -> Result<(), Broken> {
    let ab = join::<T>(a, b);
    let left = join::<T>(&ab, c);
    let right = join::<T>(a, &join::<T>(b, c));
    Law::L2.equal("(a ⊔ b) ⊔ c and a ⊔ (b ⊔ c)", &left, &right)?;
    if is_below::<T>(a, c) && is_below::<T>(b, c) {
        Law::L4.holds(is_below::<T>(&ab, c), || {
            std::format!("c is above a and b, but not above their join\n a: {a:?}\n b: {b:?}\n c: {c:?}")
        })?;
    }
    // What b lacks of a serves any later state of b as well.
    if let Some(delta) = T::since(a, b) {
        let later = join::<T>(b, c);
        Law::Since.equal(
            "y ⊔ since(x) and y ⊔ all, for y above x",
            &join_delta::<T>(&later, &delta),
            &join::<T>(&later, a),
        )?;
    }
    Ok(())
}

/// L3, L10, L13 and L15 for one state.
pub fn check_state<T: Subject>(state: &T::State) -> Result<(), Broken> {
    let mut again = state.clone();
    let grew = T::merge(&mut again, state);
    Law::L3.equal("a ⊔ a and a", &again, state)?;
    Law::Truthful.holds(!grew, || std::format!("merging a state with itself answered true\n state: {state:?}"))?;
    let decoded = reencoded::<T>(state)?;
    Law::L10.equal("decode(encode(x)) and x", &decoded, state)?;
    Law::L10.equal("bytes, encoded again", &T::encode(&decoded), &T::encode(state))?;
    T::check_state(state)
}

/// A state, encoded and decoded.
pub fn reencoded<T: Subject>(state: &T::State) -> Result<T::State, Broken> {
    T::reencode(state).map_err(|error| Broken {
        law: Law::L10,
        story: std::format!("own bytes are refused: {error}\n state: {state:?}"),
    })
}
