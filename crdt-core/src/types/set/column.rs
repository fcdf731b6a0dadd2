//! How sets are written: the elements by dot, and one that stands under several dots only once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::codec::{DecodeError, DecodeErrorKind, Decoder, ENTRIES_PER_BYTE, Encoder, Ids};
use crate::sort::Sort as _;
use crate::{Dot, Element};

/// Stands before the elements where some have several dots: each repeat's place, and how far back the element stands.
const REPEATS: u8 = 0x80;

/// The entries of one set by dot.
///
/// A set mostly holds what one replica inserted in turn in slots in turn, so dots are kept as runs. Runs are put in
/// order, not entries: sorting a million of those takes 50 ms, and a list of their dots 24 MB.
pub(super) struct Entries<'s, T> {
    runs: Vec<DotRun>,
    elements: Vec<&'s T>,
}

/// Dots of one replica without a gap, and where their elements begin.
#[derive(Clone, Copy)]
struct DotRun {
    first: Dot,
    len: u32,
    at: u32,
}

impl DotRun {
    fn ends_before(&self, dot: Dot) -> bool {
        self.first.replica() == dot.replica() && self.first.counter() + u64::from(self.len) == dot.counter()
    }

    fn dots(self) -> impl Iterator<Item = Dot> {
        let DotRun { first, len, .. } = self;
        (0..u64::from(len)).map(move |n| Dot::known(first.replica(), first.counter() + n))
    }
}

impl<'s, T> Entries<'s, T> {
    /// Puts entries in the order of their dots; `len` says about how many there are.
    pub(super) fn by_dot(len: usize, entries: impl Iterator<Item = (Dot, &'s T)>) -> Self {
        let mut runs: Vec<DotRun> = Vec::new();
        let mut elements = Vec::with_capacity(len);
        for (dot, element) in entries {
            match runs.last_mut() {
                Some(run) if run.ends_before(dot) => run.len += 1,
                _ => runs.push(DotRun { first: dot, len: 1, at: elements.len() as u32 }),
            }
            elements.push(element);
        }
        if runs.is_sorted_by_key(|run| run.first) {
            return Self { runs, elements };
        }
        // No dot has two entries, so runs never reach into each other.
        runs.order_by_key(|run| run.first);
        let mut ordered = Vec::with_capacity(elements.len());
        for run in &runs {
            ordered.extend_from_slice(&elements[run.at as usize..][..run.len as usize]);
        }
        Self { runs, elements: ordered }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    fn dots(&self) -> impl Iterator<Item = Dot> {
        self.runs.iter().flat_map(|run| run.dots())
    }
}

/// Writes the entries of several sets. `several` says whether some element may stand under several dots.
pub(super) fn write<T: Element>(stores: &[Entries<'_, T>], several: bool, to: &mut Encoder<'_>) {
    if let [only] = stores {
        to.dots_of_one(only.dots(), ENTRIES_PER_BYTE);
    } else {
        let dots: Vec<Vec<Dot>> = stores.iter().map(|store| store.dots().collect()).collect();
        to.dots(dots.iter().map(Vec::as_slice), ENTRIES_PER_BYTE);
    }
    let repeats = if several { repeats(stores) } else { Vec::new() };
    if repeats.is_empty() {
        if let [only] = stores {
            return to.column(&only.elements);
        }
    } else {
        to.byte(REPEATS);
        to.varint(repeats.len() as u64);
        for (at, first) in &repeats {
            to.varint(*at as u64);
            to.varint((at - first) as u64);
        }
    }
    let mut elements: Vec<&T> = stores.iter().flat_map(|store| &store.elements).copied().collect();
    let mut places = 0..;
    let mut left = repeats.iter().peekable();
    elements.retain(|_| {
        let at = places.next().expect("places do not end");
        left.next_if(|(repeat, _)| *repeat == at).is_none()
    });
    to.column(&elements);
}

/// The places whose element stands earlier in the same set, with that place.
fn repeats<T: Element>(stores: &[Entries<'_, T>]) -> Vec<(usize, usize)> {
    let mut repeats = Vec::new();
    let mut at = 0;
    for store in stores {
        let mut firsts = BTreeMap::new();
        for element in &store.elements {
            let first = *firsts.entry(element).or_insert(at);
            if first < at {
                repeats.push((at, first));
            }
            at += 1;
        }
    }
    repeats
}

/// The dots of one set.
type DotsOfStore = SmallVec<[Dot; 1]>;

/// Reads what [`write`] wrote for `count` sets: the dots of each, and an element for each dot.
pub(super) fn read<T: Element>(
    count: usize,
    from: &mut Decoder<'_>,
) -> Result<(Vec<DotsOfStore>, impl Iterator<Item = T> + use<T>), DecodeError> {
    let dots = from.dots(count, ENTRIES_PER_BYTE, 1)?;
    let total: usize = dots.iter().map(|dots| dots.len()).sum();
    let mut repeats = Vec::new();
    if from.peek() == Some(REPEATS) {
        from.byte()?;
        for _ in 0..from.count(2)? {
            let (at, back) = (from.varint()?, from.varint()?);
            match at.checked_sub(back) {
                Some(first) if at < total as u64 && back > 0 => repeats.push((at as usize, first as usize)),
                _ => return Err(from.error(DecodeErrorKind::TooLarge)),
            }
        }
    }
    let fresh = total.checked_sub(repeats.len()).ok_or_else(|| from.error(DecodeErrorKind::TooLarge))?;
    let elements = from.column::<T>(fresh)?;
    if repeats.is_empty() {
        return Ok((dots, elements.into_iter()));
    }
    let measured = from.must_measure(repeats.len());
    let mut fresh = elements.into_iter();
    let mut repeats = repeats.into_iter().peekable();
    let mut elements: Vec<T> = Vec::new();
    for at in 0..total {
        let element = match repeats.next_if(|(repeat, _)| *repeat == at) {
            Some((_, first)) => {
                if measured {
                    from.charge_copy(len_alone(&elements[first]))?;
                }
                elements[first].clone()
            }
            None => fresh.next().ok_or_else(|| from.error(DecodeErrorKind::NotCanonical))?,
        };
        elements.push(element);
    }
    Ok((dots, elements.into_iter()))
}

fn len_alone<T: Element>(element: &T) -> usize {
    let ids = Ids::default();
    let mut to = Encoder::new(&ids);
    to.column(&[element]);
    to.written()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaId;

    #[test]
    fn entries_come_by_dot_whatever_their_order() {
        let orders: [&[(u128, u64)]; 7] = [
            &[(1, 1), (1, 2), (2, 1)],
            // Counters that follow each other, of two replicas; backwards.
            &[(1, 1), (2, 2)],
            &[(1, 5), (1, 4)],
            // A run for each replica, the later one first.
            &[(2, 1), (2, 2), (1, 1), (1, 2), (3, 4)],
            // Runs that continue each other.
            &[(1, 1), (1, 5), (1, 3), (1, 4), (1, 9), (1, 2)],
            &[(3, 3), (2, 2), (1, 1)],
            &[],
        ];
        for order in orders {
            let dots: Vec<Dot> = order.iter().map(|(id, at)| Dot::known(ReplicaId::from_u128(*id), *at)).collect();
            let entries = Entries::by_dot(dots.len(), dots.iter().map(|dot| (*dot, dot)));
            let ordered: Vec<Dot> = entries.dots().collect();
            assert!(ordered.is_sorted());
            assert_eq!(ordered.len(), order.len());
            assert!(entries.elements.into_iter().eq(&ordered));
        }
    }
}
