//! What a new user meets: fresh crates outside the workspace, with nothing but
//! a dependency on crdt-core.
//!
//! One is made of the README. Its first `toml` block that names crdt-core gives
//! the dependencies; each `rust` block that is not marked `ignore` becomes a
//! program, wrapped in a `main` that may use `?` where it has none of its own,
//! and must run to its end. The other is `new_user/product_surface.rs`, written
//! from the documentation alone.

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use std::path::{Path, PathBuf};
use std::process::Command;

const PRODUCT_SURFACE: &str = include_str!("../new_user/product_surface.rs");

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
    run_fresh("readme", &dependencies, &programs)?;
    Ok(Verdict::Passed)
}

pub(crate) fn product_surface() -> Result<Verdict, Failure> {
    run_fresh("product-surface", &all_of_core(), &[PRODUCT_SURFACE.to_owned()])?;
    Ok(Verdict::Passed)
}

pub(crate) fn misuse() -> Result<Verdict, Failure> {
    let misuses = misuses(&run::root().join(MISUSE))?;
    let folder = make_fresh("misuse", &all_of_core(), misuses.iter().map(|misuse| (&*misuse.name, &*misuse.program)))?;
    let mut wrong = Vec::new();
    for misuse in &misuses {
        let mut command = in_fresh(&folder, &["check", "--bin", &misuse.name]);
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
    remove(&folder)?;
    Ok(Verdict::Passed)
}

/// Where the programs of new users are that no block of the README holds.
pub(crate) fn programs() -> Result<Vec<PathBuf>, Failure> {
    let root = run::root();
    let mut programs = rust_files(&root.join(MISUSE))?;
    programs.push(root.join("xtask/new_user/product_surface.rs"));
    Ok(programs)
}

const MISUSE: &str = "xtask/new_user/misuse";

/// What marks the words that the compiler must use, at the top of a misuse.
const SAYS: &str = "// says: ";

/// A program that must not compile.
struct Misuse {
    name: String,
    program: String,
}

impl Misuse {
    /// The words asked for that are not in what the compiler said, spaces and line breaks aside.
    fn unsaid<'m>(&'m self, said: &str) -> impl Iterator<Item = &'m str> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = words(said);
        let wanted = self.program.lines().map_while(|line| line.strip_prefix(SAYS));
        wanted.filter(move |line| !said.contains(&words(line)))
    }
}

fn misuses(folder: &Path) -> Result<Vec<Misuse>, Failure> {
    let mut misuses = Vec::new();
    for path in rust_files(folder)? {
        let program = run::read(&path)?;
        if !program.starts_with(SAYS) {
            return Err(Failure::new(format!("{} does not begin with {SAYS:?}", path.display())));
        }
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        misuses.push(Misuse { name, program });
    }
    Ok(misuses)
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

/// Dependencies on crdt-core and what its feature `serde` is used with.
fn all_of_core() -> String {
    let lines = "crdt-core = { version = \"*\", features = [\"serde\"] }\nserde = { version = \"1\", features = [\"derive\"] }\n\
                 serde_json = \"1\"\n";
    dependencies(lines, &run::root()).expect("a line names crdt-core")
}

/// Makes a crate of those programs, runs each, and removes the crate again unless something failed.
fn run_fresh(name: &str, dependencies: &str, programs: &[String]) -> Outcome {
    let named: Vec<(String, &String)> =
        (1..).zip(programs).map(|(number, program)| (format!("program_{number}"), program)).collect();
    let folder = make_fresh(name, dependencies, named.iter().map(|(name, program)| (&**name, &***program)))?;
    for (bin, _) in &named {
        run::run(&mut in_fresh(&folder, &["run", "--bin", bin]))?;
    }
    remove(&folder)
}

/// Makes a crate of those programs in the system's temporary folder.
fn make_fresh<'p>(
    name: &str,
    dependencies: &str,
    programs: impl Iterator<Item = (&'p str, &'p str)>,
) -> Result<PathBuf, Failure> {
    let folder = fresh_folder(name);
    let manifest = format!(
        "[package]\nname = \"new-user-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
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
    Ok(folder)
}

/// Cargo in a fresh crate. What the documentation shows compiles without a warning.
fn in_fresh(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = run::cargo(arguments);
    command.arg("--quiet").current_dir(folder);
    command.env("CARGO_TARGET_DIR", run::target_dir().join("new-user")).env("RUSTFLAGS", "-Dwarnings");
    command
}

fn remove(folder: &Path) -> Outcome {
    std::fs::remove_dir_all(folder).map_err(|error| Failure::file(folder, &error))
}

fn fresh_folder(name: &str) -> PathBuf {
    let process = std::process::id();
    std::env::temp_dir().join(format!("crdt-new-user-{name}-{process}"))
}

/// A fenced block of Markdown.
#[derive(Debug, PartialEq)]
struct CodeBlock {
    /// What follows the fence: `rust`, or `rust,ignore`.
    info: String,
    text: String,
}

impl CodeBlock {
    fn language(&self) -> &str {
        self.info.split(',').next().unwrap_or_default().trim()
    }

    fn is_program(&self) -> bool {
        self.language() == "rust" && !self.info.split(',').any(|word| word.trim() == "ignore")
    }
}

fn code_blocks(markdown: &str) -> Vec<CodeBlock> {
    let mut blocks = Vec::new();
    let mut open: Option<CodeBlock> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(CodeBlock { info: info.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The block as a whole program.
fn program(block: &str) -> String {
    if block.contains("fn main(") {
        return block.to_owned();
    }
    format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{block}\nOk(())\n}}\n")
}

/// The dependency lines of a `toml` block, with crdt-core taken from the work
/// tree at `root` and its features kept; none if the block does not name it.
fn dependencies(block: &str, root: &Path) -> Option<String> {
    let mut names_core = false;
    let lines: Vec<String> = block
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['[', '#']))
        .map(|line| match line.strip_prefix("crdt-core") {
            Some(rest) => {
                names_core = true;
                let path = root.join("crdt-core").display().to_string();
                let kept: String = ["features", "default-features"]
                    .iter()
                    .filter_map(|key| setting(rest, key))
                    .map(|setting| format!(", {setting}"))
                    .collect();
                format!("crdt-core = {{ path = {path:?}{kept} }}\n")
            }
            None => format!("{line}\n"),
        })
        .collect();
    names_core.then(|| lines.concat())
}

