//! Registers.

use crate::laws::op::{Few, RegisterOp, StampedOp, StampedPut};
use crate::laws::plain::EnrolledPlain;
use crate::laws::spec;
use crate::laws::store::Enrolled;
use crate::laws::subject::Refused;
use crate::{Canonical, DotSet, Edit, Element, LwwRegister, MvRegister, ReplicaId, Timestamp};
use std::prelude::rust_2024::*;
use std::string::ToString;

/// The time stamp which a small number stands for.
pub(super) fn stamp(number: u8) -> Timestamp {
    Timestamp::new(u64::from(number), 0)
}

impl<T: Element + Few> Enrolled for MvRegister<T> {
    type Spec = spec::EverySibling<T>;

    fn perform(register: &mut Edit<'_, Self>, op: &RegisterOp<T>) -> Result<(), Refused> {
        match op {
            RegisterOp::Write(value) => register.write(value.clone()),
            RegisterOp::WriteOverFirst(value) => {
                let siblings = register.view().map(|register| register.siblings().dots).unwrap_or_default();
                let first: DotSet = siblings.iter().take(1).collect();
                register.write_over(&first, value.clone());
            }
            RegisterOp::Clear => {
                let there = register.view().map_or(0, |register| register.values().len());
                assert_eq!(register.clear(), there, "clear says how many writes it took back");
            }
        }
        Ok(())
    }

    fn read(&self) -> Vec<T> {
        let siblings = self.siblings();
        assert_eq!(siblings.values.iter().collect::<Vec<_>>(), self.values());
        assert_eq!(siblings.dots.len(), siblings.values.len() as u64);
        assert_eq!((self.is_empty(), self.is_conflict()), (siblings.values.is_empty(), siblings.values.len() > 1));
        siblings.values
    }
}

impl<T: Element + Few> Enrolled for LwwRegister<T> {
    type Spec = spec::LastWriter<T>;

    fn perform(register: &mut Edit<'_, Self>, op: &StampedOp<T>) -> Result<(), Refused> {
        match op {
            StampedOp::Write(number, value) => register.write(stamp(*number), value.clone()),
            StampedOp::Clear => {
                let there = register.view().map_or(0, |register| register.siblings().len());
                assert_eq!(register.clear(), there, "clear says how many writes it took back");
            }
        }
        Ok(())
    }

    fn read(&self) -> Option<(u8, T)> {
        let winner = self.stamp().zip(self.get());
        assert_eq!(winner, self.siblings().pop(), "the winner is the last sibling");
        winner.map(|(stamp, value)| (stamp.ms() as u8, value.clone()))
    }

    // The stamp ranks; what shows is the value.
    fn looks_alike(one: &Self, other: &Self) -> bool {
        one.get() == other.get()
    }
}

impl<T: Element + Few> EnrolledPlain for LwwRegister<T> {
    type Spec = spec::LastWriterAlone<T>;

    fn perform(&mut self, me: ReplicaId, op: &StampedPut<T>) -> Result<Self, Refused> {
        Ok(self.write_alone(stamp(op.0), me, op.1.clone()))
    }

    fn read(&self) -> Option<(u8, T)> {
        Enrolled::read(self)
    }

    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn reencode(&self) -> Result<Self, String> {
        Canonical::decode(&self.encode()).map_err(|error| error.to_string())
    }
}
