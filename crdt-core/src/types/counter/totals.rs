//! Running totals per replica: what counters that only grow are made of.

use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::codec::{
    DecodeError, DecodeErrorKind, DecodeLimits, Decoder, ENTRIES_PER_BYTE, Encoder, Form, Kind, read, write,
};
use crate::{Dot, ReplicaId};

/// What one replica has counted so far. Written by that replica alone, and only ever growing, part by part.
pub(super) trait Total: Clone + PartialEq + Default {
    /// Keeps the greater of each part; true iff `self` grew.
    fn join(&mut self, other: &Self) -> bool;

    /// How many bytes it takes at most beside two numbers.
    fn weigh(&self) -> usize {
        0
    }

    fn write_column(totals: &[&Self], to: &mut Encoder<'_>);

    fn read_column(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError>;
}

impl Total for u64 {
    fn join(&mut self, other: &Self) -> bool {
        let grew = *other > *self;
        *self = (*self).max(*other);
        grew
    }

    fn write_column(totals: &[&Self], to: &mut Encoder<'_>) {
        to.unsigned(totals.len(), |at| *totals[at]);
    }

    fn read_column(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        from.column(count)
    }
}

/// One row per replica, by id.
///
/// Alone this is a plain lattice, and rows have no dot. In a causal store each row stands under the dot of the edit that
/// wrote it; an increment replaces its own replica's row. Where deltas overtake each other a replica may have two rows
/// for a while, of which the greater counts, as totals only grow.
#[derive(Clone)]
pub(super) struct Totals<T> {
    rows: SmallVec<[Row<T>; 1]>,
}

#[derive(Clone)]
struct Row<T> {
    replica: ReplicaId,
    /// The counter of its dot; 0 where it has none.
    counter: u64,
    total: T,
}

impl<T> Row<T> {
    #[inline]
    fn key(&self) -> (ReplicaId, u64) {
        (self.replica, self.counter)
    }
}

impl<T> Default for Totals<T> {
    fn default() -> Self {
        Self { rows: SmallVec::new() }
    }
}

impl<T: Total> Totals<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn position(&self, replica: ReplicaId, counter: u64) -> Result<usize, usize> {
        match self.rows.as_slice() {
            [row] if row.key() == (replica, counter) => Ok(0),
            rows => rows.binary_search_by_key(&(replica, counter), Row::key),
        }
    }

    /// A replica's total that stands alone, to be changed.
    #[inline]
    pub(super) fn alone_mut(&mut self, replica: ReplicaId) -> &mut T {
        let at = match self.rows.as_slice() {
            // A counter that one replica counts for takes no search: 3 ns instead of 10.
            [only] if only.key() == (replica, 0) => 0,
            _ => self.alone_position(replica),
        };
        &mut self.rows[at].total
    }

    #[cold]
    fn alone_position(&mut self, replica: ReplicaId) -> usize {
        self.position(replica, 0).unwrap_or_else(|at| {
            self.rows.insert(at, Row { replica, counter: 0, total: T::default() });
            at
        })
    }

    /// The total of one replica alone: what to send after changing it.
    #[inline]
    pub(super) fn single(replica: ReplicaId, total: T) -> Self {
        Self { rows: SmallVec::from_buf([Row { replica, counter: 0, total }]) }
    }

    /// What a replica has counted.
    pub(super) fn of(&self, replica: ReplicaId) -> T {
        let mut total = T::default();
        let from = self.rows.partition_point(|row| row.replica < replica);
        for row in self.rows[from..].iter().take_while(|row| row.replica == replica) {
            total.join(&row.total);
        }
        total
    }

    /// What each replica has counted, by id.
    pub(super) fn each(&self) -> impl Iterator<Item = (ReplicaId, T)> + '_ {
        self.rows.chunk_by(|left, right| left.replica == right.replica).map(|rows| {
            let mut total = T::default();
            rows.iter().for_each(|row| {
                total.join(&row.total);
            });
            (rows[0].replica, total)
        })
    }

