//! What a run draws: one small generator, so that a seed is a run.

/// SplitMix64 (Steele, Lea, Flood 2014). The same seed gives the same numbers on every platform.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The generator with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Sixty-four bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A generator of its own for one part: what the one part draws does not move what another one does.
    pub fn fork(&mut self) -> Self {
        Self(self.draw())
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// A number in `min..=max`.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.below(max.saturating_sub(min) + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_row_of_numbers_and_a_fork_another() {
        let row = |mut chance: Chance| [chance.draw(), chance.draw(), chance.draw()];
        assert_eq!(row(Chance::new(5)), row(Chance::new(5)));
        let mut parent = Chance::new(5);
        assert_ne!(row(parent.fork()), row(parent));
    }

    #[test]
    fn draws_stay_in_their_bounds_and_reach_them() {
        let mut chance = Chance::new(1);
        let drawn: Vec<u64> = (0..200).map(|_| chance.between(3, 5)).collect();
        assert!((3..=5).all(|number| drawn.contains(&number)) && drawn.iter().all(|number| (3..=5).contains(number)));
        assert!(!chance.percent(0) && chance.percent(100));
        assert_eq!(chance.below(0), 0);
    }
}
