//! Values that merge: counters, registers, sets and maps that several replicas edit at the same time, without asking
//! each other first and without losing an edit.
//!
//! ```
//! use crdt_core::{Causal, Counter, EwFlag, Merge, MvRegister, OrMap, ReplicaId, Writer};
//!
//! crdt_core::fields! {
//!     /// What a household wants to buy.
//!     pub struct Cart { items: OrMap<String, Counter>, note: MvRegister<String>, paid: EwFlag }
//! }
//!
//! let mut alice = Writer::new(ReplicaId::from_u128(1));
//! let mut bob = Writer::new(ReplicaId::from_u128(2));
//! let (mut phone, mut tablet) = (Causal::<Cart>::new(), Causal::<Cart>::new());
//!
//! let (delta, ()) = phone.edit(&mut alice, |cart| cart.items().entry("milk").add(2));
//! tablet.merge(delta);
//!
//! // Both go offline. Alice takes milk off the list; Bob, who can't know, adds one more.
//! let (removal, _) = phone.edit(&mut alice, |cart| cart.items().remove("milk"));
//! let (one_more, ()) = tablet.edit(&mut bob, |cart| {
//!     cart.items().entry("milk").add(1);
//!     cart.note().write("oat milk, please");
//! });
//!
//! // Whatever order the deltas meet in: the removal takes what Alice had seen, Bob's addition stays.
//! phone.merge(one_more);
//! tablet.merge(removal);
//! assert_eq!(phone, tablet);
//! assert_eq!(phone.items().get("milk").map(|milk| milk.value()), Some(1));
//! assert_eq!(phone.note().values(), ["oat milk, please"]);
//! assert_eq!(phone.encode(), tablet.encode());                       // equal states have equal bytes
//! ```
//!
//! # The path of an edit
//!
//! ```text
//!   replica A                                        replica B
//!   edit ──► delta ──► bytes ═══ any order ═══► delta ──► merge ──► change
//!   edit.rs  delta.rs  codec.rs                           causal.rs change.rs
//! ```
//!
//! Read next: the [table of types](types), then [`Causal`], [`Delta`], and [`DotStore`] to write a type of your own.
//!
//! # What it promises
//!
//! Replicas that have seen the same edits hold the same value, in the same bytes, whatever the order in which they
//! learnt of them. An edit is lost only where its type says so. Nothing here reads a clock, draws randomness (but for
//! [`ReplicaId::random`]) or does I/O.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod by_id;
mod causal;
mod change;
mod clock;
pub mod codec;
mod delta;
mod dot;
mod dot_set;
mod edit;
mod error;
mod keyed;
#[cfg(feature = "laws")]
pub mod laws;
mod live;
mod merge;
mod runs;
#[cfg(feature = "serde")]
mod serialize;
mod slab;
mod sort;
mod store;
pub mod types;
mod value;
mod version;
mod writer;

pub use causal::{Causal, Invalid, Moves, Summary};
pub use change::{Change, Observed, Path, Step};
pub use clock::{HybridClock, Skew, Timestamp};
pub use codec::{Canonical, DecodeError, DecodeErrorKind, Kind, decode};
pub use delta::{Delta, Effect};
pub use dot::{COUNTER_MAX, Dot, ReplicaId};
pub use dot_set::DotSet;
pub use edit::Edit;
pub use error::EditError;
pub use merge::{Max, Merge, Min};
pub use store::{DotStore, Place, Removable};
pub use types::counter::{BoundedCounter, Counter, GCounter, PnCounter};
pub use types::flag::{DwFlag, EwFlag};
pub use types::map::{LwwMap, OrMap};
pub use types::record::{Document, DocumentMap, Node};
pub use types::register::{LwwRegister, MvRegister, Resolver, Siblings};
pub use types::set::{GSet, OrSet, RwSet};
#[cfg(feature = "serde")]
pub use value::Custom;
pub use value::{Element, Float, Value};
pub use version::{Causality, VersionVector};
pub use writer::Writer;
