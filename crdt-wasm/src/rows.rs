//! What a browser's store keeps: rows that several tabs append to, and that mean the same in any order.
//!
//! ```text
//! 'r' · id · first u64 · last u64 (big-endian)  →  the canonical bytes of that record
//! 'd' · run 8 · ticket u64 (big-endian)         →  1 · bytes (received) · delta       what came by no record
//! 's' · hash u64                                →  the same: many rows folded into few, none of them long
//! 'm' · id                                      →  1 · time u64 · u32 n · n × (id · last u64)   no stamp above it; retired
//! 'm' · run 8 · ticket u64 (big-endian)         →  the same: who was retired then
//! ```
//! Each row is a delta, so a store's state is their join: no row is ever rewritten with other content, but for 'm', which
//! belongs to one writer and is joined by the highest.

use crdt_sync::crdt_core::{Causal, Delta, Document, Dot, DotSet, Merge, ReplicaId};
use crdt_sync::{Loaded, Meta, Payload, Persist, Record, ScopeId};

use crate::code::Code;
use crate::convert::{In, Out};

/// The version of rows that are not records.
const FORMAT: u8 = 1;

const RECORD: u8 = b'r';
const DELTA: u8 = b'd';
const SNAPSHOT: u8 = b's';
const META: u8 = b'm';

/// About how long a folded row is: a page that opens the document reads row by row, and is free to do something else
/// after each.
const PIECE_BYTES: usize = 16 << 10;

/// No more entries are in one: of small ones, that is a piece.
const PIECE_ENTRIES: usize = 512;

/// What the rows of a store say together.
pub(crate) struct Stored {
    pub(crate) state: Causal<Document>,
    pub(crate) received: DotSet,
    time_hi: u64,
    retired: Vec<(ReplicaId, u64)>,
    /// What is still to be folded.
    left: Option<Vec<Dot>>,
}

impl Stored {
    pub(crate) fn new(seed: u64) -> Self {
        let state = Causal::with_seed(seed);
        Self { state, received: DotSet::with_seed(seed), time_hi: 0, retired: Vec::new(), left: None }
    }

    /// Takes in some of the rows. After a refusal it is of no use any more.
    pub(crate) fn take(&mut self, rows: &[u8]) -> Result<(), Code> {
        // What was folded is not all any more.
        self.left = None;
        let mut from = In::new(rows);
        for _ in 0..from.u32()? {
            let (key, row) = (from.bytes()?, from.bytes()?);
            match key.first() {
                Some(&RECORD) => self.take_record(row)?,
                Some(&(DELTA | SNAPSHOT)) => self.take_delta(row)?,
                Some(&META) => self.take_meta(row)?,
                _ => return Err(Code::UnsupportedFormat),
            }
        }
        from.end()
    }

    /// Whether these can be all rows of a document.
    pub(crate) fn check(&self) -> Result<(), Code> {
        if self.received.is_subset(self.state.seen()) { Ok(()) } else { Err(Code::BadBytes) }
    }

    fn take_record(&mut self, row: &[u8]) -> Result<(), Code> {
        let record = Record::<Document>::decode(row)?;
        self.received.insert_run(record.own.replica, record.own.first, record.own.last);
        if let Payload::Retire { replica, last } = record.payload {
            self.retire(replica, last);
        }
        self.state.merge(record.delta());
        Ok(())
    }

    fn take_delta(&mut self, row: &[u8]) -> Result<(), Code> {
        let mut from = format(row)?;
        self.received.union_with(&dots(from.bytes()?)?);
        self.state.merge(Delta::decode(from.rest())?);
        Ok(())
    }

    fn take_meta(&mut self, row: &[u8]) -> Result<(), Code> {
        let mut from = format(row)?;
        self.time_hi = self.time_hi.max(from.u64()?);
        for _ in 0..from.u32()? {
            let (replica, last) = (from.id()?, from.u64()?);
            self.retire(replica, last);
        }
        from.end()
    }

    fn retire(&mut self, replica: ReplicaId, last: u64) {
        match self.retired.binary_search_by_key(&replica, |(retired, _)| *retired) {
            Ok(at) => self.retired[at].1 = self.retired[at].1.max(last),
            Err(at) => self.retired.insert(at, (replica, last)),
        }
    }

    /// The state, and what a replica has to know beside it. The writer is a fresh one, so the identity is nobody's.
    pub(crate) fn into_loaded(self, scope: ScopeId, fresh: ReplicaId) -> (Causal<Document>, Loaded) {
        let frontier = self.received.runs().filter_map(|(replica, _, last)| Dot::new(replica, last));
        let meta = Meta {
            scope,
            replica: fresh,
            last: 0,
            time_hi: self.time_hi,
            clean: true,
            marker: 0,
            acked: Vec::new(),
            stable: DotSet::new(),
            lent: Vec::new(),
        };
        let loaded = Loaded {
            frontier: frontier.collect(),
            received: self.received,
            retired: self.retired,
            meta: Some(meta),
            marker: Some(0),
            ..Loaded::default()
        };
        (self.state, loaded)
    }

