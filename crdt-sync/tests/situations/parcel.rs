//! Replicas that no link joins: what one lacks travels in a file.

use super::net::{Net, Shop};
use crdt_core::{Causal, Merge, ReplicaId};
use crdt_sync::{Config, Limits, Mode, Now, ParcelError, Plan, Replica, ScopeId, Storage};

impl Net {
    fn request(&mut self, at: usize) -> Vec<u8> {
        let now = self.now();
        let (bytes, _) = self.replicas[at].0.export_request(now).unwrap();
        self.drain();
        bytes
    }

    fn export(&mut self, at: usize, request: &[u8]) -> Result<Vec<u8>, ParcelError> {
        let now = self.now();
        let packed = self.replicas[at].0.export(request, now).map(|(bytes, _)| bytes);
        self.drain();
        packed
    }

    fn export_all(&mut self, at: usize) -> Vec<u8> {
        let now = self.now();
        let (bytes, _) = self.replicas[at].0.export_all(now).unwrap();
        self.drain();
        bytes
    }

    /// How many dots it brought.
    fn import(&mut self, at: usize, parcel: &[u8]) -> Result<u64, ParcelError> {
        let now = self.now();
        let taken = self.replicas[at].0.import(parcel, now).map(|(fresh, _)| fresh.len());
        self.drain();
        taken
    }

    /// What `to` lacks of `from`, by hand.
    fn carry(&mut self, from: usize, to: usize) -> usize {
        let request = self.request(to);
        let parcel = self.export(from, &request).unwrap();
        let mut merged = self.replicas[to].0.state().clone();
        merged.merge(self.replicas[from].0.state().to_delta());
        self.import(to, &parcel).unwrap();
        assert_eq!(self.replicas[to].0.state().encode(), merged.encode(), "as after a full merge");
        parcel.len()
    }

    fn remove(&mut self, at: usize, item: &str) {
        self.edit(at, |shop| {
            shop.items().remove(item);
        });
    }

    /// What is on disk is what is in memory.
    fn assert_stored(&mut self, at: usize) {
        let (replica, store) = &mut self.replicas[at];
        let (config, now) = (replica.config().clone(), Now::default());
        let stored = Replica::<Shop>::open(store.load().unwrap(), config, ReplicaId::from_u128(99), [0; 32], now);
        let stored = stored.unwrap();
        assert_eq!(stored.state().encode(), replica.state().encode());
        assert_eq!(stored.received(), replica.received());
        assert_eq!(stored.frontier(), replica.frontier());
    }
}

/// Whatever the log has is told out of it.
fn with_a_log(count: usize) -> Net {
    Net::with(count, |_, config| Config { plan: Some(Plan::Log), ..config })
}

/// A log so short that nothing can be told out of it, and no state so small that it is told whole for that.
fn without_a_log(count: usize) -> Net {
    let limits = Limits { log_bytes_max: 0, whole_bytes_max: 0, ..Limits::default() };
    Net::with(count, move |_, config| Config { limits: limits.clone(), ..config })
}

fn fill(net: &mut Net, at: usize, items: std::ops::Range<usize>) {
    for item in items {
        net.edit(at, |shop| shop.items().entry(format!("item {item}")).add(1));
        net.pass(10);
    }
}

#[test]
fn two_replicas_that_never_have_a_link_become_equal_by_files() {
    for mut net in [with_a_log(2), without_a_log(2)] {
        fill(&mut net, 0, 0..40);
        net.edit(1, |shop| shop.note().write("from afar"));
        net.carry(0, 1);
        net.carry(1, 0);
        net.assert_equal();

        // Both go on: one removes what the other still has, and both write over the same note.
        net.remove(0, "item 7");
        net.edit(0, |shop| shop.note().write("here"));
        net.edit(1, |shop| shop.note().write("there"));
        fill(&mut net, 1, 40..50);
        net.carry(0, 1);
        assert!(net.replicas[1].0.state().items().get("item 7").is_none(), "removals travel");
        net.carry(1, 0);
        net.assert_equal();
        assert_eq!(net.replicas[0].0.state().note().values().len(), 2, "the conflict is there on both sides");
        (0..2).for_each(|at| net.assert_stored(at));
    }
}

#[test]
fn a_parcel_that_is_imported_twice_is_imported_once() {
    for mut net in [with_a_log(2), without_a_log(2)] {
        fill(&mut net, 0, 0..10);
        let request = net.request(1);
        let parcel = net.export(0, &request).unwrap();
        assert_eq!(net.export(0, &request).unwrap(), parcel, "the same state answers with the same bytes");
        assert_eq!(net.import(1, &parcel), Ok(10));
        let before = net.replicas[1].0.state().encode();
        assert_eq!(net.import(1, &parcel), Ok(0));
        assert_eq!(net.replicas[1].0.state().encode(), before);
        net.assert_equal();
    }
}

