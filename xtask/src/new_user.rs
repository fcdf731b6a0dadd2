//! What a new user meets: fresh crates outside the workspace, with nothing but
//! a dependency on crdt-core.
//!
//! * The README: its first `toml` block that names crdt-core gives the
//!   dependencies; each `rust` block that is not marked `ignore` becomes a
//!   program, wrapped in a `main` that may use `?` where it has none of its own,
//!   and must run to its end.
//! * `new_user/product_surface.rs`, written from the documentation alone.
//! * Every file of `new_user/misuse`, which must not compile; and the compiler
//!   must say what the file's first lines ask for.

mod fresh;
mod markdown;
mod misuse;

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use fresh::FreshCrate;
use markdown::{code_blocks, dependencies, program};
use misuse::misuses;
use std::path::{Path, PathBuf};

const PRODUCT_SURFACE: &str = "xtask/new_user/product_surface.rs";
const MISUSE: &str = "xtask/new_user/misuse";

pub(crate) fn readme() -> Result<Verdict, Failure> {
    let text = run::read(&run::root().join("README.md"))?;
    let blocks = code_blocks(&text);
    let programs: Vec<String> =
        blocks.iter().filter(|block| block.is_program()).map(|block| program(&block.text)).collect();
    if programs.is_empty() {
        return Err(Failure::new("README.md shows no program"));
    }
    let dependencies = blocks
        .iter()
        .filter(|block| block.language() == "toml")
        .find_map(|block| dependencies(&block.text, &run::root()))
        .ok_or_else(|| Failure::new("README.md does not say how to depend on crdt-core"))?;
    run_each("readme", &dependencies, &programs)?;
    Ok(Verdict::Passed)
}

pub(crate) fn product_surface() -> Result<Verdict, Failure> {
    let program = run::read(&run::root().join(PRODUCT_SURFACE))?;
    run_each("product-surface", &all_of_core(), &[program])?;
    Ok(Verdict::Passed)
}

pub(crate) fn misuse() -> Result<Verdict, Failure> {
    let misuses = misuses(&run::root().join(MISUSE))?;
    let programs = misuses.iter().map(|misuse| (&*misuse.name, &*misuse.program));
    let fresh = FreshCrate::new("misuse", &all_of_core(), programs)?;
    let mut wrong = Vec::new();
    for misuse in &misuses {
        let mut command = fresh.cargo(&["check", "--bin", &misuse.name]);
        println!("$ {}", run::spelled(&command));
        match run::complaint(&mut command)? {
            None => wrong.push(format!("{} compiles", misuse.name)),
            Some(said) => wrong.extend(misuse.unsaid(&said).map(|line| {
                println!("{said}");
                format!("{}: the compiler does not say {line:?}", misuse.name)
            })),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("; ")));
    }
    println!("{} misuses, each refused in the words that it should be", misuses.len());
    fresh.remove()?;
    Ok(Verdict::Passed)
}

/// The programs that no block of the README holds.
pub(crate) fn programs() -> Result<Vec<PathBuf>, Failure> {
    let mut programs = rust_files(&run::root().join(MISUSE))?;
    programs.push(run::root().join(PRODUCT_SURFACE));
    Ok(programs)
}

/// Makes a crate of those programs, runs each, and removes the crate again unless something failed.
fn run_each(name: &str, dependencies: &str, programs: &[String]) -> Outcome {
    let names: Vec<String> = (1..=programs.len()).map(|number| format!("program_{number}")).collect();
    let named = names.iter().zip(programs).map(|(name, program)| (&**name, &**program));
    let fresh = FreshCrate::new(name, dependencies, named)?;
    for bin in &names {
        run::run(&mut fresh.cargo(&["run", "--bin", bin]))?;
    }
    fresh.remove()
}

/// Dependencies on crdt-core and what its feature `serde` is used with.
fn all_of_core() -> String {
    let lines = "crdt-core = { version = \"*\", features = [\"serde\"] }\n\
                 serde = { version = \"1\", features = [\"derive\"] }\n\
                 serde_json = \"1\"\n";
    dependencies(lines, &run::root()).expect("a line names crdt-core")
}

/// The Rust files of a folder, by name: at least one.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("{} holds no program", folder.display())));
    }
    Ok(files)
}
