//! The sketch that is kept up to date.

use crdt_core::{Dot, DotSet};

use super::alphabet::narrow;
use super::{Alphabet, Mapping, SketchKey, cells_of, take_out};
use crate::Cell;

/// How many cells are kept: enough for some 700 differences.
const KEPT: usize = 1_024;

/// The first cells over all live dots, and the sum of their hashes, kept up to date with each dot that comes or goes.
///
/// Cells are linear, so those over the dots which a peer has seen too are these less what it has not seen: a repair
/// costs what differs, whatever the state's size.
#[derive(Clone, Debug)]
pub struct LiveSketch {
    key: SketchKey,
    cells: Vec<Narrow>,
    len: u64,
    sum: u64,
}

/// A cell with a symbol of eight bytes: half the memory, and so half the cache that an update touches.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Narrow {
    symbol: u64,
    check: u32,
    count: u8,
}

impl LiveSketch {
    /// Of no dots.
    #[must_use]
    pub fn new(key: SketchKey) -> Self {
        Self { key, cells: vec![Narrow::default(); KEPT], len: 0, sum: 0 }
    }

    /// Not kept up to date until [`wake`](Self::wake): as long as nobody is there to repair with, an edit need not pay
    /// for it.
    #[must_use]
    pub const fn asleep(key: SketchKey) -> Self {
        Self { key, cells: Vec::new(), len: 0, sum: 0 }
    }

    /// From now on it is kept up to date. Costs the live dots the first time.
    pub fn wake(&mut self, live: impl FnOnce() -> DotSet) {
        if self.is_asleep() {
            *self = Self::of(self.key, &live());
        }
    }

    /// Whether it is not kept up to date.
    #[must_use]
    pub const fn is_asleep(&self) -> bool {
        self.cells.is_empty()
    }

    /// Of these dots.
    #[must_use]
    pub fn of(key: SketchKey, live: &DotSet) -> Self {
        let mut sketch = Self::new(key);
        live.iter().for_each(|dot| sketch.add(dot));
        sketch
    }

    /// A dot came to life; it must not have been live.
    pub fn add(&mut self, dot: Dot) {
        if self.is_asleep() {
            return;
        }
        self.len += 1;
        self.sum = self.sum.wrapping_add(self.key.dot(dot));
        self.put(dot, 1);
    }

    /// A dot that was live is retired.
    pub fn remove(&mut self, dot: Dot) {
        if self.is_asleep() {
            return;
        }
        self.len = self.len.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(self.key.dot(dot));
        self.put(dot, u8::MAX);
    }

    fn put(&mut self, dot: Dot, count: u8) {
        let symbol = narrow(dot);
        let (place, check) = self.key.hash(u128::from(symbol), false);
        for index in Mapping::new(place) {
            let Some(cell) = self.cells.get_mut(index) else { return };
            cell.symbol ^= symbol;
            cell.check ^= check;
            cell.count = cell.count.wrapping_add(count);
        }
    }

    /// The key of its hashes.
    #[must_use]
    pub const fn key(&self) -> SketchKey {
        self.key
    }

    /// How many dots there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The sum of the dots' hashes: equal sums mean equal sets, forgery aside.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// Whether this many cells can be served without going through all dots.
    #[must_use]
    pub(crate) fn serves(&self, count: usize, alphabet: &Alphabet, key: SketchKey) -> bool {
        count <= KEPT && !alphabet.is_wide() && key == self.key
    }

    /// The first `count` cells over the live dots but `without`. Costs those, where the cells are kept; `live` is asked
    /// for what remains only where they are not.
    pub(crate) fn first(
        &self,
        count: usize,
        without: &DotSet,
        alphabet: &Alphabet,
        key: SketchKey,
        live: impl FnOnce() -> DotSet,
    ) -> Vec<Cell> {
        if !self.serves(count, alphabet, key) {
            return cells_of(&live(), alphabet, key, 0..count);
        }
        let widen = |cell: &Narrow| Cell { symbol: u128::from(cell.symbol), check: cell.check, count: cell.count };
        let mut cells: Vec<Cell> = self.cells[..count].iter().map(widen).collect();
        take_out(&mut cells, without.iter(), alphabet, key);
        cells
    }
}
