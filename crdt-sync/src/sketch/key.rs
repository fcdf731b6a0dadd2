//! The hashes of a sketch.

use crdt_core::{Dot, DotSet};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Config;

/// Keys every hash of a repair. Under a key that is not known, nobody can craft dots that never decode or sets that
/// look equal; under the scope's name, which outsiders may know, crafted dots cost a larger message, never a wrong one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SketchKey(u64);

/// Tells the hash that places a symbol from the one that checks it.
const PLACE: u64 = 0x9e37_79b9_7f4a_7c15;

impl SketchKey {
    /// The key with this number.
    #[must_use]
    pub const fn new(key: u64) -> Self {
        Self(key)
    }

    /// The key of a scope: its secret, or where there is none, its name.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self(config.sketch_key.unwrap_or_else(|| xxh3_64_with_seed(&config.scope.to_bytes(), 0)))
    }

    /// The key for one repair: a salt of 0 is the scope's own.
    #[must_use]
    pub fn salted(self, salt: u64) -> Self {
        if salt == 0 { self } else { Self(xxh3_64_with_seed(&salt.to_le_bytes(), self.0)) }
    }

    /// Where a symbol falls, and its check.
    pub(crate) fn hash(self, symbol: u128, wide: bool) -> (u64, u32) {
        let bytes = symbol.to_le_bytes();
        let bytes = if wide { &bytes[..] } else { &bytes[..8] };
        (xxh3_64_with_seed(bytes, self.0 ^ PLACE) | 1, xxh3_64_with_seed(bytes, self.0) as u32)
    }

    /// What a dot adds to a sum over live dots.
    #[must_use]
    pub fn dot(self, dot: Dot) -> u64 {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&dot.replica().to_bytes());
        bytes[16..].copy_from_slice(&dot.counter().to_le_bytes());
        xxh3_64_with_seed(&bytes, self.0)
    }

    /// The sum over these dots. Costs the dots.
    #[must_use]
    pub fn sum(self, dots: &DotSet) -> u64 {
        dots.iter().map(|dot| self.dot(dot)).fold(0, u64::wrapping_add)
    }

    /// A hash of a set, as a sum over its runs. Costs the runs, however many dots they hold.
    #[must_use]
    pub fn set(self, dots: &DotSet) -> u64 {
        let run = |(replica, first, last): (crdt_core::ReplicaId, u64, u64)| {
            let mut bytes = [0; 32];
            bytes[..16].copy_from_slice(&replica.to_bytes());
            bytes[16..24].copy_from_slice(&first.to_le_bytes());
            bytes[24..].copy_from_slice(&last.to_le_bytes());
            xxh3_64_with_seed(&bytes, self.0)
        };
        dots.runs().map(run).fold(0, u64::wrapping_add)
    }
}
