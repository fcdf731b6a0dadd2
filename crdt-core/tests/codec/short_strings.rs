//! Every string over nine bytes, up to a length, as the body of a buffer of every type: accepted ones encode to
//! themselves, the others are refused for a reason. `CODEC_STRING_LENGTH` sets the length: 5, with `cargo xtask test` 6,
//! and each takes ten times as long as the one before.

use crate::frame::*;
use crate::sample::{Record, Sample};
use crdt_core::codec::Kind;
use crdt_core::{
    BoundedCounter, Canonical, Causal, Counter, Delta, Document, DotSet, DotStore, DwFlag, EwFlag, GCounter, GSet,
    LwwMap, LwwRegister, MvRegister, OrMap, OrSet, PnCounter, RwSet, Summary, Value, VersionVector,
};

/// Small counts, indexes and tags; the ends of a varint; a last segment; a byte that is no text.
const BYTES: [u8; 8] = [0, 1, 2, 7, 0x7f, 0x80, 0x90, 0xff];

fn length_max() -> u32 {
    std::env::var("CODEC_STRING_LENGTH").ok().and_then(|length| length.parse().ok()).unwrap_or(5)
}

/// How many strings are accepted after `prefix`, over the bytes above and the kind of the container.
fn tried<T: Canonical>(prefix: &[u8], kind: Kind) -> usize {
    let bytes: Vec<u8> = BYTES.into_iter().chain([kind as u8]).collect();
    let mut accepted = 0;
    let mut buffer = prefix.to_vec();
    for length in 0..=length_max() {
        for number in 0..9usize.pow(length) {
            buffer.truncate(prefix.len());
            let mut rest = number;
            for _ in 0..length {
                buffer.push(bytes[rest % 9]);
                rest /= 9;
            }
            match T::decode(&buffer) {
                Ok(value) => {
                    assert_eq!(value.encode(), buffer);
                    accepted += 1;
                }
                Err(error) => assert!(error.at <= buffer.len(), "{error:?}: {buffer:02x?}"),
            }
        }
    }
    accepted
}

fn store<S: DotStore>() {
    // Three dots seen, then the string as the store.
    assert!(tried::<Causal<S>>(&frame(STATE, &[1], &[&seen(3)]), S::KIND) > 1);
    assert!(tried::<Delta<S>>(&frame(ADDITIONS, &[1], &[]), S::KIND) > 0);
}

fn sample<S: Sample>() {
    store::<S>();
}

#[test]
fn every_short_string_as_a_counter_register_or_flag() {
    sample::<GCounter>();
    sample::<Counter>();
    sample::<MvRegister<Value>>();
    sample::<EwFlag>();
    sample::<DwFlag>();
    // Their shortest entries are longer: all begin alike.
    let four = |form: u8, kind: u8| frame(form, &[1], &[&seen(3), &[kind, 0x80]]);
    assert!(tried::<Causal<PnCounter>>(&four(STATE, 2), Kind::PnCounter) > 0);
    assert!(tried::<Causal<BoundedCounter>>(&four(STATE, 3), Kind::BoundedCounter) > 0);
    assert!(tried::<Causal<LwwRegister<Value>>>(&[four(STATE, 5), vec![0, 0, 0]].concat(), Kind::LwwRegister) > 0);
}

#[test]
fn every_short_string_as_a_set_or_map() {
    sample::<GSet<u64>>();
    sample::<OrSet<u64>>();
    store::<OrSet<String>>();
    store::<RwSet<u8>>();
    let keyed = |kind: u8| frame(STATE, &[1], &[&seen(3), &[kind, 1, 1, 5]]);
    assert!(tried::<Causal<OrMap<u8, EwFlag>>>(&keyed(OR_MAP), Kind::EwFlag) > 0);
    assert!(tried::<Causal<LwwMap<u8, u8>>>(&[keyed(LWW_MAP), vec![0x80, 0]].concat(), Kind::LwwMap) > 0);
    assert!(tried::<Causal<Document>>(&frame(STATE, &[1], &[&seen(3), &[RECORD]]), Kind::EwFlag) > 0);
    assert!(tried::<Causal<Record>>(&frame(STATE, &[1], &[&seen(3), &[RECORD]]), Kind::EwFlag) > 0);
}

#[test]
fn every_short_string_as_dots() {
    for (ids, first) in [(&[][..], &[][..]), (&[1], &[]), (&[1, 2], &[2, 0, 1, 0])] {
        assert!(tried::<DotSet>(&frame(DOTS, ids, &[first]), Kind::EwFlag) > 0);
        assert!(tried::<VersionVector>(&frame(VERSION, ids, &[first]), Kind::EwFlag) > 0);
        let seen = if first.is_empty() { vec![] } else { [first, &[1, 1, 0]].concat() };
        assert!(tried::<Summary>(&frame(SUMMARY, ids, &[&seen]), Kind::EwFlag) > 0);
    }
    assert!(tried::<Delta<EwFlag>>(&frame(DELTA, &[1], &[&seen(2)]), Kind::EwFlag) > 0);
}

#[test]
fn every_short_string_as_a_whole_buffer() {
    assert!(tried::<Causal<Document>>(&[0xC1], Kind::Record) > 0);
    assert!(tried::<GSet<Value>>(&[0xC1, PLAIN << 5], Kind::GSet) > 0);
    assert_eq!(tried::<Delta<Document>>(&[], Kind::Record), 0);
}
