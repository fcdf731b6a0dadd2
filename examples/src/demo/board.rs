//! The data that the members share.

use crdt_core::{Causal, Counter, LwwRegister, MvRegister, OrMap, OrSet};

crdt_core::fields! {
    /// A storeroom's board: what is there, notes that two may write at once, and who has done what.
    pub struct Board {
        /// How much of what.
        stock: OrMap<String, Counter>,
        /// Notes by subject; if two are written at once, both are shown.
        notes: OrMap<String, MvRegister<String>>,
        /// The last one who was here.
        last: LwwRegister<String>,
        /// One line for each edit: what the ledger is compared with.
        done: OrSet<String>,
    }
}

/// One edit: a line in `done`, and something that others may be changing at the same moment.
pub fn edit(board: &mut <Board as crdt_core::DotStore>::Cursor<'_>, who: &str, number: u64, line: &str) {
    board.done().insert(line);
    match number % 4 {
        0 => board.notes().entry("to do").write(format!("{who} will do number {number}").as_str()),
        1 => board.stock().entry("screws").add(i64::try_from(number % 90).unwrap_or(1) + 1),
        2 => board.stock().entry(who).add(1),
        _ => board.notes().entry(who).write(format!("number {number}").as_str()),
    }
}

/// Subjects on which several notes stand beside each other.
pub fn conflicts(board: &Causal<Board>) -> usize {
    board.notes().iter().filter(|(_, note)| note.values().len() > 1).count()
}
