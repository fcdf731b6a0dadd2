//! Links that come up, say who is there, break the rules, and go down.

use crdt_core::{DotSet, DotStore};

use super::Replica;
use crate::peer::{GREET_EVERY, Peer};
use crate::{Applicant, Event, FrameError, LinkKind, Message, Now, Open, PeerId, Refuse, RefuseReason, Role};

// Kinds of frames that a refusal may be about.
const PUSH: u8 = 2;
const HELLO: u8 = 8;
const CANCEL: u8 = 17;
const BORROW: u8 = 22;

impl<S: DotStore> Replica<S> {
    /// A link is up. The name must not have been used before.
    pub fn peer_up(&mut self, peer: PeerId, kind: LinkKind, now: Now) {
        if self.disk.failed {
            return;
        }
        if self.peers.len() >= self.config.limits.links_max {
            self.events.push_back(Event::Close { peer });
            return;
        }
        self.peers.insert(peer, Peer::new(kind, &self.config, self.seed, now.steady));
        self.linked = true;
        #[cfg(any(test, feature = "sim"))]
        if faulty!(self.config, DictionaryKept)
            && let (Some(link), Some(writer)) = (self.peers.get_mut(&peer), self.kept_writer.take())
        {
            link.writer = writer;
        }
        // What is said of this replica is durable before it is said.
        self.commit(now);
        if kind != LinkKind::Hint {
            let open = self.greeting();
            self.send(peer, Message::Open(open));
        }
    }

    /// A link is down. What was on its way there is taken to be lost.
    pub fn peer_down(&mut self, peer: PeerId, now: Now) {
        self.repair_peer_down(peer, now);
        if let Some(gone) = self.peers.remove(&peer) {
            self.held_bytes -= gone.held;
            self.held.retain(|held| held.peer != peer);
            self.fetches.wanted.retain(|_, wanted| wanted.peer != peer);
            #[cfg(any(test, feature = "sim"))]
            if gone.kind == LinkKind::Stream {
                self.kept_writer = Some(gone.writer);
            }
        }
    }

