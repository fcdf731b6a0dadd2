//! `cargo xtask demo`: this project's own history, replayed as replicas that
//! edit and merge. Where the checkout has no complete history, a generated one
//! with branches, conflicts and criss-cross merges takes its place.

use crate::run::{self, Failure, Outcome};
use std::path::Path;
use std::process::Command;

pub(crate) fn demo(arguments: &[String]) -> Outcome {
    if let Some(unknown) = arguments.first() {
        return Err(Failure::new(format!("demo takes no argument, but got {unknown:?}")));
    }
    let root = run::root();
    let mut command = run::cargo([
        "run",
        "--locked",
        "--release",
        "--quiet",
        "--package",
        "crdt-examples",
        "--bin",
        "git_history",
        "--",
    ]);
    match complete_history(&root) {
        Ok(()) => command.arg(&root),
        Err(reason) => {
            println!("{reason}: replaying a generated history instead");
            command.arg("--generated")
        }
    };
    run::run(&mut command)
}

/// Whether `root` is itself the top of a git clone with all of its history; if
/// not, why. A folder *inside* some other repository does not count: that
/// history is not ours.
fn complete_history(root: &Path) -> Result<(), &'static str> {
    let answer = |arguments: &[&str]| {
        run::output(Command::new("git").arg("-C").arg(root).args(["rev-parse"]).args(arguments))
            .map(|line| line.trim().to_owned())
    };
    if !run::succeeds(Command::new("git").arg("--version")) {
        return Err("git is not installed");
    }
    let top = answer(&["--show-toplevel"]).map_err(|_| "this folder is not a git clone")?;
    if Path::new(&top).canonicalize().ok() != root.canonicalize().ok() {
        return Err("this folder is not the top of a git clone");
    }
    if answer(&["--is-shallow-repository"]).is_ok_and(|shallow| shallow == "true") {
        return Err("this clone is shallow");
    }
    answer(&["--verify", "--quiet", "HEAD^{commit}"]).map_err(|_| "this clone has no commit")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_outside_any_clone_has_no_history() {
        assert!(complete_history(&std::env::temp_dir()).is_err());
    }
}
