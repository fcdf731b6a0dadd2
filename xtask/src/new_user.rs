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
    let lines = "crdt-core = { version = \"*\", features = [\"serde\"] }\nserde = { version = \"1\", features = [\"derive\"] }\n\
                 serde_json = \"1\"\n";
    let dependencies = dependencies(lines, &run::root()).expect("a line names crdt-core");
    run_fresh("product-surface", &dependencies, &[PRODUCT_SURFACE.to_owned()])?;
    Ok(Verdict::Passed)
}

/// Makes a crate of those programs in the system's temporary folder, runs each,
/// and removes the crate again unless something failed.
fn run_fresh(name: &str, dependencies: &str, programs: &[String]) -> Outcome {
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
    for (index, program) in programs.iter().enumerate() {
        let file = format!("src/bin/program_{}.rs", index + 1);
        run::write(&folder.join(file), program)?;
    }
    println!("a fresh crate in {}", folder.display());
    for index in 0..programs.len() {
        let bin = format!("program_{}", index + 1);
        let mut command = run::cargo(["run", "--quiet", "--bin", &bin]);
        command.current_dir(&folder).env("CARGO_TARGET_DIR", run::target_dir().join("new-user"));
        // What the documentation shows compiles without a warning.
        command.env("RUSTFLAGS", "-Dwarnings");
        run::run(&mut command)?;
    }
    std::fs::remove_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))
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
