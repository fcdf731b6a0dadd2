//! Rows 28–33: numbers.

use crate::frame::*;
use crdt_core::{
    BoundedCounter, COUNTER_MAX, Canonical, Causal, Counter, DecodeErrorKind, Delta, Document, Dot, DotSet, DotStore,
    Edit, EditError, EwFlag, GCounter, GSet, LwwMap, MvRegister, OrMap, OrSet, PnCounter, ReplicaId, Value,
    VersionVector, Writer,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

const A: ReplicaId = ReplicaId::from_u128(1);

#[test]
fn row_28_after_the_last_counter_there_is_none() {
    for last in [COUNTER_MAX, COUNTER_MAX + 1, 1 << 53, u64::MAX] {
        let mut writer = Writer::resume(A, last);
        let mut set = Causal::<OrSet<u8>>::new();
        let _ = set.edit(&mut Writer::new(ReplicaId::from_u128(2)), |set| set.insert(7));
        let before = set.encode();
        for add in [true, false] {
            let edit = |set: &mut Edit<'_, OrSet<u8>>| {
                let changed = if add { set.insert(1) } else { set.remove(&7) > 0 };
                assert!(changed);
            };
            let tried = set.try_edit(&mut writer, |set| {
                edit(set);
                Ok(())
            });
            assert_eq!(tried, Err(EditError::Exhausted));
            let said = catch_unwind(AssertUnwindSafe(|| set.edit(&mut writer, edit))).unwrap_err();
            let said = said.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
            assert!(said.contains("2^48"), "{said}");
            assert_eq!((set.encode(), writer.last()), (before.clone(), last), "{add}");
            set.validate().unwrap();
        }
    }
}

/// What is issued is what is read: writers once went on to 2⁵³ − 1, and nobody could take what they wrote above 2⁴⁸.
#[test]
fn row_28_whatever_was_issued_reads_back() {
    let mut writer = Writer::resume(A, COUNTER_MAX - 2);
    let mut set = Causal::<OrSet<u8>>::new();
    for counter in [COUNTER_MAX - 1, COUNTER_MAX] {
        let (delta, _) = set.edit(&mut writer, |set| set.insert(1));
        assert_eq!(delta.own().last(A), counter);
        assert_eq!(accepted::<Delta<OrSet<u8>>>(&delta.encode()), delta);
        assert_eq!(accepted::<Causal<OrSet<u8>>>(&set.encode()), set);
    }
    let refused = set.try_edit(&mut writer, |set| {
        set.insert(2);
        Ok(())
    });
    assert_eq!(refused, Err(EditError::Exhausted));
    assert!(catch_unwind(AssertUnwindSafe(|| set.mark(&mut writer))).is_err());
    assert_eq!(accepted::<Causal<OrSet<u8>>>(&set.encode()), set);
    assert_eq!(writer.issued_elsewhere(set.seen()), DotSet::new());
}

#[test]
fn row_28_no_dot_set_or_version_goes_beyond_what_reads_back() {
    let mut dots = DotSet::new();
    let mut version = VersionVector::new();
    for counter in [COUNTER_MAX - 1, COUNTER_MAX] {
        dots.extend(Dot::new(A, counter));
        dots.insert_run(A, 1, counter);
        version.raise(A, counter);
        assert_eq!(accepted::<DotSet>(&dots.encode()).last(A), counter);
        assert_eq!(accepted::<VersionVector>(&version.encode()).get(A), counter);
    }
    assert_eq!(Dot::new(A, COUNTER_MAX + 1), None);
    assert!(catch_unwind(AssertUnwindSafe(|| dots.insert_run(A, 1, COUNTER_MAX + 1))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| version.raise(A, COUNTER_MAX + 1))).is_err());
    assert_eq!((dots.last(A), version.get(A)), (COUNTER_MAX, COUNTER_MAX));
}

#[test]
fn row_29_counters_from_outside_end_where_those_of_writers_do() {
    let column = |counter: u64| {
        // The escape, and the gap beyond what a byte holds.
        frame(ADDITIONS, &[1], &[&[EW_FLAG, 0xf0], &varint((counter - 8) << 1)])
    };
    for counter in [COUNTER_MAX - 1, COUNTER_MAX, COUNTER_MAX + 1, 1 << 53, 1 << 62] {
        let prefix = frame(DOTS, &[1], &[&[1, 0], &varint(counter), &[0]]);
        let hole = frame(DOTS, &[1], &[&[1, 0, 0, 1], &varint(counter - 2), &[0]]);
        let version = frame(VERSION, &[1], &[&[1, 0], &varint(counter), &[0]]);
        if counter <= COUNTER_MAX {
            assert_eq!(accepted::<DotSet>(&prefix).last(A), counter);
            assert_eq!(accepted::<DotSet>(&hole).last(A), counter);
            assert_eq!(accepted::<VersionVector>(&version).get(A), counter);
            let read = Delta::<EwFlag>::decode(&column(counter));
            assert_eq!(read.map(|delta| delta.own().last(A)), Ok(counter));
        } else {
            assert_eq!(refused::<DotSet>(&prefix), DecodeErrorKind::Counter);
            assert_eq!(refused::<DotSet>(&hole), DecodeErrorKind::Counter);
            assert_eq!(refused::<VersionVector>(&version), DecodeErrorKind::Counter);
            assert_eq!(refused::<Delta<EwFlag>>(&column(counter)), DecodeErrorKind::Counter);
        }
    }
}

