//! Sets.

use crate::laws::op::{ElementOp, Few, Put, SetOp};
use crate::laws::plain::EnrolledPlain;
use crate::laws::spec;
use crate::laws::store::Enrolled;
use crate::laws::subject::Refused;
use crate::{Canonical, Edit, Element, GSet, OrSet, ReplicaId, RwSet};
use std::collections::BTreeSet;
use std::prelude::rust_2024::*;
use std::string::ToString;

/// Reads a set in every way it offers; they must agree.
fn read<T: Few>(iterated: Vec<&T>, len: usize, contains: impl Fn(&T) -> bool) -> BTreeSet<T> {
    assert!(iterated.is_sorted() && iterated.len() == len, "a set of {len} iterates as {iterated:?}");
    assert!(iterated.iter().all(|element| contains(element)), "a set does not contain what it iterates");
    T::few().into_iter().filter(contains).collect()
}

impl<T: Element + Few> Enrolled for OrSet<T> {
    type Spec = spec::AddWins<T>;

    fn perform(set: &mut Edit<'_, Self>, op: &SetOp<T>) -> Result<(), Refused> {
        let contains = |set: &Edit<'_, Self>, element: &T| set.view().is_some_and(|set| set.contains(element));
        match op {
            SetOp::Insert(element) => {
                let was_in = contains(set, element);
                assert_eq!(set.insert(element.clone()), !was_in, "insert says whether the element was absent");
            }
            SetOp::Remove(element) => {
                let was_in = contains(set, element);
                assert_eq!(set.remove(element) > 0, was_in, "remove says how many dots it retired");
            }
            SetOp::Clear => {
                let was_empty = set.view().is_none_or(OrSet::is_empty);
                assert_eq!(set.clear() == 0, was_empty, "clear says how many dots it retired");
            }
        }
        Ok(())
    }

    fn read(&self) -> BTreeSet<T> {
        read(self.iter().collect(), self.len(), |element| self.contains(element))
    }
}

impl<T: Element + Few> Enrolled for GSet<T> {
    type Spec = spec::GrowOnly<T>;

    fn perform(set: &mut Edit<'_, Self>, op: &Put<T>) -> Result<(), Refused> {
        let was_in = set.view().is_some_and(|set| set.contains(&op.0));
        assert_eq!(set.insert(op.0.clone()), !was_in, "insert says whether the element was absent");
        Ok(())
    }

    fn read(&self) -> BTreeSet<T> {
        read(self.iter().collect(), self.len(), |element| self.contains(element))
    }
}

impl<T: Element + Few> EnrolledPlain for GSet<T> {
    type Spec = spec::GrowOnly<T>;

    fn perform(&mut self, _me: ReplicaId, op: &Put<T>) -> Result<Self, Refused> {
        Ok(self.insert(op.0.clone()))
    }

    fn read(&self) -> BTreeSet<T> {
        Enrolled::read(self)
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}

impl<T: Element + Few> Enrolled for RwSet<T> {
    type Spec = spec::RemoveWins<T>;

    fn perform(set: &mut Edit<'_, Self>, op: &ElementOp<T>) -> Result<(), Refused> {
        match op {
            ElementOp::Insert(element) => set.insert(element.clone()),
            ElementOp::Remove(element) => set.remove(element.clone()),
        }
        Ok(())
    }

    fn read(&self) -> BTreeSet<T> {
        assert_eq!(self.is_empty(), self.iter().next().is_none());
        read(self.iter().collect(), self.len(), |element| self.contains(element))
    }
}
