//! What people show of themselves, passed on from one link of a document to its others.
//!
//! The relay reads none of it and keeps none of it: a message goes to whoever is linked with the document at this moment, and
//! to nobody else. Who says it repeats it, so one that is left out is no loss.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::BuildHasher as _;

use crate::{PeerId, Steady};

/// 4 KiB of what somebody shows, and around it who that is.
const BYTES_MAX: usize = 4_096 + 256;
/// What one link may say in the long run: a pointer that moves is some hundred bytes, twenty times a second.
const BYTES_PER_SECOND: u64 = 16 << 10;
/// What it may say at once after a silence: a page that opens speaks for its neighbours, too.
const BURST_BYTES: u64 = 64 << 10;
/// What a message costs beside its bytes: it is written once for each link of the document.
const MESSAGE_BYTES: u64 = 64;
/// Messages that are known again. Tabs of one browser each pass on what they hear, so the same comes from several links.
const REMEMBERED_MAX: usize = 1_024;

/// Above this many waiting bytes a link is told nothing: what comes late says nothing any more, and edits go first.
pub(in crate::drive) const WAITING_BYTES_MAX: usize = 64 << 10;

/// Which messages of a document are passed on.
#[derive(Default)]
pub(in crate::drive) struct Presence {
    allowances: BTreeMap<PeerId, Allowance>,
    known: HashSet<u64>,
    oldest: VecDeque<u64>,
    /// Of its own for each document: nobody can make up messages that are taken for others.
    hashes: RandomState,
}

impl Presence {
    /// Whether a message is to be passed on. One that was before costs its link nothing, as it costs no other link anything.
    pub(in crate::drive) fn takes(&mut self, from: PeerId, bytes: &[u8], now: Steady) -> bool {
        let hash = self.hashes.hash_one(bytes);
        if bytes.len() > BYTES_MAX || self.known.contains(&hash) {
            return false;
        }
        if !self.allowances.entry(from).or_default().spend(bytes.len() as u64 + MESSAGE_BYTES, now) {
            return false;
        }
        if self.oldest.len() == REMEMBERED_MAX
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(hash);
        self.oldest.push_back(hash);
        true
    }

    pub(in crate::drive) fn link_down(&mut self, peer: PeerId) {
        self.allowances.remove(&peer);
    }
}

/// What a link may still say, as the moment at which all that it said is paid for.
#[derive(Default)]
struct Allowance {
    paid_us: u64,
}

impl Allowance {
    fn spend(&mut self, bytes: u64, now: Steady) -> bool {
        let price_us = |bytes: u64| bytes * 1_000_000 / BYTES_PER_SECOND;
        let now_us = now.0.saturating_mul(1_000);
        let paid_us = self.paid_us.max(now_us) + price_us(bytes);
        let affordable = paid_us - now_us <= price_us(BURST_BYTES);
        if affordable {
            self.paid_us = paid_us;
        }
        affordable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: PeerId = PeerId(1);
    const START: Steady = Steady(1_000);

    /// How many different messages of a size are passed on at one moment.
    fn passed(presence: &mut Presence, from: PeerId, len: usize, now: Steady) -> u64 {
        let message = |number: u64| {
            let mut bytes = vec![0; len];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            bytes[8..16].copy_from_slice(&(now.0 ^ from.0 << 32).to_be_bytes());
            bytes
        };
        (0..10_000).filter(|number| presence.takes(from, &message(*number), now)).count() as u64
    }

    #[test]
    fn a_link_has_a_burst_and_then_a_rate_of_its_own() {
        let mut presence = Presence::default();
        let cost = 100 + MESSAGE_BYTES;
        assert_eq!(passed(&mut presence, LINK, 100, START), BURST_BYTES / cost);
        assert_eq!(passed(&mut presence, LINK, 100, START), 0);
        let per_second = passed(&mut presence, LINK, 100, Steady(START.0 + 1_000));
        assert!(per_second.abs_diff(BYTES_PER_SECOND / cost) <= 1, "{per_second}");
        assert_eq!(passed(&mut presence, PeerId(2), 100, START), BURST_BYTES / cost, "another link has its own");
        assert_eq!(
            passed(&mut presence, LINK, 100, Steady(START.0 + 3_600_000)),
            BURST_BYTES / cost,
            "no more is saved up"
        );
    }

    #[test]
    fn what_is_too_long_is_left_out_and_costs_nothing() {
        let mut presence = Presence::default();
        assert_eq!(passed(&mut presence, LINK, BYTES_MAX + 1, START), 0);
        assert_eq!(passed(&mut presence, LINK, BYTES_MAX, START), BURST_BYTES / (BYTES_MAX as u64 + MESSAGE_BYTES));
    }

    #[test]
    fn a_message_is_passed_on_once_and_what_is_remembered_is_bounded() {
        let mut presence = Presence::default();
        assert!(presence.takes(LINK, b"here", START));
        assert!(!presence.takes(PeerId(2), b"here", START), "a neighbour says the same");
        for link in 10..20 {
            passed(&mut presence, PeerId(link), 100, START);
        }
        assert_eq!((presence.known.len(), presence.oldest.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert!(presence.takes(PeerId(2), b"here", START), "it was long ago");
    }

    #[test]
    fn a_link_that_is_down_leaves_nothing() {
        let mut presence = Presence::default();
        passed(&mut presence, LINK, 100, START);
        presence.link_down(LINK);
        assert!(presence.allowances.is_empty());
    }
}
