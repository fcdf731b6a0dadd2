//! Replicas that run: a store, a clock, links (feature `drive`).
//!
//! The machine in this crate does no I/O; here is what does it. A [`Node`] is what an application holds. Links are
//! made by
//!
//! * [`blocking`]: TCP with threads of the standard library and nothing else;
#![cfg_attr(
    feature = "tcp",
    doc = "* [`tcp`]: TCP on tokio, with reconnection; with TLS where the feature `tls` is on;"
)]
#![cfg_attr(feature = "websocket", doc = "* [`websocket`]: the same frames for browsers, one in each binary message;")]
#![cfg_attr(
    feature = "relay",
    doc = "* [`relay`]: a server of many documents for browsers, and the program `crdt-relay`."
)]
//!
//! **Bounded.** A peer that floods is read one frame at a time, as TCP slows it down. One that does not read loses
//! pushes first, then its link. One that is silent costs nothing but its socket. A slow disk stops the reading of links,
//! and refuses edits as `Busy`. The limits are those of [`Limits`](crate::Limits).
//!
//! # Metrics
//!
//! With the feature `metrics` every node feeds whatever recorder of the `metrics` crate is installed when it is opened.
//! Nodes of one process add up. Neither a recorder nor a subscriber may call the node that it is told of.
//!
//! | name | kind, unit | labels |
//! |---|---|---|
//! | `crdt_sync_traffic_bytes` | counter, bytes | `direction`: sent, received · `tier`: push, repair, control |
//! | `crdt_sync_traffic_messages` | counter | the same |
//! | `crdt_sync_repairs` | counter | `outcome`: same, log, sketch, live_set, whole, failed |
//! | `crdt_sync_records` | counter | `what`: pushed (once for each peer), fresh, repeated |
//! | `crdt_sync_records_dropped` | counter | `what`: push (slow link), parked (too much waits) |
//! | `crdt_sync_frames_refused` | counter | |
//! | `crdt_sync_parked_records`, `crdt_sync_parked_bytes` | gauge; bytes | records that wait for their causes |
//! | `crdt_sync_log_bytes`, `crdt_sync_held_bytes` | gauge, bytes | |
//! | `crdt_sync_links` | gauge | |
//! | `crdt_sync_lag_dots` | gauge | own edits that the peer lagging most is not known to have |
//!
//! With the feature `tracing` it tells of peers, repairs (opened, ended with tier and bytes, given up), records that
//! wait, identities lost and taken, refused peers and frames.

mod backoff;
mod backup;
pub mod blocking;
mod carry;
mod core;
mod disk;
mod link;
#[cfg(feature = "metrics")]
mod meter;
mod node;
#[cfg(feature = "relay")]
pub mod relay;
#[cfg(feature = "foca")]
mod swim;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(feature = "tracing")]
mod tell;
mod watch;
#[cfg(feature = "websocket")]
pub mod websocket;

use std::fmt;
use std::time::Duration;

use crdt_core::{DotSet, DotStore, ReplicaId};

use crate::{EditError, OpenError, StorageError};

pub use backup::Backup;
pub use node::{Closing, Node, Pending, Spread, Subscription};

/// A store whose parts may go from thread to thread: every one in this project, and every other that keeps no `Rc`.
pub trait Data: DotStore<Entry: Send + Sync, Place: Send + Sync> + Send + Sync + 'static {}

impl<S: DotStore<Entry: Send + Sync, Place: Send + Sync> + Send + Sync + 'static> Data for S {}

/// A connection that has not said who is there after this is a stranger's.
const GREETING_WITHIN: Duration = Duration::from_secs(10);

/// How long the last word may take to arrive.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// A peer that takes nothing for this long does not read.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// Something was not done.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeError {
    /// The edit was refused before anything changed.
    Refused(EditError),
    /// The store could not be opened or read.
    Store(StorageError),
    /// What it holds could not be opened.
    Open(OpenError),
    /// The store failed while the node ran: close it and open it again. What was not durable may be kept or lost.
    StoreFailed(String),
    /// The node is closed.
    Closed,
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "the edit was refused: {error}"),
            Self::Store(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::StoreFailed(reason) => write!(f, "the store failed and has to be opened again: {reason}"),
            Self::Closed => write!(f, "the node is closed"),
        }
    }
}

impl std::error::Error for NodeError {}

impl From<StorageError> for NodeError {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

impl From<OpenError> for NodeError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// How many of its own edits the peer that lags most is not known to have.
fn behind<S: DotStore>(replica: &crate::Replica<S>) -> u64 {
    let own = own_dots(replica);
    let others = replica.active().filter(|(other, _)| *other != replica.id());
    others.map(|(_, has)| own.difference(has).len()).max().unwrap_or(0)
}

/// All that was written under its present id.
fn own_dots<S: DotStore>(replica: &crate::Replica<S>) -> DotSet {
    let id = replica.id();
    let mut dots = DotSet::new();
    for (replica, first, last) in replica.received().runs().filter(|(replica, ..)| *replica == id) {
        dots.insert_run(replica, first, last);
    }
    dots
}

/// Drawn from the system at this moment: a clone of this memory draws another one.
fn fresh_id() -> ReplicaId {
    ReplicaId::from_bytes(random())
}

fn fresh_seed() -> [u8; 32] {
    random()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("without the system's generator an id could be drawn twice");
    bytes
}

/// Tells how a link ended, to whoever listens.
#[cfg(feature = "tcp")]
fn trace_link(address: &impl fmt::Display, ended: &std::io::Result<()>) {
    #[cfg(feature = "tracing")]
    match ended {
        Ok(()) => tracing::debug!(%address, "link ended"),
        Err(error) => tracing::debug!(%address, %error, "link failed"),
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (address, ended);
}
