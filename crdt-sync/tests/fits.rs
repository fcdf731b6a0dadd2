//! What the machine sends, a peer takes.

use std::collections::VecDeque;

use crdt_core::{Counter, ReplicaId};
use crdt_sync::{Config, LinkKind, Loaded, Now, PeerId, Replica, ScopeId, Steady, Wall};

const SCOPE: ScopeId = ScopeId::from_bytes(*b"a scope of tests");
const LINK: PeerId = PeerId(0);

fn at(ms: u64) -> Now {
    Now { steady: Steady(ms), wall: Wall(1_790_000_000_000 + ms) }
}

fn replica(id: u128, log_bytes_max: usize) -> Replica<Counter> {
    let fresh = ReplicaId::from_u128(id);
    let mut config = Config::new(SCOPE);
    config.limits.log_bytes_max = log_bytes_max;
    Replica::open(Loaded::default(), config, fresh, [id as u8; 32], at(0)).expect("nothing was loaded")
}

/// Frames to send, once all is durable.
fn drain(replica: &mut Replica<Counter>, now: Now) -> VecDeque<Vec<u8>> {
    while let Some(persist) = replica.poll_persist() {
        replica.durable(persist.ticket, now);
    }
    core::iter::from_fn(|| replica.poll_transmit()).map(|transmit| transmit.frame).collect()
}

/// Frames both ways for a while; says how many of them carried records or entries.
fn talk(here: &mut Replica<Counter>, there: &mut Replica<Counter>) -> usize {
    let mut carrying = 0;
    for ms in 0..40 {
        let now = at(10 + 10 * ms);
        for (from, to) in [(0, 1), (1, 0)] {
            let both = [&mut *here, &mut *there];
            for frame in drain(both[from], now) {
                carrying += usize::from(matches!(frame[1], 2 | 11));
                both[to].handle_message(LINK, &frame, now).expect("what is sent is taken");
            }
            both[from].handle_timeout(now);
        }
    }
    carrying
}

/// A byte of a record can stand for sixteen edits: six records of 3 kB hold more entries than one frame may.
#[test]
fn many_small_edits_travel_in_frames_that_a_peer_takes() {
    for log_bytes_max in [64 << 20, 0] {
        let (mut here, mut there) = (replica(1, log_bytes_max), replica(2, log_bytes_max));
        for _ in 0..6 {
            here.edit(at(2), |votes| (0..50_000).for_each(|_| votes.add(1))).expect("nothing is in the way");
            here.flush(at(2));
            drain(&mut here, at(2));
        }
        here.peer_up(LINK, LinkKind::Stream, at(3));
        there.peer_up(LINK, LinkKind::Stream, at(3));
        let carrying = talk(&mut here, &mut there);
        assert_eq!(there.state().value(), 300_000);
        assert!(carrying > 1, "{carrying} frames");
    }
}
