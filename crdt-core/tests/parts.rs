//! Dots, deltas and stores as parts of something larger, whose table of ids they share.

mod replica;

use crdt_core::codec::{DecodeLimits, Decoder, Encoder, Ids};
use crdt_core::{
    BoundedCounter, Causal, Counter, DecodeErrorKind, Delta, Dot, DotSet, DotStore, Element, GCounter, GSet, LwwMap,
    OrMap, OrSet, ReplicaId, RwSet, Timestamp, Value, Writer,
};

use replica::done;

const A: ReplicaId = ReplicaId::from_u128(0xa);
const B: ReplicaId = ReplicaId::from_u128(0xb);

/// Not ascending, and with ids that no value uses: as a connection's table is.
fn table() -> Ids {
    let mut ids = Ids::with_seed(7);
    for id in [ReplicaId::from_u128(0xff), B, ReplicaId::from_u128(1), A] {
        assert!(ids.insert(id));
    }
    ids
}

fn bytes_of<S: DotStore>(delta: &Delta<S>, ids: &Ids) -> Vec<u8> {
    let mut to = Encoder::new(ids);
    delta.write_to(&mut to);
    to.into_bytes()
}

fn read<S: DotStore>(own: &DotSet, bytes: &[u8], ids: &Ids) -> Result<Delta<S>, DecodeErrorKind> {
    let mut from = Decoder::new(bytes, ids);
    let delta = Delta::read_from(own.clone(), &mut from).map_err(|error| error.kind)?;
    assert_eq!(from.remaining(), 0);
    Ok(delta)
}

#[test]
fn a_delta_reads_back_through_a_table_in_any_order() {
    let ids = table();
    let (mut a, mut b) = (Writer::new(A), Writer::new(B));
    let mut state = Causal::<OrMap<String, OrSet<u64>>>::new();
    let mut deltas = Vec::new();
    for n in 0..40u64 {
        let writer = if n % 3 == 0 { &mut b } else { &mut a };
        let (delta, ()) = state.edit(writer, |map| {
            map.entry(format!("key {}", n % 5)).insert(n);
            if n % 7 == 6 {
                map.remove("key 1");
            }
        });
        deltas.push(delta);
    }
    assert!(deltas.iter().any(|delta| !delta.retired().is_empty()));
    for delta in deltas {
        let bytes = bytes_of(&delta, &ids);
        assert_eq!(read(delta.own(), &bytes, &ids).as_ref(), Ok(&delta));
    }
}

#[test]
fn an_insert_takes_its_key_and_four_bytes_however_high_its_counter() {
    let ids = table();
    let mut writer = Writer::resume(A, 1_000_000);
    let mut state = Causal::<OrSet<u64>>::new();
    let (delta, _) = state.edit(&mut writer, |set| set.insert(u64::MAX));
    assert_eq!(bytes_of(&delta, &ids).len(), 8 + 4);
}

#[test]
fn an_entry_outside_the_dots_it_creates_is_refused() {
    let ids = table();
    let mut state = Causal::<OrSet<u64>>::new();
    let (delta, _) = state.edit(&mut Writer::new(A), |set| set.insert(1u64) | set.insert(2u64));
    let bytes = bytes_of(&delta, &ids);
    let first: DotSet = [Dot::new(A, 1).unwrap()].into_iter().collect();
    assert_eq!(read::<OrSet<u64>>(&first, &bytes, &ids), Err(DecodeErrorKind::NotSeen));
}

#[test]
fn entries_alone_read_back_with_the_dots_they_name() {
    let ids = table();
    let (mut a, mut b) = (Writer::new(A), Writer::new(B));
    let mut state = Causal::<OrSet<String>>::new();
    for n in 0..100 {
        let _ = state.edit(if n % 4 == 0 { &mut a } else { &mut b }, |set| set.insert(format!("{}", n % 30)));
    }
    let part = state.restrict(state.seen());
    let mut to = Encoder::new(&ids);
    part.write_entries_to(&mut to);
    let bytes = to.into_bytes();
    let mut from = Decoder::new(&bytes, &ids);
    let again = Delta::<OrSet<String>>::read_entries_from(&mut from).unwrap();
    assert_eq!((from.remaining(), again), (0, part));
}

