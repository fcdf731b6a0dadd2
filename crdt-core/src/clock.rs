//! Timestamps that follow causality, from a time that is passed in.

use core::fmt;

/// A hybrid logical timestamp: 48 bits of milliseconds, then 16 bits of a counter (Kulkarni et al., *Logical Physical
/// Clocks*, 2014). Together with the dot of the write that carries it, it never ties.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest of all.
    pub const MAX: Self = Self(u64::MAX);

    /// The timestamp at `ms` milliseconds (cut to 48 bits: the year 10889) with a counter.
    #[must_use]
    pub const fn new(ms: u64, counter: u16) -> Self {
        let ms = if ms > MS_MAX { MS_MAX } else { ms };
        Self(ms << 16 | counter as u64)
    }

    /// The milliseconds part.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0 >> 16
    }

    /// The counter, which tells apart what happened within one millisecond.
    #[must_use]
    pub const fn counter(self) -> u16 {
        self.0 as u16
    }

    /// The next one; the last of all stays where it is.
    const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

const MS_MAX: u64 = (1 << 48) - 1;

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms+{}", self.ms(), self.counter())
    }
}

/// A clock whose timestamps rise even where the wall clock repeats or jumps back, and that follows what it observes.
///
/// It reads no time itself. The bound on skew holds where timestamps are *issued*: a stamp from too far ahead is
/// reported and does not drag this clock along, but the data it came with is merged all the same, or replicas would
/// diverge.
///
/// ```
/// use crdt_core::{HybridClock, Timestamp};
///
/// let mut clock = HybridClock::new(500);
/// let first = clock.tick(1_000);
/// assert!(clock.tick(200) > first);                              // the wall clock jumped back
/// assert!(clock.observe(1_000, Timestamp::new(1_400, 7)).is_ok());
/// assert!(clock.tick(1_000) > Timestamp::new(1_400, 7));
/// assert_eq!(clock.observe(1_000, Timestamp::MAX).unwrap_err().by_ms, (1 << 48) - 1 - 1_000);
/// assert!(clock.tick(1_000) < Timestamp::new(1_401, 0));         // not poisoned
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HybridClock {
    last: Timestamp,
    skew_ms_max: u64,
}

/// A stamp lay further ahead of the wall clock than allowed. The clock did not change; merge the data all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Skew {
    /// How far ahead it lay, in milliseconds.
    pub by_ms: u64,
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timestamp is {} ms ahead of the wall clock", self.by_ms)
    }
}

impl core::error::Error for Skew {}

impl HybridClock {
    /// A clock that follows stamps up to `skew_ms_max` ahead of the wall clock: 500 suits servers, 60 000 browsers.
    #[must_use]
    pub const fn new(skew_ms_max: u64) -> Self {
        Self { last: Timestamp::new(0, 0), skew_ms_max }
    }

    /// A clock that goes on after `last`, the highest stamp that was stored before a restart.
    #[must_use]
    pub const fn resume(skew_ms_max: u64, last: Timestamp) -> Self {
        Self { last, skew_ms_max }
    }

    /// The last stamp issued or observed: what to store for [`resume`](Self::resume).
    #[must_use]
    pub const fn last(&self) -> Timestamp {
        self.last
    }

    /// Issues a stamp above all before it; a full counter runs over into the next millisecond. Only [`Timestamp::MAX`], in
    /// the year 10889, comes again: nothing is above it, and no clock that bounds its skew gets there.
    pub fn tick(&mut self, wall_ms: u64) -> Timestamp {
        self.last = Timestamp::new(wall_ms, 0).max(self.last.next());
        self.last
    }

    /// Follows a stamp from elsewhere.
    ///
    /// # Errors
    /// [`Skew`] if it lies too far ahead; the clock stays as it was.
    pub fn observe(&mut self, wall_ms: u64, stamp: Timestamp) -> Result<(), Skew> {
        let by_ms = stamp.ms().saturating_sub(wall_ms);
        if by_ms > self.skew_ms_max {
            return Err(Skew { by_ms });
        }
        self.last = self.last.max(stamp);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_rise_whatever_the_wall_clock_does() {
        let mut clock = HybridClock::new(500);
        let mut last = clock.tick(5);
        for wall_ms in [5, 5, 3_600_005, 4, 0, 7_200_000, u64::MAX, 1] {
            let stamp = clock.tick(wall_ms);
            assert!(stamp > last, "{stamp:?} after {last:?} at {wall_ms}");
            last = stamp;
        }
    }

    #[test]
    fn a_full_counter_runs_over_into_the_next_millisecond() {
        let mut clock = HybridClock::resume(500, Timestamp::new(10, u16::MAX));
        assert_eq!(clock.tick(10), Timestamp::new(11, 0));
    }

    #[test]
    fn a_far_future_stamp_does_not_drag_the_clock_along() {
        let mut clock = HybridClock::new(500);
        clock.tick(1_000);
        assert!(clock.observe(1_000, Timestamp::new(1_501, 0)).is_err());
        assert!(clock.observe(1_000, Timestamp::new(1_500, 0)).is_ok());
        assert_eq!(clock.last(), Timestamp::new(1_500, 0));
    }
}
