//! Writing.

use alloc::vec::Vec;

use crate::ReplicaId;
use crate::by_id::ById;

/// Where bytes go. Ids are written as indexes into a table that the caller holds.
pub struct Encoder<'t> {
    pub(super) out: Vec<u8>,
    table: &'t IdTable,
}

/// Replica ids by index. A buffer that stands alone has its own, ascending; a connection keeps one for all.
#[derive(Default)]
pub(super) struct IdTable {
    pub(super) ids: Vec<ReplicaId>,
    index: ById<u32>,
}

impl IdTable {
    /// A table of these ids, ascending, each once.
    pub(super) fn new(ids: impl IntoIterator<Item = ReplicaId>) -> Self {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut index = ById::default();
        for (at, id) in ids.iter().enumerate() {
            *index.entry(*id) = at as u32;
        }
        Self { ids, index }
    }
}

impl<'t> Encoder<'t> {
    pub(super) fn new(out: Vec<u8>, table: &'t IdTable) -> Self {
        Self { out, table }
    }

    pub(super) fn index_of(&self, id: ReplicaId) -> u64 {
        u64::from(*self.table.index.get(id).expect("every id of a value is in its table"))
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
