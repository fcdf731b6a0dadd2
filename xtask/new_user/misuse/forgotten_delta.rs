// says: a delta is what the other replicas have to be told
#![deny(warnings)]
use crdt_core::{Causal, OrSet, ReplicaId, Writer};

fn main() {
    let mut me = Writer::new(ReplicaId::random());
    let mut set = Causal::<OrSet<u64>>::new();
    set.edit(&mut me, |set| set.insert(3u64));
}
