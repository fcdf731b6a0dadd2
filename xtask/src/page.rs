//! The page of the market stall: how it is built, and how it is tried in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use crate::{tools, wasm};

/// Parts that are as they are in the sources.
const PLAIN: [&str; 3] = ["index.html", "style.css", "icon.svg"];

/// What the page may weigh without the package, in bytes of brotli: a page that shows a library should not hide it.
const BYTES_MAX: u64 = 25_000;

/// Prints how many bytes of brotli files are together.
const WEIGH: &str = "const { readFileSync } = require('fs'), { brotliCompressSync } = require('zlib');
console.log(process.argv.slice(1).reduce((sum, file) => sum + brotliCompressSync(readFileSync(file)).length, 0));";

/// Where the built page is.
pub(crate) fn folder() -> PathBuf {
    run::target_dir().join("page")
}

fn sources() -> PathBuf {
    run::root().join("examples").join("page")
}

/// The package, and the page on it: checked by the compiler, bundled into one script.
pub(crate) fn build(fast: bool) -> Outcome {
    wasm::build(fast)?;
    run::run(&mut wasm::node(&["node_modules/typescript/bin/tsc", "-p", "../../examples/page"]))?;
    for file in PLAIN {
        run::write(&folder().join(file), &run::read(&sources().join(file))?)?;
    }
    weigh()?;
    run::run(&mut bundle(&folder().join("page.js")))
}

fn bundle(to: &Path) -> Command {
    let mut bundle = wasm::node(&["node_modules/esbuild/bin/esbuild", "--bundle", "--minify", "--format=esm"]);
    bundle.args(["--target=es2022", "--log-level=error"]);
    bundle.arg(format!("--tsconfig={}", sources().join("tsconfig.json").display()));
    bundle.arg(format!("--outfile={}", to.display())).arg(sources().join("page.ts"));
    bundle
}

/// Script, style and markup of the page, each as it is sent.
fn weigh() -> Outcome {
    let alone = run::target_dir().join("page-alone.js");
    run::run(bundle(&alone).args(["--external:crdt-wasm", "--external:crdt-wasm/*"]))?;
    let mut weigh = wasm::node(&["-e", WEIGH, "--"]);
    let bytes = run::output(weigh.arg(&alone).args(PLAIN.map(|file| folder().join(file))))?;
    let bytes = bytes.trim().parse::<u64>().map_err(|error| Failure::new(format!("weighed {bytes:?}: {error}")))?;
    println!("the page without the package: {bytes} bytes of brotli, of {BYTES_MAX} that it may have");
    if bytes <= BYTES_MAX { Ok(()) } else { Err(Failure::new("the page has grown too large")) }
}

/// The step of `cargo xtask test`. A browser that is not there makes it fail: what was skipped is not known to work.
pub(crate) fn browser() -> Result<Verdict, Failure> {
    check()?;
    Ok(Verdict::Passed)
}

/// Tabs of one browser and of two, a relay that dies, replicas in Rust, and what helps or hinders people, in Chromium;
/// leaves pictures of the page in `target/screenshots`.
pub(crate) fn check() -> Outcome {
    if let Some(missing) = wasm::missing() {
        return Err(Failure::new(missing));
    }
    let Some(chromium) = tools::chromium() else {
        return Err(Failure::new("no Chromium: install the package chromium, or name the program in CHROME"));
    };
    build(false)?;
    wasm::install(&sources())?;
    let programs = ["--package", "crdt-examples", "--bin", "market", "--package", "crdt-sync", "--bin", "crdt-relay"];
    let mut programs_built = run::cargo(["build", "--locked", "--features", "crdt-sync/relay"]);
    run::run(programs_built.args(programs))?;

    let built = |name: &str| run::target_dir().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    // One after the other: a tab that waits for its turn is as slow as one that is broken.
    let mut tests = wasm::node(&["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    tests.args(tests_in(&sources().join("test"))?);
    tests.env("MARKET", built("market")).env("RELAY", built("crdt-relay")).env("CHROME", chromium);
    tests.env("PAGE", folder()).env("SCREENSHOTS", run::target_dir().join("screenshots"));
    run::run(&mut tests)
}

fn tests_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = std::fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))?;
    let mut tests: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    tests.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    tests.sort();
    Ok(tests)
}
