//! Parcels that somebody may have made, with a seal that fits: each is refused and
//! changes nothing, or is taken in and leaves a replica that works.

use crdt_core::{OrSet, ReplicaId};
use crdt_sync::{Config, Limits, Loaded, Now, Replica, ScopeId};
use xxhash_rust::xxh3::xxh3_128;

type Set = OrSet<u64>;

const SCOPE: ScopeId = ScopeId::from_bytes(*b"a scope of tests");
const SEAL_BYTES: usize = 16;

fn replica(id: u128, limits: &Limits) -> Replica<Set> {
    let config = Config { limits: limits.clone(), ..Config::new(SCOPE) };
    let fresh = ReplicaId::from_u128(id);
    Replica::open(Loaded::default(), config, fresh, [id as u8; 32], Now::default()).expect("nothing was loaded")
}

fn insert(replica: &mut Replica<Set>, keys: std::ops::Range<u64>) {
    for key in keys {
        replica.edit(Now::default(), |set| set.insert(key)).expect("nothing is full");
    }
}

fn remove(replica: &mut Replica<Set>, keys: std::ops::Range<u64>) {
    for key in keys {
        replica.edit(Now::default(), |set| set.remove(&key)).expect("nothing is full");
    }
}

fn with_log() -> Limits {
    Limits::default()
}

/// Nothing is told by records, and nothing is small enough to be told whole.
fn without_log() -> Limits {
    Limits { log_bytes_max: 0, whole_bytes_max: 0, ..Limits::default() }
}

/// Two that have met once and wrote on since.
fn pair(limits: &Limits) -> [Replica<Set>; 2] {
    let (now, mut here, mut there) = (Now::default(), replica(1, limits), replica(2, limits));
    insert(&mut here, 0..8);
    let (all, _) = here.export_all(now).expect("it is small");
    there.import(&all, now).expect("it is for everybody");
    insert(&mut there, 20..24);
    remove(&mut there, 2..4);
    insert(&mut here, 8..12);
    remove(&mut here, 0..3);
    [here, there]
}

fn sealed(body: &[u8]) -> Vec<u8> {
    [body, &xxh3_128(body).to_le_bytes()].concat()
}

/// Whether the parcel, of either kind, was believed. The first bit of the input
/// chooses whether there is a log; all behind the first byte is the parcel without
/// its seal.
pub fn check(input: &[u8]) -> bool {
    let Some((choice, body)) = input.split_first() else { return false };
    let (now, limits) = (Now::default(), if choice & 1 == 0 { with_log() } else { without_log() });
    let (parcel, [_, mut there]) = (sealed(body), pair(&limits));
    let before = (there.state().encode(), there.received().clone());
    let answered = there.export(&parcel, now);
    assert_eq!((there.state().encode(), there.received().clone()), before, "a question has changed the state");
    let taken = there.import(&parcel, now).is_ok();
    if taken {
        there.state().validate().expect("what was taken in is a state");
        assert!(there.received().is_subset(there.state().seen()), "received what it has not seen");
        let again = there.import(&parcel, now).expect("it was taken in before");
        assert!(again.0.is_empty(), "the same parcel brought {:?} again", again.0);
    } else {
        assert_eq!(
            (there.state().encode(), there.received().clone()),
            before,
            "a refused parcel has changed the state"
        );
    }
    // What it has now, it can tell.
    if let Ok((all, _)) = there.export_all(now) {
        let mut newcomer = replica(3, &limits);
        newcomer.import(&all, now).expect("an honest parcel for everybody is taken in");
        assert_eq!(newcomer.received(), there.received());
        assert_eq!(newcomer.state().encode(), there.state().encode());
    }
    taken || answered.is_ok()
}

/// Inputs to start from: each form of a parcel.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let now = Now::default();
    let mut seeds = Vec::new();
    for (choice, name, limits) in [(0u8, "log", with_log()), (1, "entries", without_log())] {
        let [mut here, mut there] = pair(&limits);
        let mut add = |what: &str, parcel: Vec<u8>| {
            let body = &parcel[..parcel.len() - SEAL_BYTES];
            seeds.push((format!("{what}-{name}"), [&[choice][..], body].concat()));
        };
        let (request, _) = there.export_request(now).expect("it is small");
        add("answer", here.export(&request, now).expect("it was asked for").0);
        add("request", request);
        add("all", here.export_all(now).expect("it is small").0);
        here.retire(ReplicaId::from_u128(7), now).expect("somebody else");
        add("retired", here.export_all(now).expect("it is small").0);
    }
    seeds
}
