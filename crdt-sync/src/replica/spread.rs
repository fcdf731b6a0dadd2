//! New records to peers, and word of them to those that are not pushed to.

use std::sync::Arc;

use crdt_core::{DotSet, DotStore};

use super::Replica;
use crate::prefix::from_the_first;
use crate::repair::LogIndex;
use crate::{LinkKind, Message, Now, PeerId, Record};

impl<S: DotStore> Replica<S> {
    /// Tells peers of what the last batch brought. Nothing goes back to where it came from, and nothing to whom has it
    /// (Enes et al. 2019); who gets it twice asks to be told only, so that a tree is left (Leitão, Pereira, Rodrigues
    /// 2007).
    pub(super) fn spread(&mut self, now: Now) {
        let records = core::mem::take(&mut self.outbox);
        let mut news = core::mem::take(&mut self.mended);
        for (record, _) in &records {
            news.insert_run(record.own.replica, record.own.first, record.own.last);
        }
        if news.is_empty() {
            return;
        }
        let open: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| peer.is_open()).map(|(id, _)| *id).collect();
        for to in open {
            let pushed = self.push_new(to, &records);
            let Some(peer) = self.peers.get_mut(&to) else { continue };
            if peer.kind == LinkKind::Hint {
                continue;
            }
            peer.announce.union_with(&news.difference(&pushed));
            if !peer.announce.is_empty() && self.due.announce.is_none() {
                self.due.announce = Some(now.steady + self.config.timing.announce_after);
            }
        }
    }

    fn push_new(&mut self, to: PeerId, records: &[(Arc<Record<S>>, Option<PeerId>)]) -> DotSet {
        let none = DotSet::new();
        let Some(peer) = self.peers.get(&to) else { return none };
        if !peer.eager {
            return none;
        }
        let lacking: Vec<Arc<Record<S>>> = records
            .iter()
            .filter(|(record, origin)| {
                if *origin == Some(to) {
                    return faulty!(self.config, PushedBack);
                }
                let known = record.own.is_within(&peer.acked) || record.own.is_within(&peer.sent);
                !known || faulty!(self.config, PushedAgain)
            })
            .map(|(record, _)| record.clone())
            .collect();
        self.push(to, lacking)
    }

    /// Pushes records, in frames that the peer takes; says which dots went. If too much is on its way there already,
    /// nothing does, and a repair brings them later.
    pub(super) fn push(&mut self, to: PeerId, records: Vec<Arc<Record<S>>>) -> DotSet {
        let mut pushed = DotSet::new();
        let Some(peer) = self.peers.get_mut(&to) else { return pushed };
        if records.is_empty() {
            return pushed;
        }
        if peer.held + peer.backlog > self.config.limits.link_bytes_max {
            peer.behind = true;
            self.stats.pushes_dropped += records.len() as u64;
            return pushed;
        }
        for record in &records {
            pushed.insert_run(record.own.replica, record.own.first, record.own.last);
        }
        peer.sent.union_with(&pushed);
        #[cfg(any(test, feature = "sim"))]
        if faulty!(self.config, SentIsAcked)
            && let Some(member) = self.peers.get(&to).and_then(crate::peer::Peer::member)
        {
            self.roster.believe(member, &pushed);
        }
        #[cfg(any(test, feature = "sim"))]
        if faulty!(self.config, HintIsAcked) && self.peers.get(&to).is_some_and(|peer| peer.kind == LinkKind::Hint) {
            let members: Vec<_> = self.roster.active().map(|(member, _)| member).collect();
            members.into_iter().for_each(|member| self.roster.believe(member, &pushed));
        }
        for frame in self.in_frames(records, self.frame_bytes_max(to)) {
            self.send(to, Message::Push(frame));
        }
        pushed
    }

    /// The same records, in parts that each fit a frame of that size.
    pub(super) fn in_frames(&self, records: Vec<Arc<Record<S>>>, frame_bytes_max: usize) -> Vec<Vec<Arc<Record<S>>>> {
        // The head and the new ids of the frame take some of it.
        let room = frame_bytes_max.saturating_sub(frame_bytes_max / 8).max(1);
        let limits = &self.config.limits;
        let mut frames = Vec::new();
        let mut frame = Vec::new();
        let (mut bytes, mut dots) = (0, 0);
        for record in records {
            let len = self.log.bytes_of(&record.own.to_dot_set()).max(64);
            // A record of few bytes may have many entries, as one byte can stand for sixteen.
            let count = record.own.last - record.own.first + 1;
            let is_full =
                bytes + len > room || dots + count > limits.frame_entries_max || frame.len() >= limits.push_records_max;
            if !frame.is_empty() && is_full {
                frames.push(core::mem::take(&mut frame));
                (bytes, dots) = (0, 0);
            }
            bytes += len;
            dots += count;
            frame.push(record);
        }
        frames.extend((!frame.is_empty()).then_some(frame));
        frames
    }

    /// The largest frame that a peer takes.
    pub(super) fn frame_bytes_max(&self, to: PeerId) -> usize {
        let limits = &self.config.limits;
        let Some(peer) = self.peers.get(&to) else { return limits.frame_bytes_max };
        if peer.kind == LinkKind::Datagram {
            return limits.datagram_bytes_max;
        }
        let theirs = peer.open.as_ref().map_or(usize::MAX, |open| open.frame_bytes_max as usize);
        limits.frame_bytes_max.min(theirs).min(peer.path_bytes_max)
    }

    /// Sends the announcements that have gathered.
    pub(super) fn announce(&mut self) {
        self.due.announce = None;
        let waiting: Vec<PeerId> =
            self.peers.iter().filter(|(_, peer)| !peer.announce.is_empty()).map(|(id, _)| *id).collect();
        for to in waiting {
            let Some(peer) = self.peers.get_mut(&to) else { continue };
            let dots = core::mem::take(&mut peer.announce);
            if peer.is_open() {
                let dots = from_the_first(&dots, &self.disk.received);
                self.send(to, Message::Have(dots));
            }
        }
    }
}
