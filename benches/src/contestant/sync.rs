//! Two replicas that hold a set of strings, and what they say to each other to become equal: crdt-sync through whole
//! replicas and their frames, the peers through the exchange that their documents offer.

use crate::contestant::{crdts as states, dson as dots, loro as loro_peer, yrs as yrs_peer};
use automerge::sync::{State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT};
use crdt_core::{OrSet, ReplicaId};
use crdt_sync::{Config, LinkKind, Loaded, Now, PeerId, Replica, ScopeId, Steady, Wall};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Map, ReadTxn, StateVector, Transact, Update};

/// Two replicas of one set.
pub trait Two {
    /// Both hold these.
    fn sharing(elements: &[String]) -> Self;
    /// One side adds these while they are apart.
    fn insert(&mut self, side: usize, elements: &[String]);
    /// One side removes these while they are apart.
    fn remove(&mut self, side: usize, elements: &[String]);
    /// They meet; says how many bytes that took.
    fn meet(&mut self) -> usize;
}

/// Two replicas that stay linked: each knows what the other has.
pub trait Linked: Two {
    /// One side adds this; once it returns, the other has it.
    fn pass_on(&mut self, element: &str);
}

/// crdt-sync.
pub struct Ours {
    replicas: [Replica<OrSet<String>>; 2],
    ms: u64,
    link: u64,
}

impl Ours {
    fn now(&self) -> Now {
        Now { steady: Steady(self.ms), wall: Wall(crate::workload::wall_ms(0) + self.ms) }
    }

    /// Until nothing is on its way.
    fn run(&mut self) -> usize {
        let mut bytes = 0;
        loop {
            let before = bytes;
            for here in [0, 1] {
                let now = self.now();
                while let Some(persist) = self.replicas[here].poll_persist() {
                    self.replicas[here].durable(persist.ticket, now);
                }
                while self.replicas[here].poll_event().is_some() {}
                while let Some(transmit) = self.replicas[here].poll_transmit() {
                    if transmit.peer == PeerId(self.link) {
                        bytes += transmit.frame.len();
                        let there = &mut self.replicas[1 - here];
                        there.handle_message(transmit.peer, &transmit.frame, now).expect("its own frame");
                    }
                }
            }
            if bytes == before {
                return bytes;
            }
        }
    }

    /// Repairs over a link that is up.
    pub fn repair(&mut self) -> usize {
        let (peer, now) = (PeerId(self.link), self.now());
        self.replicas[0].repair_with(peer, now);
        self.run()
    }

    /// One side adds these while the link is up, and what it pushes is lost.
    pub fn insert_and_lose(&mut self, side: usize, elements: &[String]) {
        let (link, now) = (std::mem::replace(&mut self.link, u64::MAX), self.now());
        for element in elements {
            self.replicas[side].edit(now, |set| set.insert(element.as_str())).expect("room for an edit");
        }
        self.replicas[side].flush(now);
        self.run();
        self.link = link;
    }

    fn down(&mut self) {
        let (peer, now) = (PeerId(self.link), self.now());
        self.replicas.iter_mut().for_each(|replica| replica.peer_down(peer, now));
        self.run();
    }
}

impl Two for Ours {
    fn sharing(elements: &[String]) -> Self {
        let replicas = [1u128, 2].map(|number| {
            let mut config = Config::new(ScopeId::from_bytes([7; 16]));
            config.limits.log_memory_bytes_max = config.limits.log_bytes_max;
            let fresh = ReplicaId::from_u128(number.wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15));
            let now = Now { steady: Steady(0), wall: Wall(crate::workload::wall_ms(0)) };
            Replica::open(Loaded::default(), config, fresh, [number as u8; 32], now).expect("a new store")
        });
        let mut two = Self { replicas, ms: 0, link: 0 };
        for (number, part) in elements.chunks(5_000).enumerate() {
            two.insert(number % 2, part);
        }
        two.meet();
        assert!(two.replicas[0].state() == two.replicas[1].state());
        two
    }

    fn insert(&mut self, side: usize, elements: &[String]) {
        self.down();
        let now = self.now();
        for element in elements {
            self.replicas[side].edit(now, |set| set.insert(element.as_str())).expect("room for an edit");
        }
        self.replicas[side].flush(now);
        self.run();
    }

    fn remove(&mut self, side: usize, elements: &[String]) {
        self.down();
        let now = self.now();
        for element in elements {
            self.replicas[side].edit(now, |set| set.remove(element.as_str())).expect("room for an edit");
        }
        self.replicas[side].flush(now);
        self.run();
    }

    /// Over a new link: introductions and ids are counted.
    fn meet(&mut self) -> usize {
        self.ms += 10_000;
        self.link += 1;
        let (peer, now) = (PeerId(self.link), self.now());
        self.replicas.iter_mut().for_each(|replica| replica.peer_up(peer, LinkKind::Stream, now));
        self.run()
    }
}

