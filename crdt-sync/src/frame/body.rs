//! What stands in each kind of frame.

use std::sync::Arc;

use crdt_core::codec::{Decoder, Encoder};
use crdt_core::{DecodeError, DecodeErrorKind, Delta, DotSet, DotStore, ReplicaId};

use super::sets::{read_frontier, read_live, write_frontier, write_live};
use crate::record::codec::{Before, read_last};
use crate::{
    CancelReason, Cell, Finish, FrameError, Hello, Limits, Message, Mode, Open, Plan, Record, Refuse, RefuseReason,
    RepairId, Role, ScopeId, SummaryOf,
};

/// Bytes of a tab's edit.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Set in a set-of-fields byte where that field is there.
fn flag(bit: u8, set: bool) -> u8 {
    if set { 1 << bit } else { 0 }
}

/// Codes on the wire: the place in the list.
const ROLES: [Role; 2] = [Role::Replica, Role::Tab];
const MODES: [Mode; 3] = [Mode::Immediate, Mode::Fifo, Mode::Causal];
const PLANS: [Plan; 5] = [Plan::Ask, Plan::Log, Plan::Sketch, Plan::LiveSet, Plan::Whole];
const REFUSE_REASONS: [RefuseReason; 9] = [
    RefuseReason::Version,
    RefuseReason::Schema,
    RefuseReason::Mode,
    RefuseReason::IdInUse,
    RefuseReason::RetiredId,
    RefuseReason::Malformed,
    RefuseReason::Busy,
    RefuseReason::Unsupported,
    RefuseReason::Forbidden,
];
const CANCEL_REASONS: [CancelReason; 7] = [
    CancelReason::Idle,
    CancelReason::Busy,
    CancelReason::Incomplete,
    CancelReason::OutOfTurn,
    CancelReason::TooLarge,
    CancelReason::Superseded,
    CancelReason::Partial,
];

fn write_code<T: PartialEq>(codes: &[T], value: &T, to: &mut Encoder<'_>) {
    let code = codes.iter().position(|other| other == value).expect("every value has a code");
    to.byte(code as u8);
}

fn read_code<T: Copy>(codes: &[T], from: &mut Decoder<'_>) -> Result<T, DecodeError> {
    let code = from.byte()?;
    codes.get(usize::from(code)).copied().ok_or_else(|| from.error(DecodeErrorKind::Unknown(code)))
}

fn write_u64(int: u64, to: &mut Encoder<'_>) {
    to.raw(&int.to_le_bytes());
}

fn read_u64(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    Ok(u64::from_le_bytes(from.raw(8)?.try_into().expect("eight bytes")))
}

fn read_u32(from: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    let int = from.varint()?;
    u32::try_from(int).map_err(|_| from.error(DecodeErrorKind::TooLarge))
}

fn read_repair(from: &mut Decoder<'_>) -> Result<RepairId, DecodeError> {
    from.varint().map(RepairId)
}

fn read_flags(known: u8, from: &mut Decoder<'_>) -> Result<u8, DecodeError> {
    let flags = from.byte()?;
    if flags & !known != 0 { Err(from.error(DecodeErrorKind::Unknown(flags))) } else { Ok(flags) }
}

/// A value that is only there where it is not the usual one.
fn not_usual<T: PartialEq>(value: T, usual: T, from: &Decoder<'_>) -> Result<T, DecodeError> {
    if value == usual { Err(from.error(DecodeErrorKind::NotCanonical)) } else { Ok(value) }
}

fn bounded(count: usize, limit: &'static str, allowed: usize) -> Result<usize, FrameError> {
    if count > allowed { Err(FrameError::too_large(limit, allowed as u64)) } else { Ok(count) }
}

