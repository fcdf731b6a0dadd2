//! Dots: as sets, and as a column beside values.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{DecodeError, DecodeErrorKind, Decoder, Encoder};
use crate::dot::COUNTER_DECODED_MAX;
use crate::{Dot, DotSet, ReplicaId};

/// How many entries one byte can stand for at most; what a decoder allocates follows from it.
pub(crate) const ENTRIES_PER_BYTE: usize = 16;

/// Set in the last segment of a store.
const LAST: u8 = 0x80;
/// The gap that says: a varint follows.
const ESCAPE: u64 = 7;

/// Where a column of dots has got to: the replica, and its last counter.
struct Column {
    replica: ReplicaId,
    last: u64,
}

impl Encoder<'_> {
    /// The set of dots that a state or delta names.
    pub fn dot_set(&mut self, set: &DotSet) {
        let rows = set.sorted_rows();
        self.varint(rows.len() as u64);
        for (replica, runs) in rows {
            self.varint(self.index_of(replica));
            let mut last = runs.prefix();
            self.varint(last);
            let holes = &runs.as_slice()[usize::from(last > 0)..];
            self.varint(holes.len() as u64);
            for run in holes {
                self.varint(run.first - last - 2);
                self.varint(run.last - run.first);
                last = run.last;
            }
        }
    }

    /// The dots of several stores, each ascending and not empty. Dots that follow each other share a byte, up to
    /// `run_max` of them.
    pub fn dots<'d>(&mut self, stores: impl IntoIterator<Item = &'d [Dot]>, run_max: usize) {
        let mut column: Option<Column> = None;
        for dots in stores {
            let mut rest = dots;
            while let Some(first) = rest.first() {
                let len = 1 + rest.windows(2).take(run_max - 1).take_while(|pair| follows(pair[0], pair[1])).count();
                let last = if rest.len() == len { LAST } else { 0 };
                self.segment(&column, *first, (len - 1) as u8 | last);
                column = Some(Column { replica: first.replica(), last: first.counter() + len as u64 - 1 });
                rest = &rest[len..];
            }
        }
    }

    fn segment(&mut self, column: &Option<Column>, first: Dot, low: u8) {
        let (index, counter) = (self.index_of(first.replica()), first.counter());
        // The column starts before the first dot of the first replica.
        let (same, from) = match column {
            Some(column) => (column.replica == first.replica(), column.last),
            None => (index == 0, 0),
        };
        if same && counter > from {
            let gap = counter - from - 1;
            self.byte(low | (gap.min(ESCAPE) as u8) << 4);
            if gap >= ESCAPE {
                self.varint((gap - ESCAPE) << 1);
            }
        } else {
            self.byte(low | (ESCAPE as u8) << 4);
            self.varint(index << 1 | 1);
            self.varint(counter - 1);
        }
    }
}

fn follows(before: Dot, after: Dot) -> bool {
    before.replica() == after.replica() && before.counter() + 1 == after.counter()
}

impl Decoder<'_> {
    fn counter(&self, base: u64, distance: u64) -> Result<u64, DecodeError> {
        match base.checked_add(distance) {
            Some(counter) if (1..=COUNTER_DECODED_MAX).contains(&counter) => Ok(counter),
            _ => Err(self.error(DecodeErrorKind::Counter)),
        }
    }

    /// A set of dots.
    ///
    /// # Errors
    /// If it is broken.
    pub fn dot_set(&mut self) -> Result<DotSet, DecodeError> {
        let mut set = DotSet::new();
        for _ in 0..self.count(3)? {
            let index = self.varint()?;
            let replica = self.id(index)?;
            let mut last = self.varint()?;
            if last > 0 {
                last = self.counter(0, last)?;
                set.insert_run(replica, 1, last);
            }
            for _ in 0..self.count(2)? {
                let gap = self.varint()?;
                let first = self.counter(last.saturating_add(2), gap)?;
                let len = self.varint()?;
                last = self.counter(first, len)?;
                set.insert_run(replica, first, last);
            }
        }
        Ok(set)
    }

    /// The dots of `count` stores.
    ///
    /// # Errors
    /// If they are broken, or one is under `run_max` more than once.
    pub fn dots(&mut self, count: usize, run_max: usize) -> Result<Vec<SmallVec<[Dot; 1]>>, DecodeError> {
        let mut stores = Vec::new();
        let mut column = Column { replica: self.id(0)?, last: 0 };
        for _ in 0..count {
            let mut dots = SmallVec::new();
            loop {
                let byte = self.byte()?;
                let len = u64::from(byte & 0x0f) + 1;
                if len > run_max as u64 {
                    return Err(self.error(DecodeErrorKind::NotCanonical));
                }
                let mut gap = u64::from(byte >> 4 & 0x07);
                let first = if gap < ESCAPE {
                    self.counter(column.last + 1, gap)?
                } else {
                    gap = self.varint()?;
                    if gap & 1 == 0 {
                        self.counter(column.last + 1 + ESCAPE, gap >> 1)?
                    } else {
                        column.replica = self.id(gap >> 1)?;
                        let before = self.varint()?;
                        self.counter(1, before)?
                    }
                };
                column.last = self.counter(first, len - 1)?;
                dots.extend((first..=column.last).map(|counter| Dot::known(column.replica, counter)));
                if byte & LAST != 0 {
                    break;
                }
            }
            stores.push(dots);
        }
        Ok(stores)
    }
}
