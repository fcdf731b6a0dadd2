//! How dots are spelled as symbols.

use crdt_core::{Dot, DotSet, ReplicaId};

/// The spelling of the dots of one set. A symbol is the end of the id and the counter, in eight bytes where that tells
/// all ids of the set apart, else in sixteen.
#[derive(Clone, Debug)]
pub struct Alphabet {
    wide: bool,
    /// Ends of ids, ascending.
    ids: Vec<(u64, ReplicaId)>,
    dots: DotSet,
}

fn tail(id: ReplicaId, wide: bool) -> u64 {
    let bytes = id.to_bytes();
    let tail = u64::from_be_bytes(bytes[8..].try_into().expect("the half of 16 bytes"));
    if wide { tail } else { tail & u64::from(u32::MAX) }
}

impl Alphabet {
    /// The spelling that tells these dots apart; none if two ids end alike in eight bytes.
    #[must_use]
    pub fn of(dots: &DotSet) -> Option<Self> {
        let mut rows: Vec<(ReplicaId, u64)> = Vec::new();
        for (replica, _, last) in dots.runs() {
            match rows.last_mut() {
                Some((id, highest)) if *id == replica => *highest = last,
                _ => rows.push((replica, last)),
            }
        }
        [false, true].into_iter().find_map(|wide| {
            if !wide && rows.iter().any(|(_, last)| *last > u64::from(u32::MAX)) {
                return None;
            }
            let mut ids: Vec<_> = rows.iter().map(|(id, _)| (tail(*id, wide), *id)).collect();
            ids.sort_unstable();
            let apart = ids.windows(2).all(|pair| pair[0].0 != pair[1].0);
            apart.then(|| Self { wide, ids, dots: dots.clone() })
        })
    }

    /// Whether symbols take sixteen bytes.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.wide
    }

    /// The symbol of a dot; unambiguous among the dots of the set.
    #[must_use]
    pub fn symbol(&self, dot: Dot) -> u128 {
        if self.wide {
            u128::from(tail(dot.replica(), true)) << 64 | u128::from(dot.counter())
        } else {
            u128::from(narrow(dot))
        }
    }

    /// The dot of the set which this symbol spells.
    #[must_use]
    pub fn dot(&self, symbol: u128) -> Option<Dot> {
        let (tail, counter) = if self.wide {
            ((symbol >> 64) as u64, symbol as u64)
        } else {
            (u64::try_from(symbol).ok()? >> 32, u64::from(symbol as u32))
        };
        let at = self.ids.binary_search_by_key(&tail, |(tail, _)| *tail).ok()?;
        Dot::new(self.ids[at].1, counter).filter(|dot| self.dots.contains(*dot))
    }
}

/// The symbol in eight bytes. Of a higher counter it keeps the end, which still cancels with itself.
pub(super) fn narrow(dot: Dot) -> u64 {
    tail(dot.replica(), false) << 32 | u64::from(dot.counter() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(ids: &[u128], last: u64) -> DotSet {
        let mut set = DotSet::new();
        for id in ids {
            set.insert_run(ReplicaId::from_u128(*id), 1, 3);
            set.insert_run(ReplicaId::from_u128(*id), last, last);
        }
        set
    }

    #[test]
    fn every_dot_is_read_back_from_its_symbol() {
        let far = 1u128 << 100;
        let sets = [
            (dots(&[1, 2, far | 7], 9), false),
            (dots(&[1, (1 << 40) | 1], 9), true), // two ids end alike in four bytes
            (dots(&[1, 2], 1 << 32), true),       // a counter needs more than four
        ];
        for (set, wide) in sets {
            let alphabet = Alphabet::of(&set).unwrap();
            assert_eq!(alphabet.is_wide(), wide);
            for dot in set.iter() {
                assert_eq!(alphabet.dot(alphabet.symbol(dot)), Some(dot));
            }
        }
    }

    #[test]
    fn a_symbol_of_no_dot_of_the_set_is_refused() {
        let alphabet = Alphabet::of(&dots(&[1, 2], 9)).unwrap();
        for symbol in [0, 1, 4, 1 << 32, (1 << 32) | 4, (3 << 32) | 1, (1 << 64) | (1 << 32) | 1] {
            assert_eq!(alphabet.dot(symbol), None, "{symbol:#x}");
        }
    }

    #[test]
    fn ids_that_end_alike_in_eight_bytes_cannot_be_spelled() {
        assert!(Alphabet::of(&dots(&[5, (1 << 64) | 5], 9)).is_none());
    }
}
