//! Maps and structs: each part has the meaning of its own type, on the events that concern it.

use super::Specification;
use crate::laws::execution::View;
use crate::laws::op::{Either, Few, MapOp, StampedMapOp};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;

/// Under each key, the meaning of the value's type on those edits that no visible removal of the key saw. So a removal
/// takes exactly what it observed, and an edit made elsewhere at the same time stays. A key with nothing under it is absent.
#[derive(Debug)]
pub struct AddWinsMap<K, V>(PhantomData<(K, V)>);

fn under<'a, K: Few, Inner>(view: &View<'a, MapOp<K, Inner>>, key: &K) -> View<'a, Inner> {
    let removals = view.filter(|event| match event.op {
        MapOp::At(..) => false,
        MapOp::Remove(it) => it == key,
        MapOp::Clear => true,
    });
    let edits = view.project(|op| match op {
        MapOp::At(it, inner) if it == key => Some(inner),
        _ => None,
    });
    edits.unseen_by(&removals)
}

impl<K: Few, V: Specification> Specification for AddWinsMap<K, V> {
    type Op = MapOp<K, V::Op>;
    type Value = BTreeMap<K, V::Value>;

    fn value(view: &View<'_, Self::Op>) -> Self::Value {
        let present = K::few().into_iter().filter(|key| !V::is_bottom(&under(view, key)));
        present
            .map(|key| {
                let inner = V::value(&under(view, &key));
                (key, inner)
            })
            .collect()
    }

    fn is_bottom(view: &View<'_, Self::Op>) -> bool {
        K::few().iter().all(|key| V::is_bottom(&under(view, key)))
    }

    fn refuses(view: &View<'_, Self::Op>, writer: usize, op: &Self::Op) -> bool {
        match op {
            MapOp::At(key, inner) => V::refuses(&under(view, key), writer, inner),
            MapOp::Remove(_) | MapOp::Clear => false,
        }
    }
}

/// Under each key, among the writes that no visible write of that key saw, the one with the greatest stamp; equal
/// stamps are ranked by writer. A removal is a write of absence.
#[derive(Debug)]
pub struct StampedMap<K, T>(PhantomData<(K, T)>);

impl<K: Few, T: Few> Specification for StampedMap<K, T> {
    type Op = StampedMapOp<K, T>;
    type Value = BTreeMap<K, T>;

    fn value(view: &View<'_, Self::Op>) -> Self::Value {
        let at = |key: K| {
            let writes = view.filter(|event| match event.op {
                StampedMapOp::Insert(_, it, _) | StampedMapOp::Remove(_, it) => *it == key,
            });
            let last = writes.latest().iter().max_by_key(|event| match event.op {
                StampedMapOp::Insert(stamp, ..) | StampedMapOp::Remove(stamp, _) => (*stamp, event.writer),
            })?;
            match last.op {
                StampedMapOp::Insert(_, _, value) => Some((key, value.clone())),
                StampedMapOp::Remove(..) => None,
            }
        };
        K::few().into_iter().filter_map(at).collect()
    }

    fn is_bottom(view: &View<'_, Self::Op>) -> bool {
        view.is_empty()
    }
}

/// Two fields side by side: neither hears of the other's edits.
#[derive(Debug)]
pub struct BothFields<A, B>(PhantomData<(A, B)>);

fn first<'a, A, B>(view: &View<'a, Either<A, B>>) -> View<'a, A> {
    view.project(|op| match op {
        Either::First(op) => Some(op),
        Either::Second(_) => None,
    })
}

fn second<'a, A, B>(view: &View<'a, Either<A, B>>) -> View<'a, B> {
    view.project(|op| match op {
        Either::First(_) => None,
        Either::Second(op) => Some(op),
    })
}

impl<A: Specification, B: Specification> Specification for BothFields<A, B> {
    type Op = Either<A::Op, B::Op>;
    type Value = (A::Value, B::Value);

    fn value(view: &View<'_, Self::Op>) -> Self::Value {
        (A::value(&first(view)), B::value(&second(view)))
    }

    fn is_bottom(view: &View<'_, Self::Op>) -> bool {
        A::is_bottom(&first(view)) && B::is_bottom(&second(view))
    }

    fn refuses(view: &View<'_, Self::Op>, writer: usize, op: &Self::Op) -> bool {
        match op {
            Either::First(op) => A::refuses(&first(view), writer, op),
            Either::Second(op) => B::refuses(&second(view), writer, op),
        }
    }
}
