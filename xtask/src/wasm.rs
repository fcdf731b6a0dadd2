//! `cargo xtask wasm`: will build the npm package. There is none yet.

use crate::run::{Failure, Outcome};

pub(crate) fn wasm(_arguments: &[String]) -> Outcome {
    Err(Failure::new("the npm package does not exist yet: crdt-wasm is an empty crate"))
}
