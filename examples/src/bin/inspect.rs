//! Looks at a store that a replica keeps on disk, without touching it.
//!
//! ```text
//! inspect STORE [--json]
//! ```
//! Who writes there and what its next dot is, what was received and seen, who else counts, how long the log is, and the
//! data, whatever Rust types it was written with.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program's result belongs on the standard output")]

use std::path::Path;
use std::process::ExitCode;

use crdt_examples::inspect::{inspect, text};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, paths): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    let ([path], true) = (paths.as_slice(), options.iter().all(|option| *option == "--json")) else {
        eprintln!("usage: inspect STORE [--json]");
        return ExitCode::from(2);
    };
    match inspect(Path::new(path)) {
        Ok(report) if options.is_empty() => print!("{}", text(&report)),
        Ok(report) => println!("{report:#}"),
        Err(why) => {
            eprintln!("inspect: {why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
