//! Links of a run, and frames on them.

use crdt_core::laws::Enrolled;

use super::{Happening, World};
use crate::PeerId;
use crate::sim::net::Fate;
use crate::sim::violation::Violation;

impl<S: Enrolled> World<S> {
    pub(super) fn fresh_peer(&mut self) -> PeerId {
        self.peers += 1;
        PeerId(self.peers)
    }

    /// Takes a frame from a replica to the network.
    pub(super) fn send(&mut self, node: usize, peer: PeerId, frame: Vec<u8>) {
        if self.nodes[node].engine == Some(peer) {
            return self.hand_out(node, &frame);
        }
        let end_of =
            |link: &crate::sim::net::Link| link.ends.iter().position(|end| end.peer == Some(peer) && end.node == node);
        let found = self.links.iter().enumerate().find_map(|(number, link)| Some((number, end_of(link)?)));
        // To a stranger, who does not listen.
        let Some((number, side)) = found else { return };
        self.tally.frames += 1;
        let link = &mut self.links[number];
        let before = link.arrives_after[side];
        let fate = link.send(side, &frame, self.now, &self.profile.weather);
        let generation = link.generation;
        match fate {
            Fate::Lost => self.tally.lost += 1,
            Fate::Stalls => self.tally.stalled += 1,
            Fate::Arrives(at, again) => {
                let wait = at - self.now;
                self.tally.overtaken += u64::from(at < before);
                let link = &mut self.links[number];
                link.arrives_after[side] = link.arrives_after[side].max(at);
                let arrives = |frame| Happening::Arrives { link: number, generation, side: 1 - side, frame };
                if let Some(again) = again {
                    self.tally.repeated += 1;
                    self.after(again - self.now, arrives(frame.clone()));
                }
                self.after(wait, arrives(frame));
            }
        }
    }

    pub(super) fn arrive(&mut self, link: usize, generation: u64, side: usize, frame: &[u8]) -> Result<(), Violation> {
        let end = self.links[link].ends[side];
        let Some(peer) = end.peer.filter(|_| self.links[link].generation == generation) else { return Ok(()) };
        self.hand_over(end.node, peer, frame)
    }

    /// Hands a frame to a replica. One that is refused must have changed nothing.
    pub(super) fn hand_over(&mut self, node: usize, peer: PeerId, frame: &[u8]) -> Result<(), Violation> {
        let mut refused = None;
        let Some(replica) = &self.nodes[node].replica else { return Ok(()) };
        let before = (replica.state().dots_digest(), replica.received().digest());
        self.input(node, |replica, now| refused = replica.handle_message(peer, frame, now).err())?;
        if let (Some(error), Some(replica)) = (refused, &self.nodes[node].replica) {
            let after = (replica.state().dots_digest(), replica.received().digest());
            crate::sim::Check::Unchanged.holds(before == after, || {
                format!("replica {node} refused a frame ({error}) and took some of it in")
            })?;
        }
        Ok(())
    }

    pub(super) fn link_up(&mut self, number: usize) -> Result<(), Violation> {
        let link = &self.links[number];
        if link.comes_up_at.is_none_or(|at| at > self.now) || link.is_up() {
            return Ok(());
        }
        if link.cut.contains(&true) {
            self.raise(number, 500);
            return Ok(());
        }
        let ends = link.ends;
        if ends.iter().any(|end| self.nodes[end.node].replica.is_none()) {
            // It comes up when both are there.
            self.links[number].comes_up_at = None;
            return Ok(());
        }
        let kind = link.kind;
        self.links[number].comes_up_at = None;
        self.links[number].reset();
        let first = self.chance.below(2) as usize;
        for side in [first, 1 - first] {
            let node = ends[side].node;
            if let Some(old) = self.links[number].ends[side].peer.take() {
                self.input(node, |replica, now| replica.peer_down(old, now))?;
            }
        }
        let fresh = [self.fresh_peer(), self.fresh_peer()];
        for (end, peer) in self.links[number].ends.iter_mut().zip(fresh) {
            end.peer = Some(peer);
        }
        for side in [first, 1 - first] {
            self.input(ends[side].node, |replica, now| replica.peer_up(fresh[side], kind, now))?;
        }
        Ok(())
    }

    /// Lets a link come up after a while.
    pub(super) fn raise(&mut self, link: usize, wait: u64) {
        self.links[link].comes_up_at = Some(self.now + wait);
        self.after(wait, Happening::LinkUp { link });
    }

    /// A replica was opened: its links come up.
    pub(super) fn raise_links(&mut self, node: usize) {
        for link in 0..self.links.len() {
            if self.links[link].side_of(node).is_some() {
                let wait = self.chance.below(20);
                self.raise(link, wait);
            }
        }
    }

    /// A replica stopped: what was on its way is gone, and its neighbours find out.
    pub(super) fn lose_links(&mut self, node: usize) {
        for number in 0..self.links.len() {
            let Some(side) = self.links[number].side_of(node) else { continue };
            self.links[number].ends[side].peer = None;
            self.links[number].reset();
            let other = self.links[number].ends[1 - side];
            if let Some(peer) = other.peer {
                let life = self.nodes[other.node].life;
                let wait = self.chance.pick(&[0, 20, 1_000, 10_000]);
                self.after(wait, Happening::LinkDown { node: other.node, life, peer });
            }
        }
    }

    /// An end of a link is told that it is down.
    pub(super) fn forget_end(&mut self, node: usize, peer: PeerId) {
        for link in &mut self.links {
            for end in &mut link.ends {
                if end.node == node && end.peer == Some(peer) {
                    end.peer = None;
                }
            }
        }
    }

    /// A link breaks at both ends.
    pub(super) fn break_link(&mut self, number: usize, comes_back_after: u64) -> Result<(), Violation> {
        self.tally.breaks += 1;
        self.links[number].reset();
        for side in 0..2 {
            let end = &mut self.links[number].ends[side];
            let node = end.node;
            if let Some(peer) = end.peer.take() {
                self.input(node, |replica, now| replica.peer_down(peer, now))?;
            }
        }
        self.raise(number, comes_back_after);
        Ok(())
    }

    /// A replica wants a link closed.
    pub(super) fn close(&mut self, node: usize, peer: PeerId) -> Result<(), Violation> {
        let with_it =
            |link: &crate::sim::net::Link| link.ends.iter().any(|end| end.node == node && end.peer == Some(peer));
        if let Some(number) = self.links.iter().position(with_it) {
            return self.break_link(number, 1_500);
        }
        self.nodes[node].strangers.retain(|stranger| *stranger != peer);
        if self.nodes[node].engine == Some(peer) {
            self.nodes[node].engine = None;
        }
        self.input(node, |replica, now| replica.peer_down(peer, now))
    }

    /// The links between two replicas.
    pub(super) fn between(&self, one: usize, other: usize) -> Option<usize> {
        self.links.iter().position(|link| link.side_of(one).is_some() && link.side_of(other).is_some() && one != other)
    }

    /// All cuts end; what was stalled goes on.
    pub(super) fn heal(&mut self) {
        for number in 0..self.links.len() {
            for side in 0..2 {
                self.links[number].cut[side] = false;
                for frame in std::mem::take(&mut self.links[number].stalled[side]) {
                    let at = self.now + self.profile.weather.delay(&mut self.links[number].chance);
                    let link = &mut self.links[number];
                    link.arrives_after[side] = link.arrives_after[side].max(at);
                    let (wait, generation) = (link.arrives_after[side] - self.now, link.generation);
                    self.after(wait, Happening::Arrives { link: number, generation, side: 1 - side, frame });
                }
            }
        }
    }
}
