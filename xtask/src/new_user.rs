//! What a new user meets: fresh crates outside the workspace, with nothing but
//! a dependency on crdt-core or crdt-sync.
//!
//! * The READMEs: the first `toml` block that names such a crate gives the
//!   dependencies; each `rust` block that is not marked `ignore` becomes a
//!   program, wrapped in a `main` that may use `?` where it has none of its own,
//!   and must run to its end. The one in crdt-sync's that takes arguments is run
//!   as two processes, which have to agree, are killed, and agree again.
//! * `new_user/product_surface.rs`, written from the documentation alone.
//! * Every file of `new_user/misuse`, which must not compile; and the compiler
//!   must say what the file's first lines ask for.

mod fresh;
mod markdown;
mod misuse;
mod two_processes;

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use fresh::FreshCrate;
use markdown::{code_blocks, dependencies, program};
use misuse::misuses;
use std::path::{Path, PathBuf};

const PRODUCT_SURFACE: &str = "xtask/new_user/product_surface.rs";
const MISUSE: &str = "xtask/new_user/misuse";

pub(crate) fn readme() -> Result<Verdict, Failure> {
    let page = Page::read("README.md")?;
    run_each("readme", &page.dependencies, &page.programs)?;
    Ok(Verdict::Passed)
}

/// The program with a `main` of its own is run as two processes that have to agree; the others to their end.
pub(crate) fn sync_readme() -> Result<Verdict, Failure> {
    let page = Page::read("crdt-sync/README.md")?;
    let (talking, alone): (Vec<String>, Vec<String>) =
        page.programs.into_iter().partition(|program| program.contains("Node") && program.contains("std::env::args"));
    let [program] = talking.as_slice() else {
        return Err(Failure::new("crdt-sync/README.md has to show one program that takes arguments"));
    };
    let fresh = FreshCrate::new("two-processes", &page.dependencies, [("household", program.as_str())])?;
    two_processes::agree(&fresh, "household")?;
    fresh.remove()?;
    run_each("sync-readme", &page.dependencies, &alone)?;
    Ok(Verdict::Passed)
}

/// What a page of the documentation shows.
struct Page {
    dependencies: String,
    programs: Vec<String>,
}

impl Page {
    fn read(name: &str) -> Result<Self, Failure> {
        let text = run::read(&run::root().join(name))?;
        let blocks = code_blocks(&text);
        let programs: Vec<String> =
            blocks.iter().filter(|block| block.is_program()).map(|block| program(&block.text)).collect();
        if programs.is_empty() {
            return Err(Failure::new(format!("{name} shows no program")));
        }
        let dependencies = blocks
            .iter()
            .filter(|block| block.language() == "toml")
            .find_map(|block| dependencies(&block.text, &run::root()))
            .ok_or_else(|| Failure::new(format!("{name} does not say how to depend on its crate")))?;
        Ok(Self { dependencies, programs })
    }
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
