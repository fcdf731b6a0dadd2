//! Plain lattices under the laws: values that merge without having seen anything.

use super::law::{Broken, Law};
use super::spec::Specification;
use super::store::replica_id;
use super::subject::{Refused, Subject, is_below};
use crate::{Merge, ReplicaId};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;

/// What a plain lattice may be asked for.
pub type PlainOp<L> = <<L as EnrolledPlain>::Spec as Specification>::Op;

/// A plain lattice that can be put through histories. Its deltas are small values of its own type.
pub trait EnrolledPlain: Merge + for<'a> Merge<&'a Self> + Clone + PartialEq + Default + Debug + 'static {
    /// The meaning, which imports nothing of the implementation.
    type Spec: Specification;

    /// Does what `op` says and returns what to send.
    ///
    /// # Errors
    /// If the type refuses; then nothing may have changed.
    fn perform(&mut self, me: ReplicaId, op: &PlainOp<Self>) -> Result<Self, Refused>;

    /// What a reader sees, through all the ways to read that the type offers.
    fn read(&self) -> <Self::Spec as Specification>::Value;

    /// Whether this is below the other one or equal, by the type's own order; `None` if it has none.
    fn precedes(&self, _other: &Self) -> Option<bool> {
        None
    }

    /// The canonical bytes. A lattice without bytes of its own shows itself as text.
    fn bytes(&self) -> Vec<u8> {
        std::format!("{self:?}").into_bytes()
    }

    /// The value, encoded and decoded.
    ///
    /// # Errors
    /// If the type refuses its own bytes.
    fn reencode(&self) -> Result<Self, String> {
        Ok(self.clone())
    }
}

/// A plain lattice as a subject: its states and its deltas are its values.
#[derive(Debug)]
pub struct Plain<L>(PhantomData<L>);

impl<L: EnrolledPlain> Subject for Plain<L> {
    type State = L;
    type Delta = L;
    type Author = ReplicaId;
    type Spec = L::Spec;

    fn author(number: usize) -> ReplicaId {
        replica_id(number)
    }

    fn branch(author: &ReplicaId) -> ReplicaId {
        *author
    }

    fn edit(state: &mut L, author: &mut ReplicaId, op: &PlainOp<L>) -> Result<L, Refused> {
        state.perform(*author, op)
    }

    fn merge(state: &mut L, other: &L) -> bool {
        Merge::merge(state, other)
    }

    fn merge_delta(state: &mut L, delta: &L) -> bool {
        // By value, so that both ways are tried.
        Merge::merge(state, delta.clone())
    }

    fn group(group: &mut L, delta: &L) {
        Merge::merge(group, delta);
    }

    fn value(state: &L) -> <L::Spec as Specification>::Value {
        state.read()
    }

    fn encode(state: &L) -> Vec<u8> {
        state.bytes()
    }

    fn reencode(state: &L) -> Result<L, String> {
        state.reencode()
    }

    fn reencode_delta(delta: &L) -> Result<L, String> {
        delta.reencode()
    }

    fn check_pair(one: &L, other: &L) -> Result<(), Broken> {
        for (one, other) in [(one, other), (other, one)] {
            if let Some(precedes) = one.precedes(other) {
                Law::L4.holds(precedes == is_below::<Self>(one, other), || {
                    std::format!("its own order says {precedes}\n   one: {one:?}\n other: {other:?}")
                })?;
            }
        }
        Ok(())
    }
}
