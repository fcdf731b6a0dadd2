//! Faults that were found, each as its smallest case.

use crdt_core::{Causal, Merge, OrSet, ReplicaId, Writer};

/// Replica 2 gets the removal before the second insert. That insert's delta then brings no dot which is not seen, but it
/// retires the first one: the merge changed the state and answered that it had not.
#[test]
fn a_late_delta_that_only_retires_counts_as_growth() {
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let mut author = Causal::<OrSet<u8>>::new();
    let (first, _) = author.edit(&mut writer, |set| set.insert(1));
    let (second, _) = author.edit(&mut writer, |set| set.insert(1));
    let (removal, _) = author.edit(&mut writer, |set| set.remove(&1));

    let mut late = Causal::<OrSet<u8>>::new();
    assert!(late.merge(&first) && late.merge(&removal) && late.contains(&1));
    let mut by_value = late.clone();
    let mut by_state = late.clone();
    assert!(late.merge(&second) && !late.contains(&1));
    assert!(by_value.merge(second) && !by_value.contains(&1));
    assert!(by_state.merge(&author) && !by_state.contains(&1));
    assert_eq!(late, author);
}
