//! A group that is upgraded one replica after the other: two versions of a struct side by side. And links between those
//! that can't talk at all.

use super::net::{Net, Shop};
use crdt_core::{Counter, DotStore, MvRegister, OrMap, OrSet, ReplicaId};
use crdt_sync::{
    Config, Event, FrameReader, FrameWriter, LinkKind, MemoryStorage, Message, Mode, Now, Open, PeerId, RefuseReason,
    Replica, ScopeId, Steady, Storage, Wall,
};

mod old {
    use super::{Counter, OrMap};
    crdt_core::fields! {
        pub(crate) struct Stall { items: OrMap<String, Counter> }
    }
}

mod new {
    use super::{Counter, MvRegister, OrMap, OrSet};
    crdt_core::fields! {
        pub(crate) struct Stall { items: OrMap<String, Counter>, hours: MvRegister<String>, helpers: OrSet<String> }
    }
}

/// One replica of either version.
enum Seat {
    Old(Replica<old::Stall>, MemoryStorage),
    New(Replica<new::Stall>, MemoryStorage),
}

/// The same for both versions.
macro_rules! either {
    ($seat:expr, $replica:ident, $store:ident => $body:expr) => {
        match $seat {
            Seat::Old($replica, $store) => $body,
            Seat::New($replica, $store) => $body,
        }
    };
}

fn opened<S: DotStore>(store: &mut MemoryStorage, id: u128, config: Config, now: Now) -> Replica<S> {
    Replica::open(store.load().unwrap(), config, ReplicaId::from_u128(id), [id as u8; 32], now).unwrap()
}

/// Three in a row. Names of links are the numbers of who is at the other end.
struct Row {
    seats: Vec<Seat>,
    ms: u64,
    config: Config,
}

impl Row {
    /// The outer two run the new version, the middle one the old.
    fn new(config: Config) -> Self {
        let mut row = Self { seats: Vec::new(), ms: 1_000, config };
        for at in 0..3 {
            let (mut store, now) = (MemoryStorage::new(), row.now());
            row.seats.push(match at {
                1 => Seat::Old(opened(&mut store, at + 1, row.config.clone(), now), store),
                _ => Seat::New(opened(&mut store, at + 1, row.config.clone(), now), store),
            });
        }
        row.link(true);
        row
    }

    fn now(&self) -> Now {
        Now { steady: Steady(self.ms), wall: Wall(1_790_000_000_000 + self.ms) }
    }

    /// The middle one's links come up or go down.
    fn link(&mut self, up: bool) {
        let now = self.now();
        for (at, other) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
            let peer = PeerId(other);
            either!(&mut self.seats[at], replica, _store => if up {
                replica.peer_up(peer, LinkKind::Stream, now);
            } else {
                replica.peer_down(peer, now);
            });
        }
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / 5 {
            self.ms += 5;
            let now = self.now();
            let mut sent = Vec::new();
            for at in 0..3 {
                either!(&mut self.seats[at], replica, store => {
                    replica.handle_timeout(now);
                    while let Some(persist) = replica.poll_persist() {
                        store.commit(&[persist.batch]).unwrap();
                        replica.durable(persist.ticket, now);
                    }
                    while let Some(fetch) = replica.poll_fetch() {
                        let records = store.records(&fetch.dots, fetch.bytes_max).unwrap();
                        replica.fetched(fetch.id, records, now);
                    }
                    while let Some(event) = replica.poll_event() {
                        let wrong = matches!(
                            event,
                            Event::BadFrame { .. } | Event::Diverged { .. } | Event::Incompatible { .. }
                        );
                        assert!(!wrong, "replica {at}: {event:?}");
                    }
                    while let Some(transmit) = replica.poll_transmit() {
                        sent.push((transmit.peer.0 as usize, PeerId(at as u64), transmit.frame));
                    }
                });
            }
            for (to, from, frame) in sent {
                either!(&mut self.seats[to], replica, _store => replica.handle_message(from, &frame, now).unwrap());
            }
        }
    }

    fn with_new<R>(&mut self, at: usize, f: impl FnOnce(&mut Replica<new::Stall>, Now) -> R) -> R {
        let now = self.now();
        match &mut self.seats[at] {
            Seat::New(replica, _) => f(replica, now),
            Seat::Old(..) => panic!("replica {at} runs the old version"),
        }
    }

    fn with_old<R>(&mut self, at: usize, f: impl FnOnce(&mut Replica<old::Stall>, Now) -> R) -> R {
        let now = self.now();
        match &mut self.seats[at] {
            Seat::Old(replica, _) => f(replica, now),
            Seat::New(..) => panic!("replica {at} runs the new version"),
        }
    }

    /// The process ends, and another version opens its store.
    fn upgrade(&mut self, at: usize) {
        let now = self.now();
        let Seat::Old(_, store) = &self.seats[at] else { panic!("it is upgraded already") };
        let mut store = store.clone();
        let replica = opened(&mut store, 50, self.config.clone(), now);
        self.seats[at] = Seat::New(replica, store);
    }

    fn assert_equal(&self) {
        let bytes: Vec<_> =
            self.seats.iter().map(|seat| either!(seat, replica, _store => replica.state().encode())).collect();
        assert!(bytes.windows(2).all(|two| two[0] == two[1]), "the bytes differ");
    }
}

