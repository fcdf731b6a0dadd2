//! Reads a repository through the `git` command: its commits, what each commit changed, and whole trees.
//!
//! Three processes read any history, however long: one lists the commits, one streams the changes of all of them,
//! and one per tree that is checked in full. Everything is asked for with `-z`, so a path is whatever bytes git
//! holds; nothing passes through a text encoding.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread::JoinHandle;

/// A repository that is whole: not shallow, so that every parent of every commit is there.
#[derive(Clone, Debug)]
pub struct Repository {
    place: PathBuf,
}

/// Whose history is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All that these refs (or commits) reach.
    Refs(Vec<String>),
    /// All that any ref reaches, and `HEAD`.
    All,
}

impl Default for Selection {
    fn default() -> Self {
        Selection::Refs(vec!["HEAD".to_owned()])
    }
}

/// One commit, with its parents in git's order, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub id: CommitId,
    /// The first parent is the branch that was merged into, the others are those that were merged.
    pub parents: Vec<CommitId>,
}

/// What was selected.
#[derive(Clone, Debug)]
pub struct History {
    /// Every commit once, parents before children.
    pub commits: Vec<Commit>,
    /// The commits that were named; with [`Selection::All`] the one at `HEAD` if there is one, otherwise the youngest.
    pub tips: Vec<CommitId>,
}

/// One path that a commit changed, compared with its first parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// The path, from the root of the tree.
    pub path: Vec<u8>,
    /// The blob before; `None` if the path is new.
    pub before: Option<BlobId>,
    /// The blob after; `None` if the path is gone.
    pub after: Option<BlobId>,
}

/// A tree, flattened: path to blob, in the order of the paths' bytes.
pub type Tree = BTreeMap<Vec<u8>, BlobId>;

impl Repository {
    /// The repository at `place`: a work tree, any folder in it, or a bare repository.
    pub fn open(place: &Path) -> Result<Self, GitError> {
        if !place.is_dir() {
            return Err(GitError::NoSuchFolder(place.to_owned()));
        }
        let repository = Repository { place: place.to_owned() };
        let answer = repository.ask(&["rev-parse", "--is-shallow-repository"])?;
        if !answer.status.success() {
            let refused = String::from_utf8_lossy(&answer.stderr).contains("not a git repository");
            return Err(if refused {
                GitError::NotARepository(place.to_owned())
            } else {
                GitError::failed("rev-parse", &answer.stderr)
            });
        }
        if answer.stdout.trim_ascii() == b"true" {
            return Err(GitError::Shallow(place.to_owned()));
        }
        Ok(repository)
    }

    /// Where it is, as it was given.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The commits that `selection` reaches.
    pub fn history(&self, selection: &Selection) -> Result<History, GitError> {
        let mut listing = vec!["rev-list".to_owned(), "--topo-order".to_owned(), "--reverse".to_owned()];
        listing.push("--parents".to_owned());
        let mut tips = Vec::new();
        match selection {
            Selection::All => {
                listing.push("--all".to_owned());
                tips.extend(self.resolve("HEAD")?);
            }
            Selection::Refs(names) => {
                for name in names {
                    let commit = self.resolve(name)?.ok_or_else(|| self.no_such_ref(name))?;
                    listing.push(commit.to_string());
                    tips.push(commit);
                }
            }
        }
        let listing: Vec<&str> = listing.iter().map(String::as_str).collect();
        let text = self.run(&listing)?;
        let commits = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(Commit::parse)
            .collect::<Result<Vec<_>, _>>()?;
        let youngest = commits.last().ok_or_else(|| GitError::NoCommits(self.place.clone()))?;
        if tips.is_empty() {
            tips.push(youngest.id);
        }
        Ok(History { commits, tips })
    }

