// says: PnCounter` cannot live under a key that can be removed
// says: use `Counter` instead of a counter of running totals
use crdt_core::{Causal, OrMap, PnCounter};

fn main() {
    let _ = Causal::<OrMap<String, PnCounter>>::new();
}
