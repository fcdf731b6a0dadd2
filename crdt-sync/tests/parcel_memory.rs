//! What taking in a parcel costs in memory at once, for each byte of it. Alone in its process, as it counts what the whole
//! process allocates.
#![allow(clippy::print_stdout, reason = "what was measured is part of the result")]

#[path = "../../crdt-core/tests/allocator/mod.rs"]
mod allocator;

use crdt_core::{OrSet, ReplicaId};
use crdt_sync::{Config, Limits, Loaded, Now, Plan, Replica, ScopeId};

fn replica(id: u128, plan: Plan) -> Replica<OrSet<String>> {
    // Nothing of it is in the log, so a parcel has entries.
    let limits = Limits { log_bytes_max: if plan == Plan::Log { 64 << 20 } else { 0 }, ..Limits::default() };
    let config = Config { limits, ..Config::new(ScopeId::from_bytes([7; 16])) };
    Replica::open(Loaded::default(), config, ReplicaId::from_u128(id), [id as u8; 32], Now::default()).unwrap()
}

/// A parcel of so many elements of that length; how much of its own length is allocated at once beside what was there,
/// and how much of that stays.
fn cost(plan: Plan, elements: usize, len: usize) -> (usize, f64, f64) {
    let now = Now::default();
    let mut from = replica(1, plan);
    for part in 0..elements / 100 {
        from.edit(now, |set| {
            for at in 0..100 {
                set.insert(format!("{:0len$}", 100 * part + at));
            }
        })
        .unwrap();
        from.flush(now);
        while let Some(persist) = from.poll_persist() {
            from.durable(persist.ticket, now);
        }
    }
    let (parcel, _) = from.export_all(now).unwrap();
    drop(from);
    let mut to = replica(2, plan);
    while to.poll_persist().is_some() {}
    let before = allocator::in_use();
    let (taken, peak) = allocator::peak_of(|| to.import(&parcel, now));
    let ((fresh, _), after) = (taken.unwrap(), allocator::in_use() - before);
    assert_eq!((fresh.len(), to.state().len()), (elements as u64, elements));
    let per_byte = |bytes: usize| bytes as f64 / parcel.len() as f64;
    (parcel.len(), per_byte(peak), per_byte(after))
}

#[test]
fn a_parcel_is_taken_in_at_six_times_its_length_at_most_beside_what_stays() {
    let cases =
        [(Plan::Whole, 20_000, 8), (Plan::Whole, 20_000, 200), (Plan::Whole, 5_000, 2_000), (Plan::Log, 10_000, 200)];
    println!(
        "plan    elements  bytes   parcel      peak  stays (× the parcel; the state, and rows on their way to the disk)"
    );
    for (plan, elements, len) in cases {
        let (parcel, peak, stays) = cost(plan, elements, len);
        println!("{plan:<7?} {elements:>8} {len:>6} {parcel:>8} B {peak:>6.1} {stays:>6.1}");
        // An entry has a place in the state and a row for the disk, some two hundred bytes, however short it is.
        assert!(peak <= 6.0 || len < 100, "{peak} × the parcel");
        assert!(peak - stays <= 6.0, "{peak} × the parcel, of which {stays} × stay");
    }
}