#[test]
fn every_other_spelling_of_a_delta_is_refused() {
    let ids = table();
    let mut writer = Writer::new(A);
    let mut state = Causal::<OrSet<u64>>::new();
    let (delta, _) = state.edit(&mut writer, |set| {
        set.insert(1u64);
        set.insert(300u64)
    });
    let bytes = bytes_of(&delta, &ids);
    let mut accepted = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let mut from = Decoder::new(&flipped, &ids);
            if let Ok(other) = Delta::<OrSet<u64>>::read_from(delta.own().clone(), &mut from) {
                assert_eq!(bytes_of(&other, &ids), flipped[..from.position()], "bit {bit} of byte {at}");
                accepted += 1;
            }
        }
    }
    // Other numbers are other values.
    assert!(accepted > 16, "{accepted}");
}

#[test]
fn retiring_a_dot_of_its_own_is_another_spelling_of_having_no_entry() {
    let ids = table();
    let own: DotSet = [Dot::new(A, 1).unwrap()].into_iter().collect();
    let mut to = Encoder::new(&ids);
    to.few_dots(&own);
    to.byte(0);
    let bytes = to.into_bytes();
    assert_eq!(read::<OrSet<u64>>(&own, &bytes, &ids), Err(DecodeErrorKind::NotCanonical));
}

#[test]
fn rows_of_a_dot_set_go_by_id_and_not_by_index() {
    let ids = table();
    let row = |index: u8| [index, 1, 0];
    let bytes = [&[2][..], &row(1), &row(3)].concat();
    assert_eq!(Decoder::new(&bytes, &ids).dot_set().map_err(|error| error.kind), Err(DecodeErrorKind::NotCanonical));
    let bytes = [&[2][..], &row(3), &row(1)].concat();
    let set = Decoder::new(&bytes, &ids).dot_set().unwrap();
    assert_eq!(set.runs().collect::<Vec<_>>(), [(A, 1, 1), (B, 1, 1)]);
    let twice = [&[2][..], &row(1), &row(1)].concat();
    assert_eq!(Decoder::new(&twice, &ids).dot_set().map_err(|error| error.kind), Err(DecodeErrorKind::NotCanonical));
    let empty = [1, 1, 0, 0];
    assert_eq!(Decoder::new(&empty, &ids).dot_set().map_err(|error| error.kind), Err(DecodeErrorKind::NotCanonical));
}

#[test]
fn a_lone_dot_of_a_replica_is_its_index_and_counter() {
    let ids = table();
    let bytes_of = |set: &DotSet| {
        let mut to = Encoder::new(&ids);
        to.few_dots(set);
        to.into_bytes()
    };
    let read = |bytes: &[u8]| {
        let mut from = Decoder::new(bytes, &ids);
        let set = from.few_dots().map_err(|error| error.kind)?;
        assert_eq!(from.remaining(), 0);
        Ok(set)
    };
    let mut set = DotSet::new();
    assert_eq!(bytes_of(&set), [0]);
    set.insert(Dot::new(B, 100).unwrap());
    set.insert(Dot::new(A, 200).unwrap());
    assert_eq!(bytes_of(&set), [4, 3, 200, 1, 1, 100]);
    assert_eq!(read(&bytes_of(&set)).as_ref(), Ok(&set));
    assert_eq!(read(&[4, 1, 100, 3, 200, 1]), Err(DecodeErrorKind::NotCanonical));
    assert_eq!(read(&[1, 1, 3, 0, 1, 5, 0]), Err(DecodeErrorKind::NotCanonical));
    assert_eq!(read(&[2, 3, 0]), Err(DecodeErrorKind::Counter));
    assert_eq!(read(&[100, 3, 1]), Err(DecodeErrorKind::TooShort));
    set.insert(Dot::new(B, 102).unwrap());
    assert_eq!(bytes_of(&set)[0], 1);
    assert_eq!(read(&bytes_of(&set)).as_ref(), Ok(&set));
}

