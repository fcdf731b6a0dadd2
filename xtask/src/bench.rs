//! `cargo xtask bench [filter]`: measures beside the peers, prints the table with
//! its ratios and stores it under `benches/results`. A run of all rows also
//! brings the README's figures up to date; `--readme` does that alone.

use crate::figures;
use crate::run::{self, Outcome};

pub(crate) fn bench(arguments: &[String]) -> Outcome {
    if arguments.iter().any(|argument| argument == "--readme") {
        return figures::write();
    }
    let mut command =
        run::cargo(["run", "--locked", "--release", "--manifest-path", "benches/Cargo.toml", "--bin", "table", "--"]);
    run::run(command.args(arguments))?;
    if arguments.is_empty() { figures::write() } else { Ok(()) }
}
