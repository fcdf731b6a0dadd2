//! serde, for every public value (feature `serde`).
//!
//! | value | in a format for people (JSON) | in a compact one (postcard) |
//! |---|---|---|
//! | states, deltas, plain lattices | their canonical bytes as base64url | their canonical bytes |
//! | [`ReplicaId`](crate::ReplicaId) | its text | its 16 bytes |
//! | [`Dot`](crate::Dot) | `[replica, counter]` | the same |
//! | [`DotSet`](crate::DotSet) | `[[replica, first, last], …]` | the same |
//! | [`VersionVector`](crate::VersionVector) | `[[replica, count], …]` | the same |
//! | [`Timestamp`](crate::Timestamp) | `[ms, counter]` | the same |
//! | [`Value`](crate::Value) | `{"Text": "milk"}`, numbers that JSON may bend as texts | variant and content |
//!
//! Whatever is read is checked: a state by [`Canonical::decode`](crate::Canonical::decode), the rest by the rules of
//! its type. A derived `Deserialize` would let in what no constructor lets in, and the fault would show much later.
//!
//! A [`Writer`](crate::Writer) is not here: a copy of one would issue dots that are in use.
//!
//! ```compile_fail
//! # use crdt_core::{ReplicaId, Writer};
//! fn stored<T: serde::Serialize>(_: &T) {}
//! stored(&Writer::new(ReplicaId::from_u128(1)));                 // an identity is never stored with data
//! ```

mod canonical;
mod dots;
pub(crate) mod number;
mod octets;
mod time;
mod value;
