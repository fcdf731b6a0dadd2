//! How sets are written: the elements by dot, and one that stands under several dots only once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::codec::{DecodeError, DecodeErrorKind, Decoder, ENTRIES_PER_BYTE, Encoder};
use crate::{Dot, Element};

/// Stands before the elements where some have several dots: each repeat's place, and how far back the element stands.
const REPEATS: u8 = 0x80;

/// Writes the entries of several sets, each by dot. `several` says whether some element may stand under several dots.
pub(super) fn write<T: Element>(stores: &[Vec<(Dot, &T)>], several: bool, to: &mut Encoder<'_>) {
    let dots: Vec<Vec<Dot>> = stores.iter().map(|store| store.iter().map(|(dot, _)| *dot).collect()).collect();
    to.dots(dots.iter().map(Vec::as_slice), ENTRIES_PER_BYTE);
    let mut elements: Vec<&T> = stores.iter().flatten().map(|(_, element)| *element).collect();
    let repeats = if several { repeats(stores) } else { Vec::new() };
    if !repeats.is_empty() {
        to.byte(REPEATS);
        to.varint(repeats.len() as u64);
        for (at, first) in &repeats {
            to.varint(*at as u64);
            to.varint((at - first) as u64);
        }
        let mut places = 0..;
        let mut left = repeats.iter().peekable();
        elements.retain(|_| {
            let at = places.next().expect("places do not end");
            left.next_if(|(repeat, _)| *repeat == at).is_none()
        });
    }
    to.column(&elements);
}

/// The places whose element stands earlier in the same set, with that place.
fn repeats<T: Element>(stores: &[Vec<(Dot, &T)>]) -> Vec<(usize, usize)> {
    let mut repeats = Vec::new();
    let mut at = 0;
    for store in stores {
        let mut firsts = BTreeMap::new();
        for (_, element) in store {
            let first = *firsts.entry(element).or_insert(at);
            if first < at {
                repeats.push((at, first));
            }
            at += 1;
        }
    }
    repeats
}

/// Reads what [`write`] wrote for `count` sets.
pub(super) fn read<T: Element>(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Vec<(Dot, T)>>, DecodeError> {
    let dots = from.dots(count, ENTRIES_PER_BYTE)?;
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
    let mut fresh = from.column::<T>(fresh)?.into_iter();
    if repeats.is_empty() {
        let store = |dots: smallvec::SmallVec<[Dot; 1]>| dots.into_iter().zip(fresh.by_ref()).collect();
        return Ok(dots.into_iter().map(store).collect());
    }
    let mut repeats = repeats.into_iter().peekable();
    let mut written: Vec<T> = Vec::new();
    let mut stores = Vec::new();
    for dots in dots {
        let mut store = Vec::new();
        for dot in dots {
            let element = match repeats.next_if(|(at, _)| *at == written.len()) {
                Some((_, first)) => written[first].clone(),
                None => fresh.next().ok_or_else(|| from.error(DecodeErrorKind::NotCanonical))?,
            };
            written.push(element.clone());
            store.push((dot, element));
        }
        stores.push(store);
    }
    Ok(stores)
}
