#![doc = include_str!("../SEAM.md")]
#![forbid(unsafe_code)]

mod change;
mod code;
mod convert;
mod edit;
mod events;
mod handle;
mod merge;
mod read;
mod replica;
mod rows;
mod seam;
mod table;

pub use seam::*;

/// Four kilobytes smaller than the standard one.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