#[test]
fn row_30_a_run_of_any_length_costs_what_it_takes_to_write() {
    let run = |last: u64| frame(DOTS, &[1], &[&[1, 0], &varint(last), &[0]]);
    assert_eq!(refused::<DotSet>(&run((1 << 63) - 1)), DecodeErrorKind::Counter);
    let hole = frame(DOTS, &[1], &[&[1, 0, 1, 1, 0], &varint(u64::MAX)]);
    assert_eq!(refused::<DotSet>(&hole), DecodeErrorKind::Counter);

    // 2⁴⁸ dots: nothing here may go through them one by one.
    let all = accepted::<DotSet>(&run(COUNTER_MAX));
    assert_eq!(all.len(), COUNTER_MAX);
    let mut state = Causal::<OrSet<u8>>::new();
    let mut writer = Writer::new(A);
    let _ = state.edit(&mut writer, |set| set.insert(1));
    let retiring = Delta::<OrSet<u8>>::retiring(DotSet::new(), all.clone());
    let retiring = accepted::<Delta<OrSet<u8>>>(&retiring.encode());
    assert!(crdt_core::Merge::merge(&mut state, &retiring));
    assert!(state.is_empty() && state.seen() == &all);
    let again = accepted::<Causal<OrSet<u8>>>(&state.encode());
    assert_eq!(again.delta_since(&DotSet::new()).retired(), &DotSet::new());
    assert_eq!(again.delta_since(&all).retired(), &all);
}

