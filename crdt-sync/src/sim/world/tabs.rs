//! Tabs, which borrow the ids that they write under; and somebody else's message system, which all are at.

use crdt_core::ReplicaId;
use crdt_core::laws::Enrolled;

use super::{Happening, World};
use crate::sim::violation::Violation;
use crate::{LinkKind, Role};

/// Ids that a home has at hand: so few that it asks for more.
const OFFERED: usize = 2;
/// A home has given up a page that is gone for so long, where it gives up any.
const VANISHED_MS: u64 = 60_000;

impl<S: Enrolled> World<S> {
    pub(super) fn role(&self, node: usize) -> Role {
        if node + self.profile.tabs < self.nodes.len() { Role::Replica } else { Role::Tab }
    }

    /// The tab that a step means.
    fn tab(&self, at: usize) -> Option<usize> {
        let tabs = self.profile.tabs.min(self.nodes.len());
        (tabs > 0).then(|| self.nodes.len() - 1 - at % tabs)
    }

    pub(super) fn offer_ids(&mut self, node: usize) -> Result<(), Violation> {
        if self.profile.tabs == 0 || self.role(node) == Role::Tab {
            return Ok(());
        }
        let fresh: Vec<ReplicaId> = (0..OFFERED).map(|_| self.oracle.fresh_identity()).collect();
        self.input(node, |replica, _| replica.offer_ids(fresh))
    }

    pub(super) fn borrow(&mut self, at: usize) -> Result<(), Violation> {
        let Some(tab) = self.tab(at) else { return Ok(()) };
        let Some(home) = self.home_of(tab) else { return Ok(()) };
        self.input(tab, |replica, _| replica.borrow_id(home))
    }

    pub(super) fn give_back(&mut self, at: usize) -> Result<(), Violation> {
        let Some(tab) = self.tab(at) else { return Ok(()) };
        let Some(home) = self.home_of(tab) else { return Ok(()) };
        let place = &mut self.nodes[tab];
        self.tally.given_back += u64::from(place.borrowed.take() == Some(place.id));
        self.input(tab, |replica, now| replica.give_back(home, now))
    }

    pub(super) fn vanish(&mut self, at: usize) -> Result<(), Violation> {
        let Some(tab) = self.tab(at).filter(|tab| self.nodes[*tab].borrowed == Some(self.nodes[*tab].id)) else {
            return Ok(());
        };
        self.stop(tab, 0);
        self.run(VANISHED_MS)
    }

    /// A link of a tab to a replica that keeps data.
    fn home_of(&self, tab: usize) -> Option<crate::PeerId> {
        self.links.iter().find_map(|link| {
            let side = link.side_of(tab)?;
            (self.role(link.ends[1 - side].node) == Role::Replica).then_some(link.ends[side].peer).flatten()
        })
    }

    pub(super) fn lent(&mut self, node: usize, id: ReplicaId, next: u64) -> Result<(), Violation> {
        self.tally.borrowed += 1;
        self.nodes[node].id = id;
        self.nodes[node].borrowed = Some(id);
        self.oracle.renamed(node, id);
        self.input(node, |replica, now| replica.adopt_lent(id, next, now))
    }

    /// A replica that was opened is at the message system at once.
    pub(super) fn join_engine(&mut self, node: usize) -> Result<(), Violation> {
        if !self.profile.engine {
            return Ok(());
        }
        let engine = self.fresh_peer();
        self.nodes[node].engine = Some(engine);
        self.input(node, |replica, now| replica.peer_up(engine, LinkKind::Hint, now))
    }

    /// The message system takes a frame, and hands it to all others, some of them late, twice, or never.
    pub(super) fn hand_out(&mut self, from: usize, frame: &[u8]) {
        let weather = self.profile.weather.clone();
        for node in (0..self.nodes.len()).filter(|node| *node != from) {
            let life = self.nodes[node].life;
            let copies = match (self.chance.percent(weather.loss_percent), self.chance.percent(weather.repeat_percent))
            {
                (true, _) => 0,
                (false, again) => 1 + u64::from(again),
            };
            for _ in 0..copies {
                let wait = weather.delay(&mut self.chance);
                self.after(wait, Happening::Handed { node, life, frame: frame.to_vec() });
            }
        }
    }

    pub(super) fn handed(&mut self, node: usize, frame: &[u8]) -> Result<(), Violation> {
        let Some(engine) = self.nodes[node].engine else { return Ok(()) };
        self.tally.engine += 1;
        self.hand_over(node, engine, frame)
    }
}
