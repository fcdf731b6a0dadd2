//! Parcels: what a peer lacks, for a channel that is no link.

use std::borrow::Cow;
use std::sync::Arc;

use crdt_core::{DotSet, DotStore};

use super::Replica;
use super::receive::News;
use crate::inbox::{in_causal_order, missing_cause};
use crate::parcel::{Kind, Unpacked, pack, unpack};
use crate::repair::carried::{Asked, Carried, CarriedNews, ask, read, tell};
use crate::{Message, Now, ParcelError, Record, SummaryOf, Ticket};

/// Bytes of a row of the table of retired replicas: an id, its place in the dictionary, a counter.
const RETIREMENT_BYTES: usize = 32;

impl<S: DotStore> Replica<S> {
    /// What is here, as bytes for a peer whom no link reaches: it answers with [`export`](Self::export), and
    /// [`import`](Self::import) takes the answer in, now or in a year. Hand the bytes on once the ticket is durable.
    ///
    /// A few bytes for each replica that ever wrote, whatever the size of the state.
    ///
    /// # Errors
    /// If the store has failed, or more was received than a frame can say.
    pub fn export_request(&mut self, now: Now) -> Result<(Vec<u8>, Ticket), ParcelError> {
        self.close_for_parcel(now)?;
        let summary = self.with_view(None, now, |_, view| ask(view));
        let bytes = pack(Kind::Request, self.label(), vec![summary], u32::MAX, &self.config)?;
        Ok((bytes, self.disk.last))
    }

    /// All that the sender of this request lacks of what is here, removals included. Hand the bytes on once the ticket
    /// is durable.
    ///
    /// The cost is that of one repair without a sketch, as nobody can ask for more: either the records that are not
    /// there, or the entries, and beside them a bit or less for each dot that both have seen. The same state answers the
    /// same request with the same bytes. Nothing is noted of the peer: what became of a parcel, nobody knows.
    ///
    /// # Errors
    /// If the bytes are no request that fits this replica, or the answer would be longer than
    /// [`staged_bytes_max`](crate::Limits::staged_bytes_max). Nothing has changed.
    pub fn export(&mut self, request: &[u8], now: Now) -> Result<(Vec<u8>, Ticket), ParcelError> {
        self.close_for_parcel(now)?;
        let (summary, frame_bytes_max) = self.read_request(request)?;
        let asked = self.with_view(None, now, |_, view| Asked::read(summary, view));
        let asked = asked.map_err(|reason| ParcelError::of(reason, &self.config))?;
        // A replica that was put back hears of its own dots here.
        self.check_identity(asked.received(), now);
        self.answer(&asked, frame_bytes_max, now)
    }

    /// All that is here, for whoever it may reach: a peer that has nothing yet, or one of which nothing is known.
    ///
    /// # Errors
    /// As [`export`](Self::export).
    pub fn export_all(&mut self, now: Now) -> Result<(Vec<u8>, Ticket), ParcelError> {
        self.close_for_parcel(now)?;
        self.answer(&Asked::nothing(), u32::MAX, now)
    }

    /// Takes in what a peer packed with [`export`](Self::export) or [`export_all`](Self::export_all): afterwards
    /// everything that it had is here, too, as after a repair. It happens in one commit, or not at all. Answers the dots
    /// that are new here, none the second time; what it brought is on disk when the ticket is durable.
    ///
    /// The parcel may be old, and edits may have gone on meanwhile: what was removed here since stays removed. Links are
    /// told of what it brought.
    ///
    /// # Errors
    /// If the bytes are not such a parcel, or do not fit this replica; see [`ParcelError`]. Nothing has changed.
    pub fn import(&mut self, parcel: &[u8], now: Now) -> Result<(DotSet, Ticket), ParcelError> {
        self.close_for_parcel(now)?;
        let Unpacked { open, messages } = unpack::<S>(Kind::Answer, parcel, self.seed, &self.config)?;
        if let Some(reason) = self.misfit(&open) {
            return Err(ParcelError::Incompatible(reason));
        }
        let carried = self.with_view(None, now, |_, view| read(messages, view))?;
        let Carried { received, frontier, news, retirements } = carried;
        let fresh = received.difference(&self.received);
        match news {
            CarriedNews::Records(records) => {
                self.check_records(&records, &received)?;
                self.take_records(records, now);
            }
            CarriedNews::Merge(None) => return Err(ParcelError::Gap),
            CarriedNews::Merge(Some(delta)) => self.take_told(Cow::Owned(delta), &received, &frontier, None, now),
        }
        self.check_identity(&received, now);
        retirements.iter().for_each(|(replica, last)| self.check_retirement(*replica, *last, now));
        self.take_retirements(retirements);
        self.notice_gaps(now);
        self.commit(now);
        Ok((fresh, self.disk.last))
    }

