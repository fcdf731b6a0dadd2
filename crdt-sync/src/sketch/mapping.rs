//! Into which cells a symbol falls.

/// The cells of one symbol, ascending, from cell 0 on. They thin out along the row: the chance of cell `i` is about
/// `2 / (i + 2)`, which is what makes every prefix of the row a good sketch for some number of differences.
///
/// `f64` arithmetic as used here (conversion, `+ × ÷`, square root, rounding up) is exactly specified, so the row is the
/// same on every platform.
#[derive(Clone, Debug)]
pub struct Mapping {
    state: u64,
    index: Option<usize>,
}

impl Mapping {
    /// The cells of the symbol whose keyed hash this is.
    #[must_use]
    pub const fn new(state: u64) -> Self {
        Self { state, index: None }
    }
}

impl Iterator for Mapping {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let Some(last) = self.index else {
            self.index = Some(0);
            return Some(0);
        };
        self.state = self.state.wrapping_mul(0xda94_2042_e4dd_58b5);
        let step = (last as f64 + 1.5) * (4_294_967_296.0 / (self.state as f64 + 1.0).sqrt() - 1.0);
        // In one of 2⁵⁴ cases the step rounds to nothing: a symbol falls into a cell once.
        let step = (step.ceil() as u64).max(1);
        let next = usize::try_from((last as u64).checked_add(step)?).ok()?;
        self.index = Some(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fixed numbers: any platform that maps differently can't decode what others send.
    #[test]
    fn the_same_hash_falls_into_the_same_cells_everywhere() {
        let cells = |state| Mapping::new(state).take_while(|index| *index < 100_000).collect::<Vec<_>>();
        for (state, expected) in VECTORS {
            assert_eq!(cells(*state), *expected, "{state:#x}");
        }
    }

    // Printed by `tests/decoder/mapping.py`.
    const VECTORS: &[(u64, &[usize])] = &[
        (0x1, &[0, 1, 2, 3, 6, 11, 19, 44, 116, 122, 341, 972, 3263, 8777, 9660, 13568, 18043]),
        (
            0x3,
            &[
                0, 1, 2, 6, 13, 45, 135, 170, 253, 299, 479, 787, 1525, 2369, 3431, 4755, 5698, 23807, 42751, 44065,
                47375, 60889,
            ],
        ),
        (
            0x1234567890abcdef,
            &[
                0, 2, 3, 6, 37, 83, 198, 531, 697, 2784, 2931, 3328, 4005, 6360, 12391, 14390, 17330, 19536, 23006,
                32465, 39731, 59392, 63808, 84737,
            ],
        ),
        (
            0xffffffffffffffff,
            &[
                0, 3, 29, 59, 80, 101, 128, 145, 158, 520, 558, 597, 626, 675, 1619, 2307, 3501, 3535, 4711, 33678,
                39924,
            ],
        ),
        (
            0x9e3779b97f4a7c15,
            &[
                0, 1, 2, 6, 12, 24, 28, 34, 54, 65, 81, 173, 295, 353, 464, 728, 735, 1364, 1374, 1482, 1622, 2395,
                2732, 4783, 9154, 12352, 14769, 17408, 54792,
            ],
        ),
        (0x100000001, &[0, 1, 2, 7, 8, 15, 29, 47, 52, 123, 533, 1857, 2023, 4451, 6370, 18152]),
    ];

    #[test]
    fn every_symbol_falls_into_cell_0_and_then_ever_more_rarely() {
        let symbols = 20_000u64;
        let mut hits = vec![0u64; 1_024];
        for n in 1..=symbols {
            let seed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.rotate_left(29) | 1;
            let mut last = None;
            for index in Mapping::new(seed).take_while(|index| *index < 1_024) {
                assert!(last < Some(index));
                last = Some(index);
                hits[index] += 1;
            }
        }
        assert_eq!(hits[0], symbols);
        for at in [1, 6, 30, 100, 500] {
            let chance = hits[at] as f64 / symbols as f64;
            let expected = 1.0 / (1.0 + at as f64 / 2.0);
            assert!((chance - expected).abs() < 0.15 * expected + 0.003, "cell {at}: {chance} instead of {expected}");
        }
        let mean = hits.iter().sum::<u64>() as f64 / symbols as f64;
        assert!((11.0..14.0).contains(&mean), "{mean} cells per symbol");
    }
}
