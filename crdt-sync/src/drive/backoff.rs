//! How long to wait before the next attempt to connect.

use std::time::{Duration, Instant};

use super::random;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// A link that lived this long was a good one.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// Doubles with each attempt that failed, up to half a minute.
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

    /// It ended. The wait before the next one, with jitter: peers that lost one server at once do not come back at once.
    pub(super) fn ended(&mut self) -> Duration {
        if self.attempt.elapsed() >= GOOD_AFTER {
            self.next = SHORTEST;
        }
        let whole = self.next;
        self.next = (whole * 2).min(LONGEST);
        whole.mul_f64(0.5 + f64::from(u16::from_le_bytes(random())) / f64::from(u16::MAX) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_never_zero() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..20).map(|_| backoff.ended()).collect();
        assert!(waits.iter().all(|wait| (SHORTEST / 2..=LONGEST).contains(wait)));
        assert!(waits[0] <= SHORTEST && waits[19] >= LONGEST / 2);
    }
}
