//! Whatever bytes claim, what is allocated for them stays below a fixed multiple of their length. Alone in its process,
//! as it counts what the whole process allocates.

mod allocator;

use crdt_core::{
    BoundedCounter, Canonical, Causal, Counter, Delta, Document, DotSet, EwFlag, GCounter, GSet, LwwMap, LwwRegister,
    MvRegister, OrMap, OrSet, ReplicaId, RwSet, Summary, Value, VersionVector, Writer,
};

/// What one byte may cost at most. The dearest are those of a counter's dots: sixteen increments each, of which a
/// delta holds every one by itself.
const PER_BYTE_MAX: usize = 8_192;

/// Where every dot has a value beside it there is at most one of them to a byte.
const PER_BYTE_MAX_WITH_VALUES: usize = 1_024;

/// What copies of long keys may take in all for such a length; see `DecodeLimits::of_len`.
fn copies_max(len: usize) -> usize {
    (16 << 20) + 4_096 * len
}

/// How many bytes were allocated at once while `bytes` were decoded.
fn peak_of<T: Canonical>(bytes: &[u8]) -> usize {
    allocator::peak_of(|| drop(T::decode(bytes))).1
}

#[track_caller]
fn assert_bounded<T: Canonical>(bytes: &[u8], per_byte_max: usize) {
    let peak = peak_of::<T>(bytes);
    assert!(peak <= per_byte_max * bytes.len() + 4_096, "{peak} bytes for {}", bytes.len());
}

fn frame(form: u8, body: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0xC1, form << 5 | 1];
    bytes.extend(1u128.to_be_bytes());
    bytes.extend(body.concat());
    bytes
}

/// The delta of 16 increments for each byte of `dots` under one key.
fn crowd_under_a_key(key: usize, dots: usize) -> Vec<u8> {
    let mut bytes = frame(2, &[]);
    let mut state = Causal::<OrMap<String, Counter>>::new();
    let (delta, ()) = state.edit(&mut Writer::new(ReplicaId::from_u128(1)), |map| {
        (0..16 * dots).for_each(|_| map.entry("KEY").add(1));
    });
    let short = delta.encode();
    let at = short.windows(4).position(|four| four == b"\x03KEY").expect("its length and the key");
    bytes.extend(&short[bytes.len()..at]);
    bytes.extend([key as u8 | 0x80, (key >> 7) as u8 | if key >> 14 > 0 { 0x80 } else { 0 }]);
    if key >> 14 > 0 {
        bytes.push((key >> 14) as u8);
    }
    bytes.resize(bytes.len() + key, b'k');
    bytes.extend(&short[at + 4..]);
    bytes
}

/// Many dots were seen.
const SEEN: [u8; 6] = [1, 0, 0xff, 0xff, 0x7f, 0];

#[test]
fn memory_is_bounded_by_the_length_of_the_input() {
    const LONG: usize = 20_000;
    let crowd = [0x0f; LONG];

    // Dots for which there is no value; sixteen to a byte, and one to a byte.
    for dots in [[0x0f; LONG], [0x00; LONG]] {
        for kind in [1u8, 2, 3, 5, 6, 8, 9, 10, 11] {
            let bytes = frame(0, &[&SEEN, &[kind], &dots]);
            assert_bounded::<Causal<OrSet<u64>>>(&bytes, 256);
            assert_bounded::<Causal<GSet<u64>>>(&bytes, 256);
            assert_bounded::<Causal<RwSet<u64>>>(&bytes, 256);
            assert_bounded::<Causal<GCounter>>(&bytes, 256);
            assert_bounded::<Causal<BoundedCounter>>(&bytes, 256);
            assert_bounded::<Causal<LwwRegister<Value>>>(&bytes, 256);
            assert_bounded::<Causal<MvRegister<Value>>>(&bytes, 256);
        }
    }

    // A counter of 320 000 equal increments, as a state and as a delta: it is good, and the dearest there is.
    let counter = [&[4][..], &crowd, &[0x8f, 2], &[0x8f, 0xc4, 0x13]].concat();
    let state = frame(0, &[&SEEN, &counter]);
    assert_eq!(Causal::<Counter>::decode(&state).map(|counter| counter.value()), Ok(16 * (LONG as i128 + 1)));
    assert_bounded::<Causal<Counter>>(&state, PER_BYTE_MAX);
    assert_bounded::<Delta<Counter>>(&frame(2, &[&counter]), PER_BYTE_MAX);
    let field = [&[14, 1, 1, b'a'][..], &counter].concat();
    assert_bounded::<Causal<Document>>(&frame(0, &[&SEEN, &field]), PER_BYTE_MAX);
    assert_bounded::<Delta<Document>>(&frame(2, &[&field]), PER_BYTE_MAX);

    // A long key over a crowd of increments: each entry of a delta has a copy of it. 8 kB came to 274 MB.
    for (key, dots) in [(200, 4_000), (1_000, 1_000), (4_096, 4_096), (20_000, 20_000)] {
        let bytes = crowd_under_a_key(key, dots);
        let peak = peak_of::<Delta<OrMap<String, Counter>>>(&bytes);
        let bound = PER_BYTE_MAX * bytes.len() + copies_max(bytes.len());
        assert!(peak <= bound, "{peak} bytes for {}: a key of {key} bytes, {dots} bytes of dots", bytes.len());
    }

    // Small values, keys and nested containers, one after the other.
    let rest = [0x00; LONG];
    for body in [
        &[6, 0x80, 0, 8, 0xff, 0xff, 0][..],
        &[6, 0x80, 0, 9, 0xff, 0xff, 0],
        &[12, 0xff, 0x7f, 0],
        &[13, 0xff, 0x7f, 0],
        &[14, 0xff, 0x7f, 0],
        &[14, 1, 0, 12, 0xff, 0x7f, 0],
        &[10, 0x8f, 0x80, 0xff, 0x7f],
    ] {
        let bytes = frame(0, &[&SEEN, body, &rest]);
        assert_bounded::<Causal<MvRegister<Value>>>(&bytes, PER_BYTE_MAX_WITH_VALUES);
        assert_bounded::<Causal<OrMap<u8, OrMap<u8, EwFlag>>>>(&bytes, PER_BYTE_MAX_WITH_VALUES);
        assert_bounded::<Causal<LwwMap<u8, u8>>>(&bytes, PER_BYTE_MAX_WITH_VALUES);
        assert_bounded::<Causal<Document>>(&bytes, PER_BYTE_MAX_WITH_VALUES);
        assert_bounded::<Causal<OrSet<String>>>(&bytes, PER_BYTE_MAX_WITH_VALUES);
    }

    // Sets of dots: rows, and holes.
    for body in [&[0xff, 0xff, 0][..], &[1, 0, 1, 0xff, 0x7f]] {
        for form in [3, 4, 5] {
            let bytes = frame(form, &[body, &rest]);
            assert_bounded::<DotSet>(&bytes, 256);
            assert_bounded::<VersionVector>(&bytes, 256);
            assert_bounded::<Summary>(&bytes, 256);
        }
    }
    let holes = frame(3, &[&[1, 0, 1, 0x90, 0x4e], &[0; LONG]]);
    assert_eq!(DotSet::decode(&holes).map(|set| set.len()), Ok(10_001));
    assert_bounded::<DotSet>(&holes, 256);
}
