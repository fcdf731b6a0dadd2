//! Rows 15–27: structure. What cannot be written down at all is shown by trying everything in its place.

use crate::frame::*;
use crdt_core::{
    Causal, Counter, DecodeErrorKind, Delta, Document, Dot, DotSet, EwFlag, GCounter, LwwMap, Merge, MvRegister, OrMap,
    OrSet, ReplicaId, RwSet, Summary, Value, VersionVector, Writer, decode,
};

type Flags = OrMap<u8, EwFlag>;
type Texts = Causal<OrSet<String>>;

/// A map of two flags under keys 1 and 2, whose dots are 1 and 2.
const TWO_FLAGS: [u8; 10] = [OR_MAP, 2, 1, 1, 2, 2, EW_FLAG, 0, 0x80, 0x80];

#[test]
fn row_15_a_replica_that_stands_there_twice() {
    let table = frame(STATE, &[1, 1], &[&seen(1), &[0]]);
    assert_eq!(refused::<Texts>(&table), DecodeErrorKind::NotCanonical);
    let rows = frame(DOTS, &[1], &[&[2, 0, 1, 0, 0, 2, 0]]);
    assert_eq!(refused::<DotSet>(&rows), DecodeErrorKind::NotCanonical);
    let version = frame(VERSION, &[1], &[&[2, 0, 1, 0, 0, 2, 0]]);
    assert_eq!(refused::<VersionVector>(&version), DecodeErrorKind::NotCanonical);
}

#[test]
fn row_16_ids_and_rows_in_descending_order() {
    let both = [2, 0, 1, 0, 1, 1, 0];
    assert_eq!(accepted::<DotSet>(&frame(DOTS, &[1, 2], &[&both])).len(), 2);
    assert_eq!(refused::<DotSet>(&frame(DOTS, &[2, 1], &[&both])), DecodeErrorKind::NotCanonical);
    let rows = frame(DOTS, &[1, 2], &[&[2, 1, 1, 0, 0, 1, 0]]);
    assert_eq!(refused::<DotSet>(&rows), DecodeErrorKind::NotCanonical);
    let alone = frame(PLAIN, &[2, 1], &[&[1, 1, 5, 5]]);
    assert_eq!(refused::<GCounter>(&alone), DecodeErrorKind::NotCanonical);
    // An id that nothing needs, and an index past the table.
    assert_eq!(refused::<DotSet>(&frame(DOTS, &[1, 2], &[&seen(1)])), DecodeErrorKind::NotCanonical);
    assert_eq!(refused::<DotSet>(&frame(DOTS, &[1], &[&[1, 1, 1, 0]])), DecodeErrorKind::UnknownId);
    assert_eq!(refused::<DotSet>(&frame(DOTS, &[], &[&[1, 0, 1, 0]])), DecodeErrorKind::UnknownId);
}

#[test]
fn row_17_a_counter_of_zero() {
    // Dots are written by their distance from the one before, less one: there is no spelling of 0 but in text.
    for gap in 0..=255u8 {
        let bytes = frame(ADDITIONS, &[1], &[&[EW_FLAG, 0xf0, 1, gap]]);
        if let Ok(delta) = Delta::<EwFlag>::decode(&bytes) {
            assert!(delta.own().runs().all(|(_, first, _)| first >= 1));
        }
    }
    let id = ReplicaId::from_u128(1);
    assert!(serde_json::from_str::<Dot>(&format!("[\"{id}\",0]")).is_err());
    assert!(serde_json::from_str::<DotSet>(&format!("[[\"{id}\",0,5]]")).is_err());
    assert!(serde_json::from_str::<VersionVector>(&format!("[[\"{id}\",0]]")).is_err());
}

#[test]
fn rows_18_and_19_no_dot_is_both_in_the_prefix_and_a_hole_and_no_hole_touches_it() {
    let mut read = 0;
    for prefix in 0..4 {
        for gap in 0..=255 {
            for length in 0..=255 {
                let bytes = frame(DOTS, &[1], &[&[1, 0, prefix, 1, gap, length]]);
                let Ok(set) = decode::<DotSet>(&bytes) else { continue };
                let version = set.version().get(ReplicaId::from_u128(1));
                assert_eq!(version, u64::from(prefix));
                assert_eq!(set.runs().count(), 1 + usize::from(prefix > 0));
                read += 1;
            }
        }
    }
    assert_eq!(read, 4 * 128 * 128);
}

