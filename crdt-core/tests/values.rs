//! Values and plain lattices: what they weigh, how they compare, and what a merge of them says.

use std::cmp::Ordering;
use std::collections::HashSet;

use crdt_core::codec::DecodeLimits;
use crdt_core::{
    Canonical, Causal, DecodeErrorKind, Delta, Dot, DotSet, EditError, Element, Float, Max, Merge, Min, OrSet,
    ReplicaId, Value, VersionVector, Writer,
};

const A: ReplicaId = ReplicaId::from_u128(1);
const B: ReplicaId = ReplicaId::from_u128(2);

/// Merges by reference and by value, which must say and do the same.
#[track_caller]
fn merged<T: Clone + PartialEq + std::fmt::Debug + Merge + for<'a> Merge<&'a T>>(mine: &T, theirs: &T) -> (T, bool) {
    let (mut by_ref, mut by_value) = (mine.clone(), mine.clone());
    let answers = (by_ref.merge(theirs), by_value.merge(theirs.clone()));
    assert_eq!((answers.0, &by_ref), (answers.1, &by_value));
    assert_eq!(answers.0, by_ref != *mine, "{mine:?} and {theirs:?}");
    (by_ref, answers.0)
}

#[test]
fn the_greatest_and_the_smallest_value_stay_and_a_merge_says_whether_that_is_news() {
    assert_eq!(merged(&Max(3), &Max(5)), (Max(5), true));
    assert_eq!(merged(&Max(5), &Max(3)), (Max(5), false));
    assert_eq!(merged(&Max(5), &Max(5)), (Max(5), false));
    assert_eq!(merged(&Min(3), &Min(5)), (Min(3), false));
    assert_eq!(merged(&Min(5), &Min(3)), (Min(3), true));
    assert_eq!(merged(&Min(5), &Min(5)), (Min(5), false));
    assert_eq!(merged(&None, &Some(Max(5))), (Some(Max(5)), true));
    assert_eq!(merged(&Some(Max(5)), &None), (Some(Max(5)), false));
    assert_eq!(merged(&Some(Max(5)), &Some(Max(7))), (Some(Max(7)), true));
    assert_eq!(merged(&None::<Max<u8>>, &None), (None, false));
    // Part by part, each of which may be the one that grows.
    assert_eq!(merged(&(Max(1), Min(1)), &(Max(2), Min(2))), ((Max(2), Min(1)), true));
    assert_eq!(merged(&(Max(2), Min(2)), &(Max(1), Min(1))), ((Max(2), Min(1)), true));
    assert_eq!(merged(&(Max(2), Min(1)), &(Max(1), Min(2))), ((Max(2), Min(1)), false));
}

