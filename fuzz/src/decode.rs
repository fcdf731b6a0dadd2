//! Bytes from anywhere, as any type: either they are refused, or what they mean
//! is good in every respect.

use crate::history::{World, assert_valid};
use crate::sample::{Record, Sample};
use crdt_core::{
    BoundedCounter, Canonical, Causal, Counter, Delta, Document, DotSet, DotStore, DwFlag, EwFlag, GCounter, GSet,
    LwwMap, LwwRegister, Merge, MvRegister, OrMap, OrSet, PnCounter, ReplicaId, RwSet, Summary, Timestamp, Value,
    VersionVector,
};
use std::fmt::Debug;

/// A type that bytes may be decoded as.
pub struct Target {
    /// What the seeds of it are called.
    pub name: &'static str,
    /// Whether the bytes were accepted; panics if they were and are not good.
    pub check: fn(&[u8]) -> bool,
    /// Encodings of it, to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// The first byte of an input chooses the type, so new ones go to the end.
pub const TARGETS: &[Target] = &[
    state::<GCounter>("state-g-counter"),
    delta::<GCounter>("delta-g-counter"),
    state::<PnCounter>("state-pn-counter"),
    delta::<PnCounter>("delta-pn-counter"),
    state::<BoundedCounter>("state-bounded-counter"),
    delta::<BoundedCounter>("delta-bounded-counter"),
    state::<Counter>("state-counter"),
    delta::<Counter>("delta-counter"),
    state::<LwwRegister<String>>("state-lww-register"),
    delta::<LwwRegister<String>>("delta-lww-register"),
    state::<MvRegister<Value>>("state-mv-register"),
    delta::<MvRegister<Value>>("delta-mv-register"),
    state::<EwFlag>("state-ew-flag"),
    delta::<EwFlag>("delta-ew-flag"),
    state::<DwFlag>("state-dw-flag"),
    delta::<DwFlag>("delta-dw-flag"),
    state::<GSet<u64>>("state-g-set"),
    delta::<GSet<u64>>("delta-g-set"),
    state::<OrSet<u64>>("state-or-set-numbers"),
    delta::<OrSet<u64>>("delta-or-set-numbers"),
    state::<OrSet<String>>("state-or-set-text"),
    delta::<OrSet<String>>("delta-or-set-text"),
    state::<RwSet<u8>>("state-rw-set"),
    delta::<RwSet<u8>>("delta-rw-set"),
    state::<OrMap<String, Counter>>("state-or-map-counters"),
    delta::<OrMap<String, Counter>>("delta-or-map-counters"),
    state::<OrMap<u8, OrMap<String, OrSet<u8>>>>("state-or-map-deep"),
    delta::<OrMap<u8, OrMap<String, OrSet<u8>>>>("delta-or-map-deep"),
    state::<LwwMap<String, i64>>("state-lww-map"),
    delta::<LwwMap<String, i64>>("delta-lww-map"),
    state::<Record>("state-record"),
    delta::<Record>("delta-record"),
    Target { name: "state-document", check: check_document, seeds: states::<Record> },
    Target { name: "delta-document", check: check_document_delta, seeds: deltas::<Record> },
    Target { name: "dot-set", check: check_plain::<DotSet>, seeds: dot_sets },
    Target { name: "version-vector", check: check_plain::<VersionVector>, seeds: versions },
    Target { name: "summary", check: check_canonical::<Summary>, seeds: summaries },
    Target { name: "alone-g-counter", check: check_plain::<GCounter>, seeds: alone_g_counters },
    Target { name: "alone-pn-counter", check: check_plain::<PnCounter>, seeds: alone_pn_counters },
    Target { name: "alone-bounded-counter", check: check_plain::<BoundedCounter>, seeds: alone_bounded_counters },
    Target { name: "alone-lww-register", check: check_plain::<LwwRegister<String>>, seeds: alone_registers },
    Target { name: "alone-g-set", check: check_plain::<GSet<String>>, seeds: alone_sets },
    Target { name: "value", check: check_canonical::<Value>, seeds: values },
];

/// The first byte chooses the type; the rest is decoded as it.
pub fn check(input: &[u8]) -> bool {
    let Some((choice, bytes)) = input.split_first() else { return false };
    (TARGETS[usize::from(*choice) % TARGETS.len()].check)(bytes)
}

const fn state<S: Sample>(name: &'static str) -> Target {
    Target { name, check: check_state::<S>, seeds: states::<S> }
}

const fn delta<S: Sample>(name: &'static str) -> Target {
    Target { name, check: check_delta::<S>, seeds: deltas::<S> }
}

fn check_canonical<T: Canonical + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Ok(value) = T::decode(bytes) else { return false };
    assert_eq!(value.encode(), bytes, "accepted bytes are not canonical: {value:?}");
    true
}

