//! `cargo xtask soak [--minutes N]`: the checks that take too long for every
//! change. The law suite gets a quarter of the time, the simulator and the fuzzer two
//! quarters and one; the rest takes what it takes, as half of it says little: short
//! histories without a gap, long ones, the codec, the model check, Miri, the seeded
//! faults and all mutations, and the browser package in engines that are too large to
//! install for every change.

use crate::fuzz::{fuzz_each, number};
use crate::run::{self, Failure, Outcome};
use crate::steps::{Step, Verdict, run_steps, seconds};
use crate::{mutants, tools, web};
use std::process::Command;
use std::time::Instant;

const MINUTES: u64 = 60;

/// Histories per type, and schedules: what the suites are held to, and the trial
/// that tells how many fit into the time.
const HISTORIES: u64 = 1_000_000;
const HISTORIES_TRIAL: u64 = 10_000;

pub(crate) fn soak(arguments: &[String]) -> Outcome {
    let minutes = match arguments {
        [] => MINUTES,
        [option, value] if option == "--minutes" => number(option, Some(value))?,
        _ => return Err(Failure::new("soak takes one option, --minutes N")),
    };
    let share = minutes * 60 / 4;
    run_steps(
        "soak",
        &[
            Step::new("laws", move || laws(share)),
            Step::new("laws: every short history", short_histories),
            Step::new("laws: long histories", long_histories),
            Step::new("codec", codec),
            Step::new("schedules", move || schedules(2 * share)),
            Step::new("model", model),
            Step::new("miri", miri),
            Step::new("wasm: other engines", web::engines),
            Step::new("fuzz", move || fuzz_each(None, (share / 2).max(1))),
            Step::new("faults", || mutants::mutants(&[]).map(|()| Verdict::Passed)),
            Step::new("mutation", mutation),
        ],
    )
}

/// A million histories for each type, or as many as fit into the time.
fn laws(seconds_max: u64) -> Result<Verdict, Failure> {
    let suite = |histories: u64| {
        let mut command = core_tests("laws", "random_histories");
        command.env("LAWS_HISTORIES", histories.to_string());
        command
    };
    as_many_as_fit(suite, seconds_max, "histories per type")
}

/// Two replicas with up to eight steps, and three with up to five: as many as there are not too many of.
fn short_histories() -> Result<Verdict, Failure> {
    for (replicas, depth) in [("2", "8"), ("3", "5")] {
        let mut command = core_tests("laws", "every_short_history");
        command.envs([("LAWS_REPLICAS", replicas), ("LAWS_DEPTH", depth), ("LAWS_CONFIGURATIONS", "20000")]);
        run::run(&mut command)?;
    }
    Ok(Verdict::Passed)
}

/// Histories ten times as long as the usual ones, as few as such take.
fn long_histories() -> Result<Verdict, Failure> {
    let mut command = core_tests("laws", "random_histories");
    run::run(command.envs([("LAWS_HISTORIES", "10000"), ("LAWS_FRESH", "0"), ("LAWS_STEPS", "400")]))?;
    Ok(Verdict::Passed)
}

/// A hundred thousand edge states of each type, and short strings one byte longer.
fn codec() -> Result<Verdict, Failure> {
    let mut command = core_tests("codec", "");
    run::run(command.envs([("CODEC_STATES", "100000"), ("CODEC_STRING_LENGTH", "7")]))?;
    Ok(Verdict::Passed)
}

/// The tests of one file of crdt-core whose names contain `filter`, as fast as they get.
fn core_tests(file: &str, filter: &str) -> Command {
    let mut command = run::cargo(["test", "--locked", "--release", "-p", "crdt-core", "--all-features"]);
    command.args(["--test", file, "--", filter]);
    command
}

/// A million simulated schedules with every fault of disks, links and clocks, or
/// as many as fit into the time.
fn schedules(seconds_max: u64) -> Result<Verdict, Failure> {
    let suite = |runs: u64| {
        let mut command = run::cargo(["test", "--locked", "--release", "-p", "crdt-sync"]);
        command.args(["--features", "sim", "--test", "schedules"]).env("SIM_RUNS", runs.to_string());
        command
    };
    as_many_as_fit(suite, seconds_max, "schedules")
}

/// Every order of edits, repairs, deliveries and cuts in worlds as large as a model
/// checker goes through in about ten minutes.
fn model() -> Result<Verdict, Failure> {
    let mut command = run::cargo(["test", "--locked", "--release", "-p", "crdt-sync", "--features", "sim", "--lib"]);
    command.args(["--", "--ignored", "--nocapture", "--test-threads", "1", "repair::tests::model::"]);
    run::run(&mut command)?;
    Ok(Verdict::Passed)
}