impl Linked for Ours {
    fn pass_on(&mut self, element: &str) {
        let now = self.now();
        self.replicas[0].edit(now, |set| set.insert(element)).expect("room for an edit");
        self.replicas[0].flush(now);
        self.run();
    }
}

/// yrs: state vectors, then what each lacks.
pub struct Yrs([yrs_peer::Document; 2]);

impl Two for Yrs {
    fn sharing(elements: &[String]) -> Self {
        let left = yrs_peer::Document::new(1);
        elements.iter().for_each(|element| left.write(element, 1));
        let right = yrs_peer::Document::from_bytes(2, &left.bytes());
        Self([left, right])
    }

    fn insert(&mut self, side: usize, elements: &[String]) {
        elements.iter().for_each(|element| self.0[side].write(element, 1));
    }

    fn remove(&mut self, side: usize, elements: &[String]) {
        elements.iter().for_each(|element| self.0[side].remove(element));
    }

    fn meet(&mut self) -> usize {
        let vector = |side: usize| self.0[side].doc.transact().state_vector().encode_v1();
        let vectors = [vector(0), vector(1)];
        let update = |side: usize| {
            let theirs = StateVector::decode_v1(&vectors[1 - side]).expect("its own bytes");
            self.0[side].doc.transact().encode_diff_v2(&theirs)
        };
        let updates = [update(0), update(1)];
        for side in [0, 1] {
            let update = Update::decode_v2(&updates[1 - side]).expect("its own bytes");
            self.0[side].doc.transact_mut().apply_update(update).expect("its own update");
        }
        vectors.iter().chain(&updates).map(Vec::len).sum()
    }
}

/// As its events do: what the transaction wrote is the update.
impl Linked for Yrs {
    fn pass_on(&mut self, element: &str) {
        let mut write = self.0[0].doc.transact_mut();
        self.0[0].map.insert(&mut write, element, 1);
        let update = write.encode_update_v1();
        drop(write);
        let update = Update::decode_v1(&update).expect("its own bytes");
        self.0[1].doc.transact_mut().apply_update(update).expect("its own update");
    }
}

/// loro: version vectors, then the updates that each lacks.
pub struct Loro([loro_peer::Document; 2]);

impl Two for Loro {
    fn sharing(elements: &[String]) -> Self {
        let left = loro_peer::Document::new(1);
        elements.iter().for_each(|element| left.write(element, 1));
        let right = loro_peer::Document::from_bytes(2, &left.update_bytes());
        Self([left, right])
    }

    fn insert(&mut self, side: usize, elements: &[String]) {
        elements.iter().for_each(|element| self.0[side].write(element, 1));
    }

    fn remove(&mut self, side: usize, elements: &[String]) {
        elements.iter().for_each(|element| self.0[side].remove(element));
    }

    fn meet(&mut self) -> usize {
        let vectors = [0, 1].map(|side: usize| self.0[side].doc.oplog_vv().encode());
        let updates = [0, 1].map(|side: usize| {
            let theirs = loro::VersionVector::decode(&vectors[1 - side]).expect("its own bytes");
            self.0[side].doc.export(loro::ExportMode::updates(&theirs)).expect("a readable document")
        });
        for side in [0, 1] {
            self.0[side].merge(&updates[1 - side]);
        }
        vectors.iter().chain(&updates).map(Vec::len).sum()
    }
}

impl Linked for Loro {
    fn pass_on(&mut self, element: &str) {
        let theirs = self.0[0].doc.oplog_vv();
        self.0[0].write(element, 1);
        let update = self.0[0].doc.export(loro::ExportMode::updates(&theirs)).expect("a readable document");
        self.0[1].merge(&update);
    }
}

