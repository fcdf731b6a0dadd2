//! Replicas talking: what changed travels, in causal order, over a network that loses, repeats and reorders.
//!
//! The crate is a state machine without I/O: bytes, time and seeds come in as arguments; bytes, deadlines and batches
//! for the disk go out as return values. The same inputs give the same outputs on every platform.
#![forbid(unsafe_code)]

mod config;
mod error;
mod event;
#[cfg(any(test, feature = "sim"))]
mod fault;
mod frame;
mod id;
mod message;
mod record;
pub mod repair;
pub mod sketch;
mod storage;
mod time;

pub use crdt_core;

pub use config::{Config, Durability, Limits, Mode, Timing};
pub use error::{EditError, FrameError, OpenError};
pub use event::{Event, RepairTier};
#[cfg(any(test, feature = "sim"))]
pub use fault::{Fault, Faults};
pub use frame::{FrameReader, FrameWriter};
pub use id::{LinkKind, PeerId, Role, ScopeId};
pub use message::{CancelReason, Cell, Finish, Hello, Message, Open, Plan, Refuse, RefuseReason, RepairId, SummaryOf};
pub use record::{Extension, Own, Payload, Record};
#[cfg(feature = "redb")]
pub use storage::RedbStorage;
pub use storage::{
    Batch, Fetch, Loaded, LogEntry, LogRecord, MemoryStorage, Meta, Persist, Stage, Storage, StorageError, Ticket,
};
pub use time::{Now, Steady, Wall};
