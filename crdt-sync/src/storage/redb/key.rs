//! Dots as keys: 16 bytes of the replica, 8 of the counter, both so that the order of the bytes is the order of the
//! dots.

use crdt_core::{Dot, ReplicaId};

use crate::StorageError;

pub(super) type Key = [u8; 24];

pub(super) fn key(replica: ReplicaId, counter: u64) -> Key {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(&replica.to_bytes());
    bytes[16..].copy_from_slice(&counter.to_be_bytes());
    bytes
}

pub(super) fn key_of(dot: Dot) -> Key {
    key(dot.replica(), dot.counter())
}

pub(super) fn parse(key: Key) -> (ReplicaId, u64) {
    let (replica, counter) = key.split_at(16);
    let replica = replica.try_into().expect("16 bytes were split off");
    let counter = counter.try_into().expect("8 bytes are left of 24");
    (ReplicaId::from_bytes(replica), u64::from_be_bytes(counter))
}

pub(super) fn dot(key: Key) -> Result<Dot, StorageError> {
    let (replica, counter) = parse(key);
    Dot::new(replica, counter)
        .ok_or_else(|| StorageError::Corrupt(format!("a dot of {replica} with the counter {counter}")))
}
