//! `cargo xtask mutants [filter]`: does the suite bite? Each fault of
//! `xtask/faults.txt` is put into a copy of the tree, and the one test that it
//! names must turn red. A fault that does not compile, whose text is not found
//! exactly once, or whose test does not exist, proves nothing and counts as
//! broken; so does a test that fails without any fault.

mod fault;
mod outcome;

use crate::run::{self, Failure, Outcome};
use crate::steps::seconds;
use fault::{Fault, NamedTest};
use outcome::{Color, color_of, executable};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LIST: &str = "xtask/faults.txt";

/// Far above what any named test takes; a fault that makes one run for ever is
/// stopped here and counts as broken.
const TEST_SECONDS_MAX: u64 = 300;

pub(crate) fn mutants(arguments: &[String]) -> Outcome {
    let filter = match arguments {
        [] => "",
        [filter] => filter,
        _ => return Err(Failure::new("mutants takes at most one argument, a filter")),
    };
    let root = run::root();
    let mut faults = fault::parse(&run::read(&root.join(LIST))?)?;
    faults.retain(|fault| fault.name.contains(filter));
    if faults.is_empty() {
        return Err(Failure::new(format!("{LIST} lists no such fault")));
    }

    let scratch = run::target_dir().join("mutants");
    let tree = Tree::copy(&root, &scratch)?;
    baseline(&tree, &faults)?;

    let mut survivors = Vec::new();
    for (index, fault) in faults.iter().enumerate() {
        let start = Instant::now();
        let result = tree.with(fault);
        let took = seconds(start.elapsed());
        let verdict = match &result {
            Ok(Color::Red) => "caught",
            Ok(Color::Green) => "SURVIVED",
            Err(_) => "BROKEN",
        };
        let place = format!("{}/{}", index + 1, faults.len());
        println!("{place:>7}  {verdict:<8}  {took:>8}  {}", fault.name);
        println!("{:29}{} · {}", "", fault.file, fault.test);
        if let Err(failure) = &result {
            println!("{:29}{failure}", "");
        }
        if !matches!(result, Ok(Color::Red)) {
            survivors.push(fault.name.as_str());
        }
    }
    let caught = faults.len() - survivors.len();
    println!("\nmutants: {caught} of {} faults caught", faults.len());
    if survivors.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not caught: {}", survivors.join("; "))))
}

/// Every named test must be green before any fault is put in; otherwise its
/// turning red would say nothing.
fn baseline(tree: &Tree, faults: &[Fault]) -> Outcome {
    let mut by_target: BTreeMap<(&str, &str), Vec<&NamedTest>> = BTreeMap::new();
    for fault in faults {
        let test = &fault.test;
        let tests = by_target.entry((&test.package, &test.target)).or_default();
        if !tests.contains(&test) {
            tests.push(test);
        }
        tree.applied(fault).map_err(|failure| Failure::new(format!("{}: {failure}", fault.name)))?;
    }
    for tests in by_target.values() {
        let built = tree.build(tests[0])?;
        for test in tests {
            let start = Instant::now();
            match tree.run(&built, test)? {
                Color::Green => println!("baseline green {:>8}  {test}", seconds(start.elapsed())),
                Color::Red => {
                    return Err(Failure::new(format!("{test} fails without any fault")));
                }
            }
        }
    }
    println!();
    Ok(())
}

/// A copy of the workspace in which faults may be put, with a build folder of
/// its own: two copies of a tree must not share one.
struct Tree {
    folder: PathBuf,
    target: PathBuf,
}

impl Tree {
    fn copy(root: &Path, scratch: &Path) -> Result<Self, Failure> {
        let tree = Self { folder: scratch.join("tree"), target: scratch.join("target") };
        if tree.folder.exists() {
            std::fs::remove_dir_all(&tree.folder).map_err(|error| Failure::file(&tree.folder, &error))?;
        }
        copy_folder(root, &tree.folder)?;
        Ok(tree)
    }

