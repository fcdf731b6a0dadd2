//! `cargo xtask fuzz [target] [--seconds N]`: libFuzzer on the targets in
//! `fuzz/`, starting from the committed seeds. What it learns stays in
//! `fuzz/corpus`, outside version control.

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use crate::tools;
use std::path::Path;

const SECONDS: u64 = 60;

pub(crate) fn fuzz(arguments: &[String]) -> Outcome {
    let wanted = Wanted::parse(arguments)?;
    match fuzz_each(wanted.target.as_deref(), wanted.seconds)? {
        Verdict::Passed => Ok(()),
        Verdict::Skipped(missing) => Err(Failure::new(format!("cannot fuzz here: {missing}"))),
    }
}

/// Fuzzes one target, or each, for so many seconds.
pub(crate) fn fuzz_each(target: Option<&str>, seconds: u64) -> Result<Verdict, Failure> {
    let folder = run::root().join("fuzz");
    let targets = targets(&folder)?;
    if let Some(name) = target
        && !targets.iter().any(|known| known == name)
    {
        return Err(Failure::new(format!("there is no fuzz target {name:?}; there are: {}", targets.join(", "))));
    }
    if !tools::toolchain_runs("nightly") {
        return Ok(Verdict::Skipped(
            "no nightly toolchain: `rustup toolchain install nightly --profile minimal`".into(),
        ));
    }
    let path = match tools::CARGO_FUZZ.path() {
        Ok(path) => path,
        Err(_) => return Ok(Verdict::Skipped(tools::CARGO_FUZZ.missing())),
    };
    for name in targets.iter().filter(|name| target.is_none_or(|only| *name == only)) {
        let corpus = folder.join("corpus").join(name);
        std::fs::create_dir_all(&corpus).map_err(|error| Failure::file(&corpus, &error))?;
        let mut command = run::cargo_of("nightly", ["fuzz", "run", "--fuzz-dir", "fuzz", name]);
        // The first folder receives what is found, the second is only read.
        command
            .arg(format!("fuzz/corpus/{name}"))
            .arg(format!("fuzz/seeds/{name}"))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .args(["-max_len=4096", "-rss_limit_mb=1024", "-print_final_stats=1"])
            .env("PATH", &path);
        run::run(&mut command)?;
    }
    Ok(Verdict::Passed)
}

/// The targets by name, in order: one per file, each with its seeds.
fn targets(folder: &Path) -> Result<Vec<String>, Failure> {
    let sources = folder.join("fuzz_targets");
    let entries = std::fs::read_dir(&sources).map_err(|error| Failure::file(&sources, &error))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_source = path.extension()? == "rs";
            is_source.then(|| path.file_stem().map(|name| name.to_string_lossy().into()))?
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(Failure::new("there is no fuzz target yet"));
    }
    Ok(names)
}

#[derive(Debug, PartialEq)]
struct Wanted {
    target: Option<String>,
    seconds: u64,
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut wanted = Self { target: None, seconds: SECONDS };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--seconds" => wanted.seconds = number(argument, rest.next())?,
                name if wanted.target.is_none() && !name.starts_with('-') => {
                    wanted.target = Some(name.to_owned());
                }
                unknown => {
                    return Err(Failure::new(format!("fuzz does not know {unknown:?}")));
                }
            }
        }
        Ok(wanted)
    }
}

/// The whole number, at least one, that must follow `option`.
pub(crate) fn number(option: &str, value: Option<&String>) -> Result<u64, Failure> {
    value
        .and_then(|value| value.parse().ok())
        .filter(|&number| number > 0)
        .ok_or_else(|| Failure::new(format!("{option} needs a whole number, at least 1")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Wanted, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Wanted::parse(&words)
    }

    #[test]
    fn target_and_seconds_come_in_any_order() {
        let expected = Wanted { target: Some("decode".into()), seconds: 5 };
        assert_eq!(parse("decode --seconds 5").unwrap(), expected);
        assert_eq!(parse("--seconds 5 decode").unwrap(), expected);
        assert_eq!(parse("").unwrap(), Wanted { target: None, seconds: SECONDS });
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in ["--seconds", "--seconds x", "--seconds 0", "a b", "--fast"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
