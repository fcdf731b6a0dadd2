//! What peers say: records, announcements, questions.

use std::borrow::Cow;
use std::sync::Arc;

use crdt_core::{Change, Dot, DotSet, DotStore, Merge, Moves, Observed};

use super::{Replica, Wanted};
use crate::inbox::missing_cause;
use crate::repair::LogIndex;
use crate::weight::held_bytes;
use crate::{Event, Fetch, FrameError, LinkKind, LogRecord, Message, Now, Open, Payload, PeerId, Record, RefuseReason};

/// What one frame brought, told to the application at once.
#[derive(Default)]
pub(super) struct News {
    pub(super) changes: Vec<Change>,
    pub(super) received: DotSet,
}

impl<S: DotStore> Replica<S> {
    /// Takes in one frame.
    ///
    /// # Errors
    /// If it was refused; nothing of it was taken in. After a few bad frames the link is shut
    /// ([`Event::Close`]).
    pub fn handle_message(&mut self, from: PeerId, frame: &[u8], now: Now) -> Result<(), FrameError> {
        let kind = frame.get(1).copied().unwrap_or_default();
        let Some(peer) = self.peers.get_mut(&from) else { return Err(FrameError::OutOfTurn(kind)) };
        if peer.closed {
            return Err(FrameError::Closed);
        }
        if self.disk.failed {
            return Ok(());
        }
        let message = match peer.reader.read::<S>(frame) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(error) => return Err(self.strike(from, kind, error)),
        };
        self.stats.received(&message, frame.len());
        let is_greeting = matches!(message, Message::Open(_) | Message::Refuse(_));
        if !is_greeting && !peer.is_open() {
            let error = FrameError::OutOfTurn(kind);
            // On a link that loses frames, the introduction may be what was lost.
            let excused = peer.kind == LinkKind::Datagram;
            return Err(if excused { error } else { self.strike(from, kind, error) });
        }
        if peer.kind == LinkKind::Hint && !matches!(message, Message::Push(_)) {
            return Err(self.strike(from, kind, FrameError::OutOfTurn(kind)));
        }
        peer.confirmed |= !is_greeting;
        self.hear(from, now);
        let result = self.take_message(from, kind, message, frame.len(), now);
        self.commit_received(now);
        result.map_err(|error| self.strike(from, kind, error))
    }

    fn take_message(
        &mut self,
        from: PeerId,
        kind: u8,
        message: Message<S>,
        frame_bytes: usize,
        now: Now,
    ) -> Result<(), FrameError> {
        match message {
            Message::Open(open) => self.opened(from, open, now),
            Message::Refuse(refuse) => self.refused(from, &refuse, now),
            Message::Push(records) => return self.take_push(from, records, now),
            Message::Have(dots) => return self.take_have(from, &dots, now),
            Message::Want(dots) => self.answer_want(from, &dots),
            Message::NotInLog(dots) => {
                if !dots.is_subset(&self.received) {
                    self.repair_with(from, now);
                }
            }
            Message::Prune => self.set_eager(from, false),
            Message::Graft => self.set_eager(from, true),
            Message::Known(rows) => return self.take_known(rows, now),
            Message::Retirements(rows) => {
                rows.iter().for_each(|(replica, last)| self.check_retirement(*replica, *last, now));
                self.take_retirements(rows);
            }
            Message::Gossip(bytes) => self.events.push_back(Event::Gossip { peer: from, bytes }),
            Message::Write(_) | Message::Written(_) => self.say_refused(from, kind, RefuseReason::Unsupported),
            Message::Borrow => self.lend(from, now),
            Message::Lent { replica, next } => self.take_lent(from, replica, next),
            Message::Return { replica, last } => self.take_back(from, replica, last, now),
            repair => self.take_repair(from, repair, frame_bytes, now),
        }
        Ok(())
    }

    /// Refuses counters absurdly far above all that is known of their replicas: one forged dot must not end an id's
    /// life.
    pub(super) fn check_jump(&self, dots: &DotSet) -> Result<(), FrameError> {
        let jump = self.config.limits.counter_jump_max;
        let seen = self.state.seen();
        let too_far = dots.runs().any(|(replica, _, last)| last > seen.last(replica).saturating_add(jump));
        if too_far { Err(FrameError::CounterJump) } else { Ok(()) }
    }

    pub(super) fn check_record(&self, record: &Record<S>) -> Result<(), FrameError> {
        self.check_jump(&record.own.to_dot_set())?;
        self.check_jump(&record.after)?;
        match &record.payload {
            Payload::Edit(delta) => self.check_jump(delta.retired()),
            Payload::Retire { .. } => Ok(()),
        }
    }

    /// Notices dots of this replica's id that were not made here.
    pub(super) fn check_identity(&mut self, dots: &DotSet, now: Now) {
        let me = self.writer.id();
        let last = dots.last(me);
        if last > self.writer.last() {
            self.identity_lost(Dot::new(me, last), now);
        }
    }

    /// The same for all that a record names. What it was made on, and what it retires, may be the only sign of dots
    /// that were made here before the store was put back, and whose own record nobody has any more.
    fn check_named(&mut self, record: &Record<S>, now: Now) {
        self.check_identity(&record.own.to_dot_set(), now);
        self.check_identity(&record.after, now);
        match &record.payload {
            Payload::Edit(delta) => self.check_identity(delta.retired(), now),
            Payload::Retire { replica, last } => self.check_retirement(*replica, *last, now),
        }
    }

    /// Somebody says up to which dot this replica's id was used.
    pub(super) fn check_retirement(&mut self, replica: crdt_core::ReplicaId, last: u64, now: Now) {
        if replica == self.writer.id() && last > self.writer.last() {
            self.identity_lost(Dot::new(replica, last), now);
        }
    }

    fn take_push(&mut self, from: PeerId, records: Vec<Arc<Record<S>>>, now: Now) -> Result<(), FrameError> {
        records.iter().try_for_each(|record| self.check_record(record))?;
        let mut news = News::default();
        let mut fresh = records.is_empty();
        // One that lends its counters on trust shows its own records before they are on its disk.
        let leases = self.peers.get(&from).and_then(|peer| peer.open.as_ref());
        let leases = leases.filter(|open| open.features & Open::LEASES != 0).map(|open| open.replica);
        for record in records {
            if leases != Some(record.own.replica) {
                self.note_peer_has(from, &record.own.to_dot_set(), now);
            }
            self.check_named(&record, now);
            if record.own.is_within(&self.received) {
                self.stats.records_repeated += 1;
                self.compare_repeated(&record);
                if faulty!(self.config, PushedAgain) {
                    self.outbox.push((record, Some(from)));
                }
                continue;
            }
            if record.own.is_within(self.inbox.dots()) {
                self.stats.records_repeated += 1;
                continue;
            }
            if faulty!(self.config, PushedIsSeen) && record.own.is_within(self.state.seen()) {
                self.note_received(record.own);
                continue;
            }
            fresh = true;
            if faulty!(self.config, SkewRefused) && self.clock.observe(now.wall.0, record.time).is_err() {
                return Err(FrameError::CounterJump);
            }
            self.take_fresh(record, Some(from), &mut news, now);
        }
        self.tell(news);
        let answers = self.peers.get(&from).is_some_and(|peer| peer.kind != LinkKind::Hint);
        if !fresh && answers && !faulty!(self.config, NeverPruned) {
            self.send(from, Message::Prune);
        }
        self.notice_gaps(now);
        Ok(())
    }

    /// Lets a record take effect, and all that waited for it, or lets it wait.
    pub(super) fn take_fresh(&mut self, record: Arc<Record<S>>, from: Option<PeerId>, news: &mut News, now: Now) {
        self.stats.records_fresh += 1;
        self.hear_lent(record.own.replica, now);
        let mut ready = vec![record];
        while let Some(record) = ready.pop() {
            match missing_cause(&record, &self.received, self.config.mode) {
                Some(missing) => {
                    let travels = record.encode().len();
                    let len = match &record.payload {
                        Payload::Edit(delta) => held_bytes(travels, delta),
                        Payload::Retire { .. } => travels,
                    };
                    let own = record.own;
                    if !self.inbox.park(record, len, missing, &self.config.limits) {
                        self.stats.parked_dropped += 1;
                        if faulty!(self.config, OverflowAcknowledged) {
                            self.note_received(own);
                        }
                    }
                    self.stats.parked_records_max = self.stats.parked_records_max.max(self.inbox.len());
                }
                None => {
                    let arrived = record.own.to_dot_set();
                    self.deliver(record, from, news, now);
                    ready.extend(self.inbox.ready(&arrived, &self.received, self.config.mode));
                }
            }
        }
    }

    fn deliver(&mut self, record: Arc<Record<S>>, from: Option<PeerId>, news: &mut News, now: Now) {
        let own = record.own;
        if faulty!(self.config, LargestTimeWins) && record.time < self.clock.last() {
            self.state.merge(crdt_core::Delta::retiring(own.to_dot_set(), DotSet::new()));
        } else {
            self.merge_payload(&record.payload, own, news);
        }
        self.note_received(own);
        news.received.insert_run(own.replica, own.first, own.last);
        // Where records come in any order, a later one of the same writer may be here already.
        let newest = self.frontier.last(own.replica) <= own.last;
        let covered =
            |dot: &Dot| dot.replica() == own.replica && dot.counter() <= own.last || record.after.contains(*dot);
        let own_last = newest.then(|| own.last_dot());
        self.frontier = self.frontier.iter().filter(|dot| !covered(dot)).chain(own_last).collect();
        self.pending.batch.frontier = Some(self.frontier.clone());
        if let Err(skew) = self.clock.observe(now.wall.0, record.time) {
            self.events.push_back(Event::Skewed { replica: own.replica, by_ms: skew.by_ms });
        }
        self.log_and_spread(record, from, now);
    }

    fn merge_payload(&mut self, payload: &Payload<S>, own: crate::Own, news: &mut News) {
        match payload {
            Payload::Edit(delta) => {
                let (moves, changes) = self.merge_delta(Cow::Borrowed(delta));
                self.note_moves(&moves);
                news.changes.extend(changes);
                if faulty!(self.config, VersionPrefix) && own.first > 1 {
                    let mut prefix = DotSet::new();
                    prefix.insert_run(own.replica, 1, own.first - 1);
                    self.state.merge(crdt_core::Delta::retiring(DotSet::new(), prefix));
                }
            }
            Payload::Retire { replica, last } => {
                self.state.merge(crdt_core::Delta::retiring(own.to_dot_set(), DotSet::new()));
                self.take_retirements([(*replica, *last)]);
            }
        }
    }

    /// Merges a delta; says which dots it moved, and what a reader sees differently.
    pub(super) fn merge_delta(&mut self, delta: Cow<'_, crdt_core::Delta<S>>) -> (Moves, Vec<Change>) {
        let moves = self.state.moves_of(&delta);
        let equivocated = self.state.equivocations(&delta);
        self.events.extend(equivocated.into_iter().map(Event::Equivocation));
        self.pending.batch.seen.union_with(delta.own());
        self.pending.batch.seen.union_with(delta.retired());
        let changes = if self.config.report_changes {
            self.state.merge_changes(&delta)
        } else {
            let places = if self.config.report_places { self.state.places_of(&delta) } else { Vec::new() };
            match delta {
                Cow::Owned(delta) => self.state.merge(delta),
                Cow::Borrowed(delta) => self.state.merge(delta),
            };
            let touched = |path| Change { path, before: Observed::Absent, after: Observed::Absent };
            places.into_iter().map(touched).collect()
        };
        (moves, changes)
    }

    /// A record that came again should say what it said before. If it does not, two memories write under one id: both
    /// are offered to the state, which keeps the same value everywhere. What the log has forgotten is taken to be the
    /// same; where states differ for that, their digests show it.
    pub(super) fn compare_repeated(&mut self, record: &Record<S>) {
        if !self.log.contradicts(record) {
            return;
        }
        self.events.push_back(Event::Equivocation(record.own.last_dot()));
        if let Payload::Edit(delta) = &record.payload {
            let (moves, _) = self.merge_delta(Cow::Borrowed(delta));
            self.note_moves(&moves);
        }
    }

    /// From now on [`Event::Changed`] says what looks different, or not; see
    /// [`Config::report_changes`](crate::Config::report_changes).
    pub fn report_changes(&mut self, wanted: bool) {
        self.config.report_changes = wanted;
    }

    pub(super) fn tell(&mut self, news: News) {
        if !news.received.is_empty() || !news.changes.is_empty() {
            self.events.push_back(Event::Changed { changes: news.changes, received: news.received });
        }
    }

    fn take_have(&mut self, from: PeerId, dots: &DotSet, now: Now) -> Result<(), FrameError> {
        self.check_jump(dots)?;
        self.check_identity(dots, now);
        self.note_peer_has(from, dots, now);
        self.tell_peer_has(from);
        self.advance_stable();
        self.notice_gaps(now);
        Ok(())
    }

    pub(super) fn tell_peer_has(&mut self, from: PeerId) {
        if let Some(peer) = self.peers.get(&from)
            && let Some(replica) = peer.member()
        {
            self.events.push_back(Event::PeerHas { replica, dots: peer.acked.clone() });
        }
    }

    /// A peer has these durably: it said so, or it showed them.
    pub(super) fn note_peer_has(&mut self, from: PeerId, dots: &DotSet, now: Now) {
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if peer.kind == LinkKind::Hint {
            return;
        }
        peer.acked.union_with(dots);
        // Claims about what is not here are believed until there are too many of them to keep.
        let limits = &self.config.limits;
        if peer.acked.run_count() > limits.set_runs_max {
            peer.acked = peer.acked.intersection(&self.received);
        }
        if let Some(replica) = peer.member() {
            self.roster.heard(replica, dots, now.steady, limits);
        }
    }

    fn set_eager(&mut self, from: PeerId, eager: bool) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.eager = eager;
        }
    }

    fn answer_want(&mut self, from: PeerId, dots: &DotSet) {
        let found = self.log.find(dots);
        let mut bytes = 0;
        let mut records = Vec::new();
        for record in found.records {
            bytes += self.log.bytes_of(&record.own.to_dot_set());
            records.push(record);
            if bytes > self.config.limits.want_bytes_max {
                // The rest is asked for again.
                break;
            }
        }
        self.push(from, records);
        if !found.on_disk.is_empty() && bytes < self.config.limits.want_bytes_max {
            self.fetch_for(from, found.on_disk, None);
        }
        if !found.missing.is_empty() {
            self.send(from, Message::NotInLog(found.missing));
        }
    }

    /// Has records read from the disk, to push them to a peer; `then` follows them.
    pub(super) fn fetch_for(&mut self, peer: PeerId, dots: DotSet, then: Option<Message<S>>) {
        // Each that waits costs memory: one question per link, which is asked again, and its newest repair.
        let (is_question, wanted) = (then.is_none(), &mut self.fetches.wanted);
        if is_question && wanted.values().any(|wanted| wanted.peer == peer && wanted.then.is_none()) {
            return;
        }
        wanted.retain(|_, wanted| is_question || wanted.peer != peer || wanted.then.is_none());
        let id = self.fetches.next;
        self.fetches.next += 1;
        let bytes_max =
            if then.is_some() { self.config.limits.part_bytes_max } else { self.config.limits.want_bytes_max };
        self.fetches.asked.push_back(Fetch { id, dots: dots.clone(), bytes_max });
        self.fetches.wanted.insert(id, Wanted { peer, dots, then });
    }

    /// Records that were asked for with [`poll_fetch`](Self::poll_fetch); fewer than asked for, or none, if the disk
    /// does not have them.
    pub fn fetched(&mut self, id: u64, records: Vec<LogRecord>, now: Now) {
        let Some(wanted) = self.fetches.wanted.remove(&id) else { return };
        // One that is broken counts as one that is not there: a repair does without the log.
        let limits = &self.config.limits;
        let decoded = records.iter().filter_map(|record| Record::<S>::decode_within(&record.bytes, limits).ok());
        let records: Vec<Arc<Record<S>>> = decoded.map(Arc::new).collect();
        let mut came = DotSet::new();
        for record in &records {
            came.insert_run(record.own.replica, record.own.first, record.own.last);
        }
        let complete = wanted.dots.is_subset(&came);
        self.push(wanted.peer, records);
        match wanted.then {
            Some(then) if complete => self.send(wanted.peer, then),
            Some(_) => self.give_up_repair(wanted.peer, now),
            None if !complete => {
                // What the log still has was too much for one answer, and is asked for again.
                let rest = wanted.dots.difference(&came);
                let gone = if came.is_empty() { rest } else { self.log.find(&rest).missing };
                if !gone.is_empty() {
                    self.send(wanted.peer, Message::NotInLog(gone));
                }
            }
            None => {}
        }
    }

    /// What came in with this input goes to the disk in one batch.
    pub(super) fn commit_received(&mut self, now: Now) {
        let pending = &self.pending;
        let batch = &pending.batch;
        let told = !self.outbox.is_empty() || !self.mended.is_empty();
        let came = told || pending.meta || batch.stage.is_some() || !batch.retired.is_empty();
        let replaced = self.open.is_none() && self.has_pending();
        if came || replaced {
            self.commit(now);
        }
    }
}
