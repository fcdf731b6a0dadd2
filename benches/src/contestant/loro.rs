//! `loro`: a document; one map in it. Merging goes through bytes.

use loro::{ExportMode, LoroDoc, LoroMap};

/// A document with its only map.
pub struct Document {
    pub doc: LoroDoc,
    pub map: LoroMap,
}

impl Document {
    pub fn new(id: u64) -> Self {
        let doc = LoroDoc::new();
        doc.set_peer_id(id).expect("a new document may take any id");
        let map = doc.get_map("map");
        Self { doc, map }
    }

    /// One commit per write, as when each is an edit of its own.
    pub fn write(&self, key: &str, value: u64) {
        self.map.insert(key, value as i64).expect("an attached map");
        self.doc.commit();
    }

    pub fn remove(&self, key: &str) {
        self.map.delete(key).expect("an attached map");
        self.doc.commit();
    }

    /// The state without its history: its smallest bytes.
    pub fn state_bytes(&self) -> Vec<u8> {
        self.doc.export(ExportMode::StateOnly(None)).expect("a readable document")
    }

    /// Everything that happened, for another replica to import.
    pub fn update_bytes(&self) -> Vec<u8> {
        self.doc.export(ExportMode::all_updates()).expect("a readable document")
    }

    pub fn merge(&self, bytes: &[u8]) {
        self.doc.import(bytes).expect("its own bytes");
    }

    pub fn from_bytes(id: u64, bytes: &[u8]) -> Self {
        let document = Self::new(id);
        document.merge(bytes);
        document
    }
}