    /// The dots of a replica's rows.
    pub(super) fn dots_of(&self, replica: ReplicaId) -> SmallVec<[Dot; 1]> {
        let rows = self.rows.iter().filter(|row| row.replica == replica);
        rows.filter_map(|row| Dot::new(replica, row.counter)).collect()
    }

    /// Merges where both stand alone.
    pub(super) fn merge(&mut self, other: &Self) -> bool {
        let mut grew = false;
        // Most merges bring rows that are all known here: they are joined in place, and only if one is new are the
        // rows built again.
        let mut missing = 0;
        let mut at = 0;
        for theirs in &other.rows {
            while self.rows.get(at).is_some_and(|mine| mine.replica < theirs.replica) {
                at += 1;
            }
            match self.rows.get_mut(at) {
                Some(mine) if mine.replica == theirs.replica => grew |= mine.total.join(&theirs.total),
                _ => missing += 1,
            }
        }
        if missing > 0 {
            grew = true;
            let mut joined = SmallVec::with_capacity(self.rows.len() + missing);
            let mut mine = core::mem::take(&mut self.rows).into_iter().peekable();
            for theirs in &other.rows {
                while let Some(row) = mine.next_if(|row| row.replica <= theirs.replica) {
                    joined.push(row);
                }
                if joined.last().is_none_or(|row: &Row<T>| row.replica != theirs.replica) {
                    joined.push(theirs.clone());
                }
            }
            joined.extend(mine);
            self.rows = joined;
        }
        grew
    }

    pub(super) fn graft(&mut self, dot: Dot, total: T) {
        let row = Row { replica: dot.replica(), counter: dot.counter(), total };
        let (Ok(at) | Err(at)) = self.position(dot.replica(), dot.counter());
        self.rows.insert(at, row);
    }

    pub(super) fn prune(&mut self, dot: Dot) {
        if let Ok(at) = self.position(dot.replica(), dot.counter()) {
            self.rows.remove(at);
        }
    }

    pub(super) fn entry(&self, dot: Dot) -> T {
        let at = self.position(dot.replica(), dot.counter());
        at.map_or_else(|_| T::default(), |at| self.rows[at].total.clone())
    }

    pub(super) fn visit(&self, visit: &mut dyn FnMut(Dot, ())) {
        self.rows.iter().filter_map(|row| Dot::new(row.replica, row.counter)).for_each(|dot| visit(dot, ()));
    }

    pub(super) fn heap_bytes(&self) -> usize {
        if self.rows.spilled() { self.rows.capacity() * size_of::<Row<T>>() } else { 0 }
    }

    pub(super) fn encode_many<'s>(stores: impl Iterator<Item = &'s Self> + Clone, to: &mut Encoder<'_>)
    where
        T: 's,
    {
        let dots: Vec<SmallVec<[Dot; 1]>> = stores
            .clone()
            .map(|store| store.rows.iter().filter_map(|row| Dot::new(row.replica, row.counter)).collect())
            .collect();
        to.dots(dots.iter().map(|dots| dots.as_slice()), ENTRIES_PER_BYTE);
        let totals: Vec<&T> = stores.flat_map(|store| store.rows.iter().map(|row| &row.total)).collect();
        T::write_column(&totals, to);
    }

    pub(super) fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let dots = from.dots(count, ENTRIES_PER_BYTE, 1)?;
        let total = dots.iter().map(|dots| dots.len()).sum();
        let mut totals = T::read_column(total, from)?.into_iter();
        let store = |dots: SmallVec<[Dot; 1]>| {
            let mut store = Self::default();
            for (dot, total) in dots.into_iter().zip(totals.by_ref()) {
                store.graft(dot, total);
            }
            store
        };
        Ok(dots.into_iter().map(store).collect())
    }

    /// The bytes where it stands alone: a row per id of the table.
    pub(super) fn encode_alone(&self, kind: Kind) -> Vec<u8> {
        write(Form::Plain, self.rows.iter().map(|row| row.replica), |to| {
            if self.rows.is_empty() {
                return to.byte(0);
            }
            to.byte(kind.code());
            let totals: Vec<T> = self.each().map(|(_, total)| total).collect();
            T::write_column(&totals.iter().collect::<Vec<_>>(), to);
        })
    }

    pub(super) fn read_alone(kind: Kind, bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Plain], |_, from| {
            let mut totals = Self::default();
            if from.peek() == Some(0) {
                from.byte()?;
                return Ok(totals);
            }
            if from.kind()? != kind {
                return Err(from.error(DecodeErrorKind::OtherKind));
            }
            let ids = from.ids().to_vec();
            for (replica, total) in ids.iter().zip(T::read_column(ids.len(), from)?) {
                // Who has counted nothing has no row.
                if total == T::default() {
                    return Err(from.error(DecodeErrorKind::NotCanonical));
                }
                totals.rows.push(Row { replica: *replica, counter: 0, total });
            }
            if !ids.is_sorted() {
                return Err(from.error(DecodeErrorKind::NotCanonical));
            }
            Ok(totals)
        })
    }
}

