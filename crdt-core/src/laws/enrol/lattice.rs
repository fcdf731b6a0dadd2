//! The plain lattices.

use crate::laws::op::{Either, Few, Put};
use crate::laws::plain::{EnrolledPlain, PlainOp};
use crate::laws::spec;
use crate::laws::store::replica_id;
use crate::laws::subject::Refused;
use crate::{Canonical, Dot, DotSet, Max, Merge, Min, ReplicaId, Timestamp, VersionVector};
use std::collections::{BTreeMap, BTreeSet};
use std::prelude::rust_2024::*;
use std::string::ToString;

impl Few for Timestamp {
    fn few() -> [Self; 4] {
        [Self::new(1, 0), Self::new(1, 1), Self::new(1 << 40, u16::MAX), Self::MAX]
    }
}

// `None` is the bottom that a bare `Max` or `Min` does not have.
impl<T: Few> EnrolledPlain for Option<Max<T>> {
    type Spec = spec::Greatest<T>;

    fn perform(&mut self, _me: ReplicaId, op: &Put<T>) -> Result<Self, Refused> {
        let delta = Some(Max(op.0.clone()));
        Merge::merge(self, &delta);
        Ok(delta)
    }

    fn read(&self) -> Option<T> {
        self.as_ref().map(|max| max.0.clone())
    }
}

impl<T: Few> EnrolledPlain for Option<Min<T>> {
    type Spec = spec::Least<T>;

    fn perform(&mut self, _me: ReplicaId, op: &Put<T>) -> Result<Self, Refused> {
        let delta = Some(Min(op.0.clone()));
        Merge::merge(self, &delta);
        Ok(delta)
    }

    fn read(&self) -> Option<T> {
        self.as_ref().map(|min| min.0.clone())
    }
}

impl<A: EnrolledPlain, B: EnrolledPlain> EnrolledPlain for (A, B) {
    type Spec = spec::BothFields<A::Spec, B::Spec>;

    fn perform(&mut self, me: ReplicaId, op: &PlainOp<Self>) -> Result<Self, Refused> {
        match op {
            Either::First(op) => Ok((self.0.perform(me, op)?, B::default())),
            Either::Second(op) => Ok((A::default(), self.1.perform(me, op)?)),
        }
    }

    fn read(&self) -> (<A::Spec as spec::Specification>::Value, <B::Spec as spec::Specification>::Value) {
        (self.0.read(), self.1.read())
    }
}

impl EnrolledPlain for VersionVector {
    type Spec = spec::GreatestByKey<bool, u8>;

    fn perform(&mut self, _me: ReplicaId, op: &Put<(bool, u8)>) -> Result<Self, Refused> {
        let delta: Self = [(replica_id(op.0.0.into()), u64::from(op.0.1))].into_iter().collect();
        Merge::merge(self, &delta);
        Ok(delta)
    }

    fn precedes(&self, other: &Self) -> Option<bool> {
        Some(self <= other)
    }

    fn read(&self) -> BTreeMap<bool, u8> {
        let entry = |replica: bool| (replica, self.get(replica_id(replica.into())) as u8);
        [false, true].map(entry).into_iter().filter(|(_, count)| *count > 0).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}

fn dot((replica, counter): (bool, u8)) -> Dot {
    Dot::new(replica_id(replica.into()), u64::from(counter)).expect("no counter among the few is zero")
}

impl EnrolledPlain for DotSet {
    type Spec = spec::GrowOnly<(bool, u8)>;

    fn perform(&mut self, _me: ReplicaId, op: &Put<(bool, u8)>) -> Result<Self, Refused> {
        let was_in = self.contains(dot(op.0));
        assert_eq!(self.insert(dot(op.0)), !was_in, "insert says whether the dot was absent");
        Ok([dot(op.0)].into_iter().collect())
    }

    fn precedes(&self, other: &Self) -> Option<bool> {
        Some(self.is_subset(other))
    }

    fn read(&self) -> BTreeSet<(bool, u8)> {
        let found: BTreeSet<(bool, u8)> = Few::few().into_iter().filter(|it| self.contains(dot(*it))).collect();
        assert_eq!(self.len(), found.len() as u64);
        assert_eq!(self.iter().collect::<Vec<_>>(), found.iter().copied().map(dot).collect::<Vec<_>>());
        found
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}
