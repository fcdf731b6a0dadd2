//! What each type means, said without saying how it is kept.
//!
//! A specification is a function of the events visible at a place: which edits were made, by whom, and which of them
//! knew of which. There is no state in it, no merge, no name for an event but its number; nothing here is imported from
//! the implementation (a test reads these files and checks that), so an error in the one can't hide in the other.
//! Nothing here is fast either.
//!
//! Law L11 says that what a replica shows equals its specification, for any replica whose knowledge is causally closed.

mod counter;
mod document;
mod flag;
mod lattice;
mod map;
mod register;
mod set;

pub use counter::{Bounded, Counting, Growing};
pub use document::{Nodes, Shown};
pub use flag::{DisableWins, EnableWins};
pub use lattice::{Greatest, GreatestByKey, Least};
pub use map::{AddWinsMap, BothFields, StampedMap};
pub use register::{EverySibling, LastWriter, LastWriterAlone};
pub use set::{AddWins, GrowOnly, RemoveWins};

use super::execution::View;
use super::op::Operation;
use std::fmt::Debug;

/// The meaning of a type.
pub trait Specification: 'static {
    /// What may be asked for.
    type Op: Operation;
    /// What a reader sees, in plain types of the standard library.
    type Value: PartialEq + Debug;

    /// What a reader sees who knows these events.
    fn value(view: &View<'_, Self::Op>) -> Self::Value;

    /// Whether nothing is left of it. Inside a map or a struct this and being absent are the same.
    fn is_bottom(view: &View<'_, Self::Op>) -> bool;

    /// Whether `op` must be refused when `writer` asks for it knowing these events.
    fn refuses(_view: &View<'_, Self::Op>, _writer: usize, _op: &Self::Op) -> bool {
        false
    }
}
