//! Who is there: SWIM with suspicion (Das, Gupta, Motivala 2002), as the crate `foca` has it, without I/O.
//!
//! Bytes and times come in as arguments; bytes to send, changes and the next deadline go out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use foca::{
    AccumulatingRuntime, Codec as _, Foca, Identity, NoCustomBroadcast, OwnedNotification, PostcardCodec, Timer,
};
use serde::{Deserialize, Serialize};

use crate::Steady;
use crate::schedule::Draw;

/// So many bytes of one message: it fits a datagram beside the head of its frame.
pub(super) const BYTES_MAX: usize = 1_100;
/// Suspicion is stretched at most so far.
const STRAIN_MAX: u32 = 8;
/// So many timers in a row have to be on time before it is shortened again.
const CALM_AFTER: u32 = 16;

/// One run of a member: an address, and since when. A member that comes back is newer than what was said of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Life {
    addr: SocketAddr,
    since: u64,
}

impl Identity for Life {
    type Addr = SocketAddr;

    fn renew(&self) -> Option<Self> {
        Some(Self { since: self.since.checked_add(1)?, ..*self })
    }

    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn win_addr_conflict(&self, other: &Self) -> bool {
        self.since > other.since
    }
}

/// Draws whom to probe.
struct Dice(Draw);

impl rand_core::TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.0.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// A member came or went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Up(SocketAddr),
    Down(SocketAddr),
}

/// One member's view of the others.
pub(super) struct Swim {
    foca: Foca<Life, PostcardCodec, Dice, NoCustomBroadcast>,
    outcome: AccumulatingRuntime<Life>,
    timers: BTreeMap<(Steady, u64), Timer<Life>>,
    numbered: u64,
    sends: VecDeque<(SocketAddr, Vec<u8>)>,
    changes: VecDeque<Change>,
    up: BTreeSet<SocketAddr>,
    config: foca::Config,
    members_max: usize,
    /// When anybody was last heard.
    heard: Steady,
    /// How far suspicion is stretched: while our own timers are late, or nobody answers, the sick one may be us.
    strain: u32,
    calm: u32,
}

impl Swim {
    /// Nobody is known yet. `since` must be greater than at any earlier run at this address.
    pub(super) fn new(
        addr: SocketAddr,
        since: u64,
        probe_every: Duration,
        members_max: usize,
        seed: [u8; 32],
        now: Steady,
    ) -> Self {
        let group = u32::try_from(members_max).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let mut config = foca::Config::new_lan(group);
        // The proportions of a local network, at the pace that is asked for.
        let pace = probe_every.as_secs_f64() / config.probe_period.as_secs_f64();
        let paced = |time: Duration| time.mul_f64(pace).max(Duration::from_millis(1));
        config.probe_rtt = paced(config.probe_rtt);
        config.probe_period = paced(config.probe_period);
        config.suspect_to_down_after = paced(config.suspect_to_down_after);
        for params in [&mut config.periodic_announce, &mut config.periodic_announce_to_down_members] {
            params.iter_mut().for_each(|params| params.frequency = paced(params.frequency));
        }
        config.periodic_gossip.iter_mut().for_each(|params| params.frequency = paced(params.frequency));
        config.max_packet_size = NonZeroUsize::new(BYTES_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            foca: Foca::new(Life { addr, since }, config.clone(), Dice(Draw::new(seed)), PostcardCodec),
            outcome: AccumulatingRuntime::new(),
            timers: BTreeMap::new(),
            numbered: 0,
            sends: VecDeque::new(),
            changes: VecDeque::new(),
            up: BTreeSet::new(),
            config,
            members_max,
            heard: now,
            strain: 1,
            calm: 0,
        }
    }

    /// Makes itself known at an address.
    pub(super) fn announce(&mut self, to: SocketAddr, now: Steady) {
        let anybody = Life { addr: to, since: 0 };
        // What can't be sent is sent later: this is a protocol for messages that are lost.
        let _ = self.foca.announce(anybody, &mut self.outcome);
        self.drain(now);
    }

    /// Takes in what a member says; who it is, if it makes sense.
    pub(super) fn hear(&mut self, bytes: &[u8], now: Steady) -> Option<SocketAddr> {
        let (from, fitting) = self.fitting(bytes)?;
        self.foca.handle_data(&fitting, &mut self.outcome).ok()?;
        self.heard = now;
        self.drain(now);
        Some(from)
    }

