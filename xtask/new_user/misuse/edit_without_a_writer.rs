// says: no method named `insert` found
use crdt_core::{Causal, OrSet};

fn main() {
    let mut set = Causal::<OrSet<u64>>::new();
    set.insert(3u64);
}
