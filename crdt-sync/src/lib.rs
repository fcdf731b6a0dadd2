//! Replicas talking to each other. Not built yet: this crate only reserves the name and re-exports the
//! values it will carry, so that nothing here pretends to replicate.
#![no_std]
#![forbid(unsafe_code)]

pub use crdt_core;