    /// The same in few rows, some of them: none when all were said.
    pub(crate) fn fold(&mut self, out: &mut Out) -> Result<(), Code> {
        let is_first = self.left.is_none();
        if is_first {
            self.check()?;
        }
        let mut rows = Rows::new(out);
        let state = &self.state;
        let left = self.left.get_or_insert_with(|| state.live().iter().collect());
        // The first says as well what was received, and what is gone.
        let (mut received, mut delta) = (DotSet::new(), Delta::new());
        if is_first {
            received.clone_from(&self.received);
            delta = Delta::retiring(state.seen().difference(&state.live()), DotSet::new());
        }
        if !left.is_empty() || !delta.is_empty() {
            let mut at = left.len().saturating_sub(PIECE_ENTRIES);
            let mut piece = state.restrict(&left[at..].iter().copied().collect());
            while left.len() - at > 1 && piece.weigh().0 > PIECE_BYTES {
                at = left.len() - (left.len() - at) / 2;
                piece = state.restrict(&left[at..].iter().copied().collect());
            }
            left.truncate(at);
            delta.merge(piece);
            rows.put_snapshot(&received, &delta);
        }
        if is_first && (self.time_hi > 0 || !self.retired.is_empty()) {
            // Of a writer that nobody is, so that no tab writes the same.
            rows.put(&meta_key(ReplicaId::from_u128(0)), &meta_row(self.time_hi, &self.retired));
        }
        rows.end();
        Ok(())
    }
}

/// Rows on their way out.
struct Rows<'o> {
    out: &'o mut Out,
    at: usize,
    count: usize,
}

impl<'o> Rows<'o> {
    fn new(out: &'o mut Out) -> Self {
        let at = out.later();
        Self { out, at, count: 0 }
    }

    fn put(&mut self, key: &[u8], row: &[u8]) {
        self.out.bytes(key);
        self.out.bytes(row);
        self.count += 1;
    }

    /// Under a name that is its content's.
    fn put_snapshot(&mut self, received: &DotSet, delta: &Delta<Document>) {
        let row = delta_row(received, delta);
        let mut key = vec![SNAPSHOT];
        key.extend(hash(&row).to_be_bytes());
        self.put(&key, &row);
    }

    fn end(self) {
        self.out.set(self.at, self.count);
    }
}

/// A batch as rows. `state` is the one that the batch was made of; `run` tells this run of the document from all others.
pub(crate) fn write(persist: &Persist, state: &Causal<Document>, run: u64, out: &mut Out) {
    let mut rows = Rows::new(out);
    let batch = &persist.batch;
    let mut recorded = DotSet::new();
    for record in &batch.log_put {
        let own = record.own;
        recorded.insert_run(own.replica, own.first, own.last);
        let mut key = vec![RECORD];
        key.extend(own.replica.to_bytes());
        key.extend(own.first.to_be_bytes());
        key.extend(own.last.to_be_bytes());
        rows.put(&key, &record.bytes);
    }
    // Where records account for all that was received, they say all that changed.
    let replaced = batch.received.is_empty() && !(batch.put.is_empty() && batch.remove.is_empty());
    if !batch.received.is_subset(&recorded) || replaced {
        let live = state.live_within(&batch.seen);
        let mut delta = Delta::retiring(batch.seen.difference(&live), DotSet::new());
        // As it is now: of what a later batch took out of it this one already says that it is gone.
        delta.merge(state.restrict(&batch.put.iter().map(|(dot, _)| *dot).collect()));
        delta.merge(Delta::retiring(DotSet::new(), batch.remove.iter().copied().collect()));
        let mut key = vec![DELTA];
        key.extend(run.to_be_bytes());
        key.extend(persist.ticket.0.to_be_bytes());
        rows.put(&key, &delta_row(&batch.received, &delta));
    }
    if !batch.retired.is_empty() {
        let mut key = vec![META];
        key.extend(run.to_be_bytes());
        key.extend(persist.ticket.0.to_be_bytes());
        rows.put(&key, &meta_row(0, &batch.retired));
    }
    if let Some(meta) = batch.meta.as_ref().filter(|meta| meta.time_hi > 0) {
        rows.put(&meta_key(meta.replica), &meta_row(meta.time_hi, &[]));
    }
    rows.end();
}

fn format(row: &[u8]) -> Result<In<'_>, Code> {
    let mut from = In::new(row);
    if from.u8()? == FORMAT { Ok(from) } else { Err(Code::UnsupportedFormat) }
}

fn delta_row(received: &DotSet, delta: &Delta<Document>) -> Vec<u8> {
    let mut row = Out::default();
    row.u8(FORMAT);
    row.bytes(&dots_to_bytes(received));
    row.raw(&delta.encode());
    row.into_bytes()
}

fn meta_key(writer: ReplicaId) -> Vec<u8> {
    let mut key = vec![META];
    key.extend(writer.to_bytes());
    key
}

fn meta_row(time_hi: u64, retired: &[(ReplicaId, u64)]) -> Vec<u8> {
    let mut row = Out::default();
    row.u8(FORMAT);
    row.raw(&time_hi.to_le_bytes());
    row.u32(retired.len());
    for (replica, last) in retired {
        row.id(*replica);
        row.raw(&last.to_le_bytes());
    }
    row.into_bytes()
}

/// FNV-1a: a name for a row's content, not a guard.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A set of dots in bytes: the delta that has just them, each without an entry.
pub(crate) fn dots_to_bytes(dots: &DotSet) -> Vec<u8> {
    Delta::<Document>::retiring(dots.clone(), DotSet::new()).encode()
}

pub(crate) fn dots(bytes: &[u8]) -> Result<DotSet, Code> {
    let delta = Delta::<Document>::decode(bytes)?;
    if delta.entries().len() == 0 && delta.retired().is_empty() { Ok(delta.own().clone()) } else { Err(Code::BadBytes) }
}
