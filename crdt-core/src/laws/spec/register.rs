//! Registers: which of the writes a reader gets.

use super::Specification;
use crate::laws::execution::{Occurrence, View};
use crate::laws::op::{Few, RegisterOp, StampedOp, StampedPut};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;

/// All writes that no visible edit has overwritten, in the order of their writers.
#[derive(Debug)]
pub struct EverySibling<T>(PhantomData<T>);

/// A write with its value.
type Write<'a, T> = (Occurrence<'a, RegisterOp<T>>, &'a T);

/// The writes of `view` that are not among `gone`, by writer.
fn left<'a, T>(view: &View<'a, RegisterOp<T>>, gone: &BTreeSet<usize>) -> Vec<Write<'a, T>> {
    let there = view.iter().filter(|event| !gone.contains(&event.id));
    let mut writes: Vec<_> = there.filter_map(|event| Some((event, value_of(&event)?))).collect();
    writes.sort_by_key(|(event, _)| (event.writer, event.id));
    writes
}

/// The writes that nobody overwrote. What an edit overwrote follows from what it saw; edits come oldest first, so it is
/// found in one pass.
fn siblings<'a, T>(view: &View<'a, RegisterOp<T>>) -> Vec<Write<'a, T>> {
    let mut overwrote: Vec<(Occurrence<'a, RegisterOp<T>>, BTreeSet<usize>)> = Vec::new();
    for event in view.iter_all() {
        let seen = view.as_seen_by(&event);
        let over = match event.op {
            RegisterOp::Write(_) | RegisterOp::Clear => seen.iter().map(|other| other.id).collect(),
            RegisterOp::WriteOverFirst(_) => {
                let earlier = overwrote.iter().filter(|(other, _)| event.saw(other));
                let gone = earlier.flat_map(|(_, over)| over.iter().copied()).collect();
                left(&seen, &gone).first().map(|(first, _)| first.id).into_iter().collect()
            }
        };
        overwrote.push((event, over));
    }
    left(view, &overwrote.into_iter().flat_map(|(_, over)| over).collect())
}

fn value_of<'a, T>(event: &Occurrence<'a, RegisterOp<T>>) -> Option<&'a T> {
    match event.op {
        RegisterOp::Write(value) | RegisterOp::WriteOverFirst(value) => Some(value),
        RegisterOp::Clear => None,
    }
}

impl<T: Few> Specification for EverySibling<T> {
    type Op = RegisterOp<T>;
    type Value = Vec<T>;

    fn value(view: &View<'_, RegisterOp<T>>) -> Vec<T> {
        siblings(view).into_iter().map(|(_, value)| value.clone()).collect()
    }

    fn is_bottom(view: &View<'_, RegisterOp<T>>) -> bool {
        siblings(view).is_empty()
    }
}

/// Among the writes that no visible edit saw, the one with the greatest stamp; equal stamps are ranked by writer.
/// A write that follows another always wins, whatever the stamps say.
#[derive(Debug)]
pub struct LastWriter<T>(PhantomData<T>);

impl<T: Few> Specification for LastWriter<T> {
    type Op = StampedOp<T>;
    /// Stamp and value.
    type Value = Option<(u8, T)>;

    fn value(view: &View<'_, StampedOp<T>>) -> Option<(u8, T)> {
        let latest = view.latest();
        let writes = latest.iter().filter_map(|event| match event.op {
            StampedOp::Write(stamp, value) => Some((*stamp, event.writer, value)),
            StampedOp::Clear => None,
        });
        let (stamp, _, value) = writes.max_by_key(|(stamp, writer, _)| (*stamp, *writer))?;
        Some((stamp, value.clone()))
    }

    fn is_bottom(view: &View<'_, StampedOp<T>>) -> bool {
        Self::value(view).is_none()
    }
}

/// The plain register, which knows of no causes: the greatest (stamp, writer, value) ever written.
#[derive(Debug)]
pub struct LastWriterAlone<T>(PhantomData<T>);

impl<T: Few> Specification for LastWriterAlone<T> {
    type Op = StampedPut<T>;
    /// Stamp and value.
    type Value = Option<(u8, T)>;

    fn value(view: &View<'_, StampedPut<T>>) -> Option<(u8, T)> {
        let writes = view.iter().map(|event| (event.op.0, event.writer, &event.op.1));
        let (stamp, _, value) = writes.max()?;
        Some((stamp, value.clone()))
    }

    fn is_bottom(view: &View<'_, StampedPut<T>>) -> bool {
        view.is_empty()
    }
}
