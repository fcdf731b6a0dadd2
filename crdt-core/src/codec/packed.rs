//! Integers that lie near each other, in as many bits as their distances need.

use alloc::vec::Vec;

use super::encode::varint_len;
use super::{DecodeError, DecodeErrorKind, Decoder, Encoder};
use crate::Timestamp;

/// The lowest of some integers, and how many bits the highest distance from it takes.
pub(super) struct Frame {
    base: u64,
    width: usize,
}

impl Frame {
    pub(super) fn of(ints: impl Iterator<Item = u64>) -> Self {
        let bounds = ints.fold(None, |bounds, int| match bounds {
            None => Some((int, int)),
            Some((low, high)) => Some((int.min(low), int.max(high))),
        });
        let (base, highest) = bounds.unwrap_or((0, 0));
        Self { base, width: (64 - (highest - base).leading_zeros()) as usize }
    }

    /// How many bytes `count` integers take in it.
    pub(super) fn len(&self, count: usize) -> usize {
        varint_len(self.base) + 1 + octets(self.width, count).unwrap_or(usize::MAX)
    }
}

fn octets(width: usize, count: usize) -> Option<usize> {
    Some(width.checked_mul(count)?.div_ceil(8))
}

impl Encoder<'_> {
    /// Integers in a frame: its base, its width, and the distances, the lowest bit first.
    pub(super) fn packed(&mut self, frame: &Frame, ints: impl Iterator<Item = u64>) {
        self.varint(frame.base);
        self.byte(frame.width as u8);
        let (mut bits, mut filled) = (0u128, 0);
        for int in ints {
            bits |= u128::from(int - frame.base) << filled;
            filled += frame.width;
            while filled >= 8 {
                self.byte(bits as u8);
                bits >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            self.byte(bits as u8);
        }
    }

    /// A column of stamps: the milliseconds, then the counters, each in a frame. Stamps of one time share most of
    /// their bits: ten thousand writes within two minutes take 17 bits each instead of 64.
    pub fn stamps(&mut self, count: usize, stamp: impl Fn(usize) -> Timestamp) {
        let ms = || (0..count).map(|at| stamp(at).ms());
        let counters = || (0..count).map(|at| u64::from(stamp(at).counter()));
        self.packed(&Frame::of(ms()), ms());
        self.packed(&Frame::of(counters()), counters());
    }
}

impl Decoder<'_> {
    /// `count` integers in a frame. The caller has bounded the count: they may take no bytes at all.
    pub(super) fn packed(&mut self, count: usize) -> Result<Vec<u64>, DecodeError> {
        let base = self.varint()?;
        let width = usize::from(self.byte()?);
        if width > 64 {
            return Err(self.error(DecodeErrorKind::TooLarge));
        }
        let octets = octets(width, count).ok_or_else(|| self.error(DecodeErrorKind::TooShort))?;
        let mut octets = self.raw(octets)?.iter();
        let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
        let (mut bits, mut filled) = (0u128, 0);
        let mut ints = Vec::with_capacity(count);
        for _ in 0..count {
            while filled < width {
                bits |= u128::from(*octets.next().expect("there are enough")) << filled;
                filled += 8;
            }
            let int = base.checked_add(bits as u64 & mask).ok_or_else(|| self.error(DecodeErrorKind::TooLarge))?;
            ints.push(int);
            bits >>= width;
            filled -= width;
        }
        Ok(ints)
    }

    /// A column of stamps, as many as there are dots.
    ///
    /// # Errors
    /// If it is broken.
    pub fn stamps(&mut self, count: usize) -> Result<Vec<Timestamp>, DecodeError> {
        let ms = self.packed(count)?;
        let counters = self.packed(count)?;
        let stamp = |(ms, counter): (u64, u64)| {
            let counter = u16::try_from(counter).ok()?;
            (ms >> 48 == 0).then(|| Timestamp::new(ms, counter))
        };
        let stamps: Option<Vec<_>> = ms.into_iter().zip(counters).map(stamp).collect();
        stamps.ok_or_else(|| self.error(DecodeErrorKind::TooLarge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Ids;
    use alloc::vec;

    fn there_and_back(ints: &[u64]) {
        let table = Ids::default();
        let mut to = Encoder::new(&table);
        let frame = Frame::of(ints.iter().copied());
        to.packed(&frame, ints.iter().copied());
        assert_eq!(to.out.len(), frame.len(ints.len()));
        let mut from = Decoder::new(&to.out, &table);
        assert_eq!(from.packed(ints.len()).unwrap(), ints);
        assert_eq!(from.remaining(), 0);
    }

    #[test]
    fn integers_of_every_width_come_back() {
        there_and_back(&[]);
        there_and_back(&[7]);
        there_and_back(&[0, u64::MAX, 1, u64::MAX - 1]);
        for width in 0..64 {
            there_and_back(&[1 << width, 1, (1 << width) - 1, 1 << width, 1 << (width / 2)]);
        }
    }

    #[test]
    fn alike_integers_take_no_bits() {
        assert_eq!(Frame::of(vec![5; 1_000].into_iter()).len(1_000), 2);
    }
}
