//! One replica with its disk and its clocks.

use crdt_core::ReplicaId;
use crdt_core::laws::Enrolled;

use super::disk::{Disk, Image};
use crate::{Now, PeerId, Replica, Steady, Ticket, Wall};

/// The wall clock of all at the start of a run.
const WALL_MS: u64 = 1_750_000_000_000;

pub(super) struct Node<S: Enrolled> {
    /// None while it is stopped.
    pub(super) replica: Option<Replica<S>>,
    pub(super) disk: Disk,
    pub(super) id: ReplicaId,
    /// Counts openings and stops: what was on its way to an earlier life does not arrive.
    pub(super) life: u64,
    /// Its steady clock counts from a start of its own.
    steady_start: u64,
    /// How far its wall clock is off, in milliseconds.
    pub(super) skew_ms: i64,
    /// When it is to be woken.
    pub(super) wake_at: Option<u64>,
    /// The last copy of its disk.
    pub(super) backup: Option<Image>,
    /// How often its disk was replaced by another one.
    pub(super) memory: u64,
    /// All up to this ticket of its present life is durable.
    pub(super) flushed: Ticket,
    /// The id that it borrowed.
    pub(super) borrowed: Option<ReplicaId>,
    /// Its name for somebody else's message system.
    pub(super) engine: Option<PeerId>,
    /// Links to strangers.
    pub(super) strangers: Vec<PeerId>,
    /// How often it was woken at this moment: it must come to rest.
    pub(super) wakes: (u64, u32),
}

impl<S: Enrolled> Node<S> {
    pub(super) fn new(number: usize, id: ReplicaId) -> Self {
        Self {
            replica: None,
            disk: Disk::default(),
            id,
            life: 0,
            steady_start: 1_000 * number as u64,
            skew_ms: 0,
            wake_at: None,
            backup: None,
            memory: 0,
            flushed: Ticket::default(),
            borrowed: None,
            engine: None,
            strangers: Vec::new(),
            wakes: (0, 0),
        }
    }

    pub(super) fn now(&self, at: u64) -> Now {
        let wall = WALL_MS.saturating_add(at).saturating_add_signed(self.skew_ms);
        Now { steady: Steady(self.steady_start + at), wall: Wall(wall) }
    }

    /// When the replica wants to be woken, in the time of the run.
    pub(super) fn alarm(&self) -> Option<u64> {
        let Steady(alarm) = self.replica.as_ref()?.poll_timeout()?;
        Some(alarm.saturating_sub(self.steady_start))
    }
}
