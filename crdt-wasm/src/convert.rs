//! Numbers, texts and values as bytes, and back.

use crdt_sync::crdt_core::codec::{Encoder, Ids};
use crdt_sync::crdt_core::{Canonical, ReplicaId, Value};
use crdt_sync::{Now, Steady, Wall};

use crate::code::Code;

/// Containers nest to 32 and what is decoded to 64, so values may have the rest.
const VALUE_DEPTH_MAX: usize = 31;

/// Integers that are exact in JavaScript: 2^53 − 1.
pub(crate) const SAFE_MAX: f64 = 9_007_199_254_740_991.0;

/// Bytes on their way to JavaScript.
#[derive(Default)]
pub(crate) struct Out {
    bytes: Vec<u8>,
}

impl Out {
    /// An answer: no refusal, and what follows.
    pub(crate) fn answer() -> Self {
        Self { bytes: vec![0] }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn u8(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn u32(&mut self, int: usize) {
        self.raw(&(int as u32).to_le_bytes());
    }

    pub(crate) fn f64(&mut self, number: f64) {
        self.raw(&number.to_le_bytes());
    }

    /// A counter or ticket.
    pub(crate) fn count(&mut self, int: u64) {
        self.f64(int as f64);
    }

    pub(crate) fn i128(&mut self, int: i128) {
        self.raw(&int.to_le_bytes());
    }

    pub(crate) fn id(&mut self, id: ReplicaId) {
        self.raw(&id.to_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len());
        self.raw(bytes);
    }

    pub(crate) fn value(&mut self, value: &Value) {
        let no_ids = Ids::default();
        let mut to = Encoder::append_to(core::mem::take(&mut self.bytes), &no_ids);
        to.value(value);
        self.bytes = to.into_bytes();
    }

    /// Room for a number that is known later.
    pub(crate) fn later(&mut self) -> usize {
        self.u32(0);
        self.bytes.len() - 4
    }

    pub(crate) fn set(&mut self, at: usize, int: usize) {
        self.bytes[at..at + 4].copy_from_slice(&(int as u32).to_le_bytes());
    }
}

/// Bytes that came from JavaScript.
pub(crate) struct In<'b> {
    bytes: &'b [u8],
}

impl<'b> In<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn raw(&mut self, len: usize) -> Result<&'b [u8], Code> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(Code::BadBytes)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Code> {
        Ok(self.raw(1)?[0])
    }

    pub(crate) fn u32(&mut self) -> Result<usize, Code> {
        let bytes = self.raw(4)?.try_into().expect("four bytes");
        Ok(u32::from_le_bytes(bytes) as usize)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Code> {
        let bytes = self.raw(8)?.try_into().expect("eight bytes");
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Code> {
        let len = self.u32()?;
        self.raw(len)
    }

    pub(crate) fn id(&mut self) -> Result<ReplicaId, Code> {
        id(self.raw(16)?)
    }

    pub(crate) fn rest(self) -> &'b [u8] {
        self.bytes
    }

    pub(crate) fn end(self) -> Result<(), Code> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Code::BadBytes) }
    }
}

/// An id.
pub(crate) fn id(bytes: &[u8]) -> Result<ReplicaId, Code> {
    Ok(ReplicaId::from_bytes(array(bytes)?))
}

/// Bytes of a fixed length.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Code> {
    bytes.try_into().map_err(|_| Code::BadBytes)
}

/// The time; whatever is no number of milliseconds counts as the start.
pub(crate) fn now(steady: f64, wall: f64) -> Now {
    // Casts from floats saturate, and NaN becomes 0.
    Now { steady: Steady(steady as u64), wall: Wall(wall as u64) }
}

/// An integer that JavaScript has exactly.
pub(crate) fn integer(number: f64) -> Result<i64, Code> {
    if number.trunc() == number && number.abs() <= SAFE_MAX { Ok(number as i64) } else { Err(Code::OutOfRange) }
}

/// A value in its one spelling.
pub(crate) fn value(bytes: &[u8]) -> Result<Value, Code> {
    let value = Value::decode(bytes).map_err(|error| match Code::from(error) {
        Code::BadBytes => Code::BadValue,
        code => code,
    })?;
    if depth(&value) > VALUE_DEPTH_MAX { Err(Code::BadValue) } else { Ok(value) }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Record(fields) => 1 + fields.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