#[test]
fn row_20_a_live_dot_that_was_not_seen() {
    let state = frame(STATE, &[1], &[&seen(1), &[EW_FLAG, 0x90]]);
    assert_eq!(refused::<Causal<EwFlag>>(&state), DecodeErrorKind::NotSeen);
    let delta = frame(DELTA, &[1], &[&seen(1), &[0], &[EW_FLAG, 0x90]]);
    assert_eq!(refused::<Delta<EwFlag>>(&delta), DecodeErrorKind::NotSeen);
    let summary = frame(SUMMARY, &[1], &[&seen(1), &seen(2)]);
    assert_eq!(refused::<Summary>(&summary), DecodeErrorKind::NotSeen);
    // Both created and retired: a dot without an entry says that already.
    let both = frame(DELTA, &[1], &[&seen(2), &seen(1), &[0]]);
    assert_eq!(refused::<Delta<EwFlag>>(&both), DecodeErrorKind::NotCanonical);
}

#[test]
fn row_21_one_dot_under_two_keys() {
    let good = frame(STATE, &[1], &[&seen(2), &TWO_FLAGS]);
    assert_eq!(accepted::<Causal<Flags>>(&good).len(), 2);
    let mut one = TWO_FLAGS.to_vec();
    one.truncate(9);
    one.extend([0xf0, 1, 0]);
    let state = frame(STATE, &[1], &[&seen(2), &one]);
    assert_eq!(refused::<Causal<Flags>>(&state), DecodeErrorKind::DotTwice);
    assert_eq!(refused::<Delta<Flags>>(&frame(ADDITIONS, &[1], &[&one])), DecodeErrorKind::DotTwice);
    let fields = [RECORD, 2, 1, b'a', EW_FLAG, 0x80, 1, b'b', EW_FLAG, 0x80];
    let state = frame(STATE, &[1], &[&seen(2), &fields]);
    assert_eq!(refused::<Causal<Document>>(&state), DecodeErrorKind::DotTwice);
    // And twice in one store: of a counter it once would have counted for two.
    let counter = frame(STATE, &[1], &[&seen(2), &[4, 0, 0xf0, 1, 0, 2, 1]]);
    assert_eq!(refused::<Causal<Counter>>(&counter), DecodeErrorKind::DotTwice);
}

#[test]
fn row_22_a_row_without_a_dot() {
    assert_eq!(refused::<DotSet>(&frame(DOTS, &[1], &[&[1, 0, 0, 0]])), DecodeErrorKind::NotCanonical);
    assert_eq!(refused::<VersionVector>(&frame(VERSION, &[1], &[&[1, 0, 0, 0]])), DecodeErrorKind::NotCanonical);
    assert!(accepted::<DotSet>(&frame(DOTS, &[], &[&[0]])).is_empty());
}

#[test]
fn row_23_a_key_that_stands_there_twice() {
    let mut twice = TWO_FLAGS;
    twice[4] = 1;
    let state = frame(STATE, &[1], &[&seen(2), &twice]);
    assert_eq!(refused::<Causal<Flags>>(&state), DecodeErrorKind::KeyTwice);
    let document = frame(STATE, &[1], &[&seen(2), &[RECORD, 1, 0], &twice]);
    assert_eq!(refused::<Causal<Document>>(&document), DecodeErrorKind::KeyTwice);
    let writes = [LWW_MAP, 2, 1, 1, 1, 0, 0x80, 0x80, 0, 0, 0, 0, 1, 1, 1, 5, 5];
    let written = frame(STATE, &[1], &[&seen(2), &writes]);
    assert_eq!(refused::<Causal<LwwMap<u8, u8>>>(&written), DecodeErrorKind::KeyTwice);
    let fields = [RECORD, 2, 1, b'a', EW_FLAG, 0x80, 1, b'a', EW_FLAG, 0x90];
    let state = frame(STATE, &[1], &[&seen(2), &fields]);
    assert_eq!(refused::<Causal<Document>>(&state), DecodeErrorKind::KeyTwice);
    // An element twice has a shorter spelling.
    let elements = frame(STATE, &[1], &[&seen(2), &[OR_SET, 0x81, 1, 7, 7]]);
    assert_eq!(refused::<Causal<OrSet<u8>>>(&elements), DecodeErrorKind::NotCanonical);
    assert_eq!(refused::<Causal<RwSet<u8>>>(&elements), DecodeErrorKind::OtherKind);
    let names = frame(STATE, &[1], &[&seen(1), &[MV_REGISTER, 0x80, 0, 9, 2, 1, b'a', 0, 1, b'a', 0]]);
    assert_eq!(refused::<Causal<MvRegister<Value>>>(&names), DecodeErrorKind::NotCanonical);
}

