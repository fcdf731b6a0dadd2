//! Rows 1–14: bytes. Rows 2–4 are also asked of thousands of states in `edge_states`.

use crate::frame::*;
use crdt_core::codec::VALUE_BYTES_MAX;
use crdt_core::{
    Causal, Counter, DecodeErrorKind, Delta, Document, DotSet, EwFlag, Float, GCounter, GSet, LwwRegister, Merge,
    MvRegister, OrMap, OrSet, ReplicaId, Summary, Value, VersionVector, Writer,
};

type Texts = Causal<OrSet<String>>;
type Values = Causal<MvRegister<Value>>;

/// One replica's set of one text, by hand.
fn milk() -> Vec<u8> {
    frame(STATE, &[1], &[&seen(1), &[OR_SET, 0x80, 7, 4], b"milk"])
}

/// A register of one value, of which this is the column.
fn register(column: &[&[u8]]) -> Vec<u8> {
    frame(STATE, &[1], &[&seen(1), &[MV_REGISTER, 0x80], &column.concat()])
}

#[test]
fn bytes_made_by_hand_are_those_that_are_written() {
    let mut texts = Texts::new();
    let _ = texts.edit(&mut Writer::new(ReplicaId::from_u128(1)), |set| set.insert("milk"));
    assert_eq!(texts.encode(), milk());
    assert!(accepted::<Texts>(&milk()).contains("milk"));
}

#[test]
fn row_01_no_bytes() {
    assert_eq!(refused::<Texts>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<Delta<Document>>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<DotSet>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<VersionVector>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<Summary>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<GCounter>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<LwwRegister<u8>>(&[]), DecodeErrorKind::TooShort);
    assert_eq!(refused::<GSet<u8>>(&[]), DecodeErrorKind::TooShort);
}

#[test]
fn row_02_every_truncation() {
    for length in 0..milk().len() {
        assert_eq!(refused::<Texts>(&milk()[..length]), DecodeErrorKind::TooShort, "{length}");
    }
}

#[test]
fn row_03_one_trailing_byte() {
    for byte in 0..=255 {
        let longer = [milk(), vec![byte]].concat();
        assert_eq!(refused::<Texts>(&longer), DecodeErrorKind::TooLong);
    }
}

#[test]
fn row_04_every_single_bit_flip_is_refused_or_means_something_else() {
    let milk = milk();
    let mut kept = 0;
    for at in 0..milk.len() * 8 {
        let mut flipped = milk.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        if let Ok(state) = Texts::decode(&flipped) {
            assert_eq!(state.encode(), flipped);
            kept += 1;
        }
    }
    // Another id, another letter that is still ASCII, and more dots that were seen and are gone.
    assert_eq!(kept, 16 * 8 + 4 * 7 + 6);
}

#[test]
fn row_05_a_varint_with_a_byte_to_spare() {
    for long in [&[0x81, 0x00][..], &[0x81, 0x80, 0x00], &[0x80, 0x00]] {
        let bytes = frame(STATE, &[1], &[&[1, 0], long, &[0, OR_SET, 0x80, 7, 4], b"milk"]);
        assert_eq!(refused::<Texts>(&bytes), DecodeErrorKind::NotCanonical);
    }
}

#[test]
fn row_06_a_varint_of_eleven_bytes_or_more() {
    for length in 11..40 {
        let long = [vec![0x80; length - 1], vec![1]].concat();
        assert_eq!(refused::<DotSet>(&frame(DOTS, &[1], &[&[1, 0], &long, &[0]])), DecodeErrorKind::TooLarge);
        // Integers of values may take 19.
        let value = register(&[&[0, 8, 1, 3], &long]);
        let fits = length <= 19;
        assert_eq!(Values::decode(&value).is_ok(), fits, "{length}");
    }
}

#[test]
fn row_07_a_tenth_byte_above_one() {
    let largest = [vec![0xff; 9], vec![0x01]].concat();
    assert_eq!(refused::<DotSet>(&frame(DOTS, &[1], &[&[1, 0], &largest, &[0]])), DecodeErrorKind::Counter);
    for tenth in 2..0x80 {
        let beyond = [vec![0xff; 9], vec![tenth]].concat();
        assert_eq!(refused::<DotSet>(&frame(DOTS, &[1], &[&[1, 0], &beyond, &[0]])), DecodeErrorKind::TooLarge);
    }
}

