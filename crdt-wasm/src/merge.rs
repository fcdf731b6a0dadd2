//! States and deltas in bytes, by no link.
//!
//! ```text
//! 0xC1 …                                     a bare state, as any Rust program writes it
//! 0xD0 · scope 16 · state                    a state that says whose it is
//! 0xD1 · scope 16 · bytes (dots) · delta     what somebody who has seen those dots lacks
//! else                                       one frame that stands alone, with records
//! ```

use crdt_sync::crdt_core::{Causal, Delta, Document, DotSet};
use crdt_sync::{Event, LinkKind, PeerId};

use crate::code::Code;
use crate::convert::{In, Out};
use crate::replica::Doc;
use crate::rows::{dots, dots_to_bytes};

const STATE: u8 = 0xD0;
const SINCE: u8 = 0xD1;
/// The upper half of the first byte of all that crdt-core writes.
const CORE: u8 = 0xC0;

/// Deltas that may wait for what they build on. Dropping one is safe: it was not acknowledged.
const WAITING_MAX: usize = 64;

impl Doc {
    pub(crate) fn encode(&self, out: &mut Out) {
        out.u8(STATE);
        out.raw(&self.scope().to_bytes());
        out.raw(&self.replica.state().encode());
    }

    pub(crate) fn delta_since(&self, version: &[u8], out: &mut Out) -> Result<(), Code> {
        let state = self.replica.state();
        let seen = dots(version)?.intersection(state.seen());
        out.u8(SINCE);
        out.raw(&self.scope().to_bytes());
        out.bytes(&dots_to_bytes(&seen));
        out.raw(&state.delta_since(&seen).encode());
        Ok(())
    }

    /// Takes in what was encoded somewhere; says whether anything was new, and how much waits.
    pub(crate) fn merge(&mut self, bytes: &[u8], out: &mut Out) -> Result<(), Code> {
        let before = self.replica.state().seen().digest();
        match bytes.first() {
            None => return Err(Code::BadBytes),
            Some(first) if first & 0xF0 == CORE => self.merge_state(bytes)?,
            Some(&STATE) => {
                let state = self.of_this_scope(bytes)?.rest();
                self.merge_state(state)?;
            }
            Some(&SINCE) => {
                let mut from = self.of_this_scope(bytes)?;
                let seen = dots(from.bytes()?)?;
                let delta = Delta::decode(from.rest())?;
                if !delta.retired().is_subset(&seen) {
                    return Err(Code::BadBytes);
                }
                self.merge_since(delta, seen)?;
            }
            Some(_) => self.merge_frame(bytes)?,
        }
        self.retry_waiting();
        self.settle();
        out.u8(u8::from(self.replica.state().seen().digest() != before));
        out.u32(self.waiting.len() + self.replica.stats().parked_records);
        Ok(())
    }

    fn of_this_scope<'b>(&self, bytes: &'b [u8]) -> Result<In<'b>, Code> {
        let mut from = In::new(bytes);
        from.u8()?;
        if from.raw(16)? == self.scope().to_bytes() { Ok(from) } else { Err(Code::WrongDocument) }
    }

    fn merge_state(&mut self, bytes: &[u8]) -> Result<(), Code> {
        // Its header says that all of it is known: as a link would, it is left at that.
        if Causal::<Document>::peek_seen(bytes)?.is_subset(self.replica.received()) {
            return Ok(());
        }
        let state = Causal::<Document>::decode(bytes)?;
        let delta = state.diff_to(self.replica.state());
        let seen = state.seen().difference(delta.own());
        if self.replica.merge_outside(&delta, &seen, self.now)? { Ok(()) } else { Err(Code::Storage) }
    }

    fn merge_since(&mut self, delta: Delta<Document>, seen: DotSet) -> Result<(), Code> {
        if !self.replica.merge_outside(&delta, &seen, self.now)? {
            if self.waiting.len() == WAITING_MAX {
                return Err(Code::TooLarge);
            }
            if !self.waiting.contains(&(delta.clone(), seen.clone())) {
                self.waiting.push((delta, seen));
            }
        }
        Ok(())
    }

    /// Takes in what waited, as long as something came that it may have waited for.
    pub(crate) fn retry_waiting(&mut self) {
        let mut more = !self.waiting.is_empty();
        while more {
            let before = self.waiting.len();
            let (replica, now) = (&mut self.replica, self.now);
            self.waiting.retain(|(delta, seen)| matches!(replica.merge_outside(delta, seen, now), Ok(false)));
            more = self.waiting.len() < before && !self.waiting.is_empty();
        }
    }

    fn merge_frame(&mut self, frame: &[u8]) -> Result<(), Code> {
        let link = match self.deltas {
            Some(link) => link,
            None => {
                let link = self.link_open(LinkKind::Hint);
                PeerId(u64::from(link))
            }
        };
        let result = self.replica.handle_message(link, frame, self.now);
        self.settle();
        if self.deltas.is_none() {
            self.replica.peer_down(link, self.now);
        } else if result.is_err() {
            // The caller hears of it, so no strike is held against what comes later.
            self.set_deltas(false);
            self.set_deltas(true);
        }
        self.forget_events_of(link);
        Ok(result?)
    }

    /// The application's own bytes are no link, and what happened to them was the answer.
    fn forget_events_of(&mut self, link: PeerId) {
        while let Some(event) = self.replica.poll_event() {
            let of_it = match &event {
                Event::BadFrame { peer, .. } | Event::Close { peer } | Event::Incompatible { peer, .. } => {
                    *peer == link
                }
                _ => false,
            };
            if !of_it {
                self.write_event(event);
            }
        }
    }
}
