//! Sets: an element is in or out by the edits that name it.

use super::Specification;
use crate::laws::execution::View;
use crate::laws::op::{ElementOp, Few, Put, SetOp};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;

/// Everything ever put in.
#[derive(Debug)]
pub struct GrowOnly<T>(PhantomData<T>);

impl<T: Few> Specification for GrowOnly<T> {
    type Op = Put<T>;
    type Value = BTreeSet<T>;

    fn value(view: &View<'_, Put<T>>) -> BTreeSet<T> {
        view.iter().map(|event| event.op.0.clone()).collect()
    }

    fn is_bottom(view: &View<'_, Put<T>>) -> bool {
        view.is_empty()
    }
}

/// An element is in iff some visible insertion of it was seen by no visible removal of it.
#[derive(Debug)]
pub struct AddWins<T>(PhantomData<T>);

impl<T: Few> Specification for AddWins<T> {
    type Op = SetOp<T>;
    type Value = BTreeSet<T>;

    fn value(view: &View<'_, SetOp<T>>) -> BTreeSet<T> {
        let is_in = |element: &T| {
            let insertions = view.filter(|event| matches!(event.op, SetOp::Insert(it) if it == element));
            let removals = view.filter(|event| match event.op {
                SetOp::Insert(_) => false,
                SetOp::Remove(it) => it == element,
                SetOp::Clear => true,
            });
            !insertions.unseen_by(&removals).is_empty()
        };
        T::few().into_iter().filter(is_in).collect()
    }

    fn is_bottom(view: &View<'_, SetOp<T>>) -> bool {
        Self::value(view).is_empty()
    }
}

/// An element is in iff the latest visible edits that name it are insertions, all of them. A removal counts whether or
/// not the element was there: an insertion made elsewhere at the same time loses to it.
#[derive(Debug)]
pub struct RemoveWins<T>(PhantomData<T>);

impl<T: Few> Specification for RemoveWins<T> {
    type Op = ElementOp<T>;
    type Value = BTreeSet<T>;

    fn value(view: &View<'_, ElementOp<T>>) -> BTreeSet<T> {
        let is_in = |element: &T| {
            let named = view.filter(|event| match event.op {
                ElementOp::Insert(it) | ElementOp::Remove(it) => it == element,
            });
            let latest = named.latest();
            !latest.is_empty() && latest.iter().all(|event| matches!(event.op, ElementOp::Insert(_)))
        };
        T::few().into_iter().filter(is_in).collect()
    }

    fn is_bottom(view: &View<'_, ElementOp<T>>) -> bool {
        view.is_empty()
    }
}
