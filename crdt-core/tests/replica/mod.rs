//! Replicas for tests that read like stories.
#![allow(dead_code, reason = "each test file uses its part")]

use crdt_core::{Causal, Delta, DotStore, Merge, ReplicaId, Writer};

/// The id of the replica with this number; ids are ordered as numbers are.
pub(crate) fn id(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

/// For answers that a story does not look at.
pub(crate) fn done<T>(_: T) {}

/// A state and the one who writes to it.
pub(crate) struct Replica<S: DotStore> {
    pub(crate) writer: Writer,
    pub(crate) state: Causal<S>,
}

impl<S: DotStore> Replica<S> {
    pub(crate) fn new(number: u128) -> Self {
        Self { writer: Writer::new(id(number)), state: Causal::new() }
    }

    /// Another replica that starts from this one's state.
    pub(crate) fn fork(&self, number: u128) -> Self {
        Self { writer: Writer::new(id(number)), state: self.state.clone() }
    }

    pub(crate) fn edit(&mut self, f: impl FnOnce(&mut S::Cursor<'_>)) -> Delta<S> {
        self.state.edit(&mut self.writer, f).0
    }

    pub(crate) fn merge(&mut self, delta: &Delta<S>) -> bool {
        self.state.merge(delta)
    }
}

/// What becomes of two edits made at the same time on top of `base`, seen at both replicas, in every order and by every
/// way to merge. All of them must agree.
pub(crate) fn concurrently<S: DotStore + PartialEq + std::fmt::Debug>(
    base: impl FnOnce(&mut S::Cursor<'_>),
    one: impl FnOnce(&mut S::Cursor<'_>),
    other: impl FnOnce(&mut S::Cursor<'_>),
) -> Causal<S> {
    let mut first = Replica::<S>::new(1);
    let _ = first.edit(base);
    let common = first.state.clone();
    let mut second = first.fork(2);
    let (from_first, from_second) = (first.edit(one), second.edit(other));
    let (before_first, before_second) = (first.state.clone(), second.state.clone());
    first.merge(&from_second);
    second.merge(&from_first);
    let result = first.state;
    let agree = |what: &str, other: &Causal<S>| {
        assert_eq!(*other, result, "{what}");
        assert_eq!(other.encode(), result.encode(), "{what}, in bytes");
        other.validate().unwrap();
    };
    agree("at the second replica", &second.state);
    let mut by_state = before_first.clone();
    by_state.merge(&before_second);
    agree("whole states", &by_state);
    let mut by_state = before_second;
    by_state.merge(&before_first);
    agree("whole states, the other way round", &by_state);
    let mut group = from_second.clone();
    group.merge(&from_first);
    let mut third = common.clone();
    third.merge(group);
    agree("a bystander, both in a group", &third);
    let mut third = common;
    for delta in [&from_second, &from_first, &from_second] {
        third.merge(delta);
    }
    agree("a bystander, one by one and again", &third);
    result
}