#[test]
fn a_reader_takes_no_more_than_it_allows() {
    let ids = table();
    let mut set = DotSet::new();
    for counter in 1..=10 {
        set.insert(Dot::new(A, 2 * counter).unwrap());
        set.insert(Dot::new(B, 2 * counter - 1).unwrap());
    }
    let mut to = Encoder::new(&ids);
    to.dot_set(&set);
    let bytes = to.into_bytes();
    let read = |limits| Decoder::within(&bytes, 0, &ids, limits).dot_set().map_err(|error| error.kind);
    let all = DecodeLimits::default();
    assert_eq!(read(DecodeLimits { set_replicas_max: 2, set_runs_max: 20, ..all }).as_ref(), Ok(&set));
    assert_eq!(read(DecodeLimits { set_replicas_max: 1, ..all }), Err(DecodeErrorKind::TooManyReplicas));
    assert_eq!(read(DecodeLimits { set_runs_max: 19, ..all }), Err(DecodeErrorKind::TooManyRuns));

    let mut state = Causal::<OrSet<u8>>::new();
    let (delta, ()) = state.edit(&mut Writer::new(A), |set| {
        (0..40).for_each(|n| {
            set.insert(n);
        });
    });
    let bytes = bytes_of(&delta, &ids);
    let read = |entries_max| {
        let mut from = Decoder::within(&bytes, 0, &ids, DecodeLimits { entries_max, ..all });
        Delta::<OrSet<u8>>::read_from(delta.own().clone(), &mut from).map_err(|error| error.kind)
    };
    assert_eq!(read(41).as_ref(), Ok(&delta));
    assert_eq!(read(40).as_ref(), Ok(&delta));
    assert_eq!(read(39), Err(DecodeErrorKind::TooManyEntries));
}

/// 200 kB of key and 3 bytes for each of its 20 000 entries came to 4 GB of entries.
#[test]
fn a_long_key_with_many_entries_is_measured_before_it_is_copied() {
    let ids = table();
    let key = "k".repeat(200_000);
    let read = |bytes: &[u8], own: &DotSet, copied_bytes_max| {
        let limits = DecodeLimits { copied_bytes_max, ..DecodeLimits::default() };
        let mut from = Decoder::within(bytes, 0, &ids, limits);
        Delta::<OrMap<String, OrSet<u8>>>::read_from(own.clone(), &mut from).map_err(|error| error.kind)
    };
    let mut state = Causal::<OrMap<String, OrSet<u8>>>::new();
    let (delta, ()) = state.edit(&mut Writer::new(A), |map| {
        (0..40).for_each(|n| {
            map.entry(&key).insert(n);
        });
    });
    let bytes = bytes_of(&delta, &ids);
    assert_eq!(read(&bytes, delta.own(), 64 << 20).as_ref(), Ok(&delta));
    assert_eq!(read(&bytes, delta.own(), 40 * 200_016).as_ref(), Ok(&delta));
    assert_eq!(read(&bytes, delta.own(), 39 * 200_016), Err(DecodeErrorKind::TooManyCopies));

    // The same as an element of a set that stands under many dots.
    let mut state = Causal::<OrSet<String>>::new();
    let mut inserts = Delta::<OrSet<String>>::new();
    for _ in 0..40 {
        // Each author has not seen the others.
        let (delta, _) =
            Causal::<OrSet<String>>::new().edit(&mut Writer::resume(A, inserts.own().len()), |set| set.insert(&*key));
        let _ = crdt_core::Merge::merge(&mut inserts, delta.clone());
        let _ = crdt_core::Merge::merge(&mut state, delta);
    }
    let bytes = bytes_of(&inserts, &ids);
    assert!(bytes.len() < 201_000);
    let read = |copied_bytes_max| {
        let limits = DecodeLimits { copied_bytes_max, ..DecodeLimits::default() };
        Delta::<OrSet<String>>::read_from(inserts.own().clone(), &mut Decoder::within(&bytes, 0, &ids, limits))
            .map_err(|error| error.kind)
    };
    assert_eq!(read(64 << 20).as_ref(), Ok(&inserts));
    assert_eq!(read(5 << 20), Err(DecodeErrorKind::TooManyCopies));

    // A state has its copies in the set alone: 39 repeats, each of its key, a type and a length.
    let mut to = Encoder::new(&ids);
    OrSet::encode_many(&[&*state], &mut to);
    let bytes = to.into_bytes();
    let read = |copied_bytes_max| {
        let limits = DecodeLimits { copied_bytes_max, ..DecodeLimits::default() };
        let mut from = Decoder::within(&bytes, 0, &ids, limits);
        OrSet::<String>::decode_many(1, &mut from).map_err(|error| error.kind)
    };
    assert_eq!(read(39 * 200_004), Ok(vec![OrSet::clone(&state)]));
    assert_eq!(read(39 * 200_004 - 1), Err(DecodeErrorKind::TooManyCopies));
}

