//! `cargo xtask demo`: several replicas in processes of their own, each with a
//! durable store, linked over loopback TCP. `--headless` runs a script of edits,
//! an outage, a kill and a rejoin, and succeeds only if all digests are equal
//! and no acknowledged edit is lost; without it the replicas edit until Ctrl-C.
//! The options are the program's own.

use crate::run::{self, Outcome};

pub(crate) fn demo(arguments: &[String]) -> Outcome {
    let example = ["--package", "crdt-examples", "--bin", "demo", "--"];
    let mut command = run::cargo(["run", "--locked", "--release"]);
    command.args(example).args(arguments);
    run::run(&mut command)
}
