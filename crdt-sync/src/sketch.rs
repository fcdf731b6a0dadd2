//! What differs between two sets of dots, at the cost of the difference.
//!
//! A *sketch* is an endless row of cells; each dot of the set falls into some of them, ever more rarely along the row.
//! Two sketches subtract cell by cell, what both sets have cancels, and a cell with a single dot left gives it away,
//! which empties other cells in turn. About 1.4 cells per dot that differs are enough, whatever the sets' size, and no
//! estimate of the difference is needed: if the cells so far do not decode, more of the same row are sent.
//!
//! ```
//! use crdt_sync::crdt_core::{Dot, DotSet, ReplicaId};
//! use crdt_sync::sketch::{Alphabet, SketchKey, cells_of, peel, subtract};
//!
//! let id = ReplicaId::from_u128(7);
//! let mut seen = DotSet::new();
//! seen.insert_run(id, 1, 10_000);                                // both have seen these
//! let mut gone = DotSet::new();
//! gone.insert_run(id, 500, 504);                                 // one of them has retired five
//! let key = SketchKey::new(1);
//! let alphabet = Alphabet::of(&seen).unwrap();
//!
//! let theirs = cells_of(&seen.difference(&gone), &alphabet, key, 0..24);
//! let mut cells = cells_of(&seen, &alphabet, key, 0..24);
//! subtract(&mut cells, &theirs);
//! let (mine, theirs) = peel(&cells, &alphabet, key).unwrap();    // 24 cells of 13 bytes told which five
//! assert_eq!(mine.into_iter().collect::<DotSet>(), gone);
//! assert!(theirs.is_empty());
//! ```
//!
//! **Source.** Yang, Gilad, Alizadeh, *Practical Rateless Set Reconciliation*, 2024, whose mapping this is; Goodrich,
//! Mitzenmacher, *Invertible Bloom Lookup Tables*, 2011. Ours are a symbol made of a dot, and hashes under a key.

mod alphabet;
mod key;
mod live;
mod mapping;
mod peel;

pub use alphabet::Alphabet;
pub use key::SketchKey;
pub use live::LiveSketch;
pub use mapping::Mapping;
pub use peel::peel;

use core::ops::Range;

use crdt_core::{Dot, DotSet};

use crate::Cell;

/// Bytes of one cell on the wire: its symbol, four bytes of check, one of count.
#[must_use]
pub const fn cell_bytes(wide: bool) -> usize {
    if wide { 21 } else { 13 }
}

/// How many cells to send at first for about `differences` dots: enough in 96 of 100 cases where that number is right.
#[must_use]
pub fn window(differences: u64) -> usize {
    // Floats round alike everywhere, and both sides need not agree on this number anyway.
    let e = differences.min(1 << 32) as f64;
    ((1.36 * e + 3.0 * e.sqrt() + 4.0).ceil() as usize).max(16)
}

/// The cells in that range of the sketch of a set. Costs the set.
#[must_use]
pub fn cells_of(dots: &DotSet, alphabet: &Alphabet, key: SketchKey, range: Range<usize>) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); range.len()];
    for dot in dots.iter() {
        put(&mut cells, range.start, alphabet.symbol(dot), alphabet, key, 1);
    }
    cells
}

/// Takes dots out of the cells from index 0 on.
pub(crate) fn take_out(cells: &mut [Cell], dots: impl Iterator<Item = Dot>, alphabet: &Alphabet, key: SketchKey) {
    for dot in dots {
        put(cells, 0, alphabet.symbol(dot), alphabet, key, u8::MAX);
    }
}

/// Subtracts another sketch's cells; what both sets have is gone then.
pub fn subtract(cells: &mut [Cell], theirs: &[Cell]) {
    for (mine, theirs) in cells.iter_mut().zip(theirs) {
        mine.symbol ^= theirs.symbol;
        mine.check ^= theirs.check;
        mine.count = mine.count.wrapping_sub(theirs.count);
    }
}

/// Adds a symbol, `count` times, to its cells among those that start at `from`.
fn put(cells: &mut [Cell], from: usize, symbol: u128, alphabet: &Alphabet, key: SketchKey, count: u8) {
    let (place, check) = key.hash(symbol, alphabet.is_wide());
    for index in Mapping::new(place).skip_while(|index| *index < from) {
        let Some(cell) = cells.get_mut(index - from) else { return };
        cell.symbol ^= symbol;
        cell.check ^= check;
        cell.count = cell.count.wrapping_add(count);
    }
}

#[cfg(test)]
mod tests;
