//! `cargo xtask demo`: a market stall that everybody edits at once. It builds the browser package and the page, starts a
//! relay and two native replicas that edit now and then, and prints the address to open. `--check` drives the same
//! page in a browser without a window, and succeeds only if tabs and a native replica end with the same bytes. With
//! `--listen ADDRESS`, one that this machine has on a network, a phone there can open the page, too.
//!
//! `--headless` is the part without a browser: replicas in processes of their own, each with a durable store, linked over
//! loopback TCP; a script of edits, an outage, a kill and a rejoin, which succeeds only if all digests are equal and
//! no acknowledged edit is lost. `--endless` lets those replicas edit until Ctrl-C. Other options are that program's own.

use crate::run::{self, Outcome};
use crate::{page, wasm};

/// Always the same, if it is free: a browser keeps data by address.
const PORT: &str = "8088";

pub(crate) fn demo(arguments: &[String]) -> Outcome {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => match wasm::missing() {
            None => stall(&[]),
            Some(missing) => {
                println!("The page can't be built: {missing}. This is the part without a browser:");
                replicas(&["--headless"])
            }
        },
        ["--check"] => page::check(),
        listen @ ["--listen", _address] => stall(listen),
        ["--endless", options @ ..] => replicas(options),
        options => replicas(options),
    }
}

fn stall(options: &[&str]) -> Outcome {
    page::build(true)?;
    let mut command = run::cargo(["run", "--locked", "--release", "--package", "crdt-examples", "--bin", "market"]);
    command.args(["--", "serve"]).arg(page::folder()).arg(run::target_dir().join("market"));
    run::run(command.args(["--port", PORT]).args(options))
}

fn replicas(options: &[&str]) -> Outcome {
    let example = ["--package", "crdt-examples", "--bin", "demo", "--"];
    // Optimised it takes two minutes to build, for two seconds of work.
    let mut command = run::cargo(["run", "--locked"]);
    run::run(command.args(example).args(options))
}
