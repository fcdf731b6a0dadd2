//! The project's own commands: `cargo xtask COMMAND`.
//!
//! One file per command; each says at its top what it promises. A command whose
//! subject does not exist yet says so and fails: success always means that
//! something was done.

#![allow(clippy::print_stdout, reason = "a command's report belongs on the standard output")]

mod bench;
mod demo;
mod figures;
mod fuzz;
mod history;
mod inline;
mod mutants;
mod new_user;
mod page;
mod run;
mod soak;
mod steps;
mod test;
mod third_party;
mod tools;
mod wasm;
mod web;

use run::{Failure, Outcome};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [--check]                 a market stall in browser tabs and native replicas: prints the address of its page; check:
                                 drives the page in a browser without a window, with native replicas, and exits
  demo --headless | --endless    replicas in processes of their own, with durable stores, over loopback TCP; headless: a
                                 script of edits, an outage, a kill and a rejoin, and nothing lost
  history                        replay this project's own history (and a generated one) as replicas that edit and merge
  test [filter]                  everything that must pass; with a filter, the steps whose name contains it
  bench [filter]                 measure beside the peers and store the table under benches/results
  bench web [filter]             the browser package, as it was built last, beside its peers in Node
  bench --readme                 write the newest stored figures into the README
  fuzz [target] [--seconds N]    look for inputs that break a target (default: every target, 60 s each)
  soak [--minutes N]             the long checks: laws, schedules, models, Miri, engines, fuzzing, mutation (default: 60 minutes)
  mutants [filter]               put in each listed fault and require its named test to fail
  wasm [--fast]                  build the npm package into crdt-wasm/npm/dist; fast: without the optimiser
  wasm --third-party             write down whose code is in it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Failure::new(USAGE));
    };
    match command.as_str() {
        "demo" => demo::demo(rest),
        "history" => history::history(rest),
        "test" => test::test(rest),
        "bench" => bench::bench(rest),
        "fuzz" => fuzz::fuzz(rest),
        "soak" => soak::soak(rest),
        "mutants" => mutants::mutants(rest),
        "wasm" => wasm::wasm(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        unknown => Err(Failure::new(format!("there is no command {unknown:?}\n\n{USAGE}"))),
    }
}
