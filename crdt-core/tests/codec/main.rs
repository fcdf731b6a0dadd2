//! Bytes from outside: what is refused, why, and that nothing else happens. The rows are those of the list of bad inputs
//! that every decoder owes a test: bytes (1–14), structure (15–27), numbers (28–33).

mod bytes;
mod document;
mod edge_states;
mod frame;
mod large;
mod numbers;
#[path = "../sample/mod.rs"]
mod sample;
mod short_strings;
mod structure;
