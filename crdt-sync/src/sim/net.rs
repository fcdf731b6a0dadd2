//! Links between replicas: delay, loss, repetition, reordering, cuts, and links that break.

use super::chance::Chance;
use crate::{LinkKind, PeerId};

/// What the network does to frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Datagrams lost, in a hundred.
    pub loss_percent: u64,
    /// Datagrams repeated, in a hundred.
    pub repeat_percent: u64,
    /// The usual delay, in milliseconds; half of it varies.
    pub delay_ms: u64,
    /// Frames, in a hundred, that take much longer.
    pub tail_percent: u64,
    /// How much longer at most.
    pub tail_ms: u64,
}

impl Weather {
    /// A quiet local network.
    #[must_use]
    pub fn fair() -> Self {
        Self { loss_percent: 0, repeat_percent: 0, delay_ms: 4, tail_percent: 0, tail_ms: 0 }
    }

    pub(super) fn delay(&self, chance: &mut Chance) -> u64 {
        let usual = self.delay_ms / 2 + chance.below(self.delay_ms + 1);
        if chance.percent(self.tail_percent) { usual + chance.below(self.tail_ms + 1) } else { usual }
    }
}

/// One end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    /// Which replica.
    pub(super) node: usize,
    /// What that replica calls the link, while it knows it to be up.
    pub(super) peer: Option<PeerId>,
}

/// Two replicas that talk.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) kind: LinkKind,
    pub(super) ends: [End; 2],
    /// Counts how often it came up: what was on its way before it broke never arrives.
    pub(super) generation: u64,
    /// When it comes up again, if it is down.
    pub(super) comes_up_at: Option<u64>,
    /// Nothing passes, from the first end and from the second.
    pub(super) cut: [bool; 2],
    /// On a stream frames arrive in order: none before this.
    pub(super) arrives_after: [u64; 2],
    /// Frames on a stream that wait for the end of a cut.
    pub(super) stalled: [Vec<Vec<u8>>; 2],
    /// Frames that went out since it came up, for those who listen in.
    pub(super) heard: [Vec<Vec<u8>>; 2],
    pub(super) chance: Chance,
}

/// So many frames of a connection are kept for those who listen in.
const HEARD_MAX: usize = 24;

/// What becomes of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It arrives then, and perhaps a second time.
    Arrives(u64, Option<u64>),
    /// It is lost.
    Lost,
    /// It waits for the end of a cut.
    Stalls,
}

impl Link {
    pub(super) fn new(kind: LinkKind, one: usize, other: usize, chance: Chance) -> Self {
        let end = |node| End { node, peer: None };
        Self {
            kind,
            ends: [end(one), end(other)],
            generation: 0,
            comes_up_at: None,
            cut: [false; 2],
            arrives_after: [0; 2],
            stalled: [Vec::new(), Vec::new()],
            heard: [Vec::new(), Vec::new()],
            chance,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.ends.iter().all(|end| end.peer.is_some())
    }

    /// Which end a replica is.
    pub(super) fn side_of(&self, node: usize) -> Option<usize> {
        self.ends.iter().position(|end| end.node == node)
    }

    /// Takes a frame from one side.
    pub(super) fn send(&mut self, side: usize, frame: &[u8], now: u64, weather: &Weather) -> Fate {
        if self.heard[side].len() < HEARD_MAX {
            self.heard[side].push(frame.to_vec());
        }
        let is_stream = self.kind == LinkKind::Stream;
        if self.cut[side] {
            if is_stream {
                self.stalled[side].push(frame.to_vec());
                return Fate::Stalls;
            }
            return Fate::Lost;
        }
        let at = now + weather.delay(&mut self.chance);
        if is_stream {
            self.arrives_after[side] = self.arrives_after[side].max(at);
            return Fate::Arrives(self.arrives_after[side], None);
        }
        if self.chance.percent(weather.loss_percent) {
            return Fate::Lost;
        }
        let again = self.chance.percent(weather.repeat_percent);
        let again = again.then(|| now + weather.delay(&mut self.chance) + weather.delay(&mut self.chance));
        Fate::Arrives(at, again)
    }

    /// Forgets the connection: both ends have been told, or will be.
    pub(super) fn reset(&mut self) {
        self.generation += 1;
        self.stalled = [Vec::new(), Vec::new()];
        self.heard = [Vec::new(), Vec::new()];
        self.arrives_after = [0; 2];
    }
}

/// Who talks to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topology {
    /// Everybody with everybody.
    Mesh,
    /// Each with the next one.
    Line,
    /// A line whose ends meet.
    Ring,
    /// All with the first one.
    Star,
    /// Each with the next two: four links each, many ways round.
    Braid,
}

