//! What the fuzz targets check. It lives in a library so that the committed
//! seeds, and whatever was once found, also run as plain tests without a fuzzer.
//!
//! [`decode`] takes bytes from anywhere; [`history`] takes a script of edits and
//! merges; [`sample`] says how to edit each type. [`frames`] reads what a peer may
//! have sent, [`parcel`] what may come in a file; [`repair`] drives whole replicas
//! beside a peer that means harm; [`sketch`] makes sets that differ and reads their
//! difference off.

pub mod decode;
pub mod frames;
pub mod history;
pub mod parcel;
pub mod repair;
/// How to edit each type; the same as the tests of `crdt-core` use.
#[path = "../../crdt-core/tests/sample/mod.rs"]
pub mod sample;
pub mod sketch;
