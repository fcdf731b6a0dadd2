//! Dots: as sets, and as a column beside values.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::ids::Origin;
use super::packed::Frame;
use super::{DecodeError, DecodeErrorKind, Decoder, Encoder};
use crate::dot::COUNTER_MAX;
use crate::{Dot, DotSet};

/// How many entries one byte can stand for at most; what a decoder allocates follows from it.
pub(crate) const ENTRIES_PER_BYTE: usize = 16;

/// Set in the last segment of a store.
const LAST: u8 = 0x80;
/// The gap that says: a varint follows.
const ESCAPE: u64 = 7;

/// Before the dots of several stores: they are written as segments.
const SEGMENTS: u8 = 0;
/// Before the dots of several stores: each store has one, and they are packed.
const PACKED: u8 = 1;

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

    /// A set that mostly holds one dot of a replica, such as what a removal retires: each is then an index and a
    /// counter. Any other set is written as [`dot_set`](Self::dot_set) does, after one byte.
    pub fn few_dots(&mut self, set: &DotSet) {
        let rows = set.sorted_rows();
        if !rows.iter().all(|(_, runs)| runs.len() == 1) {
            self.varint(1);
            return self.dot_set(set);
        }
        self.varint((rows.len() as u64) << 1);
        for (replica, runs) in rows {
            self.id(replica);
            self.varint(runs.as_slice()[0].first);
        }
    }

    /// The dots of several stores, each ascending and not empty: as segments, or packed where that is shorter.
    pub fn dots<'d, I>(&mut self, stores: I, run_max: usize)
    where
        I: IntoIterator<Item = &'d [Dot], IntoIter: Clone>,
    {
        let stores = stores.into_iter();
        let mut peek = stores.clone();
        if peek.next().is_none() || peek.next().is_none() {
            return self.segments(stores.map(|dots| dots.iter().copied()), run_max);
        }
        let start = self.out.len();
        self.byte(SEGMENTS);
        self.segments(stores.clone().map(|dots| dots.iter().copied()), run_max);
        // Keys that were written out of their order have dots far apart, at three to five bytes a segment.
        if stores.clone().all(|dots| dots.len() == 1) {
            let dots = || stores.clone().map(|dots| dots[0]);
            let ids: Vec<u64> = dots().map(|dot| self.index_of(dot.replica())).collect();
            let counters = || dots().map(Dot::counter);
            let (ids_frame, counters_frame) = (Frame::of(ids.iter().copied()), Frame::of(counters()));
            if ids_frame.len(ids.len()) + counters_frame.len(ids.len()) < self.out.len() - start - 1 {
                self.out.truncate(start);
                self.byte(PACKED);
                self.packed(&ids_frame, ids.iter().copied());
                self.packed(&counters_frame, counters());
            }
        }
    }

    /// The same as [`dots`](Self::dots) of one store.
    pub(crate) fn dots_of_one(&mut self, dots: impl Iterator<Item = Dot>, run_max: usize) {
        self.segments(core::iter::once(dots), run_max);
    }

    /// Dots that follow each other share a byte, up to `run_max` of them.
    fn segments(&mut self, stores: impl Iterator<Item = impl Iterator<Item = Dot>>, run_max: usize) {
        let mut column = None;
        for dots in stores {
            let mut dots = dots.peekable();
            while let Some(first) = dots.next() {
                let (mut end, mut len) = (first, 1);
                while len < run_max
                    && let Some(next) = dots.next_if(|next| follows(end, *next))
                {
                    (end, len) = (next, len + 1);
                }
                let last = if dots.peek().is_none() { LAST } else { 0 };
                self.segment(column, first, (len - 1) as u8 | last);
                column = Some(Origin { replica: end.replica(), last: end.counter() });
            }
        }
    }

    fn segment(&mut self, column: Option<Origin>, first: Dot, low: u8) {
        let (index, counter) = (self.index_of(first.replica()), first.counter());
        let (same, from) = match column.or(self.origin) {
            Some(column) => (column.replica == first.replica(), column.last),
            None => (false, 0),
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
            Some(counter) if (1..=COUNTER_MAX).contains(&counter) => Ok(counter),
            _ => Err(self.error(DecodeErrorKind::Counter)),
        }
    }

    /// A set of dots: rows ascending by replica, none empty.
    ///
    /// # Errors
    /// If it is broken.
    pub fn dot_set(&mut self) -> Result<DotSet, DecodeError> {
        let mut set = DotSet::with_seed(self.limits.seed);
        let (mut before, mut runs_left) = (None, self.limits.set_runs_max);
        let rows = self.count(3)?;
        if rows > self.limits.set_replicas_max {
            return Err(self.error(DecodeErrorKind::TooManyReplicas));
        }
        for _ in 0..rows {
            let replica = self.replica()?;
            if before.replace(replica).is_some_and(|before| before >= replica) {
                return Err(self.error(DecodeErrorKind::NotCanonical));
            }
            let mut last = self.varint()?;
            let holes = self.count(2)?;
            let runs = holes.saturating_add(usize::from(last > 0));
            if runs == 0 {
                return Err(self.error(DecodeErrorKind::NotCanonical));
            }
            runs_left = runs_left.checked_sub(runs).ok_or_else(|| self.error(DecodeErrorKind::TooManyRuns))?;
            if last > 0 {
                last = self.counter(0, last)?;
                set.insert_run(replica, 1, last);
            }
            for _ in 0..holes {
                let gap = self.varint()?;
                let first = self.counter(last.saturating_add(2), gap)?;
                let len = self.varint()?;
                last = self.counter(first, len)?;
                set.insert_run(replica, first, last);
            }
        }
        Ok(set)
    }

    /// What [`few_dots`](Encoder::few_dots) wrote.
    ///
    /// # Errors
    /// If it is broken.
    pub fn few_dots(&mut self) -> Result<DotSet, DecodeError> {
        let head = self.varint()?;
        if head == 1 {
            let set = self.dot_set()?;
            // Were there one dot of each replica, they would have been written one by one.
            if set.rows().all(|(_, runs)| runs.len() == 1) {
                return Err(self.error(DecodeErrorKind::NotCanonical));
            }
            return Ok(set);
        }
        if head & 1 == 1 {
            return Err(self.error(DecodeErrorKind::NotCanonical));
        }
        let count = match usize::try_from(head >> 1) {
            Ok(count) if count <= self.remaining() / 2 => count,
            _ => return Err(self.error(DecodeErrorKind::TooShort)),
        };
        if count > self.limits.set_replicas_max {
            return Err(self.error(DecodeErrorKind::TooManyReplicas));
        }
        if count > self.limits.set_runs_max {
            return Err(self.error(DecodeErrorKind::TooManyRuns));
        }
        let mut set = DotSet::with_seed(self.limits.seed);
        let mut before = None;
        for _ in 0..count {
            let replica = self.replica()?;
            if before.replace(replica).is_some_and(|before| before >= replica) {
                return Err(self.error(DecodeErrorKind::NotCanonical));
            }
            let counter = self.varint()?;
            let counter = self.counter(0, counter)?;
            set.insert_run(replica, counter, counter);
        }
        Ok(set)
    }

    /// The dots of `count` stores, in bytes of at most `run_max` dots. Beside each dot there will be at least
    /// `value_bytes_min` bytes: dots that there is nothing left for are refused before they take room.
    ///
    /// # Errors
    /// If they are broken, or promise more than is there.
    pub fn dots(
        &mut self,
        count: usize,
        run_max: usize,
        value_bytes_min: usize,
    ) -> Result<Vec<SmallVec<[Dot; 1]>>, DecodeError> {
        if count > 1 {
            match self.byte()? {
                SEGMENTS => {}
                PACKED => return self.packed_dots(count),
                other => return Err(self.error(DecodeErrorKind::Unknown(other))),
            }
        }
        let mut total = 0;
        let mut stores = Vec::new();
        // Without an id there is no dot.
        let mut column = self.origin.ok_or_else(|| self.error(DecodeErrorKind::UnknownId))?;
        for _ in 0..count {
            let mut dots = SmallVec::new();
            loop {
                let byte = self.byte()?;
                let len = u64::from(byte & 0x0f) + 1;
                if len > run_max as u64 {
                    return Err(self.error(DecodeErrorKind::NotCanonical));
                }
                total += len as usize;
                if total * value_bytes_min > self.remaining() {
                    return Err(self.error(DecodeErrorKind::TooShort));
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
                self.charge(len)?;
                dots.extend((first..=column.last).map(|counter| Dot::known(column.replica, counter)));
                if byte & LAST != 0 {
                    break;
                }
            }
            stores.push(dots);
        }
        Ok(stores)
    }

    fn charge(&mut self, entries: u64) -> Result<(), DecodeError> {
        let left = self.entries_left.checked_sub(entries);
        self.entries_left = left.ok_or_else(|| self.error(DecodeErrorKind::TooManyEntries))?;
        Ok(())
    }

    fn packed_dots(&mut self, count: usize) -> Result<Vec<SmallVec<[Dot; 1]>>, DecodeError> {
        self.charge(count as u64)?;
        let ids = self.packed(count)?;
        let counters = self.packed(count)?;
        let dot = |(id, counter)| Ok(Dot::known(self.id(id)?, self.counter(0, counter)?));
        ids.into_iter().zip(counters).map(|pair| dot(pair).map(|dot| SmallVec::from_buf([dot]))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaId;
    use crate::codec::Ids;
    use alloc::vec;

    fn octets_of(dots: &[Dot]) -> usize {
        let table = Ids::ascending(dots.iter().map(|dot| dot.replica()));
        let mut to = Encoder::new(&table);
        to.dots(dots.iter().map(core::slice::from_ref), ENTRIES_PER_BYTE);
        let mut from = Decoder::new(&to.out, &table);
        let again = from.dots(dots.len(), ENTRIES_PER_BYTE, 0).unwrap();
        assert!(again.iter().map(|dots| dots.as_slice()).eq(dots.iter().map(core::slice::from_ref)));
        assert_eq!(from.remaining(), 0);
        to.out.len()
    }

    #[test]
    fn single_dots_take_the_shorter_spelling() {
        let dot = |replica: u128, counter| Dot::known(ReplicaId::from_u128(replica), counter);
        let in_turn: Vec<Dot> = (1..=1_000).map(|counter| dot(1, counter)).collect();
        assert_eq!(octets_of(&in_turn), 1 + 1_000);
        // Steps of 397 visit each of the counters 1000..2000 once: ten bits, after frames of 2 and 3 bytes.
        let astray: Vec<Dot> = (0..1_000).map(|at| dot(1, 1_000 + at * 397 % 1_000)).collect();
        assert_eq!(octets_of(&astray), 1 + 2 + 3 + 1_250);
        let of_two: Vec<Dot> = astray.iter().flat_map(|first| vec![*first, dot(2, first.counter())]).collect();
        assert_eq!(octets_of(&of_two), 1 + 2 + 250 + 3 + 2_500);
    }
}