impl<S: DotStore> Message<S> {
    /// The kind of its frame.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Open(_) => 0,
            Self::Refuse(_) => 1,
            Self::Push(_) => 2,
            Self::Have(_) => 3,
            Self::Want(_) => 4,
            Self::NotInLog(_) => 5,
            Self::Prune => 6,
            Self::Graft => 7,
            Self::Hello(_) => 8,
            Self::Same(_) => 9,
            Self::Summary(_) => 10,
            Self::Entries { .. } => 11,
            Self::Cells { .. } => 12,
            Self::LiveSet { .. } => 13,
            Self::More { .. } => 14,
            Self::Finish(_) => 15,
            Self::Done { .. } => 16,
            Self::Cancel { .. } => 17,
            Self::Known(_) => 18,
            Self::Retirements(_) => 19,
            Self::Write(_) => 20,
            Self::Written(_) => 21,
            Self::Borrow => 22,
            Self::Lent { .. } => 23,
            Self::Return { .. } => 24,
            Self::Gossip(_) => 25,
        }
    }

    /// Every id that its body names, some more than once.
    pub(super) fn each_id(&self, take: &mut dyn FnMut(ReplicaId)) {
        let mut each = |set: &DotSet| set.runs().for_each(|(id, ..)| take(id));
        match self {
            Self::Open(open) => take(open.replica),
            Self::Push(records) => records.iter().for_each(|record| record.each_id(take)),
            Self::Have(dots) | Self::Want(dots) | Self::NotInLog(dots) => each(dots),
            Self::Hello(hello) => {
                if let Some(summary) = &hello.summary {
                    summary.sets().for_each(each);
                }
            }
            Self::Summary(summary) => summary.sets().for_each(each),
            Self::Entries { entries, .. } => each(entries.own()),
            Self::LiveSet { live, .. } => each(live),
            Self::Finish(finish) => {
                [&finish.since, &finish.since_ahead, &finish.frontier, &finish.kept, &finish.retired]
                    .into_iter()
                    .for_each(each);
            }
            Self::Known(rows) => rows.iter().for_each(|(replica, dots)| {
                take(*replica);
                dots.runs().for_each(|(id, ..)| take(id));
            }),
            Self::Retirements(rows) => rows.iter().for_each(|(replica, _)| take(*replica)),
            Self::Lent { replica, .. } | Self::Return { replica, .. } => take(*replica),
            Self::Refuse(_)
            | Self::Prune
            | Self::Graft
            | Self::Same(_)
            | Self::Cells { .. }
            | Self::More { .. }
            | Self::Done { .. }
            | Self::Cancel { .. }
            | Self::Write(_)
            | Self::Written(_)
            | Self::Borrow
            | Self::Gossip(_) => {}
        }
    }

    pub(super) fn write_body(&self, to: &mut Encoder<'_>) {
        match self {
            Self::Open(open) => open.write(to),
            Self::Refuse(refuse) => {
                write_code(&REFUSE_REASONS, &refuse.reason, to);
                to.byte(refuse.kind);
                to.bytes(refuse.detail.as_bytes());
            }
            Self::Push(records) => {
                to.varint(records.len() as u64);
                let mut before = Before::default();
                records.iter().for_each(|record| record.write(&mut before, to));
            }
            Self::Have(dots) | Self::Want(dots) | Self::NotInLog(dots) => to.dot_set(dots),
            Self::Prune | Self::Graft | Self::Borrow => {}
            Self::Hello(hello) => hello.write(to),
            Self::Same(repair) => to.varint(repair.0),
            Self::Summary(summary) => {
                to.varint(summary.repair.0);
                summary.write(to);
            }
            Self::Entries { repair, index, entries } => {
                to.varint(repair.0);
                to.varint(u64::from(*index));
                entries.write_entries_to(to);
            }
            Self::Cells { repair, from, cells } => {
                to.varint(repair.0);
                to.varint(u64::from(*from));
                write_cells(cells, to);
            }
            Self::LiveSet { repair, live } => {
                to.varint(repair.0);
                write_live(live, to);
            }
            Self::More { repair, from, count } => {
                to.varint(repair.0);
                to.varint(u64::from(*from));
                to.varint(u64::from(*count));
            }
            Self::Finish(finish) => finish.write(to),
            Self::Done { repair, check } => {
                to.varint(repair.0);
                to.byte(flag(0, *check != 0));
                if *check != 0 {
                    write_u64(*check, to);
                }
            }
            Self::Cancel { repair, reason } => {
                to.varint(repair.0);
                write_code(&CANCEL_REASONS, reason, to);
            }
            Self::Known(rows) => {
                to.varint(rows.len() as u64);
                for (replica, dots) in rows {
                    to.id(*replica);
                    to.dot_set(dots);
                }
            }
            Self::Retirements(rows) => {
                to.varint(rows.len() as u64);
                for (replica, last) in rows {
                    to.id(*replica);
                    to.varint(*last);
                }
            }
            Self::Lent { replica, next } => {
                to.id(*replica);
                to.varint(*next);
            }
            Self::Return { replica, last } => {
                to.id(*replica);
                to.varint(*last);
            }
            Self::Write(bytes) | Self::Written(bytes) | Self::Gossip(bytes) => to.bytes(bytes),
        }
    }

    pub(super) fn read_body(
        kind: u8,
        scope: ScopeId,
        limits: &Limits,
        from: &mut Decoder<'_>,
    ) -> Result<Self, FrameError> {
        Ok(match kind {
            0 => Self::Open(Open::read(scope, from)?),
            1 => {
                let reason = read_code(&REFUSE_REASONS, from)?;
                let about = from.byte()?;
                let detail =
                    core::str::from_utf8(from.bytes()?).map_err(|_| from.error(DecodeErrorKind::NotText))?.to_owned();
                Self::Refuse(Refuse { reason, kind: about, detail })
            }
            2 => {
                let count = bounded(from.count(5)?, "push_records_max", limits.push_records_max)?;
                let mut before = Before::default();
                let record = |_| Record::read(&mut before, limits, from).map(Arc::new);
                Self::Push((0..count).map(record).collect::<Result<_, _>>()?)
            }
            3 => Self::Have(from.dot_set()?),
            4 => {
                let dots = from.dot_set()?;
                bounded(dots.runs().count(), "want_runs_max", limits.want_runs_max)?;
                Self::Want(dots)
            }
            5 => Self::NotInLog(from.dot_set()?),
            6 => Self::Prune,
            7 => Self::Graft,
            8 => Self::Hello(Hello::read(from)?),
            9 => Self::Same(read_repair(from)?),
            10 => {
                let repair = read_repair(from)?;
                Self::Summary(Box::new(SummaryOf::read(repair, from)?))
            }
            11 => Self::Entries {
                repair: read_repair(from)?,
                index: read_u32(from)?,
                entries: Delta::read_entries_from(from)?,
            },
            12 => Self::Cells { repair: read_repair(from)?, from: read_u32(from)?, cells: read_cells(limits, from)? },
            13 => Self::LiveSet { repair: read_repair(from)?, live: read_live(limits, from)? },
            14 => {
                let (repair, first, count) = (read_repair(from)?, read_u32(from)?, read_u32(from)?);
                bounded(count as usize, "window_cells_max", limits.window_cells_max)?;
                Self::More { repair, from: first, count }
            }
            15 => Self::Finish(Box::new(Finish::read(from)?)),
            16 => {
                let repair = read_repair(from)?;
                let has = read_flags(1, from)?;
                let check = if has == 0 { 0 } else { not_usual(read_u64(from)?, 0, from)? };
                Self::Done { repair, check }
            }
            17 => Self::Cancel { repair: read_repair(from)?, reason: read_code(&CANCEL_REASONS, from)? },
            18 => {
                let count = bounded(from.count(2)?, "roster_max", limits.roster_max)?;
                let row = |_| Ok((from.replica()?, from.dot_set()?));
                Self::Known((0..count).map(row).collect::<Result<_, DecodeError>>()?)
            }
            19 => {
                let count = bounded(from.count(2)?, "set_replicas_max", limits.set_replicas_max)?;
                let row = |_| Ok((from.replica()?, read_last(from)?));
                Self::Retirements((0..count).map(row).collect::<Result<_, DecodeError>>()?)
            }
            20 | 21 => {
                let bytes = from.bytes()?;
                bounded(bytes.len(), "write_bytes_max", WRITE_BYTES_MAX)?;
                if kind == 20 { Self::Write(bytes.to_vec()) } else { Self::Written(bytes.to_vec()) }
            }
            22 => Self::Borrow,
            23 => Self::Lent { replica: from.replica()?, next: read_last(from)? },
            24 => Self::Return { replica: from.replica()?, last: read_last(from)? },
            25 => Self::Gossip(from.bytes()?.to_vec()),
            _ => return Err(FrameError::Unsupported(kind)),
        })
    }
}