/// Runs a suite of random cases with the full count, or with what a trial says
/// is possible.
fn as_many_as_fit(suite: impl Fn(u64) -> Command, seconds_max: u64, what: &str) -> Result<Verdict, Failure> {
    run::run(&mut suite(1))?;
    let start = Instant::now();
    run::run(&mut suite(HISTORIES_TRIAL))?;
    let trial = start.elapsed();
    let fitting = histories_within(seconds_max, trial.as_secs_f64());
    println!("{HISTORIES_TRIAL} {what} took {}; running {fitting}", seconds(trial));
    run::run(&mut suite(fitting))?;
    Ok(Verdict::Passed)
}

/// How many histories fit into `seconds_max` if the trial took `trial_seconds`:
/// never fewer than the trial itself, never more than the full count.
fn histories_within(seconds_max: u64, trial_seconds: f64) -> u64 {
    let rate = HISTORIES_TRIAL as f64 / trial_seconds.max(0.001);
    ((seconds_max as f64 * rate) as u64).clamp(HISTORIES_TRIAL, HISTORIES)
}

/// What Miri runs, on which machines: it is far slower than this one, so the tests are few and their counts are
/// its own. The bytes must be the same where integers are 32 bits wide, and where they lie the other way round.
const MIRI: [(&str, &[&str]); 7] = [
    ("", &["--test", "golden", "a_fixed_history"]),
    ("", &["--test", "codec", "edge_states_of_sets"]),
    ("", &["--test", "laws", "--", "or_set::random", "map_of_counters::random", "document::random"]),
    ("i686-unknown-linux-gnu", &["--test", "golden", "a_fixed_history"]),
    ("i686-unknown-linux-gnu", &["--test", "codec", "--", "numbers", "edge_states_of_sets"]),
    ("s390x-unknown-linux-gnu", &["--test", "golden", "a_fixed_history"]),
    ("s390x-unknown-linux-gnu", &["--test", "codec", "--", "numbers", "edge_states_of_sets"]),
];

/// The codec and a few short histories under Miri.
fn miri() -> Result<Verdict, Failure> {
    if !tools::toolchain_runs("nightly") {
        return Ok(Verdict::Skipped(
            "no nightly toolchain: `rustup toolchain install nightly --profile minimal`".into(),
        ));
    }
    let present = || run::succeeds(&mut run::cargo_of("nightly", ["miri", "--version"]));
    if !present() {
        let add = ["component", "add", "--toolchain", "nightly", "miri", "rust-src"];
        let _ = run::run(Command::new("rustup").args(add));
    }
    if !present() {
        return Ok(Verdict::Skipped("no Miri: `rustup component add --toolchain nightly miri rust-src`".into()));
    }
    for (target, tests) in MIRI {
        let mut command = run::cargo_of("nightly", ["miri", "test", "--locked", "-p", "crdt-core", "--all-features"]);
        if !target.is_empty() {
            command.args(["--target", target]);
        }
        command
            .args(tests)
            .env("MIRIFLAGS", "-Zmiri-disable-isolation")
            .envs([("CODEC_STATES", "6"), ("CODEC_CUTS", "40")])
            .envs([("LAWS_HISTORIES", "5"), ("LAWS_FRESH", "0"), ("LAWS_STEPS", "8")])
            .env("CARGO_TARGET_DIR", run::target_dir().join("miri"));
        run::run(&mut command)?;
    }
    Ok(Verdict::Passed)
}

/// Every mutation of the codec and the merge path; what may be missed is listed,
/// with its reason, in `.cargo/mutants.toml`.
fn mutation() -> Result<Verdict, Failure> {
    let path = match tools::CARGO_MUTANTS.path() {
        Ok(path) => path,
        Err(_) => return Ok(Verdict::Skipped(tools::CARGO_MUTANTS.missing())),
    };
    let mut command = run::cargo(["mutants", "-p", "crdt-core", "--timeout", "60", "--output"]);
    command.arg(run::target_dir()).env("PATH", path);
    run::run(&mut command)?;
    Ok(Verdict::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_histories_follows_the_time() {
        assert_eq!(histories_within(100, 1.0), HISTORIES);
        assert_eq!(histories_within(50, 1.0), 500_000);
        assert_eq!(histories_within(1, 20.0), HISTORIES_TRIAL);
    }
}