    fn close_for_parcel(&mut self, now: Now) -> Result<(), ParcelError> {
        if self.disk.failed {
            return Err(ParcelError::StoreFailed);
        }
        self.commit(now);
        Ok(())
    }

    /// Who packs. What differs from run to run is left out.
    fn label(&self) -> crate::Open {
        crate::Open { instance: 0, ..self.greeting() }
    }

    fn read_request(&self, request: &[u8]) -> Result<(SummaryOf, u32), ParcelError> {
        let Unpacked { open, mut messages } = unpack::<S>(Kind::Request, request, self.seed, &self.config)?;
        if let Some(reason) = self.misfit(&open) {
            return Err(ParcelError::Incompatible(reason));
        }
        match (messages.next::<S>()?, messages.next::<S>()?) {
            (Some((Message::Summary(summary), _)), None) => Ok((*summary, open.frame_bytes_max)),
            _ => Err(ParcelError::Contradictory),
        }
    }

    fn answer(&mut self, asked: &Asked, frame_bytes_max: u32, now: Now) -> Result<(Vec<u8>, Ticket), ParcelError> {
        let bytes_max = self.config.limits.staged_bytes_max;
        let frame = self.config.limits.frame_bytes_max.min(usize::try_from(frame_bytes_max).unwrap_or(usize::MAX));
        let lacking = self.received.difference(asked.received());
        let records = self.in_causal_order(&lacking, asked.received()).map(|records| self.in_frames(records, frame));
        let told = self.with_view(None, now, |_, view| {
            let view = crate::repair::View { frame_bytes_max: frame, ..*view };
            tell(asked, |_| records, bytes_max, &view)
        });
        let mut messages = told.map_err(|reason| ParcelError::of(reason, &self.config))?;
        let rows: Vec<_> = self.retired().collect();
        let parts = rows.chunks((frame / 2 / RETIREMENT_BYTES).max(1)).map(|part| Message::Retirements(part.to_vec()));
        messages.extend(parts);
        let bytes = pack(Kind::Answer, self.label(), messages, frame_bytes_max, &self.config)?;
        Ok((bytes, self.disk.last))
    }

    /// The records of these dots, each after what it was made on, where all of them are in memory.
    fn in_causal_order(&self, dots: &DotSet, received: &DotSet) -> Option<Vec<Arc<Record<S>>>> {
        let found = self.log.find(dots);
        let here = found.missing.is_empty() && found.on_disk.is_empty();
        here.then(|| in_causal_order(found.records, received.clone(), self.config.mode)).flatten()
    }

    /// Whether these records, one after the other, bring all that was received there.
    fn check_records(&self, records: &[Arc<Record<S>>], all: &DotSet) -> Result<(), ParcelError> {
        let mut received = self.received.clone();
        for record in records {
            self.check_record(record)?;
            if !record.own.is_within(all) {
                return Err(ParcelError::Contradictory);
            }
            if missing_cause(record, &received, self.config.mode).is_some() {
                return Err(ParcelError::Gap);
            }
            received.insert_run(record.own.replica, record.own.first, record.own.last);
        }
        if all.is_subset(&received) { Ok(()) } else { Err(ParcelError::Gap) }
    }

    fn take_records(&mut self, records: Vec<Arc<Record<S>>>, now: Now) {
        let mut news = News::default();
        for record in records {
            if record.own.is_within(&self.received) {
                self.stats.records_repeated += 1;
                self.compare_repeated(&record);
            } else if !record.own.is_within(self.inbox.dots()) {
                self.take_fresh(record, None, &mut news, now);
            }
        }
        self.tell(news);
    }
}
