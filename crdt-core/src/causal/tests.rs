use super::*;
use crate::{OrSet, ReplicaId};
use alloc::string::ToString;

#[test]
fn each_way_to_be_invalid_is_found_and_told_by_its_dot() {
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let mut sound = Causal::<OrSet<u8>>::new();
    for element in [5, 6] {
        let _ = sound.edit(&mut writer, |set| set.insert(element));
    }
    let second = Dot::known(writer.id(), 2);
    let place = sound.live.get(second).unwrap().into_owned();
    assert_eq!(sound.validate(), Ok(()));
    let fault = |spoil: &dyn Fn(&mut Causal<OrSet<u8>>)| {
        let mut state = sound.clone();
        spoil(&mut state);
        let found = state.validate().unwrap_err();
        (found, found.to_string())
    };
    let named = |text: &str| text.replace("DOT", &second.to_string());
    let unindexed = fault(&|state| assert!(state.live.remove(second).is_some()));
    assert_eq!(unindexed, (Invalid::NotIndexed(second), named("the entry of dot DOT is not indexed")));
    let unstored = fault(&|state| state.store.prune(second, &place));
    assert_eq!(unstored, (Invalid::NotStored, named("an indexed dot has no entry")));
    let unseen = fault(&|state| state.seen = state.seen.difference(&[second].into_iter().collect()));
    assert_eq!(unseen, (Invalid::NotSeen(second), named("live dot DOT was never seen")));

    let unseen = Causal::from_parts(sound.store.clone(), DotSet::new(), 0).unwrap_err();
    assert!(matches!(unseen, Invalid::NotSeen(_)));
    let mut doubled = sound.store.clone();
    doubled.graft(second, 7);
    let twice = Causal::from_parts(doubled, sound.seen.clone(), 0).unwrap_err();
    assert_eq!((twice, twice.to_string()), (Invalid::Twice(second), named("dot DOT names two entries")));
}

/// What is left of many lies one by one in what was made for all, until it is put in again.
#[test]
fn memory_follows_what_is_left() {
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let mut state = Causal::<OrSet<u64>>::new();
    let _ = state.edit(&mut writer, |set| (0..4_000u64).for_each(|n| assert!(set.insert(n))));
    let full = state.heap_bytes();
    let left = |n: &u64| n.is_multiple_of(64);
    let (removals, ()) = state.edit(&mut writer, |set| {
        (0..4_000u64).filter(|n| !left(n)).for_each(|n| assert_eq!(set.remove(&n), 1));
    });
    assert!(state.iter().eq((0..4_000u64).filter(left).collect::<Vec<_>>().iter()));
    assert_eq!((state.validate(), removals.retired().len()), (Ok(()), 4_000 - 63));
    assert!(state.heap_bytes() * 8 < full, "{} of {full} bytes", state.heap_bytes());
}
