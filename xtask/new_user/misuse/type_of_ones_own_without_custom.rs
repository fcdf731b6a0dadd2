// says: `Point` is not a type that sets, registers and keys may hold
// says: derive serde's `Serialize` and `Deserialize`, and write `impl crdt_core::Custom for Point {}`
use crdt_core::{Causal, OrSet};

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Point(u8);

fn main() {
    let _ = Causal::<OrSet<Point>>::new();
}