/// Equal totals count equally for each replica, whatever dots they stand under.
impl<T: Total> PartialEq for Totals<T> {
    fn eq(&self, other: &Self) -> bool {
        self.each().eq(other.each())
    }
}

/// What every counter of running totals is: a plain lattice, a store, bytes when it stands alone, and a number to print.
macro_rules! is_totals {
    ($counter:ident, $total:ty) => {
        impl $crate::Merge<&$counter> for $counter {
            fn merge(&mut self, other: &Self) -> bool {
                self.totals.merge(&other.totals)
            }
        }

        impl $crate::Merge for $counter {
            #[inline]
            fn merge(&mut self, other: Self) -> bool {
                self.totals.merge(&other.totals)
            }
        }

        impl $crate::DotStore for $counter {
            type Entry = $total;
            type Place = ();
            type Cursor<'a> = $crate::Edit<'a, Self>;

            const KIND: $crate::Kind = $crate::Kind::$counter;

            fn with_seed(_: u64) -> Self {
                Self::default()
            }

            fn is_bottom(&self) -> bool {
                self.totals.is_empty()
            }

            fn graft(&mut self, dot: $crate::Dot, total: Self::Entry) {
                self.totals.graft(dot, total);
            }

            fn weigh(total: &Self::Entry, levels: usize) -> Option<usize> {
                (levels > 0).then(|| Self::STORE_WEIGHT + super::totals::Total::weigh(total))
            }

            fn prune(&mut self, dot: $crate::Dot, (): &()) {
                self.totals.prune(dot);
            }

            fn entry(&self, dot: $crate::Dot, (): &()) -> Self::Entry {
                self.totals.entry(dot)
            }

            fn visit(&self, visit: &mut dyn FnMut($crate::Dot, ())) {
                self.totals.visit(visit);
            }

            fn observe(&self, _: &Self::Entry, _: &mut $crate::Path) -> $crate::Observed {
                if self.totals.is_empty() {
                    return $crate::Observed::Absent;
                }
                $crate::Observed::Number(i128::try_from(self.value()).unwrap_or(i128::MAX))
            }

            fn encode_many(stores: &[&Self], to: &mut $crate::codec::Encoder<'_>) {
                Totals::encode_many(stores.iter().map(|store| &store.totals), to);
            }

            fn decode_many(
                count: usize,
                from: &mut $crate::codec::Decoder<'_>,
            ) -> Result<alloc::vec::Vec<Self>, $crate::DecodeError> {
                let stores = Totals::decode_many(count, from)?;
                Ok(stores.into_iter().map(|totals| Self { totals }).collect())
            }

            fn heap_bytes(&self) -> usize {
                self.totals.heap_bytes()
            }
        }

        /// The bytes of a counter that stands alone.
        impl $crate::Canonical for $counter {
            fn encode(&self) -> alloc::vec::Vec<u8> {
                self.totals.encode_alone(<Self as $crate::DotStore>::KIND)
            }

            fn read(bytes: &[u8], limits: $crate::codec::DecodeLimits) -> Result<Self, $crate::DecodeError> {
                Totals::read_alone(<Self as $crate::DotStore>::KIND, bytes, limits).map(|totals| Self { totals })
            }
        }

        impl core::fmt::Debug for $counter {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&self.value(), f)
            }
        }
    };
}

pub(super) use is_totals;