    /// The sender, if the message is one, and the message without the members that are more than may be remembered. The
    /// sender is more than may be, if all places are taken by others.
    fn fitting(&self, bytes: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        let mut rest = bytes;
        let header: foca::Header<Life> = PostcardCodec.decode_header(&mut rest).ok()?;
        let mut known: BTreeSet<SocketAddr> =
            self.foca.iter_membership_state().map(|member| member.id().addr).collect();
        let mut fits = |addr| known.contains(&addr) || known.len() < self.members_max && known.insert(addr);
        if !fits(header.src.addr) {
            return None;
        }
        let Some((count, mut members)) = rest.split_first_chunk() else {
            return Some((header.src.addr, bytes.to_vec()));
        };
        let mut kept = bytes.get(..bytes.len() - rest.len())?.to_vec();
        let place = kept.len();
        kept.extend([0; 2]);
        let mut kept_count = 0_u16;
        for _ in 0..u16::from_be_bytes(*count) {
            let before = members;
            let member: foca::Member<Life> = PostcardCodec.decode_member(&mut members).ok()?;
            if fits(member.id().addr) {
                kept.extend(before.get(..before.len() - members.len())?);
                kept_count += 1;
            }
        }
        kept.get_mut(place..place + 2)?.copy_from_slice(&kept_count.to_be_bytes());
        kept.extend(members);
        Some((header.src.addr, kept))
    }

    /// When [`timeout`](Self::timeout) wants to be called.
    pub(super) fn poll_timeout(&self) -> Option<Steady> {
        self.timers.first_key_value().map(|((due, _), _)| *due)
    }

    /// Does what is due.
    pub(super) fn timeout(&mut self, now: Steady) {
        while let Some(first) = self.timers.first_entry().filter(|first| first.key().0 <= now) {
            let ((due, _), timer) = first.remove_entry();
            let late = now - due > self.config.probe_rtt;
            let alone = self.foca.num_members() > 1 && now - self.heard > 2 * self.config.probe_period;
            self.feel(late || alone);
            // An unfinished probe was cut short by a clock that was late.
            let _ = self.foca.handle_timer(timer, &mut self.outcome);
            self.drain(now);
        }
    }

    fn feel(&mut self, strained: bool) {
        let before = self.strain;
        if strained {
            (self.strain, self.calm) = ((2 * self.strain).min(STRAIN_MAX), 0);
        } else {
            self.calm += 1;
            if self.calm >= CALM_AFTER {
                (self.strain, self.calm) = ((self.strain / 2).max(1), 0);
            }
        }
        if self.strain != before {
            let suspect_to_down_after = self.config.suspect_to_down_after * self.strain;
            let stretched = foca::Config { suspect_to_down_after, ..self.config.clone() };
            self.foca.set_config(stretched).expect("the length of a suspicion may change");
        }
    }

    /// Says farewell; nothing else may follow.
    pub(super) fn leave(&mut self, now: Steady) {
        let _ = self.foca.leave_cluster(&mut self.outcome);
        self.drain(now);
    }

    /// A message for the member at an address.
    pub(super) fn poll_send(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.sends.pop_front()
    }

    /// Somebody came or went.
    pub(super) fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Those that are there, without this one.
    pub(super) fn up(&self) -> &BTreeSet<SocketAddr> {
        &self.up
    }