/// The stick lay in a drawer while both went on.
#[test]
fn an_old_parcel_brings_nothing_back_that_was_removed_since() {
    for mut net in [with_a_log(2), without_a_log(2)] {
        fill(&mut net, 0, 0..10);
        let request = net.request(1);
        let old = net.export(0, &request).unwrap();
        net.remove(0, "item 3");
        net.edit(0, |shop| shop.note().write("newer"));
        net.carry(0, 1);
        net.remove(1, "item 4");
        let before = net.replicas[1].0.state().encode();
        assert_eq!(net.import(1, &old), Ok(0));
        assert_eq!(net.replicas[1].0.state().encode(), before);
        assert!(net.replicas[1].0.state().items().get("item 3").is_none());
        assert!(net.replicas[1].0.state().items().get("item 4").is_none());
        assert_eq!(net.replicas[1].0.state().note().values(), ["newer"]);
    }
}

#[test]
fn a_parcel_for_everybody_serves_a_newcomer_and_one_that_has_much_already() {
    let mut net = without_a_log(3);
    fill(&mut net, 0, 0..20);
    net.carry(0, 1);
    net.remove(0, "item 5");
    net.edit(1, |shop| {
        shop.tags().insert("own");
    });
    let everything = net.export_all(0);
    for at in [1, 2] {
        net.import(at, &everything).unwrap();
        assert!(net.replicas[at].0.state().items().get("item 5").is_none());
        assert_eq!(net.replicas[at].0.state().items().len(), 19);
        net.assert_stored(at);
    }
    assert!(net.replicas[1].0.state().tags().contains("own"));
}

#[test]
fn a_parcel_that_answers_somebody_else_is_refused_where_something_would_be_missing() {
    for mut net in [with_a_log(3), without_a_log(3)] {
        fill(&mut net, 0, 0..200);
        net.carry(0, 1);
        fill(&mut net, 0, 200..210);
        let request = net.request(1);
        let parcel = net.export(0, &request).unwrap();
        let before = net.replicas[2].0.state().encode();
        assert_eq!(net.import(2, &parcel), Err(ParcelError::Gap));
        assert_eq!(net.replicas[2].0.state().encode(), before);
        assert!(net.replicas[2].0.received().is_empty());
        assert_eq!(net.import(1, &parcel), Ok(10));
    }
}

#[test]
fn another_scope_another_mode_and_the_wrong_kind_of_parcel_are_refused() {
    let mut net = Net::with(3, |at, config| match at {
        0 => config,
        1 => Config { scope: ScopeId::from_bytes([8; 16]), ..config },
        _ => Config { mode: Mode::Immediate, ..config },
    });
    fill(&mut net, 0, 0..3);
    let (request, parcel) = (net.request(0), net.export_all(0));
    assert_eq!(net.export(1, &request), Err(ParcelError::OtherScope));
    assert_eq!(net.import(1, &parcel), Err(ParcelError::OtherScope));
    assert!(matches!(net.export(2, &request), Err(ParcelError::Incompatible(_))));
    assert!(matches!(net.import(2, &parcel), Err(ParcelError::Incompatible(_))));
    assert_eq!(net.import(0, &request), Err(ParcelError::Foreign));
    assert_eq!(net.export(0, &parcel), Err(ParcelError::Foreign));
    assert!(net.replicas[1].0.received().is_empty() && net.replicas[2].0.received().is_empty());
}

#[test]
fn a_parcel_that_was_cut_or_changed_anywhere_leaves_the_state_alone() {
    for mut net in [with_a_log(2), without_a_log(2)] {
        fill(&mut net, 0, 0..8);
        net.edit(1, |shop| shop.note().write("kept"));
        let request = net.request(1);
        let parcel = net.export(0, &request).unwrap();
        let before = net.replicas[1].0.state().encode();
        for at in 0..parcel.len() {
            let mut changed = parcel.clone();
            changed[at] ^= 1 << (at % 8);
            net.import(1, &changed).expect_err("a bit is not what it was");
            net.import(1, &parcel[..at]).expect_err("the end is missing");
        }
        assert_eq!(net.replicas[1].0.state().encode(), before);
        assert_eq!(net.import(1, &parcel), Ok(8));
    }
}

#[test]
fn what_a_parcel_brought_spreads_over_links() {
    for mut net in [with_a_log(3), without_a_log(3)] {
        net.link(1, 2);
        fill(&mut net, 0, 0..10);
        net.carry(0, 1);
        net.pass(20_000);
        assert_eq!(net.replicas[2].0.state().encode(), net.replicas[0].0.state().encode());
    }
}

