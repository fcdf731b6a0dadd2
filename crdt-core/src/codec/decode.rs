//! Reading, with no more trust than the bytes have earned.

use alloc::vec::Vec;

use super::error::{DecodeError, DecodeErrorKind};
use super::{DEPTH_MAX, Kind};
use crate::ReplicaId;

/// Where bytes come from. Whatever they claim, no more is allocated than a fixed multiple of their length.
pub struct Decoder<'b> {
    bytes: &'b [u8],
    at: usize,
    pub(super) ids: Vec<ReplicaId>,
    depth: usize,
}

impl<'b> Decoder<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, ids: Vec::new(), depth: 0 }
    }

    /// An error at this place.
    #[must_use]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { at: self.at, kind }
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.error(DecodeErrorKind::TooShort))?;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte, which stays.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// That many bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn raw(&mut self, count: usize) -> Result<&'b [u8], DecodeError> {
        if count > self.remaining() {
            return Err(self.error(DecodeErrorKind::TooShort));
        }
        let raw = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(raw)
    }

    /// An integer.
    ///
    /// # Errors
    /// If it does not end, or does not fit.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let int = self.varint_128()?;
        u64::try_from(int).map_err(|_| self.error(DecodeErrorKind::TooLarge))
    }

    pub(super) fn varint_128(&mut self) -> Result<u128, DecodeError> {
        let mut int = 0u128;
        for shift in (0..=126).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if shift == 126 && bits > 3 {
                return Err(self.error(DecodeErrorKind::TooLarge));
            }
            int |= bits << shift;
            if byte & 0x80 == 0 {
                // A last byte of 0 adds nothing: there is a shorter spelling.
                if byte == 0 && shift > 0 {
                    return Err(self.error(DecodeErrorKind::NotCanonical));
                }
                return Ok(int);
            }
        }
        Err(self.error(DecodeErrorKind::TooLarge))
    }

    /// An integer of either sign.
    ///
    /// # Errors
    /// If it does not end, or does not fit.
    pub fn zigzag(&mut self) -> Result<i64, DecodeError> {
        let int = unzigzag(self.varint_128()?);
        i64::try_from(int).map_err(|_| self.error(DecodeErrorKind::TooLarge))
    }

    /// A count of things that take at least `size` bytes each, so that no count promises more than is there.
    ///
    /// # Errors
    /// If it does.
    pub fn count(&mut self, size: usize) -> Result<usize, DecodeError> {
        let count = self.varint()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.remaining() / size.max(1) => Ok(count),
            _ => Err(self.error(DecodeErrorKind::TooShort)),
        }
    }

    /// How many keys each of `count` maps has; each takes at least a byte.
    ///
    /// # Errors
    /// If that is more than is there.
    pub fn sizes(&mut self, count: usize) -> Result<Vec<usize>, DecodeError> {
        let mut sizes = Vec::new();
        let mut total = 0;
        for _ in 0..count {
            let size = self.count(1)?;
            total += size;
            if total > self.remaining() {
                return Err(self.error(DecodeErrorKind::TooShort));
            }
            sizes.push(size);
        }
        Ok(sizes)
    }

    /// A length and that many bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn bytes(&mut self) -> Result<&'b [u8], DecodeError> {
        let count = self.count(1)?;
        self.raw(count)
    }

    /// A kind of container.
    ///
    /// # Errors
    /// If there is no such kind.
    pub fn kind(&mut self) -> Result<Kind, DecodeError> {
        let code = self.byte()?;
        Kind::from_code(code).ok_or_else(|| self.error(DecodeErrorKind::Unknown(code)))
    }

    /// The ids of this buffer.
    pub(crate) fn ids(&self) -> &[ReplicaId] {
        &self.ids
    }

    pub(crate) fn id(&self, index: u64) -> Result<ReplicaId, DecodeError> {
        let id = usize::try_from(index).ok().and_then(|index| self.ids.get(index));
        id.copied().ok_or_else(|| self.error(DecodeErrorKind::UnknownId))
    }

    /// Goes one level down for as long as `read` runs.
    ///
    /// # Errors
    /// Whatever `read` returns, or that it is too deep.
    pub fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R, DecodeError>) -> Result<R, DecodeError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(DecodeErrorKind::TooDeep));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

pub(super) fn unzigzag(int: u128) -> i128 {
    (int >> 1) as i128 ^ -((int & 1) as i128)
}
