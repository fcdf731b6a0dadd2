// says: cannot take in
// says: only values of one type merge
use crdt_core::{Causal, Delta, Merge, OrSet};

fn main() {
    let mut set = Causal::<OrSet<u64>>::new();
    set.merge(Delta::<OrSet<String>>::new());
}
