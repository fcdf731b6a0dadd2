//! `THIRD-PARTY.md` of the npm package: whose code is in the wasm, and under which terms. It is written from the crates that
//! cargo compiles for the browser, and the package's test step fails where it is not what would be written now.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{self, Failure, Outcome};
use crate::wasm;

/// All that we take. Each of these asks at most for a notice; a new name here is a decision.
const TAKEN: [&str; 5] = ["MIT", "Apache-2.0", "Zlib", "BSL-1.0", "Unicode-3.0"];

const HEAD: &str = "\
# Whose code is in `crdt.wasm`

Written by `cargo xtask wasm --third-party` from the crates that are compiled into it. What offers the Apache License 2.0 is
taken under that one (its text is in `LICENSE-APACHE`); the terms of the others follow the table.

| what | version | licence | from |
|---|---|---|---|
| Rust's standard library | of the compiler | MIT OR Apache-2.0 | https://github.com/rust-lang/rust |
";

/// A crate that is not ours.
struct Crate {
    name: String,
    version: String,
    licence: String,
    from: String,
    folder: PathBuf,
}

pub(crate) fn write() -> Outcome {
    run::write(&file(), &text()?)
}

/// Fails if the file is not what would be written now.
pub(crate) fn check() -> Outcome {
    if run::read(&file())? == text()? {
        return Ok(());
    }
    Err(Failure::new(format!("{} is old: `cargo xtask wasm --third-party` writes it anew", file().display())))
}

fn file() -> PathBuf {
    wasm::package().join("THIRD-PARTY.md")
}

fn text() -> Result<String, Failure> {
    let crates = crates()?;
    let mut table = HEAD.to_owned();
    let mut terms = String::new();
    for Crate { name, version, licence, from, folder } in &crates {
        check_licence(name, licence)?;
        table.push_str(&format!("| {name} | {version} | {licence} | {from} |\n"));
        for (_, text) in texts_owed(name, folder)? {
            let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            terms.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", text.trim_end()));
        }
    }
    Ok(table + &terms)
}

/// What is compiled for the browser, without our own crates and without what runs in the compiler only.
fn crates() -> Result<Vec<Crate>, Failure> {
    let kinds = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    let mut tree = run::cargo(["tree", "--locked", "--package", "crdt-wasm", "--target", wasm::TARGET]);
    let compiled = run::output(tree.args(kinds))?;
    let metadata = run::output(&mut run::cargo(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| Failure::new(error.to_string()))?;
    let packages = metadata["packages"].as_array().ok_or_else(|| Failure::new("cargo metadata names no packages"))?;
    let word = |package: &Value, name: &str| package[name].as_str().unwrap_or_default().to_owned();
    let mut crates: Vec<Crate> = packages
        .iter()
        .filter(|package| !package["source"].is_null())
        .map(|package| Crate {
            name: word(package, "name"),
            version: word(package, "version"),
            licence: word(package, "license"),
            from: word(package, "repository"),
            folder: Path::new(&word(package, "manifest_path")).parent().unwrap_or(Path::new("")).to_path_buf(),
        })
        .filter(|Crate { name, version, .. }| {
            let line = format!("{name} v{version}");
            compiled.lines().any(|compiled| compiled.trim_end_matches(" (*)") == line)
        })
        .collect();
    crates.sort_by(|left, right| (&left.name, &left.version).cmp(&(&right.name, &right.version)));
    if crates.is_empty() {
        return Err(Failure::new(format!("cargo tree names no crate that is known:\n{compiled}")));
    }
    Ok(crates)
}

fn check_licence(name: &str, licence: &str) -> Outcome {
    let mut names = licence.split([' ', '(', ')']).filter(|word| !matches!(*word, "" | "OR" | "AND"));
    match names.find(|word| !TAKEN.contains(word)) {
        None if !licence.is_empty() => Ok(()),
        _ => Err(Failure::new(format!("{name} is under {licence:?}, which we have not said yes to"))),
    }
}

/// The files of terms that have to travel along: all but those of the choice that `LICENSE-APACHE` answers.
fn texts_owed(name: &str, folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))?;
    let mut files: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| file.starts_with(start)))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("{name} says its licence, but {} has no text of it", folder.display())));
    }
    owed(files).into_iter().map(|file| Ok((file.clone(), run::read(&folder.join(file))?))).collect()
}

fn owed(files: Vec<String>) -> Vec<String> {
    let choice = |file: &String| file.contains("APACHE") || file.contains("MIT");
    let chosen = files.iter().any(|file| file.contains("APACHE"));
    files.into_iter().filter(|file| !(chosen && choice(file))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_yes_to_is_refused() {
        assert!(check_licence("a", "(MIT OR Apache-2.0) AND Unicode-3.0").is_ok());
        assert!(check_licence("a", "MIT OR GPL-3.0").is_err());
        assert!(check_licence("a", "").is_err());
    }

    #[test]
    fn terms_that_no_choice_answers_travel_along() {
        let owed_of = |files: &[&str]| owed(files.iter().map(|file| (*file).to_owned()).collect());
        assert_eq!(owed_of(&["LICENSE-APACHE", "LICENSE-MIT"]), Vec::<String>::new());
        assert_eq!(owed_of(&["LICENSE-APACHE", "LICENSE-MIT", "LICENSE-UNICODE"]), ["LICENSE-UNICODE"]);
        assert_eq!(owed_of(&["LICENSE.md", "NOTICE"]), ["LICENSE.md", "NOTICE"]);
        assert_eq!(owed_of(&["LICENSE-MIT"]), ["LICENSE-MIT"]);
    }
}
