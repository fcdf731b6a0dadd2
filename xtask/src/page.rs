//! The page of the market stall: how it is built, and how it is tried in a real browser.

use std::path::PathBuf;

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use crate::{tools, wasm};

/// Parts that are as they are in the sources.
const PLAIN: [&str; 3] = ["index.html", "style.css", "icon.svg"];

/// Where the built page is.
pub(crate) fn folder() -> PathBuf {
    run::target_dir().join("page")
}

/// The package, and the page on it: checked by the compiler, bundled into one script.
pub(crate) fn build(fast: bool) -> Outcome {
    wasm::build(fast)?;
    run::run(&mut wasm::node(&["node_modules/typescript/bin/tsc", "-p", "../../examples/page"]))?;
    let sources = run::root().join("examples").join("page");
    for file in PLAIN {
        run::write(&folder().join(file), &run::read(&sources.join(file))?)?;
    }
    let mut bundle = wasm::node(&["node_modules/esbuild/bin/esbuild", "--bundle", "--minify", "--format=esm"]);
    bundle.args(["--target=es2022", "--log-level=error"]);
    bundle.arg(format!("--tsconfig={}", sources.join("tsconfig.json").display()));
    bundle.arg(format!("--outfile={}", folder().join("page.js").display()));
    run::run(bundle.arg(sources.join("page.ts")))
}

/// The step of `cargo xtask test`. A browser that is not there makes it fail: what was skipped is not known to work.
pub(crate) fn browser() -> Result<Verdict, Failure> {
    check()?;
    Ok(Verdict::Passed)
}

/// Tabs, a relay that dies, and a replica in Rust, in Chromium; leaves pictures of the page in `target/screenshots`.
pub(crate) fn check() -> Outcome {
    if let Some(missing) = wasm::missing() {
        return Err(Failure::new(missing));
    }
    let Some(chromium) = tools::chromium() else {
        return Err(Failure::new("no Chromium: install the package chromium, or name the program in CHROME"));
    };
    build(false)?;
    let programs = ["--package", "crdt-examples", "--bin", "market", "--package", "crdt-sync", "--bin", "crdt-relay"];
    let mut programs_built = run::cargo(["build", "--locked", "--features", "crdt-sync/relay"]);
    run::run(programs_built.args(programs))?;

    let built = |name: &str| run::target_dir().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut tests = wasm::node(&["--test", "--test-reporter=spec", "../../examples/page/test/page.test.mjs"]);
    tests.env("MARKET", built("market")).env("RELAY", built("crdt-relay")).env("CHROME", chromium);
    tests.env("PAGE", folder()).env("SCREENSHOTS", run::target_dir().join("screenshots"));
    run::run(&mut tests)
}
