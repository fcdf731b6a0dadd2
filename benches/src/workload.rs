//! What the contestants work on. Everything follows from a seed.

/// SplitMix64: small, fast, and the same on every machine.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// Random numbers. SplitMix64 is a bijection, so one seed never repeats one.
pub fn numbers(seed: u64, count: usize) -> Vec<u64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.bits()).collect()
}

/// Random strings of 16 bytes.
pub fn names(seed: u64, count: usize) -> Vec<String> {
    numbers(seed, count).into_iter().map(|bits| format!("{bits:016x}")).collect()
}

/// Keys of nine bytes, as a program would make them: `key-00000`, `key-00001`, …
pub fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key-{number:05}")).collect()
}

/// The same items in random order.
pub fn shuffled<T: Clone>(seed: u64, items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    Random::new(seed).shuffle(&mut items);
    items
}

/// A time of writing in milliseconds, later for each `number`.
pub fn wall_ms(number: usize) -> u64 {
    1_767_225_600_000 + number as u64
}

/// What two replicas hold: what they share, and what each has alone.
pub struct Pair {
    pub shared: Vec<u64>,
    pub left: Vec<u64>,
    pub right: Vec<u64>,
}

/// Two sets of `count` numbers of which `alone` are on one side only.
pub fn pair(count: usize, alone: usize) -> Pair {
    let all = numbers(1, count + alone);
    Pair {
        shared: all[..count - alone].to_vec(),
        left: all[count - alone..count].to_vec(),
        right: all[count..].to_vec(),
    }
}
