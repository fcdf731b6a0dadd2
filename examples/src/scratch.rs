//! A folder for as long as it is needed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, io, process};

/// A new folder under the system's temporary one, removed with all it holds when this value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the folder. `purpose` becomes part of its name.
    pub fn new(purpose: &str) -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = env::temp_dir().join(format!("{purpose}-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Scratch { path }),
                // Left by an earlier process with our number that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes what earlier processes with this purpose left when they were interrupted or killed: whatever belongs to a
    /// process that is gone. Only where the system tells which processes there are.
    pub fn sweep(purpose: &str) {
        let Ok(folders) = fs::read_dir(env::temp_dir()) else { return };
        for folder in folders.flatten() {
            let name = folder.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix(purpose)?.strip_prefix('-')?.split_once('-'));
            let owner = owner.and_then(|(owner, _)| owner.parse::<u32>().ok());
            if owner.is_some_and(is_gone) {
                let _ = fs::remove_dir_all(folder.path());
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Leaving a temporary folder behind harms nobody; failing in a destructor would.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether it is certain that there is no such process.
fn is_gone(process: u32) -> bool {
    let all = Path::new("/proc");
    all.join("self").exists() && !all.join(process.to_string()).exists()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_that_is_gone_has_left_is_swept_and_nothing_else() {
        let purpose = format!("crdt-sweep-{}", process::id());
        let here = Scratch::new(&purpose).unwrap();
        // No process has a number this high.
        let left = env::temp_dir().join(format!("{purpose}-{}-0", u32::MAX));
        let other = env::temp_dir().join(format!("{purpose}-by-hand"));
        [&left, &other].into_iter().for_each(|folder| fs::create_dir_all(folder.join("in it")).unwrap());
        Scratch::sweep(&purpose);
        assert!(here.path().exists() && other.exists() && !left.exists());
        fs::remove_dir_all(&other).unwrap();
    }
}
