// says: no method named `clone` found
use crdt_core::{ReplicaId, Writer};

fn main() {
    let me = Writer::new(ReplicaId::random());
    let _ = me.clone();
}
