//! Programs and dependencies out of a page of Markdown.

use std::path::Path;

/// A fenced block of Markdown.
#[derive(Debug, PartialEq)]
pub(super) struct CodeBlock {
    /// What follows the fence: `rust`, or `rust,ignore`.
    info: String,
    pub(super) text: String,
}

impl CodeBlock {
    pub(super) fn language(&self) -> &str {
        self.info.split(',').next().unwrap_or_default().trim()
    }

    pub(super) fn is_program(&self) -> bool {
        self.language() == "rust" && !self.info.split(',').any(|word| word.trim() == "ignore")
    }
}

pub(super) fn code_blocks(markdown: &str) -> Vec<CodeBlock> {
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
pub(super) fn program(block: &str) -> String {
    if block.contains("fn main(") {
        return block.to_owned();
    }
    format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{block}\nOk(())\n}}\n")
}

/// Crates of the workspace that a user may depend on.
const OURS: [&str; 2] = ["crdt-core", "crdt-sync"];

/// The dependency lines of a `toml` block, with the workspace's crates taken from the work tree at `root` and their
/// features kept; none if the block names none of them.
pub(super) fn dependencies(block: &str, root: &Path) -> Option<String> {
    let mut names_ours = false;
    let lines: Vec<String> = block
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['[', '#']))
        .map(|line| match OURS.iter().find_map(|ours| Some((*ours, line.strip_prefix(ours)?))) {
            Some((ours, rest)) => {
                names_ours = true;
                let path = root.join(ours).display().to_string();
                let kept: String = ["features", "default-features"]
                    .iter()
                    .filter_map(|key| setting(rest, key))
                    .map(|setting| format!(", {setting}"))
                    .collect();
                format!("{ours} = {{ path = {path:?}{kept} }}\n")
            }
            None => format!("{line}\n"),
        })
        .collect();
    names_ours.then(|| lines.concat())
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
        assert_eq!(
            with(r#"crdt-sync = { path = "p", features = ["drive", "redb"] }"#),
            "crdt-sync = { path = \"/tree/crdt-sync\", features = [\"drive\", \"redb\"] }\n"
        );
        assert_eq!(dependencies("serde = \"1\"", root), None);
    }
}