#[test]
fn a_table_keeps_its_seed_and_says_whether_it_is_empty() {
    let mut ids = Ids::with_seed(7);
    assert!(ids.is_empty());
    assert!(ids.insert(A) && !ids.is_empty());
    assert_eq!((ids.seed(), Ids::default().seed()), (7, 0));
    let limits = DecodeLimits { seed: 9, ..DecodeLimits::default() };
    assert_eq!(Decoder::within(&[], 0, &ids, limits).seed(), 9);
}

#[test]
fn lone_dots_are_refused_in_this_order_too_few_bytes_too_many_replicas_too_many_runs() {
    let ids = table();
    let all = DecodeLimits::default();
    let read = |bytes: &[u8], limits| Decoder::within(bytes, 0, &ids, limits).few_dots().map_err(|error| error.kind);
    let two = [4, 3, 1, 1, 1];
    let set: DotSet = [A, B].map(|id| Dot::new(id, 1).unwrap()).into_iter().collect();
    let limits = |set_replicas_max, set_runs_max| DecodeLimits { set_replicas_max, set_runs_max, ..all };
    assert_eq!(read(&two, limits(2, 2)).as_ref(), Ok(&set));
    assert_eq!(read(&two, limits(9, 9)).as_ref(), Ok(&set));
    assert_eq!(read(&two, limits(1, 2)), Err(DecodeErrorKind::TooManyReplicas));
    assert_eq!(read(&two, limits(2, 1)), Err(DecodeErrorKind::TooManyRuns));
    // A count is not believed before there are bytes for it.
    assert_eq!(read(&[6, 3, 1, 1, 1], limits(2, 2)), Err(DecodeErrorKind::TooShort));
}

#[test]
fn sizes_promise_no_more_keys_together_than_there_are_bytes() {
    let ids = table();
    let read = |bytes: &[u8]| Decoder::new(bytes, &ids).sizes(2).map_err(|error| error.kind);
    assert_eq!(read(&[2, 1, 0, 0, 0]), Ok(vec![2, 1]));
    assert_eq!(read(&[2, 2, 0, 0, 0]), Err(DecodeErrorKind::TooShort));
    assert_eq!(read(&[0, 4, 0, 0, 0]), Err(DecodeErrorKind::TooShort));
}

#[test]
fn dots_without_bytes_left_for_their_values_are_refused() {
    let ids = table();
    // Two segments of a dot each, and two bytes for each value.
    let read = |bytes: &[u8]| Decoder::new(bytes, &ids).dots(1, 16, 2).map(|stores| stores[0].len());
    assert_eq!(read(&[0x00, 0x80, 0, 0, 0, 0]).map_err(|error| error.kind), Ok(2));
    assert_eq!(read(&[0x00, 0x80, 0, 0, 0]).map_err(|error| error.kind), Err(DecodeErrorKind::TooShort));
}

#[test]
fn a_number_has_one_spelling_for_whoever_reads_it() {
    let ids = table();
    let read = |bytes: &[u8]| Decoder::new(bytes, &ids).varint().map_err(|error| error.kind);
    assert_eq!((read(&[0]), read(&[0x80, 1]), read(&[0xff, 0])), (Ok(0), Ok(128), Err(DecodeErrorKind::NotCanonical)));
    assert_eq!(read(&[0x80, 0x80, 0]), Err(DecodeErrorKind::NotCanonical));
}

#[test]
fn a_column_of_no_texts_is_its_tag() {
    let ids = table();
    let mut to = Encoder::new(&ids);
    to.texts(0, |_| unreachable!("there is none"));
    assert_eq!(to.into_bytes().len(), 1);
}

#[test]
fn another_spelling_is_pointed_at() {
    let ids = table();
    let mut state = Causal::<OrSet<u64>>::new();
    let (delta, _) = state.edit(&mut Writer::new(A), |set| set.insert(1u64) | set.insert(300u64));
    // After bytes of something else, so that places count from the start of it all.
    let bytes = [&[7; 5][..], &bytes_of(&delta, &ids)].concat();
    let mut pointed = 0;
    for at in 5..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let mut from = Decoder::within(&flipped, 5, &ids, DecodeLimits::default());
            if let Err(error) = Delta::<OrSet<u64>>::read_from(delta.own().clone(), &mut from)
                && error.kind == DecodeErrorKind::NotCanonical
            {
                assert!((5..=flipped.len()).contains(&error.at), "{error}");
                pointed += usize::from(error.at >= at);
            }
        }
    }
    assert!(pointed > 0);
}

