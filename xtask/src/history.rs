//! `cargo xtask history`: this project's own history, replayed as replicas that
//! edit and merge. Where the checkout has no complete history, or one in which
//! nothing merges, a generated one with branches, conflicts and criss-cross
//! merges is replayed.

use crate::run::{self, Failure, Outcome};
use std::path::Path;
use std::process::Command;

pub(crate) fn history(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(Failure::new(format!("history takes no argument, but got {unknown:?}")));
    }
    if !run::succeeds(Command::new("git").arg("--version")) {
        return Err(Failure::new("this reads a history with git: install it, or put it on the path"));
    }
    let root = run::root();
    match complete_history(&root) {
        Ok(merges) => {
            run::run(git_history().arg(&root))?;
            if merges > 0 {
                return Ok(());
            }
            println!("\nthis project's history is one line, in which nothing merges: a generated one follows");
        }
        Err(reason) => println!("{reason}: a generated history follows"),
    }
    run::run(git_history().arg("--generated"))
}

fn git_history() -> Command {
    let example = ["--package", "crdt-examples", "--bin", "git_history", "--"];
    let mut command = run::cargo(["run", "--locked", "--release"]);
    command.args(example);
    command
}

/// How many merges there are in the history of `root`, if that is itself the top
/// of a git clone with all of its history; if not, why. A folder *inside* some
/// other repository does not count: that history is not ours.
fn complete_history(root: &Path) -> Result<u64, &'static str> {
    let answer = |arguments: &[&str]| {
        run::output(Command::new("git").arg("-C").arg(root).args(arguments)).map(|line| line.trim().to_owned())
    };
    let top = answer(&["rev-parse", "--show-toplevel"]).map_err(|_| "this folder is not a git clone")?;
    if Path::new(&top).canonicalize().ok() != root.canonicalize().ok() {
        return Err("this folder is not the top of a git clone");
    }
    if answer(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|shallow| shallow == "true") {
        return Err("this clone is shallow");
    }
    let merges = answer(&["rev-list", "--merges", "--count", "HEAD"]).map_err(|_| "this clone has no commit")?;
    merges.parse().map_err(|_| "git did not count this clone's merges")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_outside_any_clone_has_no_history() {
        assert!(complete_history(&std::env::temp_dir()).is_err());
    }
}
