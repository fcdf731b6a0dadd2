//! Runs of one replica's counters.

use smallvec::SmallVec;

/// The counters `first..=last`, both at least 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Run {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A set of one replica's counters, as ascending runs that neither touch nor overlap.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Runs(SmallVec<[Run; 1]>);

impl Runs {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_slice(&self) -> &[Run] {
        &self.0
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.iter().fold(0, |sum, run| sum.saturating_add(run.last - run.first + 1))
    }

    pub(crate) fn last(&self) -> Option<u64> {
        self.0.last().map(|run| run.last)
    }

    /// How many counters from 1 on are here without a gap.
    pub(crate) fn prefix(&self) -> u64 {
        match self.0.first() {
            Some(run) if run.first == 1 => run.last,
            _ => 0,
        }
    }

    /// The first run that ends at `counter` or after it.
    fn position(&self, counter: u64) -> usize {
        self.0.partition_point(|run| run.last < counter)
    }

    #[inline]
    pub(crate) fn contains(&self, counter: u64) -> bool {
        match self.0.as_slice() {
            [] => false,
            [run] => run.first <= counter && counter <= run.last,
            _ => self.0.get(self.position(counter)).is_some_and(|run| run.first <= counter),
        }
    }

    /// Whether the whole run is here.
    pub(crate) fn covers(&self, run: Run) -> bool {
        self.0.get(self.position(run.first)).is_some_and(|mine| mine.first <= run.first && run.last <= mine.last)
    }

    /// Adds a run; true iff something was missing. Appending costs O(1), anything else O(runs).
    #[inline]
    pub(crate) fn insert(&mut self, run: Run) -> bool {
        debug_assert!(1 <= run.first && run.first <= run.last);
        match self.0.last_mut() {
            None => {
                self.0.push(run);
                true
            }
            Some(last) if last.last < run.first => {
                // The comparison above leaves room for one more counter.
                if last.last + 1 == run.first {
                    last.last = run.last;
                } else {
                    self.0.push(run);
                }
                true
            }
            Some(_) => self.insert_inside(run),
        }
    }

    fn insert_inside(&mut self, run: Run) -> bool {
        // Runs that overlap or touch the new one form a stretch which it swallows.
        let from = self.0.partition_point(|mine| mine.last.saturating_add(1) < run.first);
        let to = self.0.partition_point(|mine| mine.first <= run.last.saturating_add(1));
        if from == to {
            self.0.insert(from, run);
            return true;
        }
        let joined = Run { first: self.0[from].first.min(run.first), last: self.0[to - 1].last.max(run.last) };
        if to - from == 1 && self.0[from] == joined {
            return false;
        }
        self.0[from] = joined;
        self.0.drain(from + 1..to);
        true
    }

