//! The file beside the store, by which a store that was copied or put back is found out.
//!
//! It holds three numbers: a copy of the identity's marker, the file's own inode, and how many commits the store had
//! when it was written. A store that comes without it, with a copy of it (another inode), or that has fewer commits
//! than it says (an older one put back in place) is not the store that the identity belongs to.
//!
//! It is written anew and flushed when the marker changes; the count of commits is overwritten after each commit
//! without a flush. So it may lag behind the store, after a power failure, but never lead it: a false alarm, which
//! costs a fresh id, is possible only where a crash falls between the first commit of an identity and this file.

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
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
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

    /// The marker, if this file belongs to a store with that many commits.
    pub(super) fn number(&self, commits: u64) -> io::Result<Option<u64>> {
        let Some((file, lines)) = &self.file else { return Ok(None) };
        let same_file = lines.inode == inode(file)?;
        Ok((same_file && lines.commits <= commits).then_some(lines.number))
    }

    /// After a commit: the store now has that many, and, where its identity was written, that marker.
    pub(super) fn committed(&mut self, commits: u64, number: Option<u64>) -> io::Result<()> {
        match (&mut self.file, number) {
            (Some((file, lines)), number) if number.is_none_or(|number| number == lines.number) => {
                if lines.inode == inode(file)? {
                    lines.commits = commits;
                    file.seek(SeekFrom::Start(0))?;
                    return file.write_all(lines.text().as_bytes());
                }
                let number = lines.number;
                self.replace(number, commits)
            }
            (_, Some(number)) => self.replace(number, commits),
            (_, None) => Ok(()),
        }
    }

    /// Under another name first, so that there is always one whole file or none.
    fn replace(&mut self, number: u64, commits: u64) -> io::Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new)?;
        let lines = Lines { number, inode: inode(&file)?, commits };
        file.write_all(lines.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent() {
            sync_folder(folder)?;
        }
        self.file = Some((file, lines));
        Ok(())
    }
}

impl Lines {
    fn text(self) -> String {
        format!("crdt-sync marker {:016x} {:016x} {:016x}\n", self.number, self.inode, self.commits)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.strip_prefix("crdt-sync marker ")?.split_whitespace().map(|word| {
            let whole = word.len() == 16;
            whole.then(|| u64::from_str_radix(word, 16).ok()).flatten()
        });
        let mut next = || numbers.next().flatten();
        let lines = Self { number: next()?, inode: next()?, commits: next()? };
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

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Only Unix can flush a folder; elsewhere the rename is as durable as the system makes it.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
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
        assert_eq!(marker.number(0).unwrap(), None);
        marker.committed(1, Some(42)).unwrap();
        marker.committed(2, None).unwrap();
        assert_eq!(Marker::open(path.clone()).unwrap().number(2).unwrap(), Some(42));
        assert_eq!(Marker::open(path.clone()).unwrap().number(1).unwrap(), None, "an older store was put back");

        let copy = folder.path().join("b.marker");
        fs::copy(&path, &copy).unwrap();
        let mut copied = Marker::open(copy.clone()).unwrap();
        assert_eq!(copied.number(2).unwrap().is_none(), cfg!(unix), "a copied folder is another memory");
        copied.committed(3, Some(43)).unwrap();
        assert_eq!(Marker::open(copy).unwrap().number(3).unwrap(), Some(43));
    }

    #[test]
    fn a_marker_that_was_cut_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.marker");
        Marker::open(path.clone()).unwrap().committed(1, Some(42)).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(Marker::open(path.clone()).unwrap().number(9).unwrap(), None, "cut at {length}");
        }
    }
}