fn check_plain<T>(bytes: &[u8]) -> bool
where
    T: Canonical + PartialEq + Debug + Clone + Default + Merge + for<'a> Merge<&'a T>,
{
    if !check_canonical::<T>(bytes) {
        return false;
    }
    let value = T::decode(bytes).expect("accepted a moment ago");
    let mut again = value.clone();
    assert!(!again.merge(&value), "merging a value with itself changed it");
    let mut from_nothing = T::default();
    from_nothing.merge(value.clone());
    assert_eq!(from_nothing, value);
    true
}

fn check_state<S: Sample>(bytes: &[u8]) -> bool {
    check_causal(bytes, &lawful::<S>())
}

fn check_delta<S: Sample>(bytes: &[u8]) -> bool {
    check_causal_delta(bytes, &lawful::<S>())
}

/// A `Document` reads what a struct wrote, so it is merged with one of those.
fn check_document(bytes: &[u8]) -> bool {
    check_causal(bytes, &lawful_document())
}

fn check_document_delta(bytes: &[u8]) -> bool {
    check_causal_delta(bytes, &lawful_document())
}

fn lawful_document() -> Causal<Document> {
    Causal::decode(&lawful::<Record>().encode()).expect("a document reads what a struct wrote")
}

fn check_causal<S: DotStore + Debug>(bytes: &[u8], lawful: &Causal<S>) -> bool {
    let Ok(state) = Causal::<S>::decode(bytes) else { return false };
    assert_valid(&state);
    assert_eq!(state.encode(), bytes, "accepted bytes are not canonical: {state:?}");

    let mut again = state.clone();
    assert!(!again.merge(&state), "merging a state with itself changed it");
    assert!(!again.merge(state.to_delta()), "a state lacks a part of itself");
    let mut from_nothing = Causal::<S>::new();
    from_nothing.merge(&state.to_delta());
    assert_valid(&from_nothing);
    assert_eq!(from_nothing.encode(), bytes, "everything, as a delta, is not the state");

    // One dot with two values on two sides is its own subject: whole states that
    // meet do not look at stretches which both have seen.
    if !state.seen().intersection(lawful.seen()).is_empty() {
        return true;
    }
    let (mut here, mut there) = (state.clone(), lawful.clone());
    here.merge(lawful);
    there.merge(&state);
    assert_valid(&here);
    assert_valid(&there);
    assert_eq!(here.encode(), there.encode(), "merging does not commute");
    assert!(!here.merge(&there));
    let mut by_difference = state.clone();
    by_difference.merge(lawful.diff(&state.summary()));
    assert_eq!(by_difference.encode(), here.encode(), "the difference is not what is lacking");
    true
}

fn check_causal_delta<S: DotStore + Debug>(bytes: &[u8], lawful: &Causal<S>) -> bool {
    let Ok(delta) = Delta::<S>::decode(bytes) else { return false };
    assert_eq!(delta.encode(), bytes, "accepted bytes are not canonical: {delta:?}");
    let mut group = delta.clone();
    assert!(!group.merge(&delta), "grouping a delta with itself changed it");

    for base in [&Causal::new(), lawful] {
        let mut by_reference = base.clone();
        let grew = by_reference.merge(&delta);
        assert_valid(&by_reference);
        assert_eq!(grew, by_reference.encode() != base.encode(), "merge's answer is not true");
        assert!(!by_reference.merge(&delta), "merging a delta again changed the state");

        let mut by_value = base.clone();
        by_value.merge(delta.clone());
        assert_eq!(by_value.encode(), by_reference.encode(), "by value and by reference differ");

        let again = Causal::<S>::decode(&by_reference.encode()).expect("own bytes");
        assert_eq!(again.encode(), by_reference.encode());
    }
    true
}

