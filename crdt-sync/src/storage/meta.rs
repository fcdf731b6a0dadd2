//! The bytes of [`Meta`], for stores that keep it as one blob.
//!
//! ```text
//! meta := 2 · scope (16) · replica (16) · last · time_hi · marker (8 each) · clean (1) · acked · stable · lent
//! acked := count (4) · (replica · set)*
//! lent  := count (4) · (replica · given back? (1) · counter (8), 0 if not)*
//! set   := length (4) · canonical bytes
//! ```
//! Integers are little-endian and of fixed width: this never travels, and it is small.

use crdt_core::{Canonical as _, DotSet, ReplicaId};

use super::{Meta, StorageError};
use crate::ScopeId;

const VERSION: u8 = 2;

impl Meta {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.scope.to_bytes());
        out.extend(self.replica.to_bytes());
        for number in [self.last, self.time_hi, self.marker] {
            out.extend(number.to_le_bytes());
        }
        out.push(u8::from(self.clean));
        put_count(&mut out, self.acked.len());
        for (replica, dots) in &self.acked {
            out.extend(replica.to_bytes());
            put_set(&mut out, dots);
        }
        put_set(&mut out, &self.stable);
        put_count(&mut out, self.lent.len());
        for (replica, last) in &self.lent {
            out.extend(replica.to_bytes());
            out.push(u8::from(last.is_some()));
            out.extend(last.unwrap_or(0).to_le_bytes());
        }
        out
    }

    /// What has these bytes.
    ///
    /// # Errors
    /// If nothing has; the message names the field.
    pub fn decode(bytes: &[u8]) -> Result<Self, StorageError> {
        let mut from = Reader { rest: bytes };
        let [version] = from.take("version")?;
        if version != VERSION {
            return Err(StorageError::Corrupt(format!(
                "an identity of version {version}, but {VERSION} is known here"
            )));
        }
        let meta = Self {
            scope: ScopeId::from_bytes(from.take("scope")?),
            replica: from.replica("replica")?,
            last: from.number("last")?,
            time_hi: from.number("time_hi")?,
            marker: from.number("marker")?,
            clean: from.take("clean")? == [1],
            acked: from.list("acked", 20, |from| Ok((from.replica("acked")?, from.set("acked")?)))?,
            stable: from.set("stable")?,
            lent: from.list("lent", 25, |from| {
                let (replica, back, last) = (from.replica("lent")?, from.take("lent")? == [1], from.number("lent")?);
                Ok((replica, back.then_some(last)))
            })?,
        };
        if from.rest.is_empty() { Ok(meta) } else { Err(broken("end")) }
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend(u32::try_from(count).expect("fewer than 2³² items are kept").to_le_bytes());
}

fn put_set(out: &mut Vec<u8>, dots: &DotSet) {
    let bytes = dots.encode();
    put_count(out, bytes.len());
    out.extend(bytes);
}

fn broken(field: &str) -> StorageError {
    StorageError::Corrupt(format!("the identity is cut or broken at {field}"))
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self, field: &str) -> Result<[u8; N], StorageError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| broken(field))?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn replica(&mut self, field: &str) -> Result<ReplicaId, StorageError> {
        self.take(field).map(ReplicaId::from_bytes)
    }

    fn number(&mut self, field: &str) -> Result<u64, StorageError> {
        self.take(field).map(u64::from_le_bytes)
    }

    fn count(&mut self, field: &str, size: usize) -> Result<usize, StorageError> {
        let count = u32::from_le_bytes(self.take(field)?) as usize;
        if count.saturating_mul(size) > self.rest.len() { Err(broken(field)) } else { Ok(count) }
    }

    fn list<T>(
        &mut self,
        field: &str,
        size: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        let count = self.count(field, size)?;
        (0..count).map(|_| item(self)).collect()
    }

    fn set(&mut self, field: &str) -> Result<DotSet, StorageError> {
        let length = self.count(field, 1)?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        DotSet::decode(bytes).map_err(|error| StorageError::Corrupt(format!("the set {field} is broken: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Meta {
        let (a, b) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
        let mut dots = DotSet::new();
        dots.insert_run(a, 1, 9);
        dots.insert_run(b, 4, 4);
        Meta {
            scope: ScopeId::from_bytes([7; 16]),
            replica: a,
            last: 9,
            time_hi: u64::MAX,
            clean: true,
            marker: 77,
            acked: vec![(b, dots.clone()), (a, DotSet::new())],
            stable: dots,
            lent: vec![(a, None), (b, Some(2))],
        }
    }

    #[test]
    fn the_identity_survives_its_bytes() {
        assert_eq!(Meta::decode(&sample().encode()).unwrap(), sample());
    }

    #[test]
    fn an_identity_that_was_cut_is_refused_at_every_length() {
        let bytes = sample().encode();
        for length in 0..bytes.len() {
            assert!(Meta::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(Meta::decode(&longer).is_err());
    }
}
