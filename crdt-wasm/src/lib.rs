//! The browser side. Not built yet: this crate only reserves the name and re-exports the values it will
//! bind, so that nothing here pretends to be an npm package.
#![no_std]
#![forbid(unsafe_code)]

pub use crdt_core;
