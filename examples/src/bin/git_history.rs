//! Replays the history of a git repository as replicas that edit at the same time, and checks that what they merge to is
//! what was committed.
//!
//! ```text
//! git_history [REPOSITORY] [REF…] [--all] [--json]
//! git_history --generated[=COMMITS] [--json]
//! ```
//! Without a repository it takes its own. The report goes to standard output, progress and errors to standard error. It
//! ends with 0 if all that must hold did, with 1 if something did not, and with 2 if there was nothing to replay.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crdt_examples::history::generate::{Outline, generate};
use crdt_examples::history::git::{Repository, Selection};
use crdt_examples::history::{self, HistoryError};
use crdt_examples::progress::Progress;

const USAGE: &str = "\
usage: git_history [REPOSITORY] [REF...] [--all] [--json]
       git_history --generated[=COMMITS] [--json]

Replays the history of a git repository (default: its own) as replicas that edit at the same time: each branch is a
replica, each commit an edit of a map from path to blob, each merge commit merges the replicas of its parents first.

  REF              replay what these reach (default: HEAD)
  --all            replay what any ref reaches
  --generated      replay a made-up history instead (default: 2000 commits)
  --json           print one JSON object instead of the report";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("git_history: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let request = Request::parse(env::args_os().skip(1))?;
    if request.help {
        writeln!(io::stdout(), "{USAGE}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = match &request.source {
        Source::Repository(place, selection) => {
            history::run(&Repository::open(place).map_err(HistoryError::from)?, selection, &mut Progress::to_stderr())?
        }
        Source::Generated { commits } => {
            let outline = Outline { commits: *commits, paths: (commits / 2).min(5_000), seed: 1 };
            let made = generate(outline, &mut Progress::to_stderr()).map_err(HistoryError::from)?;
            history::run(&made.open()?, &Selection::default(), &mut Progress::to_stderr())?
        }
    };
    let text = if request.json { report.to_json() } else { report.to_string() };
    writeln!(io::stdout(), "{text}")?;
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Request {
    source: Source,
    json: bool,
    help: bool,
}

enum Source {
    Repository(PathBuf, Selection),
    Generated { commits: usize },
}

impl Request {
    fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let (mut json, mut help, mut all, mut generated) = (false, false, false, None);
        let mut names = Vec::new();
        for argument in arguments {
            match argument.to_string_lossy().as_ref() {
                "--json" => json = true,
                "--help" | "-h" => help = true,
                "--all" => all = true,
                "--generated" => generated = Some(2_000),
                flag if flag.starts_with('-') => {
                    let commits = flag.strip_prefix("--generated=").and_then(|number| number.parse().ok());
                    generated = Some(commits.ok_or_else(|| format!("unknown argument {flag} (--help lists them)"))?);
                }
                _ => names.push(argument),
            }
        }
        let mut names = names.into_iter();
        let place = names.next();
        let refs: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        let source = match (generated, place) {
            (Some(_), Some(_)) => return Err("a generated history needs no repository".to_owned()),
            (Some(_), None) if all => return Err("a generated history needs no --all".to_owned()),
            (Some(commits), None) => Source::Generated { commits },
            (None, _) if all && !refs.is_empty() => return Err("--all leaves no ref to name".to_owned()),
            (None, place) => {
                let selection = match (all, refs.is_empty()) {
                    (true, _) => Selection::All,
                    (false, true) => Selection::default(),
                    (false, false) => Selection::Refs(refs),
                };
                Source::Repository(place.map_or_else(own_repository, PathBuf::from), selection)
            }
        };
        Ok(Request { source, json, help })
    }
}

/// Where this program's source is, if cargo runs it; otherwise where the user is.
fn own_repository() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}
