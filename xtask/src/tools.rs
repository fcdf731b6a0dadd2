//! What the checks need beyond stable cargo, and how to get it. Tools of ours
//! are installed under the target folder and never into the user's home;
//! toolchains and targets come through rustup.

use crate::run::{self, Failure, Outcome};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// A cargo subcommand that is not part of a toolchain.
pub(crate) struct Tool {
    /// The name of the package and of the program: `cargo-` and the subcommand.
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
}

pub(crate) const CARGO_FUZZ: Tool = Tool { package: "cargo-fuzz", version: "0.13.2" };

pub(crate) const CARGO_MUTANTS: Tool = Tool { package: "cargo-mutants", version: "27.1.0" };

impl Tool {
    /// What to say where it is missing and could not be installed.
    pub(crate) fn missing(&self) -> String {
        let Self { package, version } = self;
        format!("no {package}, and it could not be installed: `cargo install {package} --locked --version {version}`")
    }

    /// A search path on which cargo finds the tool. Installs it when it is
    /// nowhere yet.
    pub(crate) fn path(&self) -> Result<OsString, Failure> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        if run::succeeds(Command::new(self.package).arg("--version")) {
            return Ok(path);
        }
        let tools = run::target_dir().join("tools");
        let program = tools.join("bin").join(format!("{}{}", self.package, std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            let mut install = run::cargo(["install", self.package, "--locked", "--version"]);
            install.arg(self.version).arg("--root").arg(&tools);
            run::run(&mut install)?;
        }
        let folders = std::iter::once(tools.join("bin")).chain(std::env::split_paths(&path));
        std::env::join_paths(folders).map_err(|error| Failure::new(error.to_string()))
    }
}

/// Whether a toolchain of that name runs here.
pub(crate) fn toolchain_runs(name: &str) -> bool {
    run::succeeds(Command::new("rustup").args(["run", name, "rustc", "--version"]))
}

/// Makes sure that code can be built for `target`, through rustup where it is
/// missing.
pub(crate) fn ensure_target(target: &str) -> Outcome {
    let present = run::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))
        .is_ok_and(|folder| std::path::Path::new(folder.trim()).is_dir());
    if present {
        return Ok(());
    }
    run::run(Command::new("rustup").args(["target", "add", target])).map_err(|_| {
        Failure::new(format!("the standard library for {target} is missing: `rustup target add {target}`"))
    })
}

/// A browser of the kind that is tested: the one that `CHROME` names, or the first of the usual names on the path.
pub(crate) fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let usual = ["chromium", "chromium-browser", "google-chrome"];
    let found = usual.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    std::env::var_os("CHROME").map(PathBuf::from).into_iter().chain(found).find(|program| program.is_file())
}