#[test]
fn row_24_dots_and_keys_out_of_order() {
    let mut keys = TWO_FLAGS;
    keys.swap(3, 4);
    assert_eq!(refused::<Causal<Flags>>(&frame(STATE, &[1], &[&seen(2), &keys])), DecodeErrorKind::NotCanonical);
    // Dot 2, then dot 1.
    let dots = [OR_SET, 0x10, 0xf0, 1, 0, 1, 7, 8];
    assert_eq!(refused::<Causal<OrSet<u8>>>(&frame(STATE, &[1], &[&seen(2), &dots])), DecodeErrorKind::NotCanonical);
    let flag = [EW_FLAG, 0x10, 0xf0, 1, 0];
    assert_eq!(refused::<Causal<EwFlag>>(&frame(STATE, &[1], &[&seen(2), &flag])), DecodeErrorKind::NotCanonical);
    // A segment of two where each takes a byte, and two bytes where one holds both.
    assert_eq!(
        refused::<Causal<EwFlag>>(&frame(STATE, &[1], &[&seen(2), &[EW_FLAG, 0x81]])),
        DecodeErrorKind::NotCanonical
    );
    let apart = [OR_SET, 0x00, 0x80, 1, 7, 8];
    assert_eq!(refused::<Causal<OrSet<u8>>>(&frame(STATE, &[1], &[&seen(2), &apart])), DecodeErrorKind::NotCanonical);
}

#[test]
fn row_25_values_of_one_register_of_which_one_must_have_seen_the_other() {
    // No replica writes this: its second write would have retired its first. But after a removal that had seen only the
    // second, or from a forger, it is a state like any other: both values are shown, and the next write takes both.
    let bytes = frame(STATE, &[1], &[&seen(2), &[MV_REGISTER, 0x81, 1, 7, 8]]);
    let mut state = accepted::<Causal<MvRegister<u8>>>(&bytes);
    state.validate().unwrap();
    assert_eq!(state.values().len(), 2);
    let mut other = Causal::<MvRegister<u8>>::new();
    assert!(other.merge(&state) && !other.merge(&state) && other == state);
    let (delta, _) = state.edit(&mut Writer::new(ReplicaId::from_u128(2)), |register| register.write(9));
    assert!(other.merge(delta));
    assert_eq!(other.values(), [&9]);
}

/// Runs on a stack of the size that threads get in small systems.
fn on_a_small_stack(test: fn()) {
    std::thread::Builder::new().stack_size(512 * 1024).spawn(test).unwrap().join().unwrap();
}

#[test]
fn row_26_containers_nested_200_000_deep() {
    const DEEP: usize = 200_000;
    on_a_small_stack(|| {
        for level in [&[8, 1][..], &[9, 1, 0]] {
            let bytes = frame(STATE, &[1], &[&seen(1), &[MV_REGISTER, 0x80, 0], &level.repeat(DEEP), &[0]]);
            assert_eq!(refused::<Causal<MvRegister<Value>>>(&bytes), DecodeErrorKind::TooDeep);
        }
        for level in [&[1, 0, RECORD][..], &[1, 1, 5, 1, OR_MAP], &[1, 1, b'a', RECORD]] {
            let root = if level.len() == 5 { OR_MAP } else { RECORD };
            let bytes = frame(STATE, &[1], &[&seen(1), &[RECORD, 1, 0, root], &level.repeat(DEEP)]);
            assert_eq!(refused::<Causal<Document>>(&bytes), DecodeErrorKind::TooDeep);
            let delta = frame(ADDITIONS, &[1], &[&[RECORD, 1, 0, root], &level.repeat(DEEP)]);
            assert_eq!(refused::<Delta<Document>>(&delta), DecodeErrorKind::TooDeep);
        }
    });
    // The depth counts what lies in each other, not what lies beside each other.
    let beside = frame(STATE, &[1], &[&seen(1), &[MV_REGISTER, 0x80, 0, 8], &varint(1_000), &[8, 0].repeat(1_000)]);
    accepted::<Causal<MvRegister<Value>>>(&beside);
}

