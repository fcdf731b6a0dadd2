//! `crdt-kit`: whole states by reference; deltas are computed by comparing two of them.

use crdt_kit::{LWWMap, ORSet, clock::HybridTimestamp};

pub fn set_of<T: Ord + Clone>(elements: &[T]) -> ORSet<T> {
    let mut set = ORSet::new(1);
    extend(&mut set, elements);
    set
}

pub fn extend<T: Ord + Clone>(set: &mut ORSet<T>, elements: &[T]) {
    for element in elements {
        set.insert(element.clone());
    }
}

/// The same set in the hands of another replica. Its only way to copy a set
/// under another id is to merge it into a new one.
pub fn copy_for<T: Ord + Clone>(set: &ORSet<T>, id: u64) -> ORSet<T> {
    use crdt_kit::Crdt;
    let mut copy = ORSet::new(id);
    copy.merge(set);
    copy
}

pub fn write(map: &mut LWWMap<String, u64>, physical: u64, key: &str, value: u64) {
    map.insert(key.to_owned(), value, HybridTimestamp { physical, logical: 0, node_id: 1 });
}
