//! Parcels: what is carried by hand between any two replicas, as late and as often as somebody likes.
//!
//! A parcel is handed on once its ticket is durable, as a driver does it; one whose maker stops before that is lost.

use crdt_core::DotSet;
use crdt_core::laws::Enrolled;

use super::World;
use crate::sim::chance::Chance;
use crate::sim::step::Damage;
use crate::sim::violation::{Check, Violation};
use crate::{ParcelError, Ticket};

/// So many lie about at a time; of more, the oldest is lost.
const ABOUT_MAX: usize = 16;

/// A replica, and how often its disk was replaced: what somebody had in one memory it need not have in the next.
type Memory = (usize, u64);

/// One that lies about, or will.
pub(super) struct Parcel {
    bytes: Vec<u8>,
    from: usize,
    ticket: Ticket,
    /// Whether all in it is durable where it was packed.
    is_out: bool,
    what: What,
}

enum What {
    /// Says what this memory has.
    Request(Memory),
    /// Has what the memory of a request lacked of what was received; of no request, all of that.
    Answer { of: Option<Memory>, received: DotSet },
}

impl<S: Enrolled> World<S> {
    fn memory(&self, node: usize) -> Memory {
        (node, self.nodes[node].memory)
    }

    /// A replica says what it has.
    pub(super) fn request(&mut self, node: usize) -> Result<(), Violation> {
        let (now, memory) = (self.nodes[node].now(self.now), self.memory(node));
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        let asked = replica.export_request(now);
        self.put(node, What::Request(memory), asked)
    }

    /// A replica answers a request; the newest has the number 0. Where there is none, it packs all that it has.
    pub(super) fn pack(&mut self, node: usize, which: usize) -> Result<(), Violation> {
        let others = |parcel: &Parcel| parcel.from != node && matches!(parcel.what, What::Request(_));
        let found = self.about(which, others);
        let request = found.map(|at| &self.parcels[at]);
        let of = request.and_then(|request| match request.what {
            What::Request(memory) => Some(memory),
            What::Answer { .. } => None,
        });
        let request = request.map(|request| request.bytes.clone());
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        let packed = match request {
            Some(request) => replica.export(&request, now),
            None => replica.export_all(now),
        };
        let received = replica.received().clone();
        self.tally.parcels_for_all += u64::from(of.is_none());
        self.put(node, What::Answer { of, received }, packed)
    }

    /// Somebody carries a request, and brings back the answer.
    pub(super) fn courier(&mut self, to: usize, from: usize, ms: u64) -> Result<(), Violation> {
        if to == from {
            return Ok(());
        }
        self.request(to)?;
        self.run(ms)?;
        self.pack(from, 0)?;
        self.run(ms)?;
        self.unpack(to, 0, Damage::None)
    }

    fn put(
        &mut self,
        node: usize,
        what: What,
        packed: Result<(Vec<u8>, Ticket), ParcelError>,
    ) -> Result<(), Violation> {
        match packed {
            Ok((bytes, ticket)) => {
                self.transcript.add_bytes(&bytes);
                let is_out = ticket <= self.nodes[node].flushed;
                self.parcels.push(Parcel { bytes, from: node, ticket, is_out, what });
                if self.parcels.len() > ABOUT_MAX {
                    self.parcels.remove(0);
                }
            }
            Err(ParcelError::StoreFailed) => {}
            Err(error) => Check::Peace.holds(self.oracle.tainted, || format!("replica {node} cannot pack: {error}"))?,
        }
        self.drain(node)
    }

    /// The place of one that can be had; the newest has the number 0.
    fn about(&self, which: usize, wanted: impl Fn(&Parcel) -> bool) -> Option<usize> {
        let about = self.parcels.iter().enumerate().filter(|(_, parcel)| parcel.is_out && wanted(parcel));
        let places: Vec<usize> = about.map(|(place, _)| place).rev().collect();
        (!places.is_empty()).then(|| places[which % places.len()])
    }

    /// All up to this ticket is durable there.
    pub(super) fn hand_on(&mut self, node: usize, ticket: Ticket) {
        self.nodes[node].flushed = ticket;
        let ready = self.parcels.iter_mut().filter(|parcel| parcel.from == node && parcel.ticket <= ticket);
        ready.for_each(|parcel| parcel.is_out = true);
    }

    /// A replica stopped: what it has not handed on is gone.
    pub(super) fn lose_parcels(&mut self, node: usize) {
        self.nodes[node].flushed = Ticket::default();
        self.parcels.retain(|parcel| parcel.is_out || parcel.from != node);
    }

    /// A replica takes in a parcel that another one packed, for whomever; the newest has the number 0.
    pub(super) fn unpack(&mut self, node: usize, which: usize, damage: Damage) -> Result<(), Violation> {
        let others = |parcel: &Parcel| parcel.from != node && matches!(parcel.what, What::Answer { .. });
        let Some(at) = self.about(which, others) else { return Ok(()) };
        let here = self.memory(node);
        let Parcel { bytes, what: What::Answer { of, received }, .. } = &self.parcels[at] else { return Ok(()) };
        let (bytes, received, of) = (damaged(bytes, damage), received.clone(), *of);
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        let before = (replica.state().encode(), replica.received().clone());
        let taken = replica.import(&bytes, now);
        let after = (replica.state().encode(), replica.received().clone());
        match taken {
            Ok((fresh, _)) => {
                Check::Unchanged.holds(damage == Damage::None, || {
                    format!("replica {node} has taken in a parcel that was damaged: {damage:?}")
                })?;
                Check::Carried.holds(fresh == received.difference(&before.1), || {
                    format!("replica {node} says that a parcel of {received:?} brought {fresh:?} to {:?}", before.1)
                })?;
                Check::Carried.holds(received.is_subset(&after.1), || {
                    format!("replica {node} has taken in a parcel and lacks {:?} of it", received.difference(&after.1))
                })?;
                self.tally.parcels_taken += 1;
                self.tally.parcels_fresh += u64::from(!fresh.is_empty());
                self.tally.parcels_idle += u64::from(fresh.is_empty());
                self.tally.parcels_for_others += u64::from(of.is_some_and(|of| of != here));
            }
            Err(error) => {
                Check::Unchanged.holds(before == after, || {
                    format!("replica {node} has refused a parcel ({error}) and taken some of it in")
                })?;
                let excused = match error {
                    _ if damage != Damage::None => true,
                    ParcelError::StoreFailed => true,
                    ParcelError::Gap => of.is_some_and(|of| of != here),
                    _ => false,
                };
                Check::Carried.holds(excused || self.oracle.tainted, || {
                    format!("replica {node} refuses a parcel of {received:?} that was packed for {of:?}: {error}")
                })?;
                self.tally.parcels_damaged += u64::from(damage != Damage::None);
                self.tally.parcels_gap += u64::from(error == ParcelError::Gap);
            }
        }
        self.drain(node)
    }
}

fn damaged(bytes: &[u8], damage: Damage) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match damage {
        Damage::None => {}
        Damage::Flipped(seed) => {
            let bit = Chance::new(seed).below(bytes.len() as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Damage::Short(seed) => bytes.truncate(Chance::new(seed).below(bytes.len() as u64) as usize),
        Damage::Long(seed) => bytes.extend(Chance::new(seed).draw().to_le_bytes()),
    }
    bytes
}