#[test]
fn depth_ends_exactly_at_64() {
    let lists = |depth: usize| frame(STATE, &[1], &[&seen(1), &[MV_REGISTER, 0x80, 0], &[8, 1].repeat(depth), &[0]]);
    let fits = (1..100).take_while(|depth| Causal::<MvRegister<Value>>::decode(&lists(*depth)).is_ok()).count();
    // The register itself is the first level.
    assert_eq!(fits, crdt_core::codec::DEPTH_MAX - 1);
}

/// An empty value under a key was once accepted where it lay beside others: then a key was there which no dot named, and
/// two states of equal dots had different bytes.
#[test]
fn row_27_an_empty_value_under_a_key() {
    type Nested = OrMap<u8, OrMap<u8, EwFlag>>;
    // Keys 1 and 2; the map under 1 has no key, that under 2 has one.
    let nested = [OR_MAP, 2, 1, 1, 2, 2, OR_MAP, 0, 1, 1, 9, 1, EW_FLAG, 0x80];
    let state = frame(STATE, &[1], &[&seen(1), &nested]);
    assert_eq!(refused::<Causal<Nested>>(&state), DecodeErrorKind::NotCanonical);
    assert_eq!(refused::<Delta<Nested>>(&frame(ADDITIONS, &[1], &[&nested])), DecodeErrorKind::NotCanonical);
    let document = frame(STATE, &[1], &[&seen(1), &[RECORD, 1, 0], &nested]);
    assert_eq!(refused::<Causal<Document>>(&document), DecodeErrorKind::NotCanonical);

    crdt_core::fields! { struct Row { open: EwFlag } }
    // Two structs, of which only the second has a field; one that has a map without keys.
    let rows = [OR_MAP, 2, 1, 1, 2, 2, RECORD, 1, 4, b'o', b'p', b'e', b'n', EW_FLAG, 0, 1, 0x80];
    let state = frame(STATE, &[1], &[&seen(1), &rows]);
    assert_eq!(refused::<Causal<OrMap<u8, Row>>>(&state), DecodeErrorKind::NotCanonical);
    let document = frame(STATE, &[1], &[&seen(1), &[RECORD, 1, 0], &rows]);
    assert_eq!(refused::<Causal<Document>>(&document), DecodeErrorKind::NotCanonical);
    let field =
        frame(STATE, &[1], &[&seen(1), &[RECORD, 2, 1, b'a', OR_MAP, 0, 0, 0, EW_FLAG, 1, b'b', EW_FLAG, 0x80]]);
    assert_eq!(refused::<Causal<Document>>(&field), DecodeErrorKind::NotCanonical);
}

#[test]
fn a_repeat_stands_in_the_set_and_after_what_it_repeats() {
    // Two dots, and an element for one of them.
    let repeat = |at: u8, back: u8| frame(STATE, &[1], &[&seen(2), &[OR_SET, 0x81, 0x80, 1, at, back, 1, 7]]);
    let set = accepted::<Causal<OrSet<u8>>>(&repeat(1, 1));
    assert_eq!((set.len(), set.live_len()), (1, 2));
    for (at, back) in [(0, 0), (1, 0), (1, 2), (2, 1), (2, 2), (3, 1)] {
        assert_eq!(refused::<Causal<OrSet<u8>>>(&repeat(at, back)), DecodeErrorKind::TooLarge, "{at} {back}");
    }
}

#[test]
fn values_of_a_kind_are_as_many_as_keys_are_left() {
    let map = |flags: u8, keys: &[u8], values: &[u8]| {
        frame(STATE, &[1], &[&seen(flags), &[RECORD, 1, 0, OR_MAP, keys.len() as u8, 1], keys, values])
    };
    let document = accepted::<Causal<Document>>(&map(1, &[5], &[1, EW_FLAG, 0x80]));
    assert_eq!(document.live_len(), 1);
    let none = map(1, &[5], &[0, EW_FLAG, 1, EW_FLAG, 0x80]);
    let too_many = map(2, &[5], &[2, EW_FLAG, 0, 0x80, 0x80]);
    let too_many_after_one = map(3, &[5, 6], &[1, EW_FLAG, 0x80, 2, EW_FLAG, 0, 0x80, 0x80]);
    for bytes in [none, too_many, too_many_after_one] {
        assert_eq!(refused::<Causal<Document>>(&bytes), DecodeErrorKind::TooShort, "{bytes:02x?}");
    }
}
