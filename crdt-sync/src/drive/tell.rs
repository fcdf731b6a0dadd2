//! What a node does, told to a subscriber of `tracing` (feature `tracing`).

use crdt_core::ReplicaId;
use tracing::{debug, error, info, trace, warn};

use crate::{Event, RepairTier, Stats};

/// Tells of one event. Whatever is part of an ordinary day is for those who look for a fault; what somebody should look
/// at is a warning; what must not happen is an error.
pub(super) fn event(me: ReplicaId, event: &Event) {
    match event {
        Event::PeerOpened { peer, replica } => debug!(%me, peer = peer.0, %replica, "peer is here"),
        Event::RepairOpened { peer } => trace!(%me, peer = peer.0, "repair opened"),
        Event::Repaired { peer, by: RepairTier::Same, bytes } => {
            trace!(%me, peer = peer.0, tier = ?RepairTier::Same, bytes, "repair ended");
        }
        Event::Repaired { peer, by, bytes } => debug!(%me, peer = peer.0, tier = ?by, bytes, "repair ended"),
        Event::RepairFailed { peer, bytes } => debug!(%me, peer = peer.0, bytes, "repair given up"),
        Event::Incompatible { peer, reason } => warn!(%me, peer = peer.0, ?reason, "peer refused"),
        Event::BadFrame { peer, error } => warn!(%me, peer = peer.0, %error, "frame refused"),
        Event::Close { peer } => debug!(%me, peer = peer.0, "link is to be closed"),
        Event::Skewed { replica, by_ms } => warn!(%me, %replica, by_ms, "clock is ahead"),
        Event::IdentityLost { dot } => warn!(%me, ?dot, "identity lost: somebody else writes under it"),
        Event::Equivocation(dot) => error!(%me, ?dot, "one dot names two values"),
        Event::TooLarge { peer } => warn!(%me, peer = peer.0, "a repair would hold more than the limits allow"),
        Event::Diverged { peer } => error!(%me, peer = peer.0, "equal sets of dots and different state"),
        Event::StoreFailed => error!(%me, "store failed"),
        Event::Dormant(replica) => info!(%me, %replica, "replica fell silent"),
        Event::Retired(replica) => info!(%me, %replica, "replica is retired"),
        Event::Lent { replica, next } => info!(%me, %replica, next, "id borrowed"),
        _ => {}
    }
}

/// A fresh id took the place of one that was lost.
pub(super) fn adopted(before: ReplicaId, now: ReplicaId) {
    info!(%before, me = %now, "goes on under a fresh id");
}

/// Tells of records that wait for their causes, where that has changed.
pub(super) fn parked(me: ReplicaId, before: &Stats, now: &Stats) {
    if now.parked_records != before.parked_records {
        debug!(%me, records = now.parked_records, bytes = now.parked_bytes, "records wait for their causes");
    }
    if now.parked_dropped > before.parked_dropped {
        let records = now.parked_dropped - before.parked_dropped;
        warn!(%me, records, "too much waits for its causes: records dropped, and asked for again");
    }
}
