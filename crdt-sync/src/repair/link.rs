//! What is remembered of one link between repairs.

use std::collections::VecDeque;

use crdt_core::DotSet;

use crate::{Plan, RepairId, Steady};

/// So many Hellos may come at once; after that one per second.
const HELLOS_AT_ONCE: u64 = 16;
const HELLO_EVERY_MS: u64 = 1_000;
/// A frame that comes again is not that late.
const OVER_KEPT: usize = 16;

/// The memory of one link.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// What both had received after the last repairs, by hash, the newest first. Two, as the message that ends a
    /// repair may be lost.
    agreed: VecDeque<(u64, DotSet)>,
    /// The least that the next repair here must use: raised after something went wrong.
    pub(super) least: Plan,
    /// What the key of its sketches is mixed with: something else after a sum was wrong once.
    pub(super) salt: u64,
    /// The newest repairs that the other end opened and that are over here. A Hello that comes twice is answered once: two
    /// answers under one name would be taken for one.
    over: VecDeque<RepairId>,
    /// The table of retired replicas that the other end last told of.
    pub(super) retired: Option<(u64, u64)>,
    /// Until then no repair is tried: what it would have to hold is above the limits.
    resting: Option<Steady>,
    hellos: u64,
    refilled: Steady,
}

impl Link {
    pub(super) fn new(now: Steady) -> Self {
        Self {
            agreed: VecDeque::new(),
            least: Plan::Ask,
            salt: 0,
            over: VecDeque::new(),
            retired: None,
            resting: None,
            hellos: HELLOS_AT_ONCE,
            refilled: now,
        }
    }

    pub(super) fn agree(&mut self, hash: u64, received: DotSet) {
        if self.newest().is_none_or(|(newest, _)| newest != hash) {
            self.agreed.push_front((hash, received));
            self.agreed.truncate(2);
        }
    }

    pub(super) fn rest(&mut self, until: Steady) {
        self.resting = Some(until);
    }

    pub(super) fn is_resting(&self, now: Steady) -> bool {
        self.resting.is_some_and(|until| now < until)
    }

    pub(super) fn end(&mut self, repair: RepairId) {
        self.over.push_front(repair);
        self.over.truncate(OVER_KEPT);
    }

    pub(super) fn is_over(&self, repair: RepairId) -> bool {
        self.over.contains(&repair)
    }

    pub(super) fn newest(&self) -> Option<(u64, &DotSet)> {
        self.agreed.front().map(|(hash, dots)| (*hash, dots))
    }

    pub(super) fn agreed(&self, hash: u64) -> Option<&DotSet> {
        self.agreed.iter().find(|(other, _)| *other == hash).map(|(_, dots)| dots)
    }

    /// Whether one more Hello may come now.
    pub(super) fn admits_hello(&mut self, now: Steady) -> bool {
        let gained = now.0.saturating_sub(self.refilled.0) / HELLO_EVERY_MS;
        if gained > 0 {
            self.hellos = (self.hellos + gained).min(HELLOS_AT_ONCE);
            self.refilled = now;
        }
        let admitted = self.hellos > 0;
        self.hellos = self.hellos.saturating_sub(1);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_are_admitted_in_a_burst_and_then_one_a_second() {
        let mut link = Link::new(Steady(0));
        let admitted = (0..100).filter(|_| link.admits_hello(Steady(10))).count();
        assert_eq!(admitted as u64, HELLOS_AT_ONCE);
        assert!(!link.admits_hello(Steady(900)));
        assert!(link.admits_hello(Steady(1_100)));
        assert!(!link.admits_hello(Steady(1_200)));
    }

    #[test]
    fn the_last_two_agreed_sets_are_known() {
        let mut link = Link::new(Steady(0));
        for hash in 1..=3 {
            link.agree(hash, DotSet::new());
        }
        assert_eq!(link.newest().map(|(hash, _)| hash), Some(3));
        assert!(link.agreed(2).is_some() && link.agreed(1).is_none());
    }
}
