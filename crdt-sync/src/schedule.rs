//! What a replica draws: waiting times and partners, from a seed that was passed in.

use core::time::Duration;

/// A small generator (SplitMix64, Steele, Lea, Flood 2014): the same seed gives the same numbers on every platform. It
/// decides when and with whom to talk, never who somebody is.
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let words = seed.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes")));
        let mut draw = Self(0);
        for word in words {
            draw.0 ^= word;
            draw.next();
        }
        draw
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A time between the two.
    pub(crate) fn between(&mut self, min: Duration, max: Duration) -> Duration {
        let span = max.saturating_sub(min).as_millis() as u64;
        min + Duration::from_millis(self.next() % (span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lie_between_their_bounds_and_differ() {
        let mut draw = Draw::new([7; 32]);
        let (min, max) = (Duration::from_millis(10), Duration::from_millis(20));
        let drawn: Vec<_> = (0..100).map(|_| draw.between(min, max)).collect();
        assert!(drawn.iter().all(|time| (min..=max).contains(time)));
        assert!(drawn.contains(&min) && drawn.contains(&max));
        assert_eq!(draw.between(min, min), min);
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_one_does_not() {
        let row = |seed| {
            let mut draw = Draw::new(seed);
            [draw.next(), draw.next()]
        };
        assert_eq!(row([1; 32]), row([1; 32]));
        assert_ne!(row([1; 32]), row([2; 32]));
    }
}
