//! The laws, as a library: put any type through random histories, your own included (feature `laws`).
//!
//! That merging is commutative, associative and idempotent proves little: three of five seeded faults kept all three.
//! So a type is run through *histories*: a handful of replicas that edit, send deltas alone and in groups, lose, repeat
//! and reorder them, merge whole states that are old, start again from their bytes, and are restored from copies. At
//! every step the [laws](Law) are asked for, above all that each replica shows what a naive [specification](spec) says of
//! the edits it knows, in which there is neither a dot nor a merge. Two need something beside a history: [`Law::L14`] is
//! asked by enrolling a type a second time, under a key (`Store<OrMap<u64, Task>>`), and [`Law::L16`] by counting what a
//! merge touches in states of two sizes.
//!
//! # Enrolling a type
//!
//! A store says how its operations are done and what a reader sees ([`Enrolled`]; [`EnrolledPlain`] for a lattice that
//! stands alone), and what it means ([`Specification`](spec::Specification)). The types of this crate are enrolled, and
//! so is what is built of them: a struct takes one line more. Then a line per type makes the tests:
//!
//! ```
//! use crdt_core::{EwFlag, GCounter, MvRegister, OrMap, OrSet};
//! use crdt_core::laws::{Plain, Store};
//!
//! crdt_core::fields! { pub struct Task { title: MvRegister<String>, tags: OrSet<String>, done: EwFlag } }
//! crdt_core::enrol_fields!(Task { title: MvRegister<String>, tags: OrSet<String>, done: EwFlag });
//!
//! crdt_core::law_suite! {
//!     tasks: Store<OrMap<u64, Task>>;
//!     visits: Plain<GCounter>;
//! }
//! # fn main() {}
//! ```
//!
//! Each line becomes a module with two tests. `random_histories` runs 10 000 histories from a fixed seed and 2 000 fresh
//! ones, shrinks the first that breaks a law, and prints it as Rust source with its seed; the environment variables in
//! [`Plan`] change the counts. `every_short_history` leaves nothing to chance: all histories of two replicas and two keys
//! of up to five steps, or four where there are too many of five; `LAWS_REPLICAS`, `LAWS_DEPTH` and
//! `LAWS_CONFIGURATIONS` ask for more. Both print what they met, and a run that met too little fails ([`Tally::check_floors`]).
//!
//! A type of one's own, from its meaning to its first history:
//!
//! ```
//! use crdt_core::laws::execution::View;
//! use crdt_core::laws::op::Put;
//! use crdt_core::laws::spec::Specification;
//! use crdt_core::laws::{EnrolledPlain, Plain, Plan, PlainOp, Refused, search};
//! use crdt_core::{Merge, ReplicaId};
//!
//! /// A set of up to 64 numbers, as bits.
//! #[derive(Clone, PartialEq, Default, Debug)]
//! struct Bits(u64);
//!
//! impl Merge for Bits {
//!     fn merge(&mut self, other: Self) -> bool {
//!         self.merge(&other)
//!     }
//! }
//!
//! impl Merge<&Bits> for Bits {
//!     fn merge(&mut self, other: &Self) -> bool {
//!         let before = self.0;
//!         self.0 |= other.0;
//!         self.0 != before
//!     }
//! }
//!
//! /// What it means: the numbers put in by the edits that are visible.
//! struct Members;
//!
//! impl Specification for Members {
//!     type Op = Put<u8>;
//!     type Value = u64;
//!
//!     fn value(view: &View<'_, Put<u8>>) -> u64 {
//!         view.iter().fold(0, |bits, edit| bits | 1 << (edit.op.0 % 64))
//!     }
//!
//!     fn is_bottom(view: &View<'_, Put<u8>>) -> bool {
//!         view.is_empty()
//!     }
//! }
//!
//! impl EnrolledPlain for Bits {
//!     type Spec = Members;
//!
//!     fn perform(&mut self, _me: ReplicaId, op: &PlainOp<Self>) -> Result<Self, Refused> {
//!         let delta = Bits(1 << (op.0 % 64));
//!         self.merge(&delta);
//!         Ok(delta)
//!     }
//!
//!     fn read(&self) -> u64 {
//!         self.0
//!     }
//! }
//!
//! let plan = Plan { histories: 200, fresh: 0, steps: 30, seed: 1 };
//! let met = search::<Plain<Bits>>(&plan).unwrap_or_else(|broken| panic!("{broken}"));
//! assert!(met.concurrent_pairs > 200);
//! ```
//!
//! # Where what is
//!
//! [`op`]: what may be asked of a type · [`execution`]: which edit knew of which · [`spec`]: what that means ·
//! [`history`]: steps, drawn and shrunk · [`world`]: runs one history and asks for the laws · [`check`]: many of them ·
//! [`exhaustive`]: all short ones · [`tally`]: what a run met · [`store`], [`plain`]: what may be enrolled ·
//! [`subject`]: anything else, by hand.

pub mod check;
mod enrol;
pub mod execution;
pub mod exhaustive;
pub mod history;
pub mod law;
pub mod op;
pub mod plain;
pub mod resolver;
pub mod spec;
pub mod store;
pub mod subject;
pub mod tally;
pub mod world;

// Thousands of histories: not for an interpreter.
#[cfg(all(test, not(miri)))]
mod bite;

pub use check::{Counterexample, Plan, check_short_histories, check_subject, replay_subject, search};
pub use history::{History, Step};
pub use law::{Broken, Law};
pub use plain::{EnrolledPlain, Plain, PlainOp};
pub use resolver::check_resolver;
pub use store::{Enrolled, Store, StoreOp, StoreValue};
pub use subject::{Refused, Subject};
pub use tally::Tally;

/// Makes the tests of several types, a line for each: `name: subject;`. See [`laws`](crate::laws).
#[macro_export]
macro_rules! law_suite {
    ($($name:ident: $subject:ty;)+) => { $(
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "a subject may be named by its full path")]
            use super::*;

            #[test]
            fn random_histories() {
                $crate::laws::check_subject::<$subject>();
            }

            #[test]
            fn every_short_history() {
                $crate::laws::check_short_histories::<$subject>();
            }
        }
    )+ };
}
