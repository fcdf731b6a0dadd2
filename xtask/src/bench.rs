//! `cargo xtask bench [filter]`: measures beside the peers, prints the table with
//! its ratios and stores it under `benches/results`.

use crate::run::{self, Outcome};

pub(crate) fn bench(arguments: &[String]) -> Outcome {
    let mut command =
        run::cargo(["run", "--locked", "--release", "--manifest-path", "benches/Cargo.toml", "--bin", "table", "--"]);
    run::run(command.args(arguments))
}