#[test]
fn a_parcel_is_about_as_large_as_what_it_brings() {
    let mut net = Net::new(2);
    fill(&mut net, 0, 0..1_000);
    let all = net.carry(0, 1);
    net.edit(0, |shop| shop.items().entry("item 1000").add(1));
    let one = net.carry(0, 1);
    let none = net.carry(0, 1);
    assert!(all > 10_000 && one < 400 && none < 300, "{all}, {one} and {none} bytes");

    // Where the log can't tell, what was removed is told by what is live: a bit for each dot or less.
    let mut net = without_a_log(2);
    fill(&mut net, 0, 0..1_000);
    net.carry(0, 1);
    for item in (0..1_000).step_by(3) {
        net.remove(0, &format!("item {item}"));
    }
    let removals = net.carry(0, 1);
    assert!(removals < 500, "{removals} bytes");
}

#[test]
fn a_parcel_above_the_limit_is_refused_on_both_sides() {
    let small = |at, config: Config| {
        let staged_bytes_max = if at == 0 { 4_000 } else { 1 << 20 };
        Config { limits: Limits { staged_bytes_max, log_bytes_max: 0, ..Limits::default() }, ..config }
    };
    let mut net = Net::with(2, small);
    for at in [0, 1] {
        fill(&mut net, at, at * 500..at * 500 + 500);
    }
    let now = net.now();
    assert_eq!(net.replicas[0].0.export_all(now).err(), Some(ParcelError::TooLarge { allowed: 4_000 }));
    let large = net.export_all(1);
    assert_eq!(net.import(0, &large), Err(ParcelError::TooLarge { allowed: 4_000 }));
}

#[test]
fn a_replica_that_was_put_back_hears_of_its_own_dots_in_a_request() {
    let mut net = Net::new(2);
    fill(&mut net, 0, 0..3);
    let backup = net.replicas[0].1.clone();
    fill(&mut net, 0, 3..5);
    net.carry(0, 1);
    // Marker and all: nothing tells at the start.
    net.replicas[0].1 = backup;
    net.restart(0, 70);
    assert_eq!(net.replicas[0].0.id(), ReplicaId::from_u128(1));
    let request = net.request(1);
    net.export(0, &request).unwrap();
    let lost = |event: &crdt_sync::Event| matches!(event, crdt_sync::Event::IdentityLost { .. });
    assert!(net.events[0].iter().any(lost), "{:?}", net.events[0]);
}

/// It says when the bytes may be handed on.
#[test]
fn the_ticket_of_a_parcel_is_not_durable_before_the_edits_in_it() {
    let mut net = Net::new(1);
    net.stuck[0] = true;
    net.edit(0, |shop| shop.note().write("unsafe"));
    let now = net.now();
    let (_, ticket) = net.replicas[0].0.export_all(now).unwrap();
    let told = |net: &Net| {
        let durable = |event: &crdt_sync::Event| matches!(event, crdt_sync::Event::Durable(at) if *at >= ticket);
        net.events[0].iter().any(durable)
    };
    net.drain();
    assert!(!told(&net));
    net.replicas[0].0.durable(ticket, now);
    net.drain();
    assert!(told(&net));
}

/// Three replicas, random edits, parcels made and taken in at random moments, lost, repeated and late. Beside each
/// replica runs a state that is merged whole.
#[test]
fn random_parcels_do_what_full_merges_do() {
    let mut reached = [0; 3];
    for seed in 0..60 {
        let mut random = seed as u64 * 2 + 1;
        let mut draw = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        let mut net = if seed % 2 == 0 { with_a_log(3) } else { without_a_log(3) };
        let mut whole: Vec<Causal<Shop>> = (0..3).map(|_| Causal::new()).collect();
        let mut requests: Vec<Vec<u8>> = Vec::new();
        let mut parcels: Vec<(Vec<u8>, Causal<Shop>)> = Vec::new();
        for _ in 0..120 {
            let at = draw(3);
            match draw(7) {
                0 => requests.push(net.request(at)),
                1 if !requests.is_empty() => {
                    let request = requests[draw(requests.len())].clone();
                    parcels.push((net.export(at, &request).unwrap(), net.replicas[at].0.state().clone()));
                }
                2 | 3 if !parcels.is_empty() => {
                    let (parcel, state) = parcels[draw(parcels.len())].clone();
                    match net.import(at, &parcel) {
                        Ok(fresh) => {
                            whole[at].merge(state.to_delta());
                            reached[usize::from(fresh > 0)] += 1;
                        }
                        Err(ParcelError::Gap) => reached[2] += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
                what => {
                    let item = format!("item {}", draw(8));
                    net.edit(at, |shop| match what {
                        4 => {
                            shop.items().remove(&item);
                        }
                        5 => shop.items().entry(item).add(1),
                        _ => shop.note().write(item),
                    });
                    whole[at].merge(net.replicas[at].0.state().to_delta());
                    net.pass(10);
                }
            }
            let (here, expected) = (net.replicas[at].0.state(), &whole[at]);
            assert_eq!(here.encode(), expected.encode(), "seed {seed}");
            assert_eq!(here.seen(), expected.seen(), "seed {seed}");
        }
    }
    assert!(reached.iter().all(|count| *count > 100), "repeated, fresh, refused: {reached:?}");
}
