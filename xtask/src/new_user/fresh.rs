//! A crate as a new user makes it: outside the workspace, with a manifest and some programs.

use crate::run::{self, Failure, Outcome};
use std::path::PathBuf;
use std::process::Command;

/// A new crate in the system's temporary folder.
pub(super) struct FreshCrate {
    folder: PathBuf,
}

impl FreshCrate {
    /// Makes it of programs with their names.
    pub(super) fn new<'p>(
        name: &str,
        dependencies: &str,
        programs: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("crdt-new-user-{name}-{}", std::process::id()));
        // A workspace of its own: cargo looks for one in every folder above.
        let manifest = format!(
            "[workspace]\n\n[package]\nname = \"new-user-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}"
        );
        run::write(&folder.join("Cargo.toml"), &manifest)?;
        // The versions that everything else was tested with; without them this
        // check would fail on the day a dependency publishes something broken.
        let lock = run::read(&run::root().join("Cargo.lock"))?;
        run::write(&folder.join("Cargo.lock"), &lock)?;
        for (bin, program) in programs {
            run::write(&folder.join(format!("src/bin/{bin}.rs")), program)?;
        }
        println!("a fresh crate in {}", folder.display());
        Ok(Self { folder })
    }

    /// Cargo in it. What the documentation shows compiles without a warning.
    pub(super) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = run::cargo(arguments);
        command.arg("--quiet").current_dir(&self.folder);
        command.env("CARGO_TARGET_DIR", target()).env("RUSTFLAGS", "-Dwarnings");
        command
    }

    /// Where a program is once it was built.
    #[allow(clippy::unused_self, reason = "only a crate that there is has built something")]
    pub(super) fn built(&self, bin: &str) -> PathBuf {
        target().join("debug").join(format!("{bin}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Takes it away. It stays where something failed, to be looked at.
    pub(super) fn remove(self) -> Outcome {
        std::fs::remove_dir_all(&self.folder).map_err(|error| Failure::file(&self.folder, &error))
    }
}

fn target() -> PathBuf {
    run::target_dir().join("new-user")
}