    /// How many bytes the driver still has to send on a link. Above a bound, records are left out for a repair to
    /// bring: a slow peer costs bounded memory and disturbs nobody else.
    pub fn set_backlog(&mut self, peer: PeerId, bytes: usize) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.backlog = bytes;
        }
    }

    /// What is between the ends takes no longer frames than this: a proxy, a server with a bound of its own.
    pub fn limit_frames(&mut self, peer: PeerId, bytes_max: usize) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.path_bytes_max = bytes_max;
        }
    }

    /// Notes the certificate that the other end of a link has proved to be its own, for
    /// [`Config::authorise`](crate::Config::authorise). Say it before its first frame.
    pub fn set_certificate(&mut self, peer: PeerId, certificate: Vec<u8>) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.certificate = Some(certificate);
        }
    }

    /// Sends bytes of the membership protocol, or of presence: nothing is stored of them.
    pub fn gossip(&mut self, peer: PeerId, bytes: Vec<u8>) {
        if self.peers.get(&peer).is_some_and(Peer::is_open) {
            self.send(peer, Message::Gossip(bytes));
        }
    }

    pub(super) fn greeting(&self) -> Open {
        let mut open = Open::new(self.writer.id(), self.instance, &self.config);
        open.schema = self.schema();
        open
    }

    /// What both ends have to agree in: what the application said, else that the data is the same kind of container.
    /// Structs with more fields on one side stay compatible: each keeps what it does not know.
    fn schema(&self) -> u64 {
        if self.config.schema == 0 { S::KIND as u64 } else { self.config.schema }
    }

    /// Says again who is here, under a new id.
    pub(super) fn introduce_again(&mut self) {
        let links = self.peers.iter().filter(|(_, peer)| peer.kind != LinkKind::Hint);
        let links: Vec<PeerId> = links.map(|(link, _)| *link).collect();
        for peer in links {
            let open = self.greeting();
            self.send(peer, Message::Open(open));
        }
    }

    pub(super) fn opened(&mut self, from: PeerId, open: Open, now: Now) {
        if let Some(reason) = self.objection(from, &open, now) {
            return self.refuse(from, 0, reason);
        }
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let first = peer.open.is_none();
        let same = peer.open.as_ref().is_some_and(|before| before.replica == open.replica);
        let replica = open.replica;
        peer.writer.peer_takes(open.frame_bytes_max);
        peer.open = Some(open);
        if same {
            return self.greet_if_unheard(from, now);
        }
        // What was known of another replica at this end says nothing of this one.
        peer.acked = DotSet::new();
        peer.sent = DotSet::new();
        if let Some(member) = peer.member() {
            self.roster.heard(member, &DotSet::new(), now.steady, &self.config.limits);
        }
        self.hear_lent(replica, now);
        self.events.push_back(Event::PeerOpened { peer: from, replica });
        if self.roster.retired().contains_key(&replica) {
            // It may read on; to write, it needs a fresh id.
            self.say_refused(from, 0, RefuseReason::RetiredId);
        }
        let counts = self.peers.get(&from).is_some_and(|peer| peer.kind != LinkKind::Hint);
        // One side opens the first repair, or both would do the same work.
        if first && counts && (self.writer.id() > replica) {
            self.repair_with(from, now);
        }
    }

    /// The other end introduces itself again, so it may not have heard this side's introduction.
    fn greet_if_unheard(&mut self, to: PeerId, now: Now) {
        let Some(peer) = self.peers.get_mut(&to) else { return };
        if peer.kind == LinkKind::Datagram && !peer.confirmed && now.steady - peer.greeted >= GREET_EVERY {
            peer.greeted = now.steady;
            let greeting = self.greeting();
            self.send(to, Message::Open(greeting));
        }
    }

    /// Introduces this side again where nothing was heard yet.
    pub(super) fn greet_again(&mut self, now: Now) {
        let due = |peer: &Peer| peer.greet_again().is_some_and(|due| due <= now.steady);
        let unheard: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| due(peer)).map(|(id, _)| *id).collect();
        for to in unheard {
            if let Some(peer) = self.peers.get_mut(&to) {
                peer.greeted = now.steady;
            }
            let greeting = self.greeting();
            self.send(to, Message::Open(greeting));
        }
    }

    /// In what another replica does not fit this one.
    pub(super) fn misfit(&self, open: &Open) -> Option<RefuseReason> {
        let (oldest, newest) = open.versions;
        if oldest > Open::VERSION || newest < Open::VERSION {
            return Some(RefuseReason::Version);
        }
        if open.scope != self.config.scope {
            return Some(RefuseReason::Forbidden);
        }
        if open.mode != self.config.mode {
            return Some(RefuseReason::Mode);
        }
        // One that says nothing holds whatever comes.
        let differs = open.schema != 0 && open.schema != self.schema();
        differs.then_some(RefuseReason::Schema)
    }

    /// What speaks against a peer, if anything does.
    fn objection(&mut self, from: PeerId, open: &Open, now: Now) -> Option<RefuseReason> {
        if let Some(reason) = self.misfit(open) {
            return Some(reason);
        }
        if open.replica == self.writer.id() {
            // A link to oneself, or a copy of this store.
            if open.instance != self.instance {
                self.identity_lost(None, now);
            }
            return Some(RefuseReason::IdInUse);
        }
        let certificate = self.peers.get(&from).and_then(|peer| peer.certificate.as_deref());
        let applicant = Applicant { peer: from, open, certificate };
        let may = self.config.authorise.as_ref().is_none_or(|authorise| authorise.allows(&applicant));
        (!may).then_some(RefuseReason::Forbidden)
    }

    pub(super) fn refused(&mut self, from: PeerId, refuse: &Refuse, now: Now) {
        match refuse.reason {
            RefuseReason::IdInUse => {
                let own_link = self.peers.get(&from).and_then(|peer| peer.open.as_ref());
                // Refused before it said who it is, or by another one under this id.
                let other = own_link.is_none_or(|open| open.instance != self.instance);
                if other && self.config.role == Role::Replica {
                    self.identity_lost(None, now);
                }
                self.close_link(from, refuse.reason);
            }
            RefuseReason::RetiredId => self.identity_lost(None, now),
            RefuseReason::Version | RefuseReason::Schema | RefuseReason::Mode | RefuseReason::Forbidden => {
                self.close_link(from, refuse.reason);
            }
            // One thing was refused; the link goes on without.
            RefuseReason::Busy | RefuseReason::Unsupported | RefuseReason::Malformed => match refuse.kind {
                BORROW => self.not_lent(from, refuse.reason),
                // A repair that lost one of its frames comes to no end. Records may be a part of one.
                PUSH | HELLO..=CANCEL => self.drop_repair(from, now),
                _ => {}
            },
        }
    }

    fn refuse(&mut self, to: PeerId, kind: u8, reason: RefuseReason) {
        self.say_refused(to, kind, reason);
        self.close_link(to, reason);
    }

    pub(super) fn say_refused(&mut self, to: PeerId, kind: u8, reason: RefuseReason) {
        self.send(to, Message::Refuse(Refuse { reason, kind, detail: reason.to_string() }));
    }

    fn close_link(&mut self, peer: PeerId, reason: RefuseReason) {
        self.events.push_back(Event::Incompatible { peer, reason });
        self.end_link(peer);
    }

    /// Nothing more is taken from a peer or told to it. What it was told still waits for the disk, perhaps, and the last
    /// of it is mostly why: the link is up until that is out.
    fn end_link(&mut self, peer: PeerId) {
        if let Some(link) = self.peers.get_mut(&peer) {
            link.closed = true;
            if link.held > 0 {
                return;
            }
        }
        self.events.push_back(Event::Close { peer });
    }

    /// Counts a bad frame; after a few the link is shut, and at once where nothing that follows could be read.
    pub(super) fn strike(&mut self, from: PeerId, kind: u8, error: FrameError) -> FrameError {
        self.stats.frames_refused += 1;
        self.events.push_back(Event::BadFrame { peer: from, error: error.clone() });
        let strikes_max = self.config.limits.strikes_max;
        let Some(peer) = self.peers.get_mut(&from) else { return error };
        let kind_of_link = peer.kind;
        // Before the two have agreed on a version, another one is no mistake, and there is none in common.
        if matches!(error, FrameError::Version(_)) && !peer.is_open() {
            self.refuse(from, kind, RefuseReason::Version);
            return error;
        }
        // Whoever speaks of what came later does nothing wrong.
        let reason = match error {
            FrameError::Unsupported(_) => RefuseReason::Unsupported,
            _ => RefuseReason::Malformed,
        };
        peer.strikes += u32::from(reason == RefuseReason::Malformed);
        let over = peer.strikes >= strikes_max || peer.reader.is_out_of_step();
        // On somebody else's message system everybody would hear it, and have it to refuse.
        if kind_of_link != LinkKind::Hint {
            let detail = error.to_string();
            self.send(from, Message::Refuse(Refuse { reason, kind, detail }));
        }
        if over {
            self.end_link(from);
        }
        error
    }

    pub(super) fn hear(&mut self, from: PeerId, now: Now) {
        if let Some(member) = self.peers.get(&from).and_then(Peer::member) {
            self.roster.heard(member, &DotSet::new(), now.steady, &self.config.limits);
            #[cfg(any(test, feature = "sim"))]
            if faulty!(self.config, DormantCounts) {
                self.roster.count_at_once(member);
            }
        }
    }
}
