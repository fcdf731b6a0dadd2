//! Parcels: replicas that exchange what they lack without a link.

use crdt_core::DotSet;

use super::{Data, Node, Pending};
use crate::ParcelError;

/// # Without a link
///
/// A peer on the other side of an air gap, behind an HTTP endpoint, or awake at other hours: it says what it has, gets
/// back what it lacks, and takes that in. The bytes may travel any way, and as slowly as they like; each step is as
/// durable as an edit.
///
/// ```
/// # use crdt_core::OrSet;
/// # use crdt_sync::drive::Node;
/// # use crdt_sync::{Config, MemoryStorage, ScopeId};
/// # let open = || Node::<OrSet<String>>::open(MemoryStorage::new(), Config::new(ScopeId::from_bytes([1; 16])));
/// # let (laptop, server) = (open()?, open()?);
/// server.edit(|set| set.insert("milk")).wait()?;
///
/// let request = laptop.export_request()?.wait()?;        // the body of a POST, or a file on a stick
/// let parcel = server.export(&request)?.wait()?;         // its answer
/// let fresh = laptop.import(&parcel)?.wait()?;           // or `.await?`: it is on disk then
///
/// assert!(!fresh.is_empty() && laptop.read(|set| set.contains("milk")));
/// assert!(laptop.import(&parcel)?.wait()?.is_empty());   // the second time it brings nothing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<S: Data> Node<S> {
    /// What this node has, for a peer that answers with [`export`](Self::export). See
    /// [`Replica::export_request`](crate::Replica::export_request).
    ///
    /// # Errors
    /// If the store has failed, or more was received than a frame can say.
    pub fn export_request(&self) -> Result<Pending<Vec<u8>>, ParcelError> {
        self.core.carry(|replica, now| replica.export_request(now)).map(|done| self.pending(done))
    }

    /// All that the sender of this request lacks, removals included. Resolves once everything in it is durable here. See
    /// [`Replica::export`](crate::Replica::export).
    ///
    /// # Errors
    /// If the bytes are no request that fits this node, or the answer would be too long.
    pub fn export(&self, request: &[u8]) -> Result<Pending<Vec<u8>>, ParcelError> {
        self.core.carry(|replica, now| replica.export(request, now)).map(|done| self.pending(done))
    }

    /// All that is here, for whoever it may reach.
    ///
    /// # Errors
    /// As [`export`](Self::export).
    pub fn export_all(&self) -> Result<Pending<Vec<u8>>, ParcelError> {
        self.core.carry(|replica, now| replica.export_all(now)).map(|done| self.pending(done))
    }

    /// Takes in what a peer packed, all of it or nothing; resolves, with the dots that were new, once it is durable. See
    /// [`Replica::import`](crate::Replica::import).
    ///
    /// # Errors
    /// If the bytes are no parcel that fits this node. Nothing has changed.
    pub fn import(&self, parcel: &[u8]) -> Result<Pending<DotSet>, ParcelError> {
        self.core.carry(|replica, now| replica.import(parcel, now)).map(|done| self.pending(done))
    }
}