#[test]
fn row_08_another_format_or_version() {
    for first in 0..=255u8 {
        let bytes = [vec![first], milk()[1..].to_vec()].concat();
        let expected = match first {
            0xC1 => continue,
            0xC2..=0xCF => DecodeErrorKind::NewerVersion(first & 0x0f),
            _ => DecodeErrorKind::NotOurs,
        };
        assert_eq!(refused::<Texts>(&bytes), expected, "{first:x}");
    }
}

#[test]
fn row_09_codes_without_a_meaning() {
    for kind in 15..=255 {
        let bytes = frame(STATE, &[1], &[&seen(1), &[kind, 0x80, 7, 1, b'a']]);
        assert_eq!(refused::<Texts>(&bytes), DecodeErrorKind::Unknown(kind));
        let field = frame(STATE, &[1], &[&seen(1), &[RECORD, 1, 1, b'a', kind, 0x80]]);
        assert_eq!(refused::<Causal<Document>>(&field), DecodeErrorKind::Unknown(kind));
    }
    for tag in 13..=255 {
        assert_eq!(refused::<Values>(&register(&[&[tag, 0]])), DecodeErrorKind::Unknown(tag));
    }
    for value in 10..=255 {
        assert_eq!(refused::<Values>(&register(&[&[0, value, 0]])), DecodeErrorKind::Unknown(value));
    }
    for bool in 2..=255 {
        assert_eq!(refused::<Values>(&register(&[&[11, bool]])), DecodeErrorKind::Unknown(bool));
    }
    for form in [DELTA, ADDITIONS, DOTS, VERSION, SUMMARY, PLAIN, 7] {
        let bytes = frame(form, &[1], &[&milk()[18..]]);
        assert_eq!(refused::<Texts>(&bytes), DecodeErrorKind::OtherForm, "{form}");
    }
}

#[test]
fn row_10_two_buffers_one_after_the_other() {
    let twice = [milk(), milk()].concat();
    let error = Texts::decode(&twice).unwrap_err();
    assert_eq!((error.at, error.kind), (milk().len(), DecodeErrorKind::TooLong));
}

#[test]
fn row_11_text_that_is_not_utf_8() {
    let mut key = frame(STATE, &[1], &[&seen(1), &[OR_MAP, 1, 7, 1, b'k', 1, EW_FLAG, 0x80]]);
    assert!(accepted::<Causal<OrMap<String, EwFlag>>>(&key).get("k").is_some());
    let at = key.len() - 4;
    assert_eq!(key[at], b'k');
    for byte in 0x80..=0xff {
        key[at] = byte;
        assert_eq!(refused::<Causal<OrMap<String, EwFlag>>>(&key), DecodeErrorKind::NotText);
        let element = frame(STATE, &[1], &[&seen(1), &[OR_SET, 0x80, 7, 1, byte]]);
        assert_eq!(refused::<Texts>(&element), DecodeErrorKind::NotText);
        assert_eq!(refused::<Values>(&register(&[&[7, 1, byte]])), DecodeErrorKind::NotText);
        assert_eq!(refused::<Values>(&register(&[&[0, 6, 1, byte]])), DecodeErrorKind::NotText);
        assert_eq!(refused::<Values>(&register(&[&[0, 9, 1, 1, byte, 0]])), DecodeErrorKind::NotText);
        let field = frame(STATE, &[1], &[&seen(1), &[RECORD, 1, 1, byte, EW_FLAG, 0x80]]);
        assert_eq!(refused::<Causal<Document>>(&field), DecodeErrorKind::NotText);
    }
    // Longer than need be, half of a pair, above the last character.
    for octets in [&[0xc0, 0x80][..], &[0xed, 0xa0, 0x80], &[0xf4, 0x90, 0x80, 0x80]] {
        let bytes = register(&[&[7, octets.len() as u8], octets]);
        assert_eq!(refused::<Values>(&bytes), DecodeErrorKind::NotText);
    }
}