/// An item of a list takes two bytes here and thirty-two in memory, and each of forty entries has a copy of all: what was
/// measured was once the bytes, of which a gibibyte came to sixteen.
#[test]
fn a_list_with_many_entries_is_measured_before_it_is_copied() {
    let ids = table();
    let list = Value::List(vec![Value::Int(1); 20_000]);
    let mut group = Delta::<OrSet<Value>>::new();
    for counter in 0..40 {
        let mut writer = Writer::resume(A, counter);
        let (delta, _) = Causal::<OrSet<Value>>::new().edit(&mut writer, |set| set.insert(list.clone()));
        crdt_core::Merge::merge(&mut group, delta);
    }
    let bytes = bytes_of(&group, &ids);
    assert!(bytes.len() < 41_000, "{}", bytes.len());
    let read = |copied_bytes_max| {
        let limits = DecodeLimits { copied_bytes_max, ..DecodeLimits::default() };
        let mut from = Decoder::within(&bytes, 0, &ids, limits);
        Delta::<OrSet<Value>>::read_from(group.own().clone(), &mut from).map_err(|error| error.kind)
    };
    // Once as elements of the set, once as entries of the delta.
    assert!(read(2 * 40 * 20_100 * 32).is_ok());
    assert_eq!(read(40 * 18_000 * 32).map(|_| ()), Err(DecodeErrorKind::TooManyCopies));
}