    /// Streams what each of `commits` changed, in the order given. Each is compared with the parent beside it, or
    /// with nothing. Renames are not looked for: a rename is a path that went and a path that came.
    pub fn changes(&self, commits: Vec<(CommitId, Option<CommitId>)>) -> Result<Changes, GitError> {
        let mut child = self
            .command(&["diff-tree", "--stdin", "-r", "-z", "--root", "--always", "--no-renames"])
            .arg("--ignore-submodules=none")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::from_start)?;
        let questions = child.stdin.take().expect("standard input was asked for");
        let answers = child.stdout.take().expect("standard output was asked for");
        // Git answers while it still reads, so whoever waits for answers cannot be the one who asks.
        let asking = std::thread::spawn(move || {
            let mut out = BufWriter::new(questions);
            for (commit, parent) in commits {
                match parent {
                    Some(parent) => writeln!(out, "{commit} {parent}")?,
                    None => writeln!(out, "{commit}")?,
                }
            }
            out.flush()
        });
        Ok(Changes {
            child,
            answers: BufReader::with_capacity(1 << 16, answers),
            asking: Some(asking),
            line: Vec::new(),
        })
    }

    /// The whole tree of `commit`.
    pub fn tree(&self, commit: CommitId) -> Result<Tree, GitError> {
        let listing = self.run(&["ls-tree", "-r", "-z", "--full-tree", &commit.to_string()])?;
        let mut tree = Tree::new();
        for record in listing.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            // mode SP kind SP id TAB path
            let (head, path) = split_at_byte(record, b'\t').ok_or_else(|| GitError::unreadable("ls-tree", record))?;
            let id = head.split(|byte| *byte == b' ').nth(2).and_then(ObjectId::parse);
            let id = id.ok_or_else(|| GitError::unreadable("ls-tree", record))?;
            tree.insert(path.to_vec(), BlobId(id));
        }
        Ok(tree)
    }

    /// The commit that `name` means, if there is one.
    fn resolve(&self, name: &str) -> Result<Option<CommitId>, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let answer = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        Ok(ObjectId::parse(answer.stdout.trim_ascii()).filter(|_| answer.status.success()).map(CommitId))
    }

    /// Why `name` means nothing here.
    fn no_such_ref(&self, name: &str) -> GitError {
        let empty = self.run(&["rev-list", "--all", "--max-count=1"]).is_ok_and(|found| found.is_empty());
        match (empty, name) {
            (true, _) => GitError::NoCommits(self.place.clone()),
            (false, "HEAD") => GitError::UnbornHead(self.place.clone()),
            (false, name) => GitError::UnknownRef(name.to_owned()),
        }
    }

    /// What git prints, if it succeeds.
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let answer = self.ask(arguments)?;
        if answer.status.success() { Ok(answer.stdout) } else { Err(GitError::failed(arguments[0], &answer.stderr)) }
    }

    fn ask(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.command(arguments).stdin(Stdio::null()).output().map_err(GitError::from_start)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = git(&self.place);
        command.args(arguments);
        command
    }
}

/// A `git` that works on `place` and on nothing else: inside a hook, git's own variables would name another
/// repository, and a partial clone would reach for the network.
pub(super) fn git(place: &Path) -> Command {
    let mut command = Command::new("git");
    for variable in
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"]
    {
        command.env_remove(variable);
    }
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    command.arg("-C").arg(place);
    command
}

impl Commit {
    /// `id SP parent SP parent …`
    fn parse(line: &[u8]) -> Result<Self, GitError> {
        let mut ids = line.split(|byte| *byte == b' ').map(|word| {
            let id = ObjectId::parse(word).ok_or_else(|| GitError::unreadable("rev-list", line))?;
            Ok(CommitId(id))
        });
        let id = ids.next().expect("splitting gives at least one part")?;
        let mut parents: Vec<CommitId> = Vec::new();
        for parent in ids {
            let parent = parent?;
            // Tools other than git itself have written commits that name a parent twice.
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        Ok(Commit { id, parents })
    }
}

/// What each commit changed, one list per commit, as git computes them.
#[derive(Debug)]
pub struct Changes {
    child: Child,
    answers: BufReader<ChildStdout>,
    asking: Option<JoinHandle<io::Result<()>>>,
    line: Vec<u8>,
}

impl Changes {
    /// The changes of the next commit, which must be `commit`.
    pub fn next_of(&mut self, commit: CommitId) -> Result<Vec<PathChange>, GitError> {
        let found = self.field()?;
        if found.is_empty() {
            return Err(self.failure());
        }
        if ObjectId::parse(found) != Some(commit.0) {
            return Err(GitError::unreadable("diff-tree", found));
        }
        let mut changes = Vec::new();
        while self.peek()? == Some(b':') {
            let (before, after) = parse_change(self.field()?)?;
            let path = self.field()?.to_vec();
            changes.push(PathChange { path, before, after });
        }
        Ok(changes)
    }

