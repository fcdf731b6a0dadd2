//! States and deltas of every type, made of edge values: each round trip, every truncation, a trailing byte, and random bit
//! flips. `CODEC_STATES` sets how many per type: 60, with `cargo xtask test` 3 000. `CODEC_CUTS` bounds the truncations of
//! each, for machines that are very slow.

use crate::frame::{accepted, assert_explained, refused};
use crate::sample::{Record, Sample};
use crdt_core::{
    BoundedCounter, Canonical, Causal, Counter, DecodeErrorKind, Delta, DotSet, DwFlag, EwFlag, GCounter, GSet, LwwMap,
    LwwRegister, Merge, MvRegister, OrMap, OrSet, PnCounter, ReplicaId, RwSet, Value, Writer,
};

/// splitmix64: the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Where writers start: at the ends of what a byte, a gap and a page of the index hold, and near the limit.
const STARTS: [u64; 8] = [0, 6, 14, 126, 254, 16_382, (1 << 32) - 2, (1 << 48) - 40];

/// Two replicas that edit and partly merge; the state of one, and a delta.
fn edge_state<S: Sample>(random: &mut Random) -> (Causal<S>, Delta<S>) {
    let ids = [0, 1, 1 << 64, u128::MAX];
    let mut states = [Causal::<S>::new(), Causal::new()];
    let first = random.below(4);
    let mut writers = [first, (first + 1 + random.below(3)) % 4]
        .map(|id| Writer::resume(ReplicaId::from_u128(ids[id]), STARTS[random.below(STARTS.len())]));
    let mut group = Delta::new();
    for _ in 0..random.below(12) {
        let who = random.below(2);
        let (delta, ()) = states[who].edit(&mut writers[who], |at| S::edit(at, random.next() as u8));
        match random.below(4) {
            0 => {
                states[1 - who].merge(&delta);
            }
            1 => {
                let other = states[1 - who].clone();
                states[who].merge(other);
            }
            2 => {
                group.merge(delta);
            }
            _ => {}
        }
    }
    let [state, other] = states;
    if random.below(3) == 0 {
        group = state.diff(&other.summary());
    }
    (state, group)
}

/// What the environment says, or else so many.
fn count(name: &str, otherwise: usize) -> usize {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

#[derive(Default)]
struct Tally {
    buffers: usize,
    cuts: usize,
    flips: usize,
    flips_accepted: usize,
}

impl Tally {
    fn check<T: Canonical + PartialEq + std::fmt::Debug>(&mut self, value: &T, random: &mut Random) {
        let bytes = value.encode();
        assert_eq!(accepted::<T>(&bytes), *value);
        self.buffers += 1;
        // At every length, or at so many that are as likely as any.
        let cuts = count("CODEC_CUTS", usize::MAX);
        for cut in 0..bytes.len().min(cuts) {
            let length = if bytes.len() <= cuts { cut } else { random.below(bytes.len()) };
            let error = T::decode(&bytes[..length]).map(|_| ()).unwrap_err();
            assert_eq!(error.kind, DecodeErrorKind::TooShort, "row 02: {bytes:02x?} cut to {length}");
            assert_explained(&error, &bytes[..length]);
            self.cuts += 1;
        }
        let longer = [&bytes[..], &[random.next() as u8]].concat();
        assert_eq!(refused::<T>(&longer), DecodeErrorKind::TooLong, "row 03: {longer:02x?}");
        for _ in 0..8 {
            let at = random.below(bytes.len() * 8);
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            self.flips += 1;
            match T::decode(&flipped) {
                Ok(other) => {
                    assert_eq!(other.encode(), flipped, "row 04");
                    self.flips_accepted += 1;
                }
                Err(error) => assert_explained(&error, &flipped),
            }
        }
    }
}

fn check<S: Sample>() {
    let mut random = Random(S::KIND as u64);
    let mut tally = Tally::default();
    for _ in 0..count("CODEC_STATES", 60) {
        let (state, delta) = edge_state::<S>(&mut random);
        tally.check(&state, &mut random);
        tally.check(&delta, &mut random);
        tally.check(state.seen(), &mut random);
        tally.check(&state.seen().version(), &mut random);
        tally.check(&state.summary(), &mut random);
        // What was written must be what a replica that starts from nothing arrives at.
        let mut from_delta = Causal::<S>::new();
        from_delta.merge(state.to_delta());
        assert_eq!(from_delta.encode(), state.encode());
        let since: Delta<S> = accepted(&state.delta_since(&DotSet::new()).encode());
        assert_eq!(since, state.delta_since(&DotSet::new()));
    }
    assert!(tally.flips_accepted > 0 && tally.flips_accepted < tally.flips, "flips: {}", tally.flips_accepted);
    assert!(tally.cuts > tally.buffers * 10);
}

#[test]
fn edge_states_of_counters() {
    check::<GCounter>();
    check::<PnCounter>();
    check::<BoundedCounter>();
    check::<Counter>();
}

#[test]
fn edge_states_of_registers_and_flags() {
    check::<LwwRegister<String>>();
    check::<MvRegister<Value>>();
    check::<EwFlag>();
    check::<DwFlag>();
}

#[test]
fn edge_states_of_sets() {
    check::<GSet<u64>>();
    check::<OrSet<u64>>();
    check::<OrSet<String>>();
    check::<RwSet<u8>>();
}

#[test]
fn edge_states_of_maps() {
    check::<OrMap<String, Counter>>();
    check::<OrMap<u8, LwwRegister<u64>>>();
    check::<OrMap<u8, OrMap<String, OrSet<u8>>>>();
    check::<LwwMap<String, i64>>();
}

#[test]
fn edge_states_of_records() {
    check::<Record>();
}
