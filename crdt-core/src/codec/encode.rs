//! Writing.

use alloc::vec::Vec;

use super::ids::{Ids, Origin};
use crate::{Dot, ReplicaId};

/// Where bytes go. Ids are written as indexes into a table that the caller holds.
pub struct Encoder<'t> {
    pub(super) out: Vec<u8>,
    ids: &'t Ids,
    /// Where columns of dots start.
    pub(super) origin: Option<Origin>,
}

impl<'t> Encoder<'t> {
    /// Starts with nothing written. Every id of what will be written has to be in the table.
    #[must_use]
    pub fn new(ids: &'t Ids) -> Self {
        Self::append_to(Vec::new(), ids)
    }

    /// Goes on after what is there already.
    #[must_use]
    pub fn append_to(out: Vec<u8>, ids: &'t Ids) -> Self {
        Self { out, ids, origin: ids.origin() }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// How many bytes were written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.out.len()
    }

    /// A replica, as its index.
    ///
    /// # Panics
    /// If it is not in the table.
    pub fn id(&mut self, id: ReplicaId) {
        self.varint(self.index_of(id));
    }

    pub(super) fn index_of(&self, id: ReplicaId) -> u64 {
        self.ids.index_of(id).expect("every id of a value is in its table")
    }

    /// Starts columns of dots at this dot for as long as `write` runs: one that follows it at once takes no more than
    /// a byte. For values whose dots are mostly known from what stands around them.
    pub(crate) fn starting_at<R>(&mut self, first: Dot, write: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.origin.replace(Origin::before(first));
        let result = write(self);
        self.origin = before;
        result
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// An integer, seven bits a byte, the lowest first.
    pub fn varint(&mut self, mut int: u64) {
        while int >= 0x80 {
            self.out.push(int as u8 | 0x80);
            int >>= 7;
        }
        self.out.push(int as u8);
    }

    pub(super) fn varint_128(&mut self, mut int: u128) {
        while int >= 0x80 {
            self.out.push(int as u8 | 0x80);
            int >>= 7;
        }
        self.out.push(int as u8);
    }

    /// An integer of either sign, small ones in few bytes.
    pub fn zigzag(&mut self, int: i64) {
        self.varint_128(zigzag(i128::from(int)));
    }

    /// A length and that many bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }
}

/// How many bytes a varint takes.
pub(super) fn varint_len(int: u64) -> usize {
    (64 - (int | 1).leading_zeros() as usize).div_ceil(7)
}

/// Small numbers of either sign become small numbers.
pub(super) fn zigzag(int: i128) -> u128 {
    ((int << 1) ^ (int >> 127)) as u128
}