/// The setting `key = …` of an inline table, as it is written there.
fn setting(table: &str, key: &str) -> Option<String> {
    let at = table.match_indices(key).map(|(at, _)| at).find(|&at| table[..at].trim_end().ends_with(['{', ',']))?;
    let text = &table[at..];
    let end =
        if text.contains('[') && !key.starts_with("default") { text.find(']')? + 1 } else { text.find([',', '}'])? };
    Some(text[..end].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKDOWN: &str = "# Title\n```toml\n[dependencies]\ncrdt-core = \"0.1\"\n```\ntext\n\
        ```rust\nlet x = 1;\n```\n```rust,ignore\nnot this\n```\n```text\nnor this\n```\n";

    #[test]
    fn only_rust_blocks_that_are_not_ignored_are_programs() {
        let blocks = code_blocks(MARKDOWN);
        assert_eq!(blocks.len(), 4);
        let programs: Vec<_> = blocks.iter().filter(|block| block.is_program()).collect();
        assert_eq!(programs.len(), 1);
        assert_eq!(programs[0].text, "let x = 1;\n");
    }

    #[test]
    fn words_that_the_compiler_does_not_use_are_found() {
        let program = "// says: not a store\n// says: use a register\nfn main() {}\n// says: no more\n";
        let misuse = Misuse { name: "m".into(), program: program.into() };
        assert_eq!(misuse.unsaid("error: not a\n  store").collect::<Vec<_>>(), ["use a register"]);
    }

    #[test]
    fn a_block_without_main_is_wrapped() {
        assert!(program("let x = 1;").starts_with("fn main() -> Result"));
        assert_eq!(program("fn main() {}"), "fn main() {}");
    }

    #[test]
    fn the_features_that_the_readme_names_are_kept() {
        let root = Path::new("/tree");
        let with = |line: &str| dependencies(line, root).unwrap();
        assert_eq!(
            with("[dependencies]\ncrdt-core = \"0.1\"\nserde = \"1\"\n"),
            "crdt-core = { path = \"/tree/crdt-core\" }\nserde = \"1\"\n"
        );
        assert_eq!(
            with(r#"crdt-core = { git = "g", features = ["serde", "laws"] }"#),
            "crdt-core = { path = \"/tree/crdt-core\", features = [\"serde\", \"laws\"] }\n"
        );
        assert_eq!(
            with(r#"crdt-core = { version = "0.1", default-features = false }"#),
            "crdt-core = { path = \"/tree/crdt-core\", default-features = false }\n"
        );
        assert_eq!(dependencies("serde = \"1\"", root), None);
    }
}
