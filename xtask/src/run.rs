//! Running other programs: each is printed before it runs, none reads from the
//! terminal, and a failure names the command line that failed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a command of ours did not do what it promises, in words for the reader.
#[derive(Debug)]
pub(crate) struct Failure(String);

pub(crate) type Outcome = Result<(), Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// A failure to read or write `path`.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where the workspace is. Asked at run time first, as a tree may be moved
/// together with what was built in it.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest).parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// Where builds go: scratch copies and tools of ours live in folders of it, so
/// that `cargo clean` removes them too.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The text of a file, or a failure that names it.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

/// Writes a file and the folders it needs.
pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

/// The cargo that runs us, in the workspace.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or(OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// The cargo of another toolchain, in the workspace.
pub(crate) fn cargo_of<A: AsRef<OsStr>>(toolchain: &str, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "cargo"]).args(arguments).current_dir(root());
    command
}

/// Prints the command, runs it with our output, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("$ {}", spelled(command));
    let status = command.stdin(Stdio::null()).status().map_err(|error| could_not_start(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure(format!("`{}` failed: {status}", spelled(command))))
}

/// Runs a command that runs tests, with our output, and names in its failure the tests that failed and where they
/// panicked: a long run prints far more after them, and what is said last is what is read.
pub(crate) fn run_tests(command: &mut Command) -> Outcome {
    println!("$ {}", spelled(command));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| could_not_start(command, &error))?;
    let output = BufReader::new(child.stdout.take().expect("the output was piped"));
    let mut told = Vec::new();
    for line in output.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if tells_of_failure(&line) {
            told.push(line.into_owned());
        }
    }
    let status = child.wait().map_err(|error| could_not_start(command, &error))?;
    if status.success() {
        return Ok(());
    }
    told.insert(0, format!("`{}` failed: {status}", spelled(command)));
    Err(Failure(told.join("\n    ")))
}

/// Lines of Rust's test harness that say which test failed, where, and what it had to say.
fn tells_of_failure(line: &str) -> bool {
    let named = line.starts_with("test ") && line.ends_with("FAILED");
    named || line.contains("panicked at") || line.starts_with("assertion ") || line.starts_with("again: ")
}

/// Whether the command runs and succeeds; its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What the command prints on its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| could_not_start(command, &error))?;
    if !output.status.success() {
        return Err(Failure(format!(
            "`{}` failed: {}\n{}",
            spelled(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the command says on its standard error if it fails; none if it succeeds.
pub(crate) fn complaint(command: &mut Command) -> Result<Option<String>, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| could_not_start(command, &error))?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The command as one would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        // A long search path says nothing to the reader.
        let value = value.filter(|_| name != "PATH")?;
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())))
    });
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    let words: Vec<String> = variables.chain([program]).chain(arguments).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word.to_owned() }
}

fn could_not_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure(format!("could not start `{}`: {error}", command.get_program().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_spelled_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["doc", "--flag", "two words"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(spelled(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --flag 'two words'");
    }

    #[test]
    fn a_failing_command_is_named() {
        let failure = run(&mut cargo(["no-such-subcommand"])).unwrap_err();
        assert!(failure.to_string().contains("cargo no-such-subcommand"));
    }

    #[test]
    fn a_failed_test_is_named_with_its_place() {
        assert!(tells_of_failure("test a_word_stays ... FAILED"));
        assert!(tells_of_failure("thread 'a_word_stays' (7) panicked at tests/words.rs:7:5:"));
        assert!(!tells_of_failure("test a_word_stays ... ok"));
        let mut command = Command::new("sh");
        command.args(["-c", "echo test one ... ok; echo test two ... FAILED; exit 101"]);
        let failure = run_tests(&mut command).unwrap_err().to_string();
        assert!(failure.ends_with("\n    test two ... FAILED"), "{failure}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(failure.to_string().contains("no-such-program"));
    }
}
