//! Sets of dots in forms that only some messages need.

use crdt_core::codec::{Decoder, Encoder};
use crdt_core::{COUNTER_MAX, DecodeErrorKind, Dot, DotSet, ReplicaId};

use crate::{FrameError, Limits};

/// The rows of a set: each replica with its runs.
fn rows(set: &DotSet) -> Vec<(ReplicaId, Vec<(u64, u64)>)> {
    let mut rows: Vec<(ReplicaId, Vec<(u64, u64)>)> = Vec::new();
    for (replica, first, last) in set.runs() {
        match rows.last_mut() {
            Some((same, runs)) if *same == replica => runs.push((first, last)),
            _ => rows.push((replica, vec![(first, last)])),
        }
    }
    rows
}

/// The last dot of each replica.
fn lasts(set: &DotSet) -> Vec<Dot> {
    let last = |(replica, runs): (ReplicaId, Vec<(u64, u64)>)| Dot::new(replica, runs.last()?.1);
    rows(set).into_iter().filter_map(last).collect()
}

/// A frontier, beside the set it lies in: a bit for each replica whose last dot there is in it, cut after the last set
/// one, and the other dots one by one. A replica at the frontier then costs a bit and not five bytes.
pub(super) fn write_frontier(frontier: &DotSet, received: &DotSet, to: &mut Encoder<'_>) {
    let mut tips = DotSet::new();
    let mut bits: Vec<u8> = Vec::new();
    for (at, dot) in lasts(received).into_iter().enumerate() {
        if frontier.contains(dot) {
            bits.resize(at / 8 + 1, 0);
            if let Some(byte) = bits.last_mut() {
                *byte |= 1 << (at % 8);
            }
            tips.insert(dot);
        }
    }
    to.bytes(&bits);
    to.few_dots(&frontier.difference(&tips));
}

pub(super) fn read_frontier(received: &DotSet, from: &mut Decoder<'_>) -> Result<DotSet, FrameError> {
    let bits = from.bytes()?;
    let rest = from.few_dots()?;
    let lasts = lasts(received);
    let has = |at: usize| bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
    let too_long = (lasts.len()..8 * bits.len()).any(has) || bits.last() == Some(&0);
    if too_long || lasts.iter().any(|dot| rest.contains(*dot)) {
        return Err(from.error(DecodeErrorKind::NotCanonical).into());
    }
    let mut frontier = rest;
    frontier.extend(lasts.into_iter().enumerate().filter(|(at, _)| has(*at)).map(|(_, dot)| dot));
    Ok(frontier)
}

fn varint_len(int: u64) -> usize {
    (64 - (int | 1).leading_zeros() as usize).div_ceil(7)
}

/// How long a row is as runs, and as bits.
fn row_lens(runs: &[(u64, u64)]) -> (usize, u64) {
    let mut as_runs = 0;
    let mut before = None;
    for (first, last) in runs {
        as_runs += before.map_or(0, |before: u64| varint_len(first - before - 2)) + varint_len(last - first);
        before = Some(*last);
    }
    let span = match (runs.first(), runs.last()) {
        (Some((first, _)), Some((_, last))) => last - first + 1,
        _ => 0,
    };
    (as_runs, span.div_ceil(8))
}

/// Live dots lie densely, with holes where something was removed: each row is written as runs or as bits, whichever is
/// shorter.
///
/// ```text
/// live set := replicas · per replica, by id: index · first · n << 1 | is bits · n runs, or n bytes of bits
/// runs     := length − 1 · (gap − 1 · length − 1)*
/// bits     := bit i of the row is counter first + i, the lowest bit of a byte first
/// ```
pub(super) fn write_live(set: &DotSet, to: &mut Encoder<'_>) {
    let rows = rows(set);
    to.varint(rows.len() as u64);
    for (replica, runs) in rows {
        to.id(replica);
        let base = runs.first().map_or(0, |run| run.0);
        to.varint(base);
        let (as_runs, as_bits) = row_lens(&runs);
        if as_bits < as_runs as u64 {
            let mut bits = vec![0u8; as_bits as usize];
            for (first, last) in runs {
                (first - base..=last - base).for_each(|at| bits[at as usize / 8] |= 1 << (at % 8));
            }
            to.varint(as_bits << 1 | 1);
            to.raw(&bits);
        } else {
            to.varint((runs.len() as u64) << 1);
            let mut before = None;
            for (first, last) in runs {
                if let Some(before) = before.replace(last) {
                    to.varint(first - before - 2);
                }
                to.varint(last - first);
            }
        }
    }
}

