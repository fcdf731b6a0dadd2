//! Buffers made by hand.

use crdt_core::{Canonical, DecodeError, DecodeErrorKind};

pub(crate) const STATE: u8 = 0;
pub(crate) const DELTA: u8 = 1;
pub(crate) const ADDITIONS: u8 = 2;
pub(crate) const DOTS: u8 = 3;
pub(crate) const VERSION: u8 = 4;
pub(crate) const SUMMARY: u8 = 5;
pub(crate) const PLAIN: u8 = 6;

/// Kinds of containers, as bytes say them.
pub(crate) const MV_REGISTER: u8 = 6;
pub(crate) const EW_FLAG: u8 = 7;
pub(crate) const G_SET: u8 = 9;
pub(crate) const OR_SET: u8 = 10;
pub(crate) const OR_MAP: u8 = 12;
pub(crate) const LWW_MAP: u8 = 13;
pub(crate) const RECORD: u8 = 14;

/// The dot set of the first `count` dots of the only replica.
pub(crate) const fn seen(count: u8) -> [u8; 4] {
    [1, 0, count, 0]
}

/// A buffer of this form with a table of these ids.
pub(crate) fn frame(form: u8, ids: &[u128], body: &[&[u8]]) -> Vec<u8> {
    assert!(ids.len() < 31);
    let mut bytes = vec![0xC1, form << 5 | ids.len() as u8];
    bytes.extend(ids.iter().flat_map(|id| id.to_be_bytes()));
    bytes.extend(body.concat());
    bytes
}

pub(crate) fn varint(mut int: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while int >= 0x80 {
        bytes.push(int as u8 | 0x80);
        int >>= 7;
    }
    bytes.push(int as u8);
    bytes
}

/// Why these bytes are refused. Names a place in the buffer, and can be told to a person.
pub(crate) fn refused<T: Canonical>(bytes: &[u8]) -> DecodeErrorKind {
    match T::decode(bytes) {
        Ok(value) => panic!("accepted, and written as {:02x?}", value.encode()),
        Err(error) => {
            assert_explained(&error, bytes);
            error.kind
        }
    }
}

pub(crate) fn assert_explained(error: &DecodeError, bytes: &[u8]) {
    assert!(error.at <= bytes.len(), "{error:?} in {} bytes", bytes.len());
    assert!(error.to_string().ends_with(&format!("(at byte {})", error.at)));
    assert!(error.kind.to_string().len() > 10);
}

pub(crate) fn accepted<T: Canonical>(bytes: &[u8]) -> T {
    let value = T::decode(bytes).unwrap_or_else(|error| panic!("{error}: {bytes:02x?}"));
    assert_eq!(value.encode(), bytes);
    value
}
