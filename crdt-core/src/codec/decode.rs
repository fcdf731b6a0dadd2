//! Reading, with no more trust than the bytes have earned.

use alloc::vec::Vec;

use super::error::{DecodeError, DecodeErrorKind};
use super::ids::{Ids, Origin};
use super::{DEPTH_MAX, Kind};
use crate::{Dot, ReplicaId};

/// How many times more room a value takes in memory than written, at most.
const VALUE_EXPANSION: usize = 16;

/// How many bytes of copies each byte may cost: what the sixteen increments that it can stand for take under a key of
/// ordinary length.
const COPIED_PER_BYTE: u64 = 4_096;

/// Where bytes come from. Whatever they claim, no more is allocated than a fixed multiple of their length, and what copies
/// may take; see [`DecodeLimits`].
pub struct Decoder<'b> {
    bytes: &'b [u8],
    at: usize,
    ids: &'b Ids,
    pub(super) origin: Option<Origin>,
    depth: usize,
    pub(super) limits: DecodeLimits,
    /// How many more dots of entries may come.
    pub(super) entries_left: u64,
    /// The longest key or value so far, in bytes, or more.
    longest: usize,
    /// How many times more room something may take in memory than written.
    expansion: usize,
    /// What copies may take that were not measured.
    copies_estimated: u64,
    /// What those may take that are.
    copies_left: u64,
}

/// How much one decoder takes in, where that is less than its bytes could hold.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// Replicas in one set of dots.
    pub set_replicas_max: usize,
    /// Runs in one set of dots.
    pub set_runs_max: usize,
    /// Entries in all: a byte can stand for sixteen of them.
    pub entries_max: u64,
    /// Bytes that copies may take beyond what was read: each entry of a delta has a copy of its key, and a long key that
    /// stands there once may have many entries. A state copies only a set's elements and a document's names, and those only
    /// where several dots or kinds stand at one.
    pub copied_bytes_max: u64,
    /// The seed of hash tables in what is decoded, as ids and keys may be chosen to collide.
    pub seed: u64,
}

impl DecodeLimits {
    /// What this many bytes may cost: copies of 4 096 times their length and 16 MiB, at most a gibibyte; no other limits,
    /// as those follow from the length alone; and seed 0.
    #[must_use]
    pub fn of_len(len: usize) -> Self {
        let copied_bytes_max = (len as u64).saturating_mul(COPIED_PER_BYTE).saturating_add(16 << 20).min(1 << 30);
        Self {
            set_replicas_max: usize::MAX,
            set_runs_max: usize::MAX,
            entries_max: u64::MAX,
            copied_bytes_max,
            seed: 0,
        }
    }
}

impl Default for DecodeLimits {
    /// A gibibyte of copies, no other limits, and seed 0.
    fn default() -> Self {
        Self::of_len(usize::MAX)
    }
}

impl<'b> Decoder<'b> {
    /// Starts at the first byte. Indexes are looked up in that table.
    #[must_use]
    pub fn new(bytes: &'b [u8], ids: &'b Ids) -> Self {
        Self::within(bytes, 0, ids, DecodeLimits::of_len(bytes.len()))
    }

    /// Starts at byte `at`, and takes no more than the limits allow.
    #[must_use]
    pub fn within(bytes: &'b [u8], at: usize, ids: &'b Ids, limits: DecodeLimits) -> Self {
        let at = at.min(bytes.len());
        Self {
            bytes,
            at,
            ids,
            origin: ids.origin(),
            depth: 0,
            limits,
            entries_left: limits.entries_max,
            longest: 0,
            expansion: 1,
            copies_estimated: 0,
            copies_left: limits.copied_bytes_max,
        }
    }

    /// How many bytes were read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Takes note of a key or value: its copies may take this many bytes each.
    pub(crate) fn note_len(&mut self, len: usize) {
        self.longest = self.longest.max(len);
    }

    /// Takes note of a value that may hold others: a small item of a list takes two bytes here and thirty-two in memory.
    pub(crate) fn note_value(&mut self, len: usize) {
        self.expansion = VALUE_EXPANSION;
        self.note_len(VALUE_EXPANSION * len);
    }

    /// Whether `copies` of things that were read have to be measured, as they may take too much together with those
    /// before them.
    pub(crate) fn must_measure(&mut self, copies: usize) -> bool {
        // Each level of a nested store has a key; four is deep.
        let most = (copies as u64).saturating_mul(4).saturating_mul(self.longest as u64);
        let estimated = self.copies_estimated.saturating_add(most);
        if estimated > self.limits.copied_bytes_max {
            return true;
        }
        self.copies_estimated = estimated;
        false
    }

    /// Accounts for a copy of that many bytes as it is written.
    pub(crate) fn charge_copy(&mut self, len: usize) -> Result<(), DecodeError> {
        let left = self.copies_left.checked_sub((len * self.expansion) as u64);
        self.copies_left = left.ok_or_else(|| self.error(DecodeErrorKind::TooManyCopies))?;
        Ok(())
    }

    /// The bytes between two places that were read.
    pub(crate) fn between(&self, from: usize, to: usize) -> &'b [u8] {
        &self.bytes[from..to]
    }

    /// Goes on in the same place with the dots of what is read starting at `first`; see [`Encoder`](super::Encoder).
    pub(crate) fn starting_at<R>(&mut self, first: Dot, read: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.origin.replace(Origin::before(first));
        let result = read(self);
        self.origin = before;
        result
    }

    /// The seed for hash tables in what is decoded.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.limits.seed
    }

    /// The table that indexes are looked up in.
    #[must_use]
    pub fn table(&self) -> &'b Ids {
        self.ids
    }

    /// A replica, by its index.
    ///
    /// # Errors
    /// If there is none at that index.
    pub fn replica(&mut self) -> Result<ReplicaId, DecodeError> {
        let index = self.varint()?;
        self.id(index)
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
    pub(crate) fn ids(&self) -> &'b [ReplicaId] {
        self.ids.as_slice()
    }

    pub(crate) fn id(&self, index: u64) -> Result<ReplicaId, DecodeError> {
        self.ids.get(index).ok_or_else(|| self.error(DecodeErrorKind::UnknownId))
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