#[test]
fn row_12_keys_that_look_alike_are_different_and_long_ones_end_somewhere() {
    let mut state = Causal::<OrMap<String, Counter>>::new();
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let _ = state.edit(&mut writer, |map| {
        map.entry("\u{e9}").add(1);
        map.entry("e\u{301}").add(2);
    });
    let again = accepted::<Causal<OrMap<String, Counter>>>(&state.encode());
    assert_eq!(again.len(), 2);
    assert_eq!(again.get("\u{e9}").map(Counter::value), Some(1));

    for (length, fits) in [(VALUE_BYTES_MAX - 1, true), (VALUE_BYTES_MAX, true), (VALUE_BYTES_MAX + 1, false)] {
        let text = vec![b'a'; length];
        for column in [&[7][..], &[0, 6]] {
            let bytes = register(&[column, &varint(length as u64), &text]);
            let canonical = column == [7];
            let expected = match (fits, canonical) {
                (true, true) => None,
                (true, false) => Some(DecodeErrorKind::NotCanonical),
                (false, _) => Some(DecodeErrorKind::TooLarge),
            };
            assert_eq!(Values::decode(&bytes).err().map(|error| error.kind), expected, "{length}");
        }
    }
}

#[test]
fn row_13_numbers_that_are_none_and_the_other_zero() {
    let float = |number: f64| register(&[&[12], &number.to_le_bytes()]);
    for number in [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(refused::<Values>(&float(number)), DecodeErrorKind::NotFinite);
        assert_eq!(refused::<Causal<MvRegister<Float>>>(&float(number)), DecodeErrorKind::NotFinite);
    }
    assert_eq!(refused::<Values>(&float(-0.0)), DecodeErrorKind::NotCanonical);
    for number in [0.0, 5e-324, f64::MAX, f64::MIN] {
        let read = accepted::<Causal<MvRegister<Float>>>(&float(number));
        assert_eq!(read.values(), [&Float::new(number).unwrap()]);
    }
}

#[test]
fn row_14_bytes_of_another_type() {
    assert_eq!(refused::<Causal<GSet<String>>>(&milk()), DecodeErrorKind::OtherKind);
    assert_eq!(refused::<Causal<OrSet<u64>>>(&milk()), DecodeErrorKind::OtherType);
    assert_eq!(refused::<Causal<OrSet<bool>>>(&milk()), DecodeErrorKind::OtherType);
    assert_eq!(refused::<Causal<Document>>(&milk()), DecodeErrorKind::OtherKind);
    assert_eq!(refused::<Delta<OrSet<String>>>(&milk()), DecodeErrorKind::OtherForm);
    assert_eq!(refused::<DotSet>(&milk()), DecodeErrorKind::OtherForm);
    // A number too large for the type is of another type, however it is written.
    for column in [&[2, 0, 1][..], &[4, 0, 0, 0, 0, 0, 0, 0, 1], &[6, 1]] {
        let bytes = frame(STATE, &[1], &[&seen(1), &[OR_SET, 0x80], column]);
        assert_eq!(refused::<Causal<OrSet<u8>>>(&bytes), DecodeErrorKind::OtherType);
    }
    // Into another state of the right type it merges as what it is: a mix-up of documents is not seen here.
    let mut other = Texts::new();
    assert!(other.merge(accepted::<Texts>(&milk())));
}

#[test]
fn a_column_that_begins_with_one_type_and_goes_on_with_others_keeps_them_all() {
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Int(1),
        Value::Float(Float::new(0.5).unwrap()),
        Value::Text("t".into()),
        Value::Bytes(vec![1]),
        Value::List(vec![Value::Null]),
        Value::Record(vec![("r".into(), Value::Null)]),
    ];
    for first in &values {
        for second in &values {
            // Concurrent writes stand in the order of their dots.
            let mut state = Values::new();
            for (id, value) in [(1, first), (2, second)] {
                let mut writer = Writer::new(ReplicaId::from_u128(id));
                let (delta, _) = Values::new().edit(&mut writer, |at| at.write(value.clone()));
                state.merge(delta);
            }
            assert_eq!(accepted::<Values>(&state.encode()), state, "{first:?}, {second:?}");
        }
    }
}

#[test]
fn the_first_byte_of_another_spelling_is_named() {
    // One octet as two, and what follows as it was.
    let (one, two) = ([1u8, 1], [2u8, 1, 0]);
    let (short, long) = (register(&[&one]), register(&[&two]));
    let value = accepted::<Values>(&short);
    assert_eq!(value.encode(), short);
    let error = Values::decode(&long).unwrap_err();
    assert_eq!((error.kind, error.at), (DecodeErrorKind::NotCanonical, long.len() - 3));
}
