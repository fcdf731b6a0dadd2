//! The plain lattices: what they mean is their own definition, over everything visible.

use super::Specification;
use crate::laws::execution::View;
use crate::laws::op::{Few, Put};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;

/// The greatest value put in.
#[derive(Debug)]
pub struct Greatest<T>(PhantomData<T>);

impl<T: Few> Specification for Greatest<T> {
    type Op = Put<T>;
    type Value = Option<T>;

    fn value(view: &View<'_, Put<T>>) -> Option<T> {
        view.iter().map(|event| event.op.0.clone()).max()
    }

    fn is_bottom(view: &View<'_, Put<T>>) -> bool {
        view.is_empty()
    }
}

/// The least value put in.
#[derive(Debug)]
pub struct Least<T>(PhantomData<T>);

impl<T: Few> Specification for Least<T> {
    type Op = Put<T>;
    type Value = Option<T>;

    fn value(view: &View<'_, Put<T>>) -> Option<T> {
        view.iter().map(|event| event.op.0.clone()).min()
    }

    fn is_bottom(view: &View<'_, Put<T>>) -> bool {
        view.is_empty()
    }
}

/// Under each key, the greatest value put there.
#[derive(Debug)]
pub struct GreatestByKey<K, V>(PhantomData<(K, V)>);

impl<K: Few, V: Few> Specification for GreatestByKey<K, V>
where
    (K, V): Few,
{
    type Op = Put<(K, V)>;
    type Value = BTreeMap<K, V>;

    fn value(view: &View<'_, Self::Op>) -> BTreeMap<K, V> {
        let mut puts: Vec<(K, V)> = view.iter().map(|event| event.op.0.clone()).collect();
        // Of equal keys the last one stays.
        puts.sort();
        puts.into_iter().collect()
    }

    fn is_bottom(view: &View<'_, Self::Op>) -> bool {
        view.is_empty()
    }
}