    fn drain(&mut self, now: Steady) {
        while let Some((to, bytes)) = self.outcome.to_send() {
            self.sends.push_back((to.addr, bytes.to_vec()));
        }
        while let Some((after, timer)) = self.outcome.to_schedule() {
            self.numbered += 1;
            self.timers.insert((now + after, self.numbered), timer);
        }
        while let Some(told) = self.outcome.to_notify() {
            match told {
                OwnedNotification::MemberUp(member) if self.up.insert(member.addr) => {
                    self.changes.push_back(Change::Up(member.addr));
                }
                OwnedNotification::MemberDown(member) if self.up.remove(&member.addr) => {
                    self.changes.push_back(Change::Down(member.addr));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_millis(100);

    fn addr(number: u16) -> SocketAddr {
        ([127, 0, 0, 1], number).into()
    }

    fn swim(number: u16, since: u64, members_max: usize) -> Swim {
        Swim::new(addr(number), since, EVERY, members_max, [number as u8; 32], Steady(0))
    }

    /// Lets time pass; messages arrive at once, except at those that are cut off.
    fn pass(swims: &mut [Swim], from: u64, ms: u64, cut: Option<u16>) {
        for now in from..from + ms {
            for at in 0..swims.len() {
                swims[at].timeout(Steady(now));
                while let Some((to, bytes)) = swims[at].poll_send() {
                    let here = addr(at as u16 + 1);
                    let is_cut = cut.is_some_and(|cut| [here, to].contains(&addr(cut)));
                    if let Some(other) = swims.get_mut(to.port() as usize - 1).filter(|_| !is_cut) {
                        other.hear(&bytes, Steady(now));
                    }
                }
            }
        }
    }

    #[test]
    fn all_are_found_through_one_and_one_that_falls_silent_is_dropped_and_comes_back() {
        let mut swims: Vec<Swim> = (1..=5).map(|number| swim(number, 1, 50)).collect();
        swims[1..].iter_mut().for_each(|swim| swim.announce(addr(1), Steady(0)));
        pass(&mut swims, 0, 2_000, None);
        assert!(swims.iter().all(|swim| swim.up().len() == 4));
        pass(&mut swims, 2_000, 5_000, Some(3));
        assert!([0, 1, 3, 4].iter().all(|at| swims[*at].up().len() == 3), "it is dropped by the others");
        assert!(!swims[0].up().contains(&addr(3)));
        assert_eq!(std::iter::from_fn(|| swims[0].poll_change()).last(), Some(Change::Down(addr(3))));
        // Another run at the same address.
        swims[2] = swim(3, 2, 50);
        swims[2].announce(addr(1), Steady(7_000));
        pass(&mut swims, 7_000, 2_000, None);
        assert!(swims.iter().all(|swim| swim.up().len() == 4));
    }

    #[test]
    fn who_says_farewell_is_dropped_without_suspicion() {
        let mut swims: Vec<Swim> = (1..=3).map(|number| swim(number, 1, 50)).collect();
        swims[1..].iter_mut().for_each(|swim| swim.announce(addr(1), Steady(0)));
        pass(&mut swims, 0, 2_000, None);
        swims[2].leave(Steady(2_000));
        pass(&mut swims, 2_000, 90, None);
        assert!(swims[..2].iter().all(|swim| swim.up().len() == 1));
    }

    #[test]
    fn members_that_are_made_up_fill_no_memory() {
        let mut victim = swim(1, 1, 4);
        let mut heard = 0;
        for number in 2..200 {
            let mut other = swim(number, 1, 4);
            other.announce(addr(1), Steady(0));
            while let Some((_, bytes)) = other.poll_send() {
                heard += usize::from(victim.hear(&bytes, Steady(0)).is_some());
            }
        }
        assert_eq!((heard, victim.up().len()), (4, 4));
        assert!(victim.hear(&[], Steady(0)).is_none() && victim.hear(&[0xff; 400], Steady(0)).is_none());
    }

    #[test]
    fn of_a_message_with_too_many_members_those_that_fit_are_kept() {
        let mut swims: Vec<Swim> = (1..=6).map(|number| swim(number, 1, 50)).collect();
        swims[1..].iter_mut().for_each(|swim| swim.announce(addr(1), Steady(0)));
        pass(&mut swims, 0, 2_000, None);
        let mut small = swim(7, 1, 4);
        small.announce(addr(1), Steady(2_000));
        let (_, asked) = small.poll_send().unwrap();
        swims[0].hear(&asked, Steady(2_000)).unwrap();
        // The answer names all that are there: five, beside the one who answers.
        let answers = std::iter::from_fn(|| swims[0].poll_send()).filter(|(to, _)| *to == addr(7));
        let heard: Vec<_> = answers.filter_map(|(_, bytes)| small.hear(&bytes, Steady(2_000))).collect();
        assert!(heard.contains(&addr(1)), "{heard:?}");
        assert_eq!(small.up().len(), 4);
        assert!(small.up().contains(&addr(1)));
    }

    #[test]
    fn one_whose_own_clock_is_late_suspects_more_slowly() {
        let mut swims: Vec<Swim> = (1..=3).map(|number| swim(number, 1, 50)).collect();
        swims[1..].iter_mut().for_each(|swim| swim.announce(addr(1), Steady(0)));
        pass(&mut swims, 0, 1_000, None);
        assert_eq!(swims[0].strain, 1);
        // It slept for long: whatever was due is late, and nobody is to blame.
        swims[0].timeout(Steady(60_000));
        assert!(swims[0].strain > 1);
        pass(&mut swims, 60_000, 20_000, None);
        assert_eq!(swims[0].strain, 1, "and recovers");
        assert!(swims.iter().all(|swim| swim.up().len() == 2));
    }
}
