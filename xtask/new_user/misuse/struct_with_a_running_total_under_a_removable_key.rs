// says: PnCounter` cannot live under a key that can be removed
use crdt_core::{Causal, OrMap, PnCounter};

crdt_core::fields! { pub struct Lamp { brightness: PnCounter } }

fn main() {
    let _ = Causal::<OrMap<String, Lamp>>::new();
}