impl Topology {
    /// The pairs among so many replicas.
    #[must_use]
    pub fn pairs(self, replicas: usize) -> Vec<(usize, usize)> {
        let mut pairs: Vec<(usize, usize)> = match self {
            Self::Mesh => (0..replicas).flat_map(|one| (one + 1..replicas).map(move |other| (one, other))).collect(),
            Self::Line | Self::Ring => (1..replicas).map(|other| (other - 1, other)).collect(),
            Self::Braid => (0..replicas)
                .flat_map(|one| [1, 2].map(|step| (one, (one + step) % replicas)))
                .map(|(one, other)| (one.min(other), one.max(other)))
                .collect(),
            Self::Star => (1..replicas).map(|other| (0, other)).collect(),
        };
        if self == Self::Ring && replicas > 2 {
            pairs.push((0, replicas - 1));
        }
        pairs.retain(|(one, other)| one != other);
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(kind: LinkKind, weather: &Weather) -> Vec<Option<u64>> {
        let mut link = Link::new(kind, 0, 1, Chance::new(3));
        (0..400)
            .map(|at| match link.send(0, &[0], at, weather) {
                Fate::Arrives(at, _) => Some(at),
                Fate::Lost | Fate::Stalls => None,
            })
            .collect()
    }

    #[test]
    fn a_stream_loses_and_reorders_nothing() {
        let rough = Weather { loss_percent: 50, repeat_percent: 20, delay_ms: 20, tail_percent: 20, tail_ms: 500 };
        let arrived = arrivals(LinkKind::Stream, &rough);
        assert!(arrived.iter().all(Option::is_some) && arrived.is_sorted());
    }

    #[test]
    fn datagrams_are_lost_and_overtake_each_other() {
        let rough = Weather { loss_percent: 50, repeat_percent: 20, delay_ms: 20, tail_percent: 20, tail_ms: 500 };
        let arrived = arrivals(LinkKind::Datagram, &rough);
        let lost = arrived.iter().filter(|at| at.is_none()).count();
        assert!((140..260).contains(&lost), "{lost} of 400 lost at 50%");
        assert!(!arrived.into_iter().flatten().is_sorted());
    }

    #[test]
    fn a_cut_stops_one_direction() {
        let mut link = Link::new(LinkKind::Stream, 0, 1, Chance::new(3));
        link.cut[1] = true;
        assert!(matches!(link.send(0, &[1], 0, &Weather::fair()), Fate::Arrives(..)));
        assert_eq!(link.send(1, &[2], 0, &Weather::fair()), Fate::Stalls);
        assert_eq!(link.stalled[1], [[2]]);
        link.kind = LinkKind::Datagram;
        assert_eq!(link.send(1, &[2], 0, &Weather::fair()), Fate::Lost);
    }

    #[test]
    fn every_replica_is_reached_in_every_topology() {
        for topology in [Topology::Mesh, Topology::Line, Topology::Ring, Topology::Star, Topology::Braid] {
            for replicas in 2..6 {
                let pairs = topology.pairs(replicas);
                let mut reached = vec![0];
                for _ in 0..replicas {
                    for (one, other) in &pairs {
                        for (from, to) in [(one, other), (other, one)] {
                            if reached.contains(from) && !reached.contains(to) {
                                reached.push(*to);
                            }
                        }
                    }
                }
                assert_eq!(reached.len(), replicas, "{topology:?}");
            }
        }
    }
}
