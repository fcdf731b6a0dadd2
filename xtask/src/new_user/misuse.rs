//! Programs that must not compile, and what the compiler must say to that.

use super::rust_files;
use crate::run::{self, Failure};
use std::path::Path;

/// What marks the words that the compiler must use, at the top of a misuse.
const SAYS: &str = "// says: ";

/// A program that must not compile.
pub(super) struct Misuse {
    pub(super) name: String,
    pub(super) program: String,
}

impl Misuse {
    /// The words asked for that are not in what the compiler said, spaces and line breaks aside.
    pub(super) fn unsaid<'m>(&'m self, said: &str) -> impl Iterator<Item = &'m str> {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = words(said);
        let wanted = self.program.lines().map_while(|line| line.strip_prefix(SAYS));
        wanted.filter(move |line| !said.contains(&words(line)))
    }
}

/// All misuses of a folder.
pub(super) fn misuses(folder: &Path) -> Result<Vec<Misuse>, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_the_compiler_does_not_use_are_found() {
        let program = "// says: not a store\n// says: use a register\nfn main() {}\n// says: no more\n";
        let misuse = Misuse { name: "m".into(), program: program.into() };
        assert_eq!(misuse.unsaid("error: not a\n  store").collect::<Vec<_>>(), ["use a register"]);
    }
}