#[test]
fn equal_values_are_no_news_whatever_else_they_carry() {
    /// Compares by its first part alone.
    #[derive(Clone, Debug)]
    struct Ranked(u8, &'static str);

    impl PartialEq for Ranked {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }

    impl Eq for Ranked {}

    impl PartialOrd for Ranked {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Ord for Ranked {
        fn cmp(&self, other: &Self) -> Ordering {
            self.0.cmp(&other.0)
        }
    }

    let (mut max, mut min) = (Max(Ranked(1, "mine")), Min(Ranked(1, "mine")));
    assert!(!max.merge(Max(Ranked(1, "theirs"))) && !max.merge(&Max(Ranked(1, "theirs"))));
    assert!(!min.merge(Min(Ranked(1, "theirs"))) && !min.merge(&Min(Ranked(1, "theirs"))));
    assert_eq!((max.0.1, min.0.1), ("mine", "mine"));
}

#[test]
fn the_greatest_and_the_smallest_value_have_the_bytes_of_what_is_inside() {
    let max = Max(String::from("milk"));
    assert_eq!(max.encode(), Value::from("milk").encode());
    assert_eq!((Max::decode(&max.encode()), Min::decode(&Min(7u8).encode())), (Ok(max.clone()), Ok(Min(7u8))));
    for some in [None, Some(Max(None)), Some(Max(Some(3u8)))] {
        assert_eq!(Canonical::decode(&some.encode()).as_ref(), Ok(&some));
    }
    assert_eq!(Option::<Min<u8>>::decode(&None::<Min<u8>>.encode()), Ok(None));
    assert_eq!(Max::<u8>::decode(&max.encode()).unwrap_err().kind, DecodeErrorKind::OtherType);
    assert_eq!(Max::<u8>::decode(&Max(300u16).encode()).unwrap_err().kind, DecodeErrorKind::OtherType);
}

#[test]
fn versions_grow_if_any_count_does() {
    let version = |a, b| [(A, a), (B, b)].into_iter().collect::<VersionVector>();
    assert_eq!(merged(&version(1, 5), &version(2, 5)), (version(2, 5), true));
    assert_eq!(merged(&version(1, 5), &version(1, 6)), (version(1, 6), true));
    assert_eq!(merged(&version(1, 5), &version(2, 6)), (version(2, 6), true));
    assert_eq!(merged(&version(2, 6), &version(1, 6)), (version(2, 6), false));
    assert!(VersionVector::new().is_empty() && !version(0, 1).is_empty());
}

#[test]
fn a_value_weighs_about_what_its_bytes_take() {
    let weight = |value: &Value| value.weigh(8).expect("it can be read back");
    for shift in 0..127 {
        for int in [1i128 << shift, (1 << shift) - 1, -(1 << shift), -(1 << shift) - 1] {
            let (weight, len) = (weight(&Value::Int(int)), Value::Int(int).encode().len());
            assert!(weight == len || weight == len + 1, "{int}: {weight} for {len} bytes");
        }
    }
    let text = Value::from("abcde");
    assert_eq!((weight(&Value::Null), weight(&Value::from(true)), weight(&text)), (1, 1, 9));
    assert_eq!(weight(&Value::List(vec![text.clone(), Value::Null, text.clone()])), 4 + 9 + 1 + 9);
    let record = Value::Record(vec![("ab".into(), text.clone()), ("abc".into(), Value::Null)]);
    assert_eq!(weight(&record), 4 + (2 + 4) + 9 + (3 + 4) + 1);
    assert_eq!(([7u8; 5].weigh(0), "abcde".weigh(0), String::from("abcde").weigh(0)), (Some(9), Some(9), Some(9)));
    assert_eq!(<&str>::from_value(text), None, "a text that was read lives no longer than its buffer");
}

#[test]
fn options_of_lists_come_back_as_they_went() {
    let list = |items: &[Value]| Value::List(items.to_vec());
    for value in [list(&[]), list(&[Value::from(5)]), list(&[list(&[])]), list(&[Value::Null]), Value::Null] {
        let some = Some(value);
        assert_eq!(Element::from_value(some.to_value()).as_ref(), Some(&some));
    }
}

#[test]
fn floats_are_ordered_and_hashed_by_their_value() {
    let float = |number| Float::new(number).unwrap();
    assert!(float(-1.5) < float(0.0) && float(0.0) < float(2.0));
    assert_eq!(float(1.0).partial_cmp(&float(1.0)), Some(Ordering::Equal));
    let hashed = |number: f64| std::hash::BuildHasher::hash_one(&foldhash(), float(number));
    assert_eq!(hashed(0.0), hashed(-0.0));
    let hashes: HashSet<u64> = (0..20).map(|n| hashed(f64::from(n))).collect();
    assert_eq!(hashes.len(), 20);
}

fn foldhash() -> std::hash::BuildHasherDefault<std::hash::DefaultHasher> {
    std::hash::BuildHasherDefault::default()
}

#[test]
fn a_value_ends_where_its_bytes_end() {
    assert_eq!(Value::decode(b"\x06\x04milk"), Ok(Value::from("milk")));
    let longer = Value::decode(b"\x06\x04milk\x00").unwrap_err();
    assert_eq!((longer.at, longer.kind), (6, DecodeErrorKind::TooLong));
}

#[test]
fn limits_of_ones_own_bound_what_is_decoded() {
    let dots: DotSet = [1, 3, 5].into_iter().map(|counter| Dot::new(A, counter).unwrap()).collect();
    let bytes = dots.encode();
    let within = |set_runs_max| {
        let limits = DecodeLimits { set_runs_max, seed: 9, ..DecodeLimits::of_len(bytes.len()) };
        DotSet::decode_within(&bytes, limits).map_err(|error| error.kind)
    };
    assert_eq!((within(3), within(2)), (Ok(dots), Err(DecodeErrorKind::TooManyRuns)));

    let mut state = Causal::<OrSet<u64>>::new();
    let (delta, ()) = state.edit(&mut Writer::new(A), |set| {
        (0..20u64).for_each(|n| assert!(set.insert(n)));
    });
    let limits = |entries_max| DecodeLimits { entries_max, seed: 9, ..DecodeLimits::default() };
    assert_eq!(Causal::decode_within(&state.encode(), limits(20)), Ok(state.clone()));
    assert_eq!(Delta::decode_within(&delta.encode(), limits(20)), Ok(delta.clone()));
    let refused = Causal::<OrSet<u64>>::decode_within(&state.encode(), limits(19)).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::TooManyEntries);
    let refused = Delta::<OrSet<u64>>::decode_within(&delta.encode(), limits(19)).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::TooManyEntries);

    let copies = |len| DecodeLimits::of_len(len).copied_bytes_max;
    assert_eq!((copies(0), copies(1_000), copies(1 << 40)), (16 << 20, (16 << 20) + 4_096_000, 1 << 30));
    assert_eq!(DecodeLimits::default().copied_bytes_max, 1 << 30);
}

#[test]
fn a_writer_that_issued_nothing_finds_all_of_its_id_issued_elsewhere() {
    let seen: DotSet = [1, 2].into_iter().map(|counter| Dot::new(A, counter).unwrap()).collect();
    assert_eq!(Writer::new(A).issued_elsewhere(&seen), seen);
    assert_eq!(Writer::resume(A, 1).issued_elsewhere(&seen).iter().collect::<Vec<_>>(), [Dot::new(A, 2).unwrap()]);
    assert!(
        Writer::resume(A, 2).issued_elsewhere(&seen).is_empty() && Writer::new(B).issued_elsewhere(&seen).is_empty()
    );
}

#[test]
fn a_last_look_is_at_what_the_edit_says() {
    let mut state = Causal::<OrSet<u64>>::new();
    let mut writer = Writer::new(A);
    let mut insert = |numbers: &[u64], most: usize| {
        state.try_edit_if(
            &mut writer,
            |set| -> Result<(), EditError> {
                numbers.iter().for_each(|n| assert!(set.insert(*n)));
                Ok(())
            },
            |delta| if delta.entries().len() > most { Err(EditError::TooLarge) } else { Ok(()) },
        )
    };
    assert_eq!(insert(&[1, 2, 3], 2).map(|_| ()), Err(EditError::TooLarge));
    let (delta, ()) = insert(&[4, 5], 2).unwrap();
    assert_eq!((delta.entries().len(), delta.own().len()), (2, 2));
    assert!(state.iter().eq(&[4, 5]));
}
