//! What comes out: frames, rows, changes and events, in one buffer.

use crdt_sync::crdt_core::DotSet;
use crdt_sync::{Event, LinkKind, PeerId, RepairTier};

use crate::change;
use crate::code::Code;
use crate::convert::Out;
use crate::replica::Doc;

const TRANSMIT: u8 = 1;
const DELTA: u8 = 3;
const CHANGED: u8 = 4;
const EVENT: u8 = 5;

impl Doc {
    pub(crate) fn link_receive(&mut self, link: u32, frame: &[u8]) -> Result<(), Code> {
        self.bytes_in += frame.len() as u64;
        let result = self.replica.handle_message(PeerId(u64::from(link)), frame, self.now);
        self.retry_waiting();
        self.settle();
        Ok(result?)
    }

    /// The kind of a link that JavaScript may open.
    pub(crate) fn link_kind(kind: u32) -> Result<LinkKind, Code> {
        match kind {
            0 => Ok(LinkKind::Stream),
            1 => Ok(LinkKind::Datagram),
            _ => Err(Code::Schema),
        }
    }

    /// Does what is due, and writes all that has gathered.
    pub(crate) fn poll(&mut self, out: &mut Out) {
        if self.replica.poll_timeout().is_some_and(|due| due <= self.now.steady) {
            self.replica.handle_timeout(self.now);
            self.settle();
        }
        while let Some(event) = self.replica.poll_event() {
            self.write_event(event);
        }
        while let Some(transmit) = self.replica.poll_transmit() {
            if Some(transmit.peer) == self.deltas {
                self.items.u8(DELTA);
            } else {
                self.items.u8(TRANSMIT);
                self.items.u32(transmit.peer.0 as usize);
            }
            self.items.bytes(&transmit.frame);
        }
        out.f64(self.replica.poll_timeout().map_or(-1.0, |due| due.0 as f64));
        out.raw(&core::mem::take(&mut self.items).into_bytes());
    }

    pub(crate) fn write_event(&mut self, event: Event) {
        let me = self.replica.id();
        let out = &mut self.items;
        let start = |out: &mut Out, kind: u8| {
            out.u8(EVENT);
            out.u8(kind);
        };
        let of_link = |out: &mut Out, kind: u8, link: PeerId| {
            start(out, kind);
            out.u32(link.0 as usize);
        };
        match event {
            Event::Changed { changes, .. } => {
                out.u8(CHANGED);
                change::write(&changes, &self.handles, out);
            }
            Event::Durable(ticket) => {
                start(out, 1);
                out.count(ticket.0);
            }
            Event::PeerOpened { peer, replica } => {
                of_link(out, 2, peer);
                out.id(replica);
            }
            Event::PeerHas { replica, dots } => {
                start(out, 3);
                out.id(replica);
                out.count(dots.version().get(me));
            }
            Event::Stable(dots) => {
                start(out, 4);
                out.count(dots.version().get(me));
            }
            Event::Repaired { peer, by, .. } => {
                of_link(out, 5, peer);
                out.u8(tier(by));
            }
            Event::IdentityLost { .. } => start(out, 6),
            Event::Equivocation(dot) => {
                start(out, 7);
                out.id(dot.replica());
                out.count(dot.counter());
            }
            Event::Diverged { peer } => of_link(out, 8, peer),
            Event::Skewed { replica, by_ms } => {
                start(out, 9);
                out.id(replica);
                out.count(by_ms);
            }
            Event::Incompatible { peer, reason } => {
                of_link(out, 10, peer);
                out.u8(reason as u8);
            }
            Event::BadFrame { peer, error } => {
                of_link(out, 11, peer);
                out.u8(Code::from(error) as u8);
            }
            Event::Close { peer } => of_link(out, 12, peer),
            Event::Dormant(replica) => {
                start(out, 13);
                out.id(replica);
            }
            Event::Retired(replica) => {
                start(out, 14);
                out.id(replica);
            }
            Event::IdsWanted => start(out, 15),
            Event::Lent { replica, next } => {
                start(out, 16);
                out.id(replica);
                out.count(next);
            }
            Event::StoreFailed => start(out, 17),
            Event::Gossip { peer, bytes } => {
                of_link(out, 18, peer);
                out.bytes(&bytes);
            }
            Event::TooLarge { peer } => of_link(out, 19, peer),
            Event::NotLent { peer, reason } => {
                of_link(out, 20, peer);
                out.u8(reason as u8);
            }
            // Newer than this seam.
            _ => {}
        }
    }

    pub(crate) fn inspect(&self, out: &mut Out) {
        write_runs(self.replica.received(), out);
        let active: Vec<_> = self.replica.active().collect();
        out.u32(active.len());
        for (replica, known) in active {
            out.id(replica);
            write_runs(known, out);
        }
        let stats = self.replica.stats();
        out.count(stats.sent.iter().map(|traffic| traffic.bytes).sum());
        out.count(self.bytes_in);
        out.u32(self.waiting.len() + stats.parked_records);
        out.count(self.replica.state().live_len() as u64);
    }
}

fn write_runs(dots: &DotSet, out: &mut Out) {
    let at = out.later();
    let mut count = 0;
    for (replica, first, last) in dots.runs() {
        out.id(replica);
        out.count(first);
        out.count(last);
        count += 1;
    }
    out.set(at, count);
}

fn tier(tier: RepairTier) -> u8 {
    match tier {
        RepairTier::Same => 0,
        RepairTier::Log => 1,
        RepairTier::Sketch => 2,
        RepairTier::LiveSet => 3,
        RepairTier::Whole => 4,
    }
}
