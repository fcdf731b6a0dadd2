// says: `f64` is not a type that sets, registers and keys may hold
// says: for a float, use `crdt_core::Float`
use crdt_core::{Causal, OrSet};

fn main() {
    let _ = Causal::<OrSet<f64>>::new();
}
