//! What is kept follows what is live, wherever in the state that lies.

use crdt_core::{Causal, Merge, OrMap, OrSet, ReplicaId, Writer};

/// Inserts all, then leaves every two-hundredth.
const ALL: u64 = 40_000;
const STEP: u64 = 200;
/// Shares no factor with the step, so that something is left under every key.
const KEYS: u64 = 7;

#[test]
fn what_is_left_here_and_there_of_much_takes_little_memory() {
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let (mut set, mut other) = (Causal::<OrSet<u64>>::new(), Causal::<OrSet<u64>>::new());
    for element in 0..ALL {
        other.merge(set.edit(&mut writer, |set| set.insert(element)).0);
    }
    let full = set.heap_bytes();
    for element in (0..ALL).filter(|element| element % STEP > 0) {
        other.merge(set.edit(&mut writer, |set| set.remove(&element)).0);
    }
    assert!(set.iter().copied().eq((0..ALL).step_by(STEP as usize)));
    for state in [&set, &other] {
        assert!(state.heap_bytes() * 20 < full, "{} of {full}", state.heap_bytes());
        state.validate().unwrap();
    }
    // It goes on as before.
    let (delta, new) = set.edit(&mut writer, |set| set.insert(1_u64));
    assert!(new && other.merge(delta));
    assert_eq!(set, other);
    assert_eq!(set.encode(), other.encode());
}

#[test]
fn a_whole_state_that_brings_many_removals_makes_room_too() {
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let mut map = Causal::<OrMap<u64, OrSet<u64>>>::new();
    for element in 0..ALL {
        drop(map.edit(&mut writer, |map| map.entry(element % KEYS).insert(element)));
    }
    let mut other = map.clone();
    let full = other.heap_bytes();
    for element in (0..ALL).filter(|element| element % STEP > 0) {
        drop(map.edit(&mut writer, |map| map.entry(element % KEYS).remove(&element)));
    }
    assert!(other.merge(&map));
    assert_eq!(other.len() as u64, KEYS);
    assert!(other.heap_bytes() * 20 < full, "{} of {full}", other.heap_bytes());
    other.validate().unwrap();
    assert_eq!(map, other);
}