    /// The text of the fault's file with the fault in it.
    fn applied(&self, fault: &Fault) -> Result<(PathBuf, String, String), Failure> {
        let file = self.folder.join(&fault.file);
        let sound = run::read(&file)?;
        let faulty = fault.apply(&sound)?;
        Ok((file, sound, faulty))
    }

    /// The colour of the named test with the fault put in; takes it out again.
    fn with(&self, fault: &Fault) -> Result<Color, Failure> {
        let (file, sound, faulty) = self.applied(fault)?;
        run::write(&file, &faulty)?;
        let color = self.build(&fault.test).and_then(|built| self.run(&built, &fault.test));
        run::write(&file, &sound)?;
        color
    }

    fn package(&self, test: &NamedTest) -> PathBuf {
        self.folder.join(&test.package)
    }

    /// Builds the test's target; an error means that the code does not compile.
    fn build(&self, test: &NamedTest) -> Result<PathBuf, Failure> {
        let mut command = run::cargo(["test", "--offline", "--all-features", "--no-run"]);
        match test.target.as_str() {
            "lib" => command.arg("--lib"),
            name => command.args(["--test", name]),
        };
        command
            .current_dir(self.package(test))
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            // Each fault is compiled once and run for a moment: what the optimiser saves it does not earn back.
            .env("CARGO_PROFILE_TEST_OPT_LEVEL", "0")
            .stdin(Stdio::null());
        let output = command.output().map_err(|error| Failure::new(format!("could not start cargo: {error}")))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let error = said.lines().find(|line| line.starts_with("error"));
            return Err(Failure::new(format!("does not compile: {}", error.unwrap_or("cargo did not say why"))));
        }
        executable(&said)
            .map(|path| self.package(test).join(path))
            .ok_or_else(|| Failure::new("cargo did not name the test program"))
    }

    /// Runs one test of a built target.
    fn run(&self, built: &Path, test: &NamedTest) -> Result<Color, Failure> {
        let log = self.target.join("named-test.log");
        let file = std::fs::File::create(&log).map_err(|error| Failure::file(&log, &error))?;
        let mut child = Command::new(built)
            .args(["--exact", &test.name, "--include-ignored"])
            .current_dir(self.package(test))
            .env("CARGO_MANIFEST_DIR", self.package(test))
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Failure::file(built, &error))?;
        let deadline = Instant::now() + Duration::from_secs(TEST_SECONDS_MAX);
        loop {
            match child.try_wait() {
                Ok(Some(_)) => break,
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Failure::new(format!("{test} did not end within {TEST_SECONDS_MAX} s")));
                }
            }
        }
        color_of(&run::read(&log)?, &test.name).ok_or_else(|| Failure::new(format!("{test} did not run to a verdict")))
    }
}

/// Copies what a build needs: no version control, nothing that was built.
fn copy_folder(from: &Path, to: &Path) -> Outcome {
    const LEFT_OUT: [&str; 4] = [".git", "target", "benches", "fuzz"];
    std::fs::create_dir_all(to).map_err(|error| Failure::file(to, &error))?;
    let entries = std::fs::read_dir(from).map_err(|error| Failure::file(from, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file(from, &error))?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let (source, copy) = (entry.path(), to.join(&name));
        if source.is_dir() {
            copy_folder(&source, &copy)?;
        } else {
            std::fs::copy(&source, &copy).map_err(|error| Failure::file(&source, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stale entries would otherwise show only when the faults are run, which takes most of an hour.
    #[test]
    fn each_listed_fault_has_its_place_in_the_code_as_it_is() {
        let tree = Tree { folder: run::root(), target: PathBuf::new() };
        let faults = fault::parse(&run::read(&run::root().join(LIST)).unwrap()).unwrap();
        assert!(faults.len() >= 20);
        for fault in faults {
            if let Err(failure) = tree.applied(&fault) {
                panic!("{}: {failure}", fault.name);
            }
        }
    }
}
