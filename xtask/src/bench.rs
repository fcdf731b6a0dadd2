//! `cargo xtask bench [filter]`: measures beside the peers, prints the table with
//! its ratios and stores it under `benches/results`. A run of all rows also
//! brings the README's figures up to date; `--readme` does that alone.
//!
//! `cargo xtask bench web [filter]`: the same for the browser package, as it was built last by `cargo xtask wasm`, beside
//! its peers in one Node process. The peers are pinned in `benches/web`, so that the package itself stays free of them.

use crate::figures;
use crate::run::{self, Failure, Outcome};
use crate::wasm;
use std::process::Command;

pub(crate) fn bench(arguments: &[String]) -> Outcome {
    if arguments.iter().any(|argument| argument == "--readme") {
        return figures::write();
    }
    if let [first, rest @ ..] = arguments
        && first == "web"
    {
        return web(rest);
    }
    let mut command =
        run::cargo(["run", "--locked", "--release", "--manifest-path", "benches/Cargo.toml", "--bin", "table", "--"]);
    run::run(command.args(arguments))?;
    if arguments.is_empty() { figures::write() } else { Ok(()) }
}

/// The browser package beside its peers.
fn web(arguments: &[String]) -> Outcome {
    if let Some(missing) = wasm::missing() {
        return Err(Failure::new(missing));
    }
    if !wasm::package().join("dist").join("inline.js").is_file() {
        return Err(Failure::new("the package is not built: `cargo xtask wasm`"));
    }
    let folder = run::root().join("benches").join("web");
    let mut install = Command::new("npm");
    run::run(install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let mut measure = Command::new("node");
    run::run(measure.args(["--expose-gc", "bench.mjs"]).args(arguments).current_dir(&folder))
}
