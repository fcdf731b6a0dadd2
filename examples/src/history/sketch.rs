//! Draws a repository: commits with any parents, written in one stream through `git fast-import`.

use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use super::git::{GitError, Repository, git};
use crate::scratch::Scratch;

/// A bare repository in a temporary folder, under construction.
#[derive(Debug)]
pub struct Sketch {
    folder: Scratch,
    importer: Child,
    stream: BufWriter<ChildStdin>,
    commits: usize,
}

/// A commit of a [`Sketch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(usize);

/// One path of a commit, compared with its first parent.
#[derive(Clone, Copy, Debug)]
pub enum Stroke<'a> {
    /// There is a file with this content.
    Write(&'a [u8], &'a [u8]),
    /// There is an executable file with this content.
    WriteExecutable(&'a [u8], &'a [u8]),
    /// There is a submodule at this commit, forty hexadecimal digits.
    Submodule(&'a [u8], &'a str),
    /// There is nothing.
    Remove(&'a [u8]),
}

/// The branch that commits are written to; it is gone when the sketch is finished.
const DRAFT: &str = "refs/sketch/draft";

impl Sketch {
    /// An empty repository. Its `HEAD` is the branch `main`.
    pub fn begin() -> Result<Self, GitError> {
        let folder = Scratch::new("sketched-history").map_err(|error| GitError::broken("init", &error))?;
        let made = git(folder.path())
            .args(["-c", "init.defaultBranch=main", "init", "--quiet", "--bare", "."])
            .stdin(Stdio::null())
            .output()
            .map_err(GitError::from_start)?;
        if !made.status.success() {
            return Err(GitError::failed("init", &made.stderr));
        }
        let mut importer = git(folder.path())
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::from_start)?;
        let stream = BufWriter::new(importer.stdin.take().expect("standard input was asked for"));
        Ok(Sketch { folder, importer, stream, commits: 0 })
    }

    /// Adds a commit. Its tree is that of the first parent after `strokes`.
    pub fn commit(&mut self, parents: &[Mark], strokes: &[Stroke<'_>]) -> Result<Mark, GitError> {
        self.commits += 1;
        let mark = Mark(self.commits);
        self.write_commit(mark, parents, strokes).map_err(|error| GitError::broken("fast-import", &error))?;
        Ok(mark)
    }

    /// Lets the branch `name` point at `commit`.
    pub fn branch(&mut self, name: &str, commit: Mark) -> Result<(), GitError> {
        writeln!(self.stream, "reset refs/heads/{name}\nfrom :{}\n", commit.0)
            .map_err(|error| GitError::broken("fast-import", &error))
    }

    /// The repository with all that was drawn.
    pub fn finish(mut self) -> Result<Sketched, GitError> {
        let nowhere = "0".repeat(40);
        let ended = writeln!(self.stream, "reset {DRAFT}\nfrom {nowhere}\n\ndone").and_then(|()| self.stream.flush());
        drop(self.stream);
        let mut complaint = Vec::new();
        if let Some(mut errors) = self.importer.stderr.take() {
            let _ = errors.read_to_end(&mut complaint);
        }
        let status = self.importer.wait().map_err(|error| GitError::broken("fast-import", &error))?;
        if !status.success() {
            return Err(GitError::failed("fast-import", &complaint));
        }
        ended.map_err(|error| GitError::broken("fast-import", &error))?;
        Ok(Sketched { folder: self.folder })
    }

    fn write_commit(&mut self, mark: Mark, parents: &[Mark], strokes: &[Stroke<'_>]) -> std::io::Result<()> {
        let out = &mut self.stream;
        if parents.is_empty() {
            // Without this a commit without `from` would build on the one before it.
            writeln!(out, "reset {DRAFT}\n")?;
        }
        writeln!(out, "commit {DRAFT}\nmark :{}", mark.0)?;
        writeln!(out, "committer Sketch <sketch@example.invalid> {} +0000\ndata 0", 1_000_000_000 + mark.0)?;
        for (at, parent) in parents.iter().enumerate() {
            writeln!(out, "{} :{}", if at == 0 { "from" } else { "merge" }, parent.0)?;
        }
        for stroke in strokes {
            match stroke {
                Stroke::Write(path, content) => write_file(out, "100644", path, content)?,
                Stroke::WriteExecutable(path, content) => write_file(out, "100755", path, content)?,
                Stroke::Submodule(path, commit) => {
                    write!(out, "M 160000 {commit} ")?;
                    out.write_all(path)?;
                    writeln!(out)?;
                }
                Stroke::Remove(path) => {
                    write!(out, "D ")?;
                    out.write_all(path)?;
                    writeln!(out)?;
                }
            }
        }
        writeln!(out)
    }
}

fn write_file(out: &mut impl Write, mode: &str, path: &[u8], content: &[u8]) -> std::io::Result<()> {
    write!(out, "M {mode} inline ")?;
    out.write_all(path)?;
    writeln!(out, "\ndata {}", content.len())?;
    out.write_all(content)?;
    writeln!(out)
}

/// A finished sketch. Its folder goes with this value.
#[derive(Debug)]
pub struct Sketched {
    folder: Scratch,
}

impl Sketched {
    /// Where the repository is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The repository, opened.
    pub fn open(&self) -> Result<Repository, GitError> {
        Repository::open(self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::git::Selection;

    #[test]
    fn what_is_drawn_can_be_read_again() {
        let mut sketch = Sketch::begin().unwrap();
        let root = sketch.commit(&[], &[Stroke::Write(b"a", b"1"), Stroke::Write(b"d/b\xff", b"2")]).unwrap();
        let other = sketch.commit(&[], &[Stroke::Write(b"c", b"3")]).unwrap();
        let merge = sketch.commit(&[root, other], &[Stroke::Remove(b"a"), Stroke::Write(b"c", b"3")]).unwrap();
        sketch.branch("main", merge).unwrap();
        let sketched = sketch.finish().unwrap();
        let repository = sketched.open().unwrap();

        let history = repository.history(&Selection::default()).unwrap();
        assert_eq!(history.commits.len(), 3);
        let last = history.commits.last().unwrap();
        assert_eq!((history.tips[0], last.parents.len()), (last.id, 2));

        let tree = repository.tree(last.id).unwrap();
        assert_eq!(tree.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"c".as_slice(), b"d/b\xff"]);

        let mut changes = repository.changes(vec![(last.id, Some(last.parents[0]))]).unwrap();
        let changes = changes.next_of(last.id).unwrap();
        assert_eq!(changes.len(), 2);
        assert_eq!((changes[0].path.as_slice(), changes[0].after), (b"a".as_slice(), None));
        assert_eq!((changes[1].before, changes[1].after), (None, Some(tree[b"c".as_slice()])));
    }
}