/// What the old version does not know goes through it, by pushes and by repairs, is kept on its disk, and is there when it
/// is upgraded.
fn upgraded_one_by_one(config: Config) {
    let mut row = Row::new(config);
    row.pass(200);
    row.with_new(0, |stall, now| {
        stall
            .edit(now, |stall| {
                stall.hours().write("nine to five".to_owned());
                stall.helpers().insert("ann".to_owned());
                stall.items().entry("tea".to_owned()).add(2);
            })
            .unwrap();
    });
    row.with_old(1, |stall, now| stall.edit(now, |stall| stall.items().entry("tea".to_owned()).add(3)).unwrap());
    row.pass(20_000);
    row.assert_equal();
    let read = |row: &mut Row, at| {
        row.with_new(at, |stall, _| {
            let state = stall.state();
            let helpers: Vec<String> = state.helpers().iter().cloned().collect();
            (
                state.items().get("tea").map(|tea| tea.value()),
                state.hours().values().into_iter().cloned().collect::<Vec<_>>().join("|"),
                helpers,
            )
        })
    };
    assert_eq!(read(&mut row, 2), (Some(5), "nine to five".into(), vec!["ann".into()]), "through the old version");

    // Apart, all sides go on: a new field is overwritten, an element of it goes, an old field is edited by the old version.
    row.link(false);
    row.with_new(2, |stall, now| {
        stall
            .edit(now, |stall| {
                stall.hours().write("ten to six".to_owned());
                stall.helpers().remove("ann");
            })
            .unwrap();
    });
    row.with_new(0, |stall, now| {
        stall
            .edit(now, |stall| {
                stall.helpers().insert("bob".to_owned());
            })
            .unwrap()
    });
    row.with_old(1, |stall, now| {
        stall
            .edit(now, |stall| {
                stall.items().remove("tea");
            })
            .unwrap()
    });
    row.pass(100);
    row.upgrade(1);
    let kept = read(&mut row, 1);
    assert_eq!(kept, (None, "nine to five".into(), vec!["ann".into()]), "what it did not know was on its disk");
    row.with_new(1, |stall, now| {
        stall
            .edit(now, |stall| {
                stall.helpers().insert("cy".to_owned());
            })
            .unwrap()
    });
    row.link(true);
    row.pass(20_000);
    row.assert_equal();
    for at in 0..3 {
        assert_eq!(read(&mut row, at), (None, "ten to six".into(), vec!["bob".into(), "cy".into()]), "replica {at}");
    }
}

#[test]
fn a_group_is_upgraded_one_by_one_and_nothing_is_lost_on_the_way() {
    upgraded_one_by_one(Config::new(ScopeId::from_bytes([9; 16])));
}

#[test]
fn the_same_where_only_repairs_by_state_carry_anything() {
    let mut config = Config::new(ScopeId::from_bytes([9; 16]));
    (config.limits.record_bytes_max, config.limits.whole_bytes_max) = (1, 0);
    upgraded_one_by_one(config);
}

#[test]
fn links_between_those_that_cannot_talk_are_refused_with_the_reason_and_nothing_changes() {
    type Adapt = fn(&mut Open);
    let incompatible: [(RefuseReason, Adapt); 4] = [
        (RefuseReason::Version, |open| open.versions = (2, 3)),
        (RefuseReason::Schema, |open| open.schema = <OrSet<String> as DotStore>::KIND as u64),
        (RefuseReason::Mode, |open| open.mode = Mode::Fifo),
        (RefuseReason::Forbidden, |_| ()),
    ];
    for (reason, adapt) in incompatible {
        let mut net = Net::with(2, |_, config| match reason {
            RefuseReason::Forbidden => Config {
                authorise: Some(crdt_sync::Authorise::new(|asked| asked.open.replica < ReplicaId::from_u128(50))),
                ..config
            },
            _ => config,
        });
        net.link(0, 1);
        net.edit(0, |shop| shop.note().write("as it was"));
        net.pass(1_000);
        let (before, received) = (net.replicas[0].0.state().clone(), net.replicas[0].0.received().clone());
        let (config, link, now) = (net.replicas[0].0.config().clone(), PeerId(900), net.now());
        let mut open = Open::new(ReplicaId::from_u128(77), 1, &config);
        open.schema = <Shop as DotStore>::KIND as u64;
        adapt(&mut open);
        let mut writer = FrameWriter::new(LinkKind::Stream, config.scope, &config.limits);
        let replica = &mut net.replicas[0].0;
        replica.peer_up(link, LinkKind::Stream, now);
        replica.handle_message(link, &writer.write(&Message::<Shop>::Open(open)), now).unwrap();
        net.drain();
        assert!(net.events[0].contains(&Event::Incompatible { peer: link, reason }), "{reason:?}: {:?}", net.events[0]);
        assert!(net.events[0].contains(&Event::Close { peer: link }));
        let mut reader = FrameReader::new(LinkKind::Stream, config.scope, &config.limits);
        let told = net.heard[0].iter().rev().find_map(|frame| match reader.read::<Shop>(frame) {
            Ok(Some(Message::Refuse(refuse))) => Some(refuse.reason),
            _ => None,
        });
        assert_eq!(told, Some(reason));
        assert_eq!((net.replicas[0].0.state(), net.replicas[0].0.received()), (&before, &received));
        // Those that can talk go on.
        net.edit(1, |shop| shop.note().write("and on"));
        net.pass(1_000);
        net.assert_equal();
    }
}
