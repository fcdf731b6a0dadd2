//! Reading the difference off.

use crdt_core::Dot;

use super::{Alphabet, SketchKey, put};
use crate::Cell;

/// Lone symbols taken out per cell, at most: honest cells need one for each difference, crafted ones could go on for
/// ever.
const STEPS_PER_CELL: usize = 8;

/// The dots that only the minuend had, and those that only the subtrahend had; none if the cells do not tell (there
/// are too few of them, or they are no difference of two sketches over this alphabet). Bounded work whatever the cells.
#[must_use]
pub fn peel(difference: &[Cell], alphabet: &Alphabet, key: SketchKey) -> Option<(Vec<Dot>, Vec<Dot>)> {
    let mut cells = difference.to_vec();
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    let lone = |cell: &Cell| {
        (cell.count == 1 || cell.count == u8::MAX)
            && (alphabet.is_wide() || cell.symbol <= u128::from(u64::MAX))
            && key.hash(cell.symbol, alphabet.is_wide()).1 == cell.check
    };
    // Short prefixes hold every symbol and thin rows few: what is lone at the end of the row frees what lies before.
    let mut queue: Vec<usize> = (0..cells.len()).filter(|at| lone(&cells[*at])).collect();
    let mut steps = 0;
    while let Some(at) = queue.pop() {
        let cell = cells[at];
        if !lone(&cell) {
            continue;
        }
        steps += 1;
        if steps > STEPS_PER_CELL * cells.len() {
            return None;
        }
        let dot = alphabet.dot(cell.symbol)?;
        if cell.count == 1 {
            mine.push(dot)
        } else {
            theirs.push(dot)
        }
        put(&mut cells, 0, cell.symbol, alphabet, key, cell.count.wrapping_neg());
        // A symbol that does not fall where it was found is none of ours: it would be found again and again.
        if cells[at].symbol != 0 {
            return None;
        }
        let (place, _) = key.hash(cell.symbol, alphabet.is_wide());
        let touched = super::Mapping::new(place).take_while(|index| *index < cells.len());
        queue.extend(touched.filter(|index| lone(&cells[*index])));
    }
    // Every symbol falls into the first cell, so that nothing is left there means that nothing is left at all.
    (cells.first() == Some(&Cell::default())).then_some((mine, theirs))
}
