//! Counters.

use crate::laws::op::{CounterOp, Increment, RightsOp};
use crate::laws::plain::EnrolledPlain;
use crate::laws::spec;
use crate::laws::store::{Enrolled, replica_id};
use crate::laws::subject::Refused;
use crate::{BoundedCounter, Canonical, Counter, DotStore, Edit, EditError, GCounter, PnCounter, ReplicaId};
use std::prelude::rust_2024::*;
use std::string::ToString;

impl From<EditError> for Refused {
    fn from(error: EditError) -> Self {
        Self(error.to_string())
    }
}

/// A counter that is there and stands at zero is not the same as none: a key of a map holds it.
fn looks_alike<S: DotStore>(value: i128, others: i128, one: &S, other: &S) -> bool {
    value == others && one.is_bottom() == other.is_bottom()
}

impl Enrolled for Counter {
    type Spec = spec::Counting;

    fn perform(counter: &mut Edit<'_, Self>, op: &CounterOp) -> Result<(), Refused> {
        match op {
            CounterOp::Add(amount) => counter.add(i64::from(*amount)),
            CounterOp::Sub(amount) => counter.sub(i64::from(*amount)),
        }
        Ok(())
    }

    fn read(&self) -> i128 {
        self.value()
    }

    fn looks_alike(one: &Self, other: &Self) -> bool {
        looks_alike(one.value(), other.value(), one, other)
    }
}

impl Enrolled for GCounter {
    type Spec = spec::Growing;

    fn perform(counter: &mut Edit<'_, Self>, op: &Increment) -> Result<(), Refused> {
        Ok(counter.increment(u64::from(op.0))?)
    }

    fn read(&self) -> u128 {
        self.value()
    }
}

impl Enrolled for PnCounter {
    type Spec = spec::Counting;

    fn perform(counter: &mut Edit<'_, Self>, op: &CounterOp) -> Result<(), Refused> {
        match op {
            CounterOp::Add(amount) => Ok(counter.increment(u64::from(*amount))?),
            CounterOp::Sub(amount) => Ok(counter.decrement(u64::from(*amount))?),
        }
    }

    fn read(&self) -> i128 {
        self.value()
    }

    fn looks_alike(one: &Self, other: &Self) -> bool {
        looks_alike(one.value(), other.value(), one, other)
    }
}

impl Enrolled for BoundedCounter {
    type Spec = spec::Bounded;

    fn perform(counter: &mut Edit<'_, Self>, op: &RightsOp) -> Result<(), Refused> {
        match *op {
            RightsOp::Mint(amount) => counter.mint(u64::from(amount))?,
            RightsOp::Grant { to, amount } => counter.grant(replica_id(usize::from(to)), u64::from(amount))?,
            RightsOp::Spend(amount) => counter.spend(u64::from(amount))?,
        }
        Ok(())
    }

    fn read(&self) -> (i128, [i128; 3]) {
        (self.value(), [0, 1, 2].map(|writer| i128::from(self.available(replica_id(writer)))))
    }

    // Who holds the rights is no change of the number.
    fn looks_alike(one: &Self, other: &Self) -> bool {
        looks_alike(one.value(), other.value(), one, other)
    }
}

impl EnrolledPlain for GCounter {
    type Spec = spec::Growing;

    fn perform(&mut self, me: ReplicaId, op: &Increment) -> Result<Self, Refused> {
        Ok(self.increment(me, u64::from(op.0))?)
    }

    fn read(&self) -> u128 {
        self.value()
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}

impl EnrolledPlain for PnCounter {
    type Spec = spec::Counting;

    fn perform(&mut self, me: ReplicaId, op: &CounterOp) -> Result<Self, Refused> {
        match op {
            CounterOp::Add(amount) => Ok(self.increment(me, u64::from(*amount))?),
            CounterOp::Sub(amount) => Ok(self.decrement(me, u64::from(*amount))?),
        }
    }

    fn read(&self) -> i128 {
        self.value()
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}

impl EnrolledPlain for BoundedCounter {
    type Spec = spec::Bounded;

    fn perform(&mut self, me: ReplicaId, op: &RightsOp) -> Result<Self, Refused> {
        Ok(match *op {
            RightsOp::Mint(amount) => self.mint(me, u64::from(amount))?,
            RightsOp::Grant { to, amount } => self.grant(me, replica_id(usize::from(to)), u64::from(amount))?,
            RightsOp::Spend(amount) => self.spend(me, u64::from(amount))?,
        })
    }

    fn read(&self) -> (i128, [i128; 3]) {
        Enrolled::read(self)
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}