/// Runs of a row as they come, as many as may be kept.
struct Row {
    runs: Vec<(u64, u64)>,
    left: u64,
}

impl Row {
    fn push(&mut self, first: u64, last: u64) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        self.runs.push((first, last));
        Some(())
    }
}

pub(super) fn read_live(limits: &Limits, from: &mut Decoder<'_>) -> Result<DotSet, FrameError> {
    let mut set = DotSet::with_seed(from.seed());
    // What is kept of it in memory: 16 bytes a run.
    let mut left = (limits.live_set_bytes_max / 16) as u64;
    let count = from.count(3)?;
    if count > limits.set_replicas_max {
        return Err(FrameError::too_large("set_replicas_max", limits.set_replicas_max as u64));
    }
    let mut before = None;
    for _ in 0..count {
        let replica = from.replica()?;
        if before.replace(replica).is_some_and(|before| before >= replica) {
            return Err(from.error(DecodeErrorKind::NotCanonical).into());
        }
        let mut row = Row { runs: Vec::new(), left };
        if read_row(&mut row, from)?.is_none() {
            return Err(FrameError::too_large("live_set_bytes_max", limits.live_set_bytes_max as u64));
        }
        left = row.left;
        row.runs.into_iter().for_each(|(first, last)| {
            set.insert_run(replica, first, last);
        });
    }
    Ok(set)
}

/// None: too many runs.
fn read_row(row: &mut Row, from: &mut Decoder<'_>) -> Result<Option<()>, FrameError> {
    let base = from.varint()?;
    let head = from.varint()?;
    let count = match usize::try_from(head >> 1) {
        Ok(count) if count <= from.remaining() => count,
        _ => return Err(from.error(DecodeErrorKind::TooShort).into()),
    };
    let counter = |from: &Decoder<'_>, base: u64, distance: u64| match base.checked_add(distance) {
        Some(counter) if (1..=COUNTER_MAX).contains(&counter) => Ok(counter),
        _ => Err(from.error(DecodeErrorKind::Counter)),
    };
    let is_bits = head & 1 == 1;
    if is_bits {
        let bits = from.raw(count)?;
        counter(from, base, 8 * count as u64)?;
        if base == 0 || bits.first().is_none_or(|byte| byte & 1 == 0) || bits.last() == Some(&0) {
            return Err(from.error(DecodeErrorKind::NotCanonical).into());
        }
        let mut first = None;
        for at in 0..8 * count {
            match (bits[at / 8] >> (at % 8) & 1 == 1, first) {
                (true, None) => first = Some(at),
                (false, Some(start)) => {
                    if row.push(base + start as u64, base + at as u64 - 1).is_none() {
                        return Ok(None);
                    }
                    first = None;
                }
                _ => {}
            }
        }
        if let Some(start) = first
            && row.push(base + start as u64, base + 8 * count as u64 - 1).is_none()
        {
            return Ok(None);
        }
    } else {
        if count == 0 {
            return Err(from.error(DecodeErrorKind::NotCanonical).into());
        }
        let mut at = counter(from, base, 0)?;
        for nth in 0..count {
            if nth > 0 {
                let gap = from.varint()?;
                at = counter(from, at + 2, gap)?;
            }
            let len = from.varint()?;
            let last = counter(from, at, len)?;
            if row.push(at, last).is_none() {
                return Ok(None);
            }
            at = last;
        }
    }
    let (as_runs, as_bits) = row_lens(&row.runs);
    if (as_bits < as_runs as u64) != is_bits {
        return Err(from.error(DecodeErrorKind::NotCanonical).into());
    }
    Ok(Some(()))
}
