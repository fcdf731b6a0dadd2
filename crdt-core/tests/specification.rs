//! The specifications in `laws/spec` know nothing of the implementation, so an error in the one can't hide in the other.

use std::fs;
use std::path::Path;

/// What a specification may import: the standard library, its own language of edits, and which edit knew of which.
const ALLOWED: [&str; 6] =
    ["std::", "super::", "crate::laws::execution::", "crate::laws::op::", "counter::", "core::fmt"];
/// Words that a specification has no use for, in code.
const FORBIDDEN: [&str; 13] = [
    "Dot",
    "DotSet",
    "DotStore",
    "Causal",
    "Delta",
    "Writer",
    "VersionVector",
    "Merge",
    "ReplicaId",
    "Edit",
    "merge",
    "graft",
    "absorb",
];

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// Why a text may not be a specification; None if it may.
fn fault(text: &str) -> Option<String> {
    for line in code_lines(text) {
        if let Some(import) = line.strip_prefix("use ") {
            if !ALLOWED.iter().any(|allowed| import.starts_with(allowed)) {
                return Some(format!("imports {import}"));
            }
        } else if line.contains("crate::") || line.contains("crdt_core") {
            return Some(format!("names the crate: {line}"));
        }
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if let Some(word) = words.find(|word| FORBIDDEN.contains(word)) {
            return Some(format!("speaks of {word}: {line}"));
        }
    }
    None
}

#[test]
fn specifications_import_nothing_of_the_implementation() {
    let laws = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/laws");
    let mut files: Vec<_> = fs::read_dir(laws.join("spec")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(laws.join("execution.rs"));
    assert!(files.len() >= 8, "the specifications are where they were: {files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(fault(&text), None, "{}", file.display());
    }
    // Their own module beside them re-exports them and imports as little.
    let text = fs::read_to_string(laws.join("spec.rs")).unwrap();
    let inward = code_lines(&text).filter(|line| line.starts_with("use ")).collect::<Vec<_>>();
    assert_eq!(inward, ["use super::execution::View;", "use super::op::Operation;", "use std::fmt::Debug;"]);
}

#[test]
fn the_check_of_specifications_can_fail() {
    for bad in
        ["use crate::DotSet;", "use crate::laws::store::Store;", "    let seen: DotSet = todo!();", "x.merge(&y);"]
    {
        assert!(fault(bad).is_some(), "{bad}");
    }
    assert_eq!(fault("// merge\nuse super::Specification;\nlet merged = 1;"), None);
}
