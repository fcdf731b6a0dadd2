//! Resolvers: folds over siblings that have no order.

use super::law::{Broken, Law};
use super::op::Few;
use super::store::replica_id;
use crate::{Dot, Resolver, Siblings};
use std::prelude::rust_2024::*;

/// Checks that a [`Resolver`] gives one answer for every order and every repetition of the siblings.
///
/// Concurrent writes have no order, and a value may stand there twice; a resolver that notices makes two readers of one
/// state disagree, and if its answer is written back, replicas diverge. All sets of two or more of the type's [`Few`]
/// values are tried, each in all orders, and each with every member repeated.
///
/// ```
/// use crdt_core::Siblings;
/// use crdt_core::laws::check_resolver;
///
/// check_resolver(&|siblings: &Siblings<u64>| *siblings.values.iter().max().unwrap()).unwrap();
/// let first = check_resolver(&|siblings: &Siblings<u64>| siblings.values[0]);
/// assert!(first.is_err());                                            // depends on the order
/// let sum = check_resolver(&|siblings: &Siblings<u64>| siblings.values.iter().fold(0u64, |sum, n| sum.wrapping_add(*n)));
/// assert!(sum.is_err());                                              // depends on repetition
/// ```
///
/// # Errors
/// The first two ways to present the same siblings that get two answers.
pub fn check_resolver<T: Few>(resolver: &impl Resolver<T>) -> Result<(), Broken> {
    let few = T::few();
    for subset in 0..1u8 << few.len() {
        let mut members: Vec<T> = Vec::new();
        for (index, value) in few.iter().enumerate() {
            if subset & (1 << index) != 0 && !members.contains(value) {
                members.push(value.clone());
            }
        }
        // One value alone is no conflict: no resolver is asked.
        if members.len() < 2 {
            continue;
        }
        let expected = resolver.resolve(&side_by_side(members.clone()));
        for order in orders(&members) {
            let mut presented = std::vec![order.clone()];
            for (index, again) in order.iter().enumerate() {
                let mut repeated = order.clone();
                repeated.insert((index * 2) % (order.len() + 1), again.clone());
                presented.push(repeated);
            }
            for values in presented {
                let answer = resolver.resolve(&side_by_side(values.clone()));
                Law::C8.holds(answer == expected, || {
                    std::format!("{members:?} gives {expected:?}, but {values:?} gives {answer:?}")
                })?;
            }
        }
    }
    Ok(())
}

/// Values as they stand beside each other when each has a writer of its own.
fn side_by_side<T>(values: Vec<T>) -> Siblings<T> {
    let dots = (0..values.len()).filter_map(|writer| Dot::new(replica_id(writer), 1)).collect();
    Siblings { values, dots }
}

/// All orders of a few values.
fn orders<T: Clone>(values: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = values.split_first() else { return std::vec![Vec::new()] };
    let mut all = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(at, first.clone());
            all.push(longer);
        }
    }
    all
}