/// automerge: its sync protocol, without memory of an earlier exchange.
pub struct Automerge([AutoCommit; 2]);

impl Two for Automerge {
    fn sharing(elements: &[String]) -> Self {
        let mut left = crate::contestant::automerge::document(1);
        for element in elements {
            left.put(ROOT, element, 1).expect("the root is a map");
        }
        left.commit();
        let right = left.fork();
        Self([left, right])
    }

    fn insert(&mut self, side: usize, elements: &[String]) {
        for element in elements {
            self.0[side].put(ROOT, element, 1).expect("the root is a map");
        }
        self.0[side].commit();
    }

    fn remove(&mut self, side: usize, elements: &[String]) {
        for element in elements {
            self.0[side].delete(ROOT, element.as_str()).expect("the root is a map");
        }
        self.0[side].commit();
    }

    fn meet(&mut self) -> usize {
        let mut states = [State::new(), State::new()];
        let mut bytes = 0;
        loop {
            let mut quiet = true;
            for side in [0, 1] {
                let Some(message) = self.0[side].sync().generate_sync_message(&mut states[side]) else { continue };
                quiet = false;
                let message = message.encode();
                bytes += message.len();
                let message = automerge::sync::Message::decode(&message).expect("its own bytes");
                let there = &mut self.0[1 - side];
                there.sync().receive_sync_message(&mut states[1 - side], message).expect("its own message");
            }
            if quiet {
                return bytes;
            }
        }
    }
}

impl Linked for Automerge {
    fn pass_on(&mut self, element: &str) {
        self.0[0].put(ROOT, element, 1).expect("the root is a map");
        let change = self.0[0].save_incremental();
        self.0[1].load_incremental(&change).expect("its own bytes");
    }
}

/// dson: contexts, then the part that each lacks, in postcard.
pub struct Dson([dots::Set<String>; 2]);

impl Two for Dson {
    fn sharing(elements: &[String]) -> Self {
        let left = dots::set_of(elements);
        Self([left.clone(), left])
    }

    fn insert(&mut self, side: usize, elements: &[String]) {
        let mut fresh = dots::Set::default();
        for element in elements {
            let mut known = dots::Set::default();
            known.context.union(&self.0[side].context);
            known.context.union(&fresh.context);
            dots::join(&mut fresh, dots::insertion(&known, side as u8 + 1, element.clone()));
        }
        dots::join(&mut self.0[side], fresh);
    }

    fn remove(&mut self, side: usize, elements: &[String]) {
        for element in elements {
            let removal = dots::removal(&self.0[side], element);
            dots::join(&mut self.0[side], removal);
        }
    }

    fn meet(&mut self) -> usize {
        let contexts = [0, 1].map(|side: usize| postcard::to_allocvec(&self.0[side].context).expect("serialises"));
        let parts = [0, 1].map(|side: usize| {
            let theirs = postcard::from_bytes(&contexts[1 - side]).expect("its own bytes");
            postcard::to_allocvec(&self.0[side].subset_for_inflation_from(&theirs)).expect("serialises")
        });
        for side in [0, 1] {
            let part = postcard::from_bytes(&parts[1 - side]).expect("its own bytes");
            dots::join(&mut self.0[side], part);
        }
        contexts.iter().chain(&parts).map(Vec::len).sum()
    }
}

/// crdts: whole states, in postcard. Its sets tell of no difference, and operations must neither be lost nor repeated.
pub struct Crdts([states::Set<String>; 2]);

impl Two for Crdts {
    fn sharing(elements: &[String]) -> Self {
        let left = states::set_of(elements);
        Self([left.clone(), left])
    }

    fn insert(&mut self, side: usize, elements: &[String]) {
        states::extend(&mut self.0[side], side as u64 + 1, elements);
    }

    fn remove(&mut self, side: usize, elements: &[String]) {
        for element in elements {
            states::remove(&mut self.0[side], element);
        }
    }

    fn meet(&mut self) -> usize {
        let whole = [0, 1].map(|side: usize| postcard::to_allocvec(&self.0[side]).expect("serialises"));
        for side in [0, 1] {
            let theirs: states::Set<String> = postcard::from_bytes(&whole[1 - side]).expect("its own bytes");
            crdts::CvRDT::merge(&mut self.0[side], theirs);
        }
        whole.iter().map(Vec::len).sum()
    }
}