impl Open {
    fn write(&self, to: &mut Encoder<'_>) {
        to.byte(self.versions.0);
        to.byte(self.versions.1);
        to.varint(self.features);
        to.id(self.replica);
        write_code(&ROLES, &self.role, to);
        write_u64(self.instance, to);
        to.varint(u64::from(self.frame_bytes_max));
        to.varint(self.schema);
        write_code(&MODES, &self.mode, to);
    }

    /// The scope stands in the frame's head.
    fn read(scope: ScopeId, from: &mut Decoder<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            versions: (from.byte()?, from.byte()?),
            features: from.varint()?,
            replica: from.replica()?,
            role: read_code(&ROLES, from)?,
            instance: read_u64(from)?,
            frame_bytes_max: read_u32(from)?,
            scope,
            schema: from.varint()?,
            mode: read_code(&MODES, from)?,
        })
    }
}

impl Hello {
    fn write(&self, to: &mut Encoder<'_>) {
        to.varint(self.repair.0);
        write_u64(self.received_hash, to);
        write_u64(self.state_hash, to);
        to.byte(flag(0, self.summary.is_some()) | flag(1, self.content_hash.is_some()));
        if let Some(summary) = &self.summary {
            debug_assert_eq!(summary.repair, self.repair, "a Hello's summary is of its repair");
            summary.write(to);
        }
        if let Some(hash) = self.content_hash {
            to.raw(&hash.to_le_bytes());
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, FrameError> {
        let repair = read_repair(from)?;
        let (received_hash, state_hash) = (read_u64(from)?, read_u64(from)?);
        let has = read_flags(0b11, from)?;
        let summary = if has & 1 == 0 { None } else { Some(Box::new(SummaryOf::read(repair, from)?)) };
        let content_hash = if has & 2 == 0 {
            None
        } else {
            Some(u128::from_le_bytes(from.raw(16)?.try_into().expect("sixteen bytes")))
        };
        Ok(Self { repair, received_hash, state_hash, summary, content_hash })
    }
}

impl SummaryOf {
    /// All that it says of dots.
    fn sets(&self) -> impl Iterator<Item = &DotSet> {
        [&self.received, &self.ahead, &self.frontier, &self.staged].into_iter().chain(&self.left_out)
    }

    fn write(&self, to: &mut Encoder<'_>) {
        to.byte(
            flag(0, self.base.is_some())
                | flag(1, !self.ahead.is_empty())
                | flag(2, !self.staged.is_empty())
                | flag(3, self.retired != (0, 0))
                | flag(4, self.sketch_key != 0)
                | flag(5, self.left_out.is_some()),
        );
        write_code(&PLANS, &self.plan, to);
        if let Some(base) = self.base {
            write_u64(base, to);
        }
        to.dot_set(&self.received);
        if !self.ahead.is_empty() {
            to.dot_set(&self.ahead);
        }
        write_frontier(&self.frontier, &self.received, to);
        to.varint(self.live_count);
        if !self.staged.is_empty() {
            to.dot_set(&self.staged);
        }
        if self.retired != (0, 0) {
            to.varint(self.retired.0);
            write_u64(self.retired.1, to);
        }
        if self.sketch_key != 0 {
            write_u64(self.sketch_key, to);
        }
        if let Some(missing) = &self.left_out {
            to.dot_set(missing);
        }
    }

    fn read(repair: RepairId, from: &mut Decoder<'_>) -> Result<Self, FrameError> {
        let has = read_flags(0b11_1111, from)?;
        let plan = read_code(&PLANS, from)?;
        let base = if has & 1 == 0 { None } else { Some(read_u64(from)?) };
        let received = from.dot_set()?;
        let ahead = if has & 2 == 0 { DotSet::new() } else { read_some_dots(from)? };
        let frontier = read_frontier(&received, from)?;
        let live_count = from.varint()?;
        let staged = if has & 4 == 0 { DotSet::new() } else { read_some_dots(from)? };
        let retired = if has & 8 == 0 {
            (0, 0)
        } else {
            let rows = (from.varint()?, read_u64(from)?);
            not_usual(rows, (0, 0), from)?
        };
        let sketch_key = if has & 16 == 0 {
            0
        } else {
            let key = read_u64(from)?;
            not_usual(key, 0, from)?
        };
        let left_out = if has & 32 == 0 { None } else { Some(from.dot_set()?) };
        Ok(Self { repair, plan, base, received, ahead, frontier, live_count, staged, retired, left_out, sketch_key })
    }
}

/// A set that is only there where it is not empty.
fn read_some_dots(from: &mut Decoder<'_>) -> Result<DotSet, DecodeError> {
    let dots = from.dot_set()?;
    if dots.is_empty() { Err(from.error(DecodeErrorKind::NotCanonical)) } else { Ok(dots) }
}

impl Finish {
    /// The sets that it may have, in the order in which they stand.
    fn sets(&self) -> [&DotSet; 5] {
        [&self.since, &self.since_ahead, &self.frontier, &self.kept, &self.retired]
    }

    fn write(&self, to: &mut Encoder<'_>) {
        to.varint(self.repair.0);
        let sets = self.sets().into_iter().zip(0..).fold(0, |has, (set, bit)| has | flag(bit, !set.is_empty()));
        // After records of a log there are neither entries nor a sum.
        let entries = self.entry_count != 0 || self.entry_hash != 0;
        to.byte(sets | flag(5, entries) | flag(6, self.check != 0));
        self.sets().into_iter().filter(|set| !set.is_empty()).for_each(|set| to.few_dots(set));
        if entries {
            to.varint(self.entry_count);
            write_u64(self.entry_hash, to);
        }
        if self.check != 0 {
            write_u64(self.check, to);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, FrameError> {
        let repair = read_repair(from)?;
        let has = read_flags(0b111_1111, from)?;
        let mut sets: [DotSet; 5] = Default::default();
        for (set, bit) in sets.iter_mut().zip(0..) {
            if has >> bit & 1 == 1 {
                *set = from.few_dots()?;
                if set.is_empty() {
                    return Err(from.error(DecodeErrorKind::NotCanonical).into());
                }
            }
        }
        let [since, since_ahead, frontier, kept, retired] = sets;
        let (entry_count, entry_hash) =
            if has & 32 == 0 { (0, 0) } else { not_usual((from.varint()?, read_u64(from)?), (0, 0), from)? };
        let check = if has & 64 == 0 { 0 } else { not_usual(read_u64(from)?, 0, from)? };
        Ok(Self { repair, since, since_ahead, frontier, kept, retired, entry_count, entry_hash, check })
    }
}

/// `count << 1 | wide`, then per cell the symbol (8 bytes, or 16 if one of them needs them), 4 of check, 1 of count.
fn write_cells(cells: &[Cell], to: &mut Encoder<'_>) {
    let wide = cells.iter().any(|cell| cell.symbol >> 64 != 0);
    to.varint((cells.len() as u64) << 1 | u64::from(wide));
    for cell in cells {
        to.raw(&cell.symbol.to_le_bytes()[..if wide { 16 } else { 8 }]);
        to.raw(&cell.check.to_le_bytes());
        to.byte(cell.count);
    }
}

fn read_cells(limits: &Limits, from: &mut Decoder<'_>) -> Result<Vec<Cell>, FrameError> {
    let head = from.varint()?;
    let wide = head & 1 == 1;
    let width = if wide { 16 } else { 8 };
    let count = match usize::try_from(head >> 1) {
        Ok(count) if count <= from.remaining() / (width + 5) => count,
        _ => return Err(from.error(DecodeErrorKind::TooShort).into()),
    };
    bounded(count, "window_cells_max", limits.window_cells_max)?;
    let mut cells = Vec::with_capacity(count);
    for _ in 0..count {
        let mut symbol = [0; 16];
        symbol[..width].copy_from_slice(from.raw(width)?);
        let check = u32::from_le_bytes(from.raw(4)?.try_into().expect("four bytes"));
        cells.push(Cell { symbol: u128::from_le_bytes(symbol), check, count: from.byte()? });
    }
    if wide && cells.iter().all(|cell| cell.symbol >> 64 == 0) {
        return Err(from.error(DecodeErrorKind::NotCanonical).into());
    }
    Ok(cells)
}