/// The heaviest entry of what an edit says.
fn weight<S: DotStore>(edit: impl FnOnce(&mut S::Cursor<'_>)) -> usize {
    let (delta, ()) = Causal::<S>::new().edit(&mut Writer::new(A), edit);
    let (sum, most) = delta.weigh();
    assert!(sum >= most && most + 40 >= delta.encode().len() / delta.entries().len().max(1));
    most
}

#[test]
fn an_entry_weighs_its_stores_and_its_keys_and_values_and_nothing_else() {
    const STORE: usize = OrSet::<String>::STORE_WEIGHT;
    let text = |text: &str| Element::weigh(&String::from(text), 8).unwrap();
    assert_eq!(text("abc"), text("") + 3);
    let number = Element::weigh(&1u64, 0).unwrap();
    assert_eq!(weight::<GCounter>(|n| n.increment(1).unwrap()), STORE);
    assert_eq!(weight::<Counter>(|n| n.add(1)), STORE);
    assert_eq!(weight::<GSet<String>>(|set| done(set.insert("abc"))), STORE + text("abc"));
    assert_eq!(weight::<OrSet<String>>(|set| done(set.insert("abc"))), STORE + text("abc"));
    assert_eq!(weight::<RwSet<String>>(|set| set.insert("abc")), STORE + text("abc"));
    let stamp = Timestamp::new(1, 0);
    assert_eq!(weight::<LwwMap<String, u64>>(|map| map.insert(stamp, "abc", 7u64)), STORE + text("abc") + number);
    assert_eq!(weight::<OrMap<String, Counter>>(|map| map.entry("abc").add(1)), 2 * STORE + text("abc"));
    let deep =
        weight::<OrMap<String, OrMap<u64, OrSet<String>>>>(|map| done(map.entry("abc").entry(7u64).insert("de")));
    assert_eq!(deep, 3 * STORE + text("abc") + number + text("de"));
    // Rights: what was granted to each, with an id in full.
    let granted = |peers: u128| {
        weight::<BoundedCounter>(|rights| {
            rights.mint(100).unwrap();
            (0..peers).for_each(|peer| rights.grant(ReplicaId::from_u128(0x100 + peer), 1).unwrap());
        })
    };
    assert_eq!([granted(0), granted(1), granted(3)], [STORE, STORE + 28, STORE + 3 * 28]);
}

/// Greater keys come first: their order is not that of the values they are written as.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
struct Down(std::cmp::Reverse<u8>);

impl Element for Down {
    fn to_value(&self) -> Value {
        Value::from(self.0.0)
    }

    fn from_value(value: Value) -> Option<Self> {
        u8::from_value(value).map(|number| Self(std::cmp::Reverse(number)))
    }
}

#[test]
fn keys_of_another_order_are_written_in_the_order_of_their_values() {
    fn both<S: DotStore, T: DotStore>(one: impl FnOnce(&mut S::Cursor<'_>), two: impl FnOnce(&mut T::Cursor<'_>)) {
        let (one, ()) = Causal::<S>::new().edit(&mut Writer::new(A), one);
        let (two, ()) = Causal::<T>::new().edit(&mut Writer::new(A), two);
        assert_eq!(one.encode(), two.encode());
        assert_eq!(Delta::<S>::decode(&two.encode()), Ok(one));
    }
    let down = |number: u8| Down(std::cmp::Reverse(number));
    let numbers = [4, 1, 3, 9];
    both::<OrMap<Down, Counter>, OrMap<u8, Counter>>(
        |map| numbers.into_iter().for_each(|n| map.entry(down(n)).add(n.into())),
        |map| numbers.into_iter().for_each(|n| map.entry(n).add(n.into())),
    );
    let stamp = Timestamp::new(1, 0);
    both::<LwwMap<Down, u8>, LwwMap<u8, u8>>(
        |map| numbers.into_iter().for_each(|n| map.insert(stamp, down(n), n)),
        |map| numbers.into_iter().for_each(|n| map.insert(stamp, n, n)),
    );
    both::<OrSet<Down>, OrSet<u8>>(
        |set| numbers.into_iter().for_each(|n| done(set.insert(down(n)))),
        |set| numbers.into_iter().for_each(|n| done(set.insert(n))),
    );
}

#[test]
fn more_amounts_than_dots_are_refused_where_they_stand() {
    let ids = table();
    // One dot, the first of the first id, and that many times the amount 1.
    let read = |times: u8| {
        let bytes = [0x80, 2, times - 1];
        Counter::decode_many(1, &mut Decoder::new(&bytes, &ids)).map_err(|error| error.kind)
    };
    assert_eq!(read(1).map(|counters| counters[0].value()), Ok(1));
    assert_eq!(read(2), Err(DecodeErrorKind::NotCanonical));
}

#[test]
fn another_spelling_is_refused_at_its_first_byte_that_differs() {
    let ids = table();
    let mut state = Causal::<OrSet<Value>>::new();
    let (delta, ()) = state.edit(&mut Writer::new(A), |set| {
        [Value::from(5), Value::from("a")].into_iter().for_each(|value| done(set.insert(value)));
    });
    // Nothing retired, a set, one set of two elements, at one dot each, of types that differ.
    let bytes = bytes_of(&delta, &ids);
    assert_eq!(bytes, [0, 10, 0x81, 0, 3, 5, 6, 1, b'a']);
    // Two numbers in a column of mixed values: the column of numbers is the spelling.
    let numbers = [0, 10, 0x81, 0, 3, 5, 3, 6];
    let error = Delta::<OrSet<Value>>::read_from(delta.own().clone(), &mut Decoder::new(&numbers, &ids)).unwrap_err();
    assert_eq!((error.at, error.kind), (3, DecodeErrorKind::NotCanonical));
}

/// The block of bytes that says what was granted to a replica.
fn grant_at(bytes: &[u8], to: ReplicaId) -> usize {
    bytes.windows(16).position(|window| window == to.to_bytes()).expect("it was granted something")
}

#[test]
fn grants_are_read_ascending_each_once_and_above_zero() {
    let (first, second) = (ReplicaId::from_u128(0x51), ReplicaId::from_u128(0x52));
    let mut seats = Causal::<BoundedCounter>::new();
    let _ = seats.try_edit(&mut Writer::new(A), |seats| {
        seats.mint(100)?;
        seats.grant(second, 10)?;
        seats.grant(first, 10)
    });
    let bytes = seats.encode();
    assert_eq!(Causal::decode(&bytes), Ok(seats));
    let (one, two) = (grant_at(&bytes, first), grant_at(&bytes, second));
    assert_eq!(two, one + 17);
    let refused = |change: &dyn Fn(&mut [u8])| {
        let mut changed = bytes.clone();
        change(&mut changed);
        Causal::<BoundedCounter>::decode(&changed).unwrap_err().kind
    };
    let swapped = refused(&|bytes| {
        for at in 0..16 {
            bytes.swap(one + at, two + at);
        }
    });
    assert_eq!(swapped, DecodeErrorKind::NotCanonical);
    assert_eq!(refused(&|bytes| bytes.copy_within(one..one + 16, two)), DecodeErrorKind::NotCanonical);
    assert_eq!(refused(&|bytes| bytes[one + 16] = 0), DecodeErrorKind::NotCanonical);
}