    /// The bytes up to the next zero byte; empty at the end.
    fn field(&mut self) -> Result<&[u8], GitError> {
        self.line.clear();
        self.answers.read_until(0, &mut self.line).map_err(|error| GitError::broken("diff-tree", &error))?;
        if self.line.last() == Some(&0) {
            self.line.pop();
        }
        Ok(&self.line)
    }

    fn peek(&mut self) -> Result<Option<u8>, GitError> {
        let waiting = self.answers.fill_buf().map_err(|error| GitError::broken("diff-tree", &error))?;
        Ok(waiting.first().copied())
    }

    /// Why the stream ended before its time.
    fn failure(&mut self) -> GitError {
        let mut complaint = Vec::new();
        if let Some(mut errors) = self.child.stderr.take() {
            let _ = errors.read_to_end(&mut complaint);
        }
        GitError::failed("diff-tree", &complaint)
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        // Normally it has finished; otherwise nobody wants the rest.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(asking) = self.asking.take() {
            let _ = asking.join();
        }
    }
}

/// `:mode SP mode SP id SP id SP status`; an absent side has mode zero.
fn parse_change(record: &[u8]) -> Result<(Option<BlobId>, Option<BlobId>), GitError> {
    let words: Vec<&[u8]> = record.split(|byte| *byte == b' ').collect();
    let [mode_before, mode_after, before, after, _status] = words[..] else {
        return Err(GitError::unreadable("diff-tree", record));
    };
    let side = |mode: &[u8], id: &[u8]| {
        if mode.ends_with(b"000000") {
            return Ok(None);
        }
        let id = ObjectId::parse(id).ok_or_else(|| GitError::unreadable("diff-tree", record))?;
        Ok(Some(BlobId(id)))
    };
    Ok((side(mode_before, before)?, side(mode_after, after)?))
}

fn split_at_byte(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// The name of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(ObjectId);

impl CommitId {
    /// The first 16 bytes: enough to tell commits apart, and the size of a replica's id.
    pub fn prefix(&self) -> [u8; 16] {
        *self.0.bytes.first_chunk().expect("an object id has at least 20 bytes")
    }

    /// A name made of one letter.
    #[cfg(test)]
    pub(super) fn for_tests(letter: u8) -> Self {
        CommitId(ObjectId { bytes: [letter; 32], length: 20 })
    }
}

/// The name of what stands at a path: a file's content, a symbolic link's target, or a submodule's commit.
///
/// The mode is not part of it. Git names the three kinds by different objects anyway; only a change of the executable
/// bit leaves the blob as it was, and such a commit is one that changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(ObjectId);

impl BlobId {
    /// Its 20 bytes, or 32 in a SHA-256 repository.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes[..usize::from(self.0.length)]
    }

    /// The id with these bytes, if an id can have so many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let length = match bytes.len() {
            20 => 20,
            32 => 32,
            _ => return None,
        };
        let mut id = ObjectId { bytes: [0; 32], length };
        id.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(BlobId(id))
    }
}

/// A hash of 20 bytes (SHA-1) or 32 (SHA-256); bytes past the length are zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ObjectId {
    bytes: [u8; 32],
    length: u8,
}

impl ObjectId {
    fn parse(text: &[u8]) -> Option<Self> {
        let length = match text.len() {
            40 => 20,
            64 => 32,
            _ => return None,
        };
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = nibble(digits[0])? << 4 | nibble(digits[1])?;
        }
        Some(ObjectId { bytes, length })
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes[..usize::from(self.length)].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "commit {}", self.0)
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "blob {}", self.0)
    }
}

