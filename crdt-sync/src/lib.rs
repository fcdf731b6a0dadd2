//! Replicas talking: what changed travels, in causal order, over a network that loses, repeats and reorders.
//!
//! The crate is a state machine without I/O. Bytes, time and seeds come in as arguments; bytes, deadlines and batches for
//! the disk go out as return values, so the same inputs give the same outputs on every platform, and a test can be any
//! network and any disk. Drivers for real ones lie behind features.
//!
//! Two replicas over a channel that loses a third of all frames:
//!
//! ```
//! use crdt_sync::crdt_core::{OrSet, ReplicaId};
//! use crdt_sync::{Config, LinkKind, Loaded, Now, PeerId, Replica, ScopeId, Steady, Wall};
//!
//! let scope = ScopeId::from_bytes(*b"a shopping list!");
//! let at = |ms| Now { steady: Steady(ms), wall: Wall(1_790_000_000_000 + ms) };
//! let mut replicas = [1, 2].map(|id| {
//!     let fresh = ReplicaId::from_u128(id);                          // in earnest: ReplicaId::random()
//!     Replica::<OrSet<String>>::open(Loaded::default(), Config::new(scope), fresh, [id as u8; 32], at(0)).unwrap()
//! });
//! for replica in &mut replicas {
//!     replica.peer_up(PeerId(0), LinkKind::Datagram, at(0));
//! }
//! replicas[0].edit(at(1), |list| list.insert("milk")).unwrap();
//! replicas[1].edit(at(1), |list| list.insert("eggs")).unwrap();
//!
//! let mut frames = 0;
//! for ms in 1..60_000 {
//!     for here in [0, 1] {
//!         if replicas[here].poll_timeout().is_some_and(|due| due <= Steady(ms)) {
//!             replicas[here].handle_timeout(at(ms));
//!         }
//!         while let Some(persist) = replicas[here].poll_persist() {
//!             replicas[here].durable(persist.ticket, at(ms));        // in earnest: after the disk says so
//!         }
//!         while let Some(transmit) = replicas[here].poll_transmit() {
//!             frames += 1;
//!             if frames * 37 % 101 % 3 != 0 {
//!                 let _ = replicas[1 - here].handle_message(PeerId(0), &transmit.frame, at(ms));
//!             }
//!         }
//!     }
//! }
//! assert!(replicas[0].state().contains("eggs") && replicas[1].state().contains("milk"));
//! assert_eq!(replicas[0].state().encode(), replicas[1].state().encode());
//! ```
//!
//! # The path of an edit
//!
//! ```text
//!   replica A                                                        replica B
//!   edit ──► record ──► disk ──► frame ═══ any network ═══► frame ──► inbox ──► merge ──► disk ──► event
//!            record.rs  storage.rs  frame.rs                          inbox.rs (causes first)      event.rs
//! ```
//!
//! What the pushes lose, a repair finds: two replicas compare what they have and exchange what differs, whatever the
//! size of the state. Where there is no link, a parcel carries it: [`Replica::export`], [`Replica::import`]. `PROTOCOL.md`
//! beside this crate has every byte.
//!
//! # Where to begin
//!
//! An application holds a `drive::Node` (feature `drive`), over a `RedbStorage` (feature `redb`): the `README.md` beside
//! this crate shows two processes that share a struct. Whoever brings a disk, a clock or a network of their own drives a
//! [`Replica`], as above: each input, then all outputs, then sleep until [`Replica::poll_timeout`]. A store of one's own
//! implements [`Storage`], and is tested against `sim` (feature `sim`).
//!
//! # What it promises
//!
//! * Nothing is shown to anybody before it is durable here: a crash at any instant loses nothing acknowledged.
//! * In the default [`Mode::Causal`] an edit takes effect after everything it was made on, at every replica; and at one
//!   replica its own edits are read at once.
//! * After the network heals, all replicas that received the same records have equal bytes. No edit is lost, none is
//!   applied twice, and a replica that was away for any time brings nothing back that was removed.
//! * Bytes from outside cost bounded memory and cannot make it panic. Members of a scope are trusted not to forge
//!   each other's dots.
#![forbid(unsafe_code)]

/// Whether a fault is switched on that a test wants to see caught; never in a build without the simulator.
macro_rules! faulty {
    ($config:expr, $fault:ident) => {{
        #[cfg(any(test, feature = "sim"))]
        let on = $config.faults.has(crate::Fault::$fault);
        #[cfg(not(any(test, feature = "sim")))]
        let on = {
            let _ = &$config;
            false
        };
        on
    }};
}

mod config;
#[cfg(feature = "drive")]
pub mod drive;
mod error;
mod event;
#[cfg(any(test, feature = "sim"))]
mod fault;
mod few;
mod frame;
mod id;
mod inbox;
mod log;
mod message;
mod parcel;
mod peer;
mod prefix;
mod record;
pub mod repair;
mod replica;
mod roster;
mod schedule;
#[cfg(feature = "sim")]
pub mod sim;
pub mod sketch;
mod stats;
mod storage;
mod time;
mod weight;

pub use crdt_core;

pub use config::{Applicant, Authorise, Config, Durability, Limits, Mode, Timing};
pub use error::{EditError, FrameError, OpenError};
pub use event::{Event, RepairTier};
#[cfg(any(test, feature = "sim"))]
pub use fault::{Fault, Faults};
pub use frame::{FrameReader, FrameWriter};
pub use id::{LinkKind, PeerId, Role, ScopeId};
pub use message::{CancelReason, Cell, Finish, Hello, Message, Open, Plan, Refuse, RefuseReason, RepairId, SummaryOf};
pub use parcel::ParcelError;
pub use record::{Extension, Own, Payload, Record};
pub use replica::{Replica, Transmit};
pub use roster::Standing;
pub use stats::{Stats, Tier, Traffic};
#[cfg(feature = "redb")]
pub use storage::RedbStorage;
pub use storage::{
    Batch, Fetch, Loaded, LogEntry, LogRecord, MemoryStorage, Meta, Persist, Snapshot, Stage, Storage, StorageError,
    Ticket,
};
pub use time::{Now, Steady, Wall};