    /// Adds all of `other`; true iff something was missing.
    pub(crate) fn union_with(&mut self, other: &Self) -> bool {
        // A few runs go in one by one; many are merged in one pass, or each would move the rest.
        if other.0.len() <= 4 {
            return other.0.iter().fold(false, |grew, run| self.insert(*run) | grew);
        }
        let mut joined = Self::default();
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let run = match (mine.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(m), Some(t)) if m.first <= t.first => mine.next(),
                (Some(_), None) => mine.next(),
                _ => theirs.next(),
            };
            joined.append(*run.expect("peeked"));
        }
        let grew = joined != *self;
        *self = joined;
        grew
    }

    /// Adds a run that starts no earlier than the last one here.
    fn append(&mut self, run: Run) {
        match self.0.last_mut() {
            Some(last) if run.first <= last.last.saturating_add(1) => last.last = last.last.max(run.last),
            _ => self.0.push(run),
        }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let mut both = Self::default();
        let (mut mine, mut theirs) = (self.0.as_slice(), other.0.as_slice());
        while let ([m, mine_rest @ ..], [t, theirs_rest @ ..]) = (mine, theirs) {
            let (first, last) = (m.first.max(t.first), m.last.min(t.last));
            if first <= last {
                both.0.push(Run { first, last });
            }
            if m.last <= t.last {
                mine = mine_rest;
            } else {
                theirs = theirs_rest;
            }
        }
        both
    }

    pub(crate) fn difference(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        let mut theirs = other.0.as_slice();
        for run in &self.0 {
            // Where what is left of the run begins; nothing is left past the last counter of all.
            let mut first = Some(run.first);
            while let (Some(from), [t, after @ ..]) = (first, theirs) {
                if t.last < from {
                    theirs = after;
                    continue;
                }
                if t.first > run.last {
                    break;
                }
                if from < t.first {
                    rest.0.push(Run { first: from, last: t.first - 1 });
                }
                first = t.last.checked_add(1).filter(|next| *next <= run.last);
            }
            if let Some(first) = first {
                rest.0.push(Run { first, last: run.last });
            }
        }
        rest
    }

    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        let touches = |run: &Run| self.0.get(self.position(run.first)).is_some_and(|mine| mine.first <= run.last);
        !other.0.iter().any(touches)
    }

    pub(crate) fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|run| other.covers(*run))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        if self.0.spilled() { self.0.capacity() * size_of::<Run>() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    fn counters(runs: &Runs) -> BTreeSet<u64> {
        runs.0.iter().flat_map(|run| run.first..=run.last).collect()
    }

    fn well_formed(runs: &Runs) -> bool {
        runs.0.iter().all(|run| 1 <= run.first && run.first <= run.last)
            && runs.0.windows(2).all(|pair| pair[0].last + 1 < pair[1].first)
    }

    fn from_bits(bits: u16) -> Runs {
        let mut runs = Runs::default();
        for counter in (1..=12).rev().filter(|n| bits >> n & 1 == 1) {
            runs.insert(Run { first: counter, last: counter });
        }
        runs
    }

    #[test]
    fn every_operation_agrees_with_plain_sets_of_counters() {
        for a in (0..1 << 13).step_by(2).step_by(37) {
            for b in (0..1 << 13).step_by(2).step_by(41) {
                let (x, y) = (from_bits(a), from_bits(b));
                let (p, q) = (counters(&x), counters(&y));
                assert!(well_formed(&x));
                let mut union = x.clone();
                assert_eq!(union.union_with(&y), !q.is_subset(&p));
                assert!(well_formed(&union));
                assert_eq!(counters(&union), &p | &q);
                let (both, rest) = (x.intersection(&y), x.difference(&y));
                assert!(well_formed(&both) && well_formed(&rest));
                assert_eq!(counters(&both), &p & &q);
                assert_eq!(counters(&rest), &p - &q);
                assert_eq!(x.is_subset(&y), p.is_subset(&q));
                assert_eq!(x.is_disjoint(&y), p.is_disjoint(&q));
                assert_eq!(x.len(), p.len() as u64);
            }
        }
    }

    #[test]
    fn runs_join_when_the_gap_between_them_closes() {
        let mut runs = Runs::default();
        for (first, last) in [(5, 6), (1, 2), (9, 9), (3, 3), (4, 4)] {
            assert!(runs.insert(Run { first, last }));
        }
        assert_eq!(runs.0.iter().map(|run| (run.first, run.last)).collect::<Vec<_>>(), [(1, 6), (9, 9)]);
        assert!(!runs.insert(Run { first: 2, last: 6 }));
    }

    #[test]
    fn the_last_counter_of_all_does_not_overflow() {
        let mut runs = Runs::default();
        runs.insert(Run { first: u64::MAX, last: u64::MAX });
        assert!(!runs.insert(Run { first: u64::MAX, last: u64::MAX }));
        assert!(runs.insert(Run { first: 1, last: u64::MAX - 1 }));
        assert_eq!(runs.prefix(), u64::MAX);
        assert!(runs.difference(&runs).is_empty());
    }
}