/// A script in which everything happens; its replicas are nobody that a seed
/// knows, so their dots are no claim against what is decoded.
fn script() -> Vec<u8> {
    let edits = (0..60).flat_map(|round: u8| [round % 12, round.wrapping_mul(37)]);
    let merges = [21, 1, 22, 0, 12, 5, 33, 1, 34, 2];
    edits.chain(merges).collect()
}

fn lawful<S: Sample>() -> Causal<S> {
    joined(World::<S>::play(&script(), 1 << 127))
}

fn joined<S: Sample>(world: World<S>) -> Causal<S> {
    world.states().fold(Causal::new(), |mut joined, state| {
        joined.merge(state);
        joined
    })
}

fn world<S: Sample>() -> World<S> {
    World::play(&script(), crate::history::FIRST_ID)
}

fn states<S: Sample>() -> Vec<Vec<u8>> {
    let world = world::<S>();
    let mut bytes: Vec<_> = world.states().map(Causal::encode).collect();
    bytes.push(Causal::<S>::new().encode());
    bytes.push(joined(world).encode());
    bytes
}

fn deltas<S: Sample>() -> Vec<Vec<u8>> {
    let world = world::<S>();
    let mut bytes: Vec<_> = world.deltas().iter().take(6).map(Delta::encode).collect();
    let group = world.deltas().iter().fold(Delta::new(), |mut group, delta| {
        group.merge(delta);
        group
    });
    bytes.push(group.encode());
    let states: Vec<_> = world.states().collect();
    bytes.push(states[0].delta_since(states[1].seen()).encode());
    bytes
}

fn dot_sets() -> Vec<Vec<u8>> {
    let world = world::<Record>();
    let sets = world.states().flat_map(|state| [state.seen().clone(), state.live()]);
    sets.map(|set| set.encode()).collect()
}

fn versions() -> Vec<Vec<u8>> {
    world::<Record>().states().map(|state| state.seen().version().encode()).collect()
}

fn summaries() -> Vec<Vec<u8>> {
    world::<Record>().states().map(|state| state.summary().encode()).collect()
}

/// Values of a lattice that stands alone: nothing, what one replica did, and what several did.
fn alone<L: Canonical + Default>(edit: impl Fn(&mut L, ReplicaId, u64)) -> Vec<Vec<u8>> {
    let mut value = L::default();
    let mut bytes = vec![value.encode()];
    for n in 0..5 {
        edit(&mut value, ReplicaId::from_u128(1 + u128::from(n) % 3), 1 + 300 * n);
        bytes.push(value.encode());
    }
    bytes
}

fn alone_g_counters() -> Vec<Vec<u8>> {
    alone(|counter: &mut GCounter, me, n| drop(counter.increment(me, n)))
}

fn alone_pn_counters() -> Vec<Vec<u8>> {
    alone(|counter: &mut PnCounter, me, n| {
        drop(counter.increment(me, n));
        drop(counter.decrement(me, n / 2));
    })
}

fn alone_bounded_counters() -> Vec<Vec<u8>> {
    alone(|counter: &mut BoundedCounter, me, n| {
        drop(counter.mint(me, n));
        drop(counter.grant(me, ReplicaId::from_u128(7), n / 3));
        drop(counter.spend(me, n / 2));
    })
}

fn alone_registers() -> Vec<Vec<u8>> {
    alone(|register: &mut LwwRegister<String>, me, n| {
        drop(register.write_alone(Timestamp::new(n, 0), me, format!("v{n}")))
    })
}

fn alone_sets() -> Vec<Vec<u8>> {
    alone(|set: &mut GSet<String>, _, n| drop(set.insert(format!("element {n}"))))
}

fn values() -> Vec<Vec<u8>> {
    let record = Value::Record(vec![("a".into(), Value::from(1)), ("b".into(), Value::List(vec![Value::Null]))]);
    let text = Value::from("milk");
    [Value::Null, Value::from(-300), Value::from(true), text, Value::Bytes(vec![0, 255]), record]
        .iter()
        .map(Value::encode)
        .collect()
}
