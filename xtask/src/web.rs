//! What `cargo xtask test` does for the browser package: it builds it whole, and then runs the seam in Node and in
//! Chromium against what native Rust answers to the same calls.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::run::{self, Failure};
use crate::steps::Verdict;
use crate::{third_party, tools, wasm};

/// Histories that are replayed: seed and steps.
const HISTORIES: [(u64, u64); 3] = [(1, 2_000), (2, 2_000), (3, 2_000)];

/// Builds the package, and fails if what a page loads grew.
pub(crate) fn build() -> Result<Verdict, Failure> {
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    wasm::build(false)?;
    wasm::check_size()?;
    Ok(Verdict::Passed)
}

/// The seam, driven from Node.
pub(crate) fn seam() -> Result<Verdict, Failure> {
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    let tests = ["parity", "hostile", "leak"].map(|name| format!("../tests/node/{name}.test.mjs"));
    let mut command = wasm::node(&["--test", "--test-reporter=spec"]);
    command.args(tests).env("TRANSCRIPTS", transcripts()?);
    run::run(&mut command)?;
    Ok(Verdict::Passed)
}

/// The package's own tests, and what must not compile.
pub(crate) fn package() -> Result<Verdict, Failure> {
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    third_party::check()?;
    run::run(&mut wasm::node(&["test/run.mjs"]))?;
    Ok(Verdict::Passed)
}

/// The package in other engines, which are large to install.
pub(crate) fn engines() -> Result<Verdict, Failure> {
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    wasm::build(false)?;
    run::run(&mut wasm::node(&["test/run.mjs", "hosts"]))?;
    Ok(Verdict::Passed)
}

/// A browser that is not there makes a step fail: what was skipped is not known to work.
fn chromium() -> Result<PathBuf, Failure> {
    tools::chromium().ok_or_else(|| Failure::new("no Chromium: install the package chromium, or name it in CHROME"))
}

/// The package in a real browser: pages, tabs, the relay.
pub(crate) fn package_in_browser() -> Result<Verdict, Failure> {
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    run::run(wasm::node(&["test/run.mjs", "browser"]).env("CHROME", chromium()?))?;
    Ok(Verdict::Passed)
}

/// The seam in a real browser.
pub(crate) fn browser() -> Result<Verdict, Failure> {
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    let chrome = chromium()?;
    let mut command = wasm::node(&["../tests/node/chromium.mjs"]);
    run::run(command.env("TRANSCRIPTS", transcripts()?).env("CHROME", chrome))?;
    Ok(Verdict::Passed)
}

/// What native Rust answers, one file for each history.
fn transcripts() -> Result<OsString, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for (seed, steps) in HISTORIES {
        let file = run::target_dir().join("transcripts").join(format!("{seed}.txt"));
        let mut command =
            run::cargo(["run", "--quiet", "--locked", "--package", "crdt-wasm", "--example", "transcript", "--"]);
        let transcript = run::output(command.args([seed.to_string(), steps.to_string()]))?;
        run::write(&file, &transcript)?;
        files.push(file);
    }
    Ok(files.iter().map(|file| file.as_os_str()).collect::<Vec<_>>().join(&OsString::from(",")))
}

/// The tests that read stored values, records and frames, compiled to WebAssembly and run by Node: what was written on
/// one platform is read on the other, and written again to the last byte.
pub(crate) fn golden() -> Result<Verdict, Failure> {
    const TARGET: &str = "wasm32-wasip1";
    if let Some(missing) = wasm::missing() {
        return Ok(Verdict::Skipped(missing));
    }
    tools::ensure_target(TARGET)?;
    let runner = run::root().join("crdt-wasm").join("tests").join("node").join("wasi.mjs");
    // The drivers of crdt-sync are not for the web, and none of its features changes a byte.
    for (package, features) in [("crdt-core", "--all-features"), ("crdt-sync", "--no-default-features")] {
        let mut command = run::cargo(["test", "--locked", "--package", package, features, "--target", TARGET]);
        command.args(["--test", "golden"]);
        command.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", format!("node --no-warnings {}", runner.display()));
        run::run(&mut command)?;
    }
    Ok(Verdict::Passed)
}
