//! Time, which is passed in: nothing here reads a clock.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A reading of a clock that never jumps, in milliseconds since some start. All waiting is measured with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Steady(pub u64);

/// A reading of the wall clock, in milliseconds since 1970. It may repeat and jump; only timestamps are made of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Wall(pub u64);

/// The two readings that every input carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// For deadlines.
    pub steady: Steady,
    /// For timestamps.
    pub wall: Wall,
}

impl Add<Duration> for Steady {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Steady {
    type Output = Duration;

    /// How long ago the other reading was; zero if it lies ahead.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
