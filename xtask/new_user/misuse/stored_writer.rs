// says: serde::Serialize` is not satisfied
use crdt_core::{ReplicaId, Writer};

fn main() {
    let me = Writer::new(ReplicaId::random());
    let _ = serde_json::to_string(&me);
}