/// Says what an edit answers, and asserts that a refused one changes nothing.
fn edit<S: DotStore>(
    state: &mut Causal<S>,
    writer: &mut Writer,
    edit: impl FnOnce(&mut S::Cursor<'_>) -> Result<(), EditError>,
) -> Result<(), EditError> {
    let before = (state.encode(), writer.last());
    let answer = state.try_edit(writer, edit).map(|_| ());
    if answer.is_err() {
        assert_eq!((state.encode(), writer.last()), before);
    }
    answer
}

#[test]
fn row_31_counters_do_not_wrap_and_sums_have_room() {
    let mut likes = Causal::<GCounter>::new();
    let mut balance = Causal::<PnCounter>::new();
    let mut seats = Causal::<BoundedCounter>::new();
    let mut visits = Causal::<Counter>::new();
    for number in 1..=40 {
        let mut writer = Writer::new(ReplicaId::from_u128(number));
        let me = &mut writer;
        edit(&mut likes, me, |at| at.increment(u64::MAX)).unwrap();
        assert_eq!(edit(&mut likes, me, |at| at.increment(1)), Err(EditError::Overflow));
        edit(&mut balance, me, |at| at.decrement(u64::MAX)).unwrap();
        assert_eq!(edit(&mut balance, me, |at| at.decrement(1)), Err(EditError::Overflow));
        edit(&mut balance, me, |at| at.increment(u64::MAX - 1)).unwrap();
        assert_eq!(edit(&mut balance, me, |at| at.increment(2)), Err(EditError::Overflow));
        edit(&mut seats, me, |at| at.mint(u64::MAX)).unwrap();
        assert_eq!(edit(&mut seats, me, |at| at.mint(1)), Err(EditError::Overflow));
        edit(&mut visits, me, |at| {
            at.add(i64::MAX);
            at.sub(i64::MIN);
            Ok(())
        })
        .unwrap();
    }
    assert_eq!(accepted::<Causal<GCounter>>(&likes.encode()).value(), 40 * u128::from(u64::MAX));
    assert_eq!(accepted::<Causal<PnCounter>>(&balance.encode()).value(), -40);
    assert_eq!(accepted::<Causal<BoundedCounter>>(&seats.encode()).value(), 40 * i128::from(u64::MAX));
    assert_eq!(accepted::<Causal<Counter>>(&visits.encode()).value(), 40 * i128::from(u64::MAX));

    let mut alone = GCounter::new();
    let _ = alone.increment(A, u64::MAX).unwrap();
    let before = alone.encode();
    assert_eq!(alone.increment(A, 1).err(), Some(EditError::Overflow));
    assert_eq!(alone.encode(), before);
}

/// To count nothing is no edit, alone as in a store: it once left a row of zero, by which equal counters differed.
#[test]
fn counting_nothing_alone_changes_nothing() {
    let mut likes = GCounter::new();
    assert_eq!(likes.increment(A, 0), Ok(GCounter::new()));
    let mut balance = PnCounter::new();
    assert_eq!(balance.decrement(A, 0), Ok(PnCounter::new()));
    let mut seats = BoundedCounter::new();
    assert_eq!(seats.mint(A, 0), Ok(BoundedCounter::new()));
    assert_eq!((likes, balance, seats), Default::default());
    for (kind, columns) in [(1, 1), (2, 2)] {
        let zero = frame(PLAIN, &[1], &[&[kind], &[1, 0].repeat(columns)]);
        let refusal = if kind == 1 { refused::<GCounter>(&zero) } else { refused::<PnCounter>(&zero) };
        assert_eq!(refusal, DecodeErrorKind::NotCanonical);
    }
}

/// Buffers in which a count or length stands where five bytes of zeros follow it.
fn with_count(count: u64) -> Vec<(&'static str, bool, Vec<u8>)> {
    let count = varint(count);
    let state = |body: &[u8]| frame(STATE, &[1], &[&seen(1), body, &count, &[0; 5]]);
    let says = |kind: DecodeErrorKind| matches!(kind, DecodeErrorKind::TooShort | DecodeErrorKind::TooLarge);
    let is = |result: Result<(), DecodeErrorKind>| result.is_err_and(says);
    fn of<T: Canonical>(bytes: &[u8]) -> Result<(), DecodeErrorKind> {
        T::decode(bytes).map(|_| ()).map_err(|error| error.kind)
    }
    let ids = [&[0xC1, 31], &count[..], &[0; 5]].concat();
    let rows = frame(DOTS, &[1], &[&count, &[0; 5]]);
    let holes = frame(DOTS, &[1], &[&[1, 0, 1], &count, &[0; 5]]);
    let elements = frame(PLAIN, &[], &[&[G_SET], &count, &[0; 5]]);
    let granted = frame(PLAIN, &[1], &[&[3, 1, 1, 1, 1], &count, &[0; 5]]);
    let keys = state(&[OR_MAP]);
    let fields = state(&[RECORD]);
    let field = state(&[RECORD, 1]);
    let keyed = state(&[LWW_MAP]);
    let repeats = state(&[OR_SET, 0x80, 0x80]);
    let element = state(&[OR_SET, 0x80, 7]);
    let items = state(&[MV_REGISTER, 0x80, 0, 8]);
    let named = state(&[MV_REGISTER, 0x80, 0, 9]);
    let text = state(&[MV_REGISTER, 0x80, 0, 6]);
    let octets = state(&[MV_REGISTER, 0x80, 0, 7]);
    let stretch = state(&[RECORD, 1, 0, OR_MAP, 1, 1, 5]);
    type Values = Causal<MvRegister<Value>>;
    vec![
        ("ids", is(of::<Values>(&ids)), ids),
        ("rows of a dot set", is(of::<DotSet>(&rows)), rows),
        ("holes", is(of::<DotSet>(&holes)), holes),
        ("elements", is(of::<GSet<u8>>(&elements)), elements),
        ("grants", is(of::<BoundedCounter>(&granted)), granted),
        ("keys", is(of::<Causal<OrMap<u8, EwFlag>>>(&keys)), keys),
        ("fields", is(of::<Causal<Document>>(&fields)), fields),
        ("a field's name", is(of::<Causal<Document>>(&field)), field),
        ("written keys", is(of::<Causal<LwwMap<u8, u8>>>(&keyed)), keyed),
        ("repeats", is(of::<Causal<OrSet<String>>>(&repeats)), repeats),
        ("an element", is(of::<Causal<OrSet<String>>>(&element)), element),
        ("items", is(of::<Values>(&items)), items),
        ("names", is(of::<Values>(&named)), named),
        ("a text", is(of::<Values>(&text)), text),
        ("bytes", is(of::<Values>(&octets)), octets),
        ("values of a kind", is(of::<Causal<Document>>(&stretch)), stretch),
    ]
}

#[test]
fn row_32_a_count_that_the_rest_cannot_hold() {
    for count in [6, 1_000, (1 << 32) - 1, 1 << 32] {
        for (place, refused, bytes) in with_count(count) {
            assert!(refused, "{place}: {count} in {bytes:02x?}");
        }
    }
}

#[test]
fn row_33_a_length_that_overflows_the_place_it_is_added_to() {
    for length in [u64::MAX, u64::MAX - 5, u64::from(u32::MAX) - 20, (1 << 63) - 1, usize::MAX as u64 / 16 + 1] {
        for (place, refused, bytes) in with_count(length) {
            assert!(refused, "{place}: {length} in {bytes:02x?}");
        }
    }
}
