//! Strangers: what they send may be refused or skipped, and must do no harm.

use crdt_core::laws::Enrolled;

use super::World;
use crate::LinkKind;
use crate::sim::chance::Chance;
use crate::sim::step::Hostile;
use crate::sim::violation::{Check, Violation};

impl<S: Enrolled> World<S> {
    pub(super) fn harass(&mut self, node: usize, what: Hostile, seed: u64) -> Result<(), Violation> {
        if self.nodes[node].replica.is_none() {
            return Ok(());
        }
        let mut chance = Chance::new(seed);
        let (kind, overheard) = self.overhear(&mut chance);
        if what == Hostile::Replay {
            self.oracle.deceived |= !overheard.is_empty();
            let peer = self.stranger(node, kind)?;
            for frame in overheard {
                self.tally.replayed += 1;
                self.hand_over(node, peer, &frame)?;
            }
            return self.leave(node, peer);
        }
        for _ in 0..chance.between(1, 4) {
            // On a link of its own, where nobody has been introduced: no bit of it may be believed.
            let peer = self.stranger(node, kind)?;
            let frame = spoil(&overheard, what, &mut chance);
            self.throw(node, peer, &frame)?;
            self.leave(node, peer)?;
        }
        Ok(())
    }

    fn stranger(&mut self, node: usize, kind: LinkKind) -> Result<crate::PeerId, Violation> {
        let peer = self.fresh_peer();
        self.nodes[node].strangers.push(peer);
        self.input(node, |replica, now| replica.peer_up(peer, kind, now))?;
        Ok(peer)
    }

    fn leave(&mut self, node: usize, peer: crate::PeerId) -> Result<(), Violation> {
        if self.nodes[node].strangers.contains(&peer) {
            self.close(node, peer)?;
        }
        Ok(())
    }

    /// The frames of some connection from its beginning, as far as they were overheard.
    fn overhear(&self, chance: &mut Chance) -> (LinkKind, Vec<Vec<u8>>) {
        if self.links.is_empty() {
            return (LinkKind::Stream, Vec::new());
        }
        let link = &self.links[chance.below(self.links.len() as u64) as usize];
        (link.kind, link.heard[chance.below(2) as usize].clone())
    }

    fn throw(&mut self, node: usize, peer: crate::PeerId, frame: &[u8]) -> Result<(), Violation> {
        let Some(replica) = &self.nodes[node].replica else { return Ok(()) };
        let before = (replica.state().dots_digest(), replica.received().clone());
        let refused = replica.stats().frames_refused;
        self.tally.hostile += 1;
        self.hand_over(node, peer, frame)?;
        let Some(replica) = &self.nodes[node].replica else { return Ok(()) };
        self.tally.hostile_refused += u64::from(replica.stats().frames_refused > refused);
        let after = (replica.state().dots_digest(), replica.received().clone());
        Check::Unchanged.holds(before == after, || format!("a stranger's frame {frame:?} has changed replica {node}"))
    }
}

fn spoil(overheard: &[Vec<u8>], what: Hostile, chance: &mut Chance) -> Vec<u8> {
    let noise = |chance: &mut Chance| {
        let len = chance.below(80);
        (0..len).map(|_| chance.draw() as u8).collect::<Vec<u8>>()
    };
    if overheard.is_empty() {
        return noise(chance);
    }
    let mut frame = chance.pick(overheard);
    if frame.is_empty() {
        return frame;
    }
    match what {
        Hostile::Noise | Hostile::Replay => return noise(chance),
        Hostile::Flipped => {
            let bit = chance.below(frame.len() as u64 * 8) as usize;
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        Hostile::Short => frame.truncate(chance.below(frame.len() as u64) as usize),
        Hostile::Long => frame.extend(noise(chance)),
        Hostile::Claims => {
            // Behind the head of a frame, with a scope and without, or anywhere.
            let anywhere = chance.below(frame.len() as u64 + 1) as usize;
            frame.truncate(chance.pick(&[3, 19, anywhere]));
            // 2^60, as an integer of nine bytes.
            frame.extend([0x80; 8]);
            frame.push(0x10);
            frame.extend(noise(chance));
        }
        Hostile::Unknown => {
            let place = chance.below(frame.len().min(3) as u64) as usize;
            frame[place] = chance.draw() as u8;
        }
    }
    frame
}
