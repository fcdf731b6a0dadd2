//! How long to wait before the next attempt to connect.

use std::time::{Duration, Instant};
use std::{fmt, io};

use super::random;
use crate::RefuseReason;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// A link that lived this long was a good one.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// After bad frames: somebody has to mend something before it gets better.
const STRUCK: Duration = Duration::from_secs(2);
const STRUCK_LONGEST: Duration = Duration::from_secs(600);
/// Where the two do not fit, until one of them was changed.
const INCOMPATIBLE: Duration = Duration::from_secs(600);

/// Why one end refused the other, as far as it says when to try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// The two do not fit, or one may not have what the other has.
    Incompatible,
    /// Too many bad frames.
    Struck,
    /// Two instances under one id: one of them has taken a fresh one by now.
    IdInUse,
}

impl Refusal {
    pub(super) fn of(reason: RefuseReason) -> Self {
        if reason == RefuseReason::IdInUse { Self::IdInUse } else { Self::Incompatible }
    }

    /// What this makes of the end of a link.
    pub(super) fn ended(refusal: Option<Self>, ended: io::Result<()>) -> io::Result<()> {
        refusal.map_or(ended, |refusal| Err(io::Error::other(refusal)))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incompatible => "the peers do not fit each other",
            Self::Struck => "too many bad frames",
            Self::IdInUse => "another instance is live under this id",
        })
    }
}

impl std::error::Error for Refusal {}

/// Doubles with each attempt that failed, up to half a minute; longer after a refusal.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    attempt: Instant,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: SHORTEST, attempt: Instant::now() }
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self) {
        self.attempt = Instant::now();
    }

    /// It ended like this. The wait before the next one, with jitter: peers that lost one server at once do not come back
    /// at once.
    pub(super) fn ended(&mut self, ended: &io::Result<()>) -> Duration {
        let refusal = ended.as_ref().err().and_then(io::Error::get_ref).and_then(|error| error.downcast_ref());
        let jitter = f64::from(u16::from_le_bytes(random())) / f64::from(u16::MAX) / 2.0;
        let longest = match refusal {
            Some(Refusal::Incompatible) => return INCOMPATIBLE.mul_f64(1.0 + jitter),
            Some(Refusal::Struck) => {
                self.next = self.next.max(STRUCK);
                STRUCK_LONGEST
            }
            Some(Refusal::IdInUse) | None => {
                if self.attempt.elapsed() >= GOOD_AFTER {
                    self.next = SHORTEST;
                }
                LONGEST
            }
        };
        let whole = self.next.min(longest);
        self.next = (whole * 2).min(longest);
        whole.mul_f64(0.5 + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(refusal: Refusal) -> io::Result<()> {
        Refusal::ended(Some(refusal), Ok(()))
    }

    #[test]
    fn waits_grow_to_a_bound_and_are_never_zero() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..20).map(|_| backoff.ended(&Ok(()))).collect();
        assert!(waits.iter().all(|wait| (SHORTEST / 2..=LONGEST).contains(wait)));
        assert!(waits[0] <= SHORTEST && waits[19] >= LONGEST / 2);
    }

    #[test]
    fn who_does_not_fit_waits_ten_minutes_at_least() {
        let mut backoff = Backoff::new();
        assert!((0..20).all(|_| backoff.ended(&refused(Refusal::Incompatible)) >= Duration::from_secs(600)));
        assert!(backoff.ended(&refused(Refusal::IdInUse)) <= SHORTEST, "a fresh id may come at once");
    }

    #[test]
    fn bad_frames_cost_a_second_and_in_the_end_ten_minutes() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..20).map(|_| backoff.ended(&refused(Refusal::Struck))).collect();
        assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&waits[0]), "{waits:?}");
        assert!(waits[19] >= Duration::from_secs(300), "{waits:?}");
        assert!(backoff.ended(&Ok(())) <= LONGEST, "an ordinary end is no refusal");
    }
}
