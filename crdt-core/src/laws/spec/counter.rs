//! Counters: a sum over events.

use super::Specification;
use crate::laws::execution::View;
use crate::laws::op::{CounterOp, Increment, RightsOp};
use std::collections::BTreeMap;

/// The sum of all visible increments.
#[derive(Debug)]
pub struct Growing;

impl Specification for Growing {
    type Op = Increment;
    type Value = u128;

    fn value(view: &View<'_, Increment>) -> u128 {
        view.iter().map(|event| u128::from(event.op.0)).sum()
    }

    fn is_bottom(view: &View<'_, Increment>) -> bool {
        view.is_empty()
    }
}

/// The sum of all visible amounts, up and down. Where a map removes a counter, the map leaves out what the removal saw.
#[derive(Debug)]
pub struct Counting;

impl Specification for Counting {
    type Op = CounterOp;
    type Value = i128;

    fn value(view: &View<'_, CounterOp>) -> i128 {
        view.iter()
            .map(|event| match event.op {
                CounterOp::Add(amount) => i128::from(*amount),
                CounterOp::Sub(amount) => -i128::from(*amount),
            })
            .sum()
    }

    // Increments that add up to zero are still there: a removal may yet take some of them.
    fn is_bottom(view: &View<'_, CounterOp>) -> bool {
        view.is_empty()
    }
}

/// A number that nobody can bring below zero, as nobody spends what they don't hold.
#[derive(Debug)]
pub struct Bounded;

/// How much each writer may spend: what it minted and was granted, less what it granted and spent.
fn rights(view: &View<'_, RightsOp>) -> BTreeMap<usize, i128> {
    let mut rights = BTreeMap::<usize, i128>::new();
    for event in view.iter() {
        let mut change = |writer: usize, by: i128| *rights.entry(writer).or_default() += by;
        match *event.op {
            RightsOp::Mint(amount) => change(event.writer, i128::from(amount)),
            RightsOp::Grant { to, amount } => {
                change(event.writer, -i128::from(amount));
                change(usize::from(to), i128::from(amount));
            }
            RightsOp::Spend(amount) => change(event.writer, -i128::from(amount)),
        }
    }
    rights
}

impl Specification for Bounded {
    type Op = RightsOp;
    /// The number, and the rights of writers 0, 1 and 2.
    type Value = (i128, [i128; 3]);

    fn value(view: &View<'_, RightsOp>) -> Self::Value {
        let rights = rights(view);
        let of = |writer| rights.get(&writer).copied().unwrap_or(0);
        (rights.values().sum(), [of(0), of(1), of(2)])
    }

    fn is_bottom(view: &View<'_, RightsOp>) -> bool {
        view.is_empty()
    }

    fn refuses(view: &View<'_, RightsOp>, writer: usize, op: &RightsOp) -> bool {
        match *op {
            RightsOp::Mint(_) => false,
            RightsOp::Grant { amount, .. } | RightsOp::Spend(amount) => {
                rights(view).get(&writer).copied().unwrap_or(0) < i128::from(amount)
            }
        }
    }
}
