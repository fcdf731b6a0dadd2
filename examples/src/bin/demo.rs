//! Several replicas in processes of their own, an outage, a kill, and nothing lost.
//!
//! `demo --headless` runs a script and ends with 0 only if all digests are equal and every acknowledged edit is on every
//! replica. Without `--headless` the replicas edit until Ctrl-C. `--replicas N` and `--edits N` change the size.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use crdt_examples::demo::member;
use crdt_examples::demo::script::{Options, endless, headless};
use crdt_examples::scratch::Scratch;

const USAGE: &str = "usage: demo [--headless] [--replicas N] [--edits N] [--at-once N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--member", name, life, folder] => {
            life.parse().map_err(Into::into).and_then(|life| member::run(Path::new(folder), name, life))
        }
        options => start(options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (mut options, mut to_the_end) = (Options::default(), false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).ok_or(USAGE);
        match *argument {
            "--headless" => to_the_end = true,
            "--replicas" => options.replicas = number()?,
            "--edits" => options.edits = number()? as u64,
            "--at-once" => options.at_once = number()?,
            _ => return Err(USAGE.into()),
        }
    }
    if !(3..=26).contains(&options.replicas) || options.edits < 4 {
        return Err("the run needs 3 to 26 replicas and at least 4 edits".into());
    }
    // Ctrl-C ends the endless mode, and leaves its folder to the next start.
    Scratch::sweep("crdt-demo");
    let (program, folder) = (std::env::current_exe()?, Scratch::new("crdt-demo")?);
    if to_the_end { headless(&program, folder.path(), &options) } else { endless(&program, folder.path(), &options) }
}
