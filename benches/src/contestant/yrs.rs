//! `yrs`: a document; one map in it. Merging goes through bytes (format v2).

use yrs::any::Number;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, Map, MapRef, ReadTxn, StateVector, Transact, Update};

/// A document with its only map.
pub struct Document {
    pub doc: Doc,
    pub map: MapRef,
}

impl Document {
    pub fn new(id: u64) -> Self {
        let doc = Doc::with_client_id(id);
        let map = doc.get_or_insert_map("map");
        Self { doc, map }
    }

    /// One transaction per write, as when each is an edit of its own.
    pub fn write(&self, key: &str, value: u64) {
        self.map.insert(&mut self.doc.transact_mut(), key, Any::Number(Number::Int(value as i64)));
    }

    pub fn remove(&self, key: &str) {
        self.map.remove(&mut self.doc.transact_mut(), key);
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v2(&StateVector::default())
    }

    pub fn merge(&self, bytes: &[u8]) {
        let update = Update::decode_v2(bytes).expect("its own bytes");
        self.doc.transact_mut().apply_update(update).expect("its own update");
    }

    pub fn from_bytes(id: u64, bytes: &[u8]) -> Self {
        let document = Self::new(id);
        document.merge(bytes);
        document
    }
}