/// Why a history could not be read. None of these is a fault of the repository's content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GitError {
    /// The `git` command could not be started: install it, or put it on the path.
    Missing(String),
    /// There is no such folder: check the path.
    NoSuchFolder(PathBuf),
    /// The folder is no repository: name another.
    NotARepository(PathBuf),
    /// The clone was cut off at some depth, so parents are missing: fetch the rest.
    Shallow(PathBuf),
    /// The repository has no commit yet.
    NoCommits(PathBuf),
    /// `HEAD` names a branch without commits although there are others: name one of them.
    UnbornHead(PathBuf),
    /// No commit has this name: check the spelling.
    UnknownRef(String),
    /// Git refused or failed; this is what it said.
    Failed {
        /// Which of git's commands.
        command: String,
        /// Its first line on standard error.
        message: String,
    },
    /// Git printed something that this program cannot read.
    Unreadable {
        /// Which of git's commands.
        command: String,
        /// The part in question.
        found: String,
    },
}

impl GitError {
    pub(super) fn from_start(error: io::Error) -> Self {
        GitError::Missing(error.to_string())
    }

    pub(super) fn failed(command: &str, complaint: &[u8]) -> Self {
        let complaint = String::from_utf8_lossy(complaint);
        let message = complaint.lines().next().unwrap_or("it ended without a word");
        let message = message.strip_prefix("fatal: ").unwrap_or(message).to_owned();
        GitError::Failed { command: command.to_owned(), message }
    }

    pub(super) fn broken(command: &str, error: &io::Error) -> Self {
        GitError::Failed { command: command.to_owned(), message: error.to_string() }
    }

    fn unreadable(command: &str, found: &[u8]) -> Self {
        let found = String::from_utf8_lossy(&found[..found.len().min(80)]).into_owned();
        GitError::Unreadable { command: command.to_owned(), found }
    }
}

impl fmt::Display for GitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GitError::Missing(why) => write!(out, "cannot start git ({why}): install it, or put it on the path"),
            GitError::NoSuchFolder(place) => write!(out, "no such folder: {}", place.display()),
            GitError::NotARepository(place) => write!(out, "not a git repository: {}", place.display()),
            GitError::Shallow(place) => write!(
                out,
                "a shallow clone, whose older commits are missing: {} (`git fetch --unshallow` gets them)",
                place.display()
            ),
            GitError::NoCommits(place) => write!(out, "no commits yet: {}", place.display()),
            GitError::UnbornHead(place) => {
                write!(out, "HEAD names a branch without commits: {} (name a ref, or give --all)", place.display())
            }
            GitError::UnknownRef(name) => write!(out, "no commit is called {name:?}"),
            GitError::Failed { command, message } => write!(out, "git {command} failed: {message}"),
            GitError::Unreadable { command, found } => write!(out, "cannot read what git {command} printed: {found:?}"),
        }
    }
}

impl std::error::Error for GitError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let text = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(ObjectId::parse(text.as_bytes()).unwrap().to_string(), text);
        let long = "ab".repeat(32);
        assert_eq!(ObjectId::parse(long.as_bytes()).unwrap().to_string(), long);
        assert!(ObjectId::parse(b"0123").is_none());
        assert!(ObjectId::parse("g".repeat(40).as_bytes()).is_none());
    }

    #[test]
    fn a_parent_named_twice_counts_once() {
        let (child, parent) = ("1".repeat(40), "2".repeat(40));
        let commit = Commit::parse(format!("{child} {parent} {parent}").as_bytes()).unwrap();
        assert_eq!(commit.parents.len(), 1);
    }

    #[test]
    fn a_side_with_mode_zero_is_absent() {
        let (zero, some) = ("0".repeat(40), "3".repeat(40));
        let added = parse_change(format!(":000000 160000 {zero} {some} A").as_bytes()).unwrap();
        assert_eq!((added.0, added.1.unwrap().to_string()), (None, some.clone()));
        let deleted = parse_change(format!(":120000 000000 {some} {zero} D").as_bytes()).unwrap();
        assert_eq!((deleted.0.unwrap().to_string(), deleted.1), (some, None));
        assert!(parse_change(b":100644 100644 x").is_err());
    }
}
