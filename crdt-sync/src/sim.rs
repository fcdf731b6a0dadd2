//! Simulated scopes: replicas, disks and a network in virtual time, with every fault that real ones have, beside an
//! oracle that knows what must be read (feature `sim`).
//!
//! ```text
//!   schedule ──► world: queue of what happens next ──► replica ──► frames ──► links ──► …
//!                  │                                      │ └────► batches ──► disk ──► durable
//!                  │ notes each edit                      ▼
//!                  └──────────────► oracle ◄── received, state, what is believed of others
//! ```
//!
//! A run is a [`Schedule`]: a seed, a [`Profile`] and a list of [`Step`]s, drawn at random or written by hand. After
//! every input to every replica the checks of [`Check`] are made. At its end all faults stop, and all replicas must
//! soon be equal and hold whatever was acknowledged. The same schedule gives the same run, byte for byte, so a failing
//! one is printed with its seed, made as small as it will go, and can be run again.
//!
//! Put your own store through it: implement [`Enrolled`](crdt_core::laws::store::Enrolled), as for the laws of
//! crdt-core, and search.
//!
//! ```
//! use crdt_core::OrSet;
//! use crdt_sync::sim::{Plan, search};
//!
//! let plan = Plan { runs: 20, ..Plan::from_environment(20) };
//! let tally = search::<OrSet<u8>>(&plan).unwrap_or_else(|found| panic!("{found}"));
//! assert!(tally.reads > 0 && tally.crashes > 0);
//! ```

mod chance;
mod disk;
mod net;
mod node;
mod oracle;
mod profile;
mod sample;
mod schedule;
mod step;
mod tally;
mod violation;
mod world;

pub use chance::Chance;
pub use disk::Marker;
pub use net::{Topology, Weather};
pub use profile::Profile;
pub use sample::{Household, HouseholdOp};
pub use schedule::{Counterexample, Outcome, Plan, Schedule, check, hunt, run, search, survey};
pub use step::{Damage, Hostile, Step};
pub use tally::Tally;
pub use violation::{Check, Violation};
pub use world::{Transcript, World};
