//! The file beside the store, by which a store that was copied or put back is found out.
//!
//! It holds a copy of the identity's marker, the one before it, the file's own inode, and how many commits the store
//! had when it was written. A store that comes without it, with a copy of it (another inode), or that has fewer commits
//! than it says (an older one put back in place) is not the store that the identity belongs to.
//!
//! It is written anew and flushed before a commit that changes the marker; if a crash falls between the two, the one
//! before still fits. The count of commits is overwritten after each commit, without a flush: after a power failure it
//! may lag behind the store, but it never leads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The open file, and what it says.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    file: Option<(File, Lines)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Lines {
    number: u64,
    /// The one before, for a crash between this file and the commit.
    before: u64,
    inode: u64,
    commits: u64,
}

impl Marker {
    /// Beside the store: its path with `.marker` appended.
    pub(super) fn path_of(store: &Path) -> PathBuf {
        let mut name = store.as_os_str().to_owned();
        name.push(".marker");
        PathBuf::from(name)
    }

    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        Self::with(path, OpenOptions::new().read(true).write(true))
    }

    /// For one that will not be written to.
    pub(super) fn look(path: PathBuf) -> io::Result<Self> {
        Self::with(path, OpenOptions::new().read(true))
    }

    fn with(path: PathBuf, options: &OpenOptions) -> io::Result<Self> {
        let file = match options.open(&path) {
            Ok(mut file) => {
                let mut text = String::new();
                // Bytes that are no text are a broken marker, not a broken store.
                let lines = file.read_to_string(&mut text).ok().and_then(|_| Lines::parse(&text));
                lines.map(|lines| (file, lines))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path, file })
    }

    /// The marker that fits a store with that many commits, and, if it is one of the two here, with that marker inside.
    pub(super) fn number(&self, commits: u64, inside: Option<u64>) -> io::Result<Option<u64>> {
        let Some((file, lines)) = &self.file else { return Ok(None) };
        if lines.inode != inode(file)? || lines.commits > commits {
            return Ok(None);
        }
        Ok(Some(if inside == Some(lines.before) { lines.before } else { lines.number }))
    }

    /// Before a commit that writes this marker.
    pub(super) fn will_be(&mut self, number: u64, commits: u64) -> io::Result<()> {
        let before = match &self.file {
            Some((file, lines)) if lines.number == number && lines.inode == inode(file)? => return Ok(()),
            Some((_, lines)) => lines.number,
            None => number,
        };
        self.replace(number, before, commits)
    }

    /// After a commit: the store now has that many.
    pub(super) fn committed(&mut self, commits: u64) -> io::Result<()> {
        let Some((file, lines)) = &mut self.file else { return Ok(()) };
        if lines.inode != inode(file)? {
            // A copy, which says nothing.
            return Ok(());
        }
        lines.commits = commits;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(lines.text().as_bytes())
    }

    /// Under another name first, so that there is always one whole file or none.
    fn replace(&mut self, number: u64, before: u64, commits: u64) -> io::Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new)?;
        let lines = Lines { number, before, inode: inode(&file)?, commits };
        file.write_all(lines.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        sync_folder_of(&self.path)?;
        self.file = Some((file, lines));
        Ok(())
    }
}

impl Lines {
    fn text(self) -> String {
        let Self { number, before, inode, commits } = self;
        format!("crdt-sync marker {number:016x} {before:016x} {inode:016x} {commits:016x}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.strip_prefix("crdt-sync marker ")?.split_whitespace().map(|word| {
            let whole = word.len() == 16;
            whole.then(|| u64::from_str_radix(word, 16).ok()).flatten()
        });
        let mut next = || numbers.next().flatten();
        let lines = Self { number: next()?, before: next()?, inode: next()?, commits: next()? };
        (lines.text() == text).then_some(lines)
    }
}

#[cfg(unix)]
fn inode(file: &File) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|data| data.ino())
}

/// Where files have no number that a copy lacks, only the marker and the count tell.
#[cfg(not(unix))]
fn inode(_file: &File) -> io::Result<u64> {
    Ok(0)
}

/// Makes the name of a new file durable.
#[cfg(unix)]
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Only Unix can flush a folder; elsewhere a new name is as durable as the system makes it.
#[cfg(not(unix))]
pub(super) fn sync_folder_of(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_known_again_and_a_copy_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.marker");
        let mut marker = Marker::open(path.clone()).unwrap();
        assert_eq!(marker.number(0, None).unwrap(), None);
        marker.will_be(42, 0).unwrap();
        marker.committed(2).unwrap();
        assert_eq!(Marker::open(path.clone()).unwrap().number(2, Some(42)).unwrap(), Some(42));
        assert_eq!(
            Marker::open(path.clone()).unwrap().number(1, Some(42)).unwrap(),
            None,
            "an older store was put back"
        );

        let copy = folder.path().join("b.marker");
        fs::copy(&path, &copy).unwrap();
        let mut copied = Marker::open(copy.clone()).unwrap();
        assert_eq!(copied.number(2, Some(42)).unwrap().is_none(), cfg!(unix), "a copied folder is another memory");
        copied.will_be(42, 2).unwrap();
        assert_eq!(Marker::open(copy).unwrap().number(3, Some(42)).unwrap(), Some(42));
    }

    #[test]
    fn a_crash_before_the_commit_leaves_the_marker_before_it_valid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.marker");
        let mut marker = Marker::open(path.clone()).unwrap();
        marker.will_be(42, 0).unwrap();
        marker.committed(1).unwrap();
        marker.will_be(43, 1).unwrap();
        let marker = Marker::open(path).unwrap();
        assert_eq!(marker.number(1, Some(42)).unwrap(), Some(42), "the commit did not come to be");
        assert_eq!(marker.number(2, Some(43)).unwrap(), Some(43), "it did");
        assert_eq!(marker.number(2, Some(41)).unwrap(), Some(43), "a store of another time does not fit");
    }

    #[test]
    fn a_marker_that_was_cut_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.marker");
        Marker::open(path.clone()).unwrap().will_be(42, 1).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(Marker::open(path.clone()).unwrap().number(9, Some(42)).unwrap(), None, "cut at {length}");
        }
    }
}
