//! `cargo xtask wasm [--fast]`: builds the browser package into
//! `crdt-wasm/npm/dist`, from Rust to TypeScript, and says how large it is.
//! `--fast` leaves out the optimiser and builds Rust without optimising across
//! crates, so that the tests of the seam can be run after each change.
//!
//! `--third-party` builds nothing, and writes anew whose code is in it.
//!
//! The glue is written by wasm-bindgen as a library, in a workspace of its own
//! (`xtask/wasm-tools`): nothing has to be installed, the lock file pins it, and
//! its crates never enter another build.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure, Outcome};
use crate::{inline, third_party, tools};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What may be said to be too large, in bytes of brotli: the wasm and its glue. It is not what is wanted (see
/// `crdt-wasm/SIZE.md`), but what is reached: whoever grows it says so here.
const PAYLOAD_BYTES_MAX: u64 = 203_000;

pub(crate) fn wasm(arguments: &[String]) -> Outcome {
    let fast = match arguments {
        [] => false,
        [flag] if flag == "--fast" => true,
        [flag] if flag == "--third-party" => return third_party::write(),
        _ => return Err(Failure::new("usage: cargo xtask wasm [--fast | --third-party]")),
    };
    build(fast)?;
    if fast { Ok(()) } else { check_size() }
}

/// Where the package is.
pub(crate) fn package() -> PathBuf {
    run::root().join("crdt-wasm").join("npm")
}

fn dist() -> PathBuf {
    package().join("dist")
}

/// Everything but the verdict on its size.
pub(crate) fn build(fast: bool) -> Outcome {
    tools::ensure_target(TARGET)?;
    let compiled = compile(fast)?;
    let glue = run::target_dir().join("wasm-glue");
    let imports = run::output(wasm_tools(["bindgen"]).arg(&compiled).arg(&glue))?;
    check_imports(&imports)?;
    let bytes = glue.join("crdt.wasm");
    npm_packages()?;
    let folder = dist();
    // What no source makes any more would be shipped for ever.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    let optimised = folder.join("crdt.wasm");
    if fast {
        copy(&bytes, &optimised)?;
    } else {
        optimise(&bytes, &optimised)?;
        check_paths(&optimised)?;
    }
    copy(&glue.join("raw.js"), &folder.join("raw.js"))?;
    write_inline(&optimised, &folder.join("inline.js"))?;
    let mut compiler = node(&["node_modules/typescript/bin/tsc", "-p", "."]);
    run::run(&mut compiler)
}

fn compile(fast: bool) -> Result<PathBuf, Failure> {
    let profile = if fast { "wasm-fast" } else { "wasm" };
    let mut command =
        run::cargo(["build", "--locked", "--package", "crdt-wasm", "--target", TARGET, "--profile", profile]);
    // Panics name the file they are in: as it is in the sources, not as it is on this machine.
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![remap(&run::root(), "."), format!("-Clink-arg=-zstack-size={}", 256 << 10)];
    flags.push("--cfg=crdt_small".to_owned());
    flags.extend(cargo_home().map(|folder| remap(&folder, "cargo")));
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    run::run(&mut command)?;
    Ok(run::target_dir().join(TARGET).join(profile).join("crdt_wasm.wasm"))
}

fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(home()?).join(".cargo")))
}

/// The tool that writes glue and measures.
fn wasm_tools<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command =
        run::cargo(["run", "--quiet", "--locked", "--manifest-path", "xtask/wasm-tools/Cargo.toml", "--"]);
    command.args(arguments).env("CARGO_TARGET_DIR", run::target_dir().join("wasm-tools"));
    command
}

/// What the compiled part wants from JavaScript is a list that is short and known: a new line means that Rust reads a
/// clock, draws randomness, or calls out.
fn check_imports(found: &str) -> Outcome {
    let path = run::root().join("crdt-wasm").join("imports.txt");
    let known = run::read(&path)?;
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    if lines(found) == lines(&known) {
        return Ok(());
    }
    Err(Failure::new(format!("the wasm imports\n{found}and {} says\n{known}", path.display())))
}

/// Paths of this machine in what is shipped would differ from build to build, and tell of it.
fn check_paths(file: &Path) -> Outcome {
    let bytes = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let machine = [Some(run::root()), cargo_home(), std::env::var_os("HOME").map(PathBuf::from)];
    for path in machine.into_iter().flatten().filter(|path| path.components().count() > 1) {
        let path = path.display().to_string();
        if bytes.windows(path.len()).any(|window| window == path.as_bytes()) {
            return Err(Failure::new(format!("{} contains the path {path}", file.display())));
        }
    }
    Ok(())
}

/// A program on Node, in the package's folder.
pub(crate) fn node(arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.args(arguments).current_dir(package());
    command
}

/// What is missing to build the package, and how to get it.
pub(crate) fn missing() -> Option<String> {
    let runs = |program: &str| run::succeeds(Command::new(program).arg("--version"));
    (!runs("node") || !runs("npm")).then(|| "no Node: install Node 20.19 or later, with npm".to_owned())
}

/// The package's own tools.
fn npm_packages() -> Outcome {
    if let Some(missing) = missing() {
        return Err(Failure::new(format!("the Rust part is built, but there is {missing}")));
    }
    install(&package())
}

/// What a folder needs of npm, at the versions of its lock file.
pub(crate) fn install(folder: &Path) -> Outcome {
    let installed = folder.join("node_modules").join(".package-lock.json");
    let age = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    if age(&installed).is_some_and(|installed| age(&folder.join("package-lock.json")) <= Some(installed)) {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    run::run(&mut install)
}

fn optimise(from: &Path, to: &Path) -> Outcome {
    let mut command = node(&["node_modules/binaryen/bin/wasm-opt", "-Oz"]);
    command.arg(from).arg("-o").arg(to);
    run::run(&mut command)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::copy(from, to).map_err(|error| Failure::file(from, &error))?;
    Ok(())
}

/// The bytes as a module, for the entry that needs no setup.
fn write_inline(wasm: &Path, to: &Path) -> Outcome {
    let bytes = std::fs::read(wasm).map_err(|error| Failure::file(wasm, &error))?;
    run::write(to, &inline::module(&bytes))
}

/// Measures what a page has to load, and fails if it grew.
pub(crate) fn check_size() -> Outcome {
    let glue = dist().join("raw.js");
    let bundled = run::target_dir().join("wasm-glue").join("raw.min.js");
    let mut bundle =
        node(&["node_modules/esbuild/bin/esbuild", "--bundle", "--minify", "--format=esm", "--log-level=error"]);
    run::run(bundle.arg(&glue).arg(format!("--outfile={}", bundled.display())))?;
    let sizes = run::output(wasm_tools(["size"]).arg(dist().join("crdt.wasm")).arg(&bundled))?;
    println!("bytes: as they are, gzip -9, brotli 11");
    print!("{sizes}");
    let total = sizes.lines().last().and_then(|line| line.split(' ').nth(2)).and_then(|size| size.parse::<u64>().ok());
    match total {
        Some(total) if total <= PAYLOAD_BYTES_MAX => Ok(()),
        Some(total) => Err(Failure::new(format!("the payload is {total} bytes, above {PAYLOAD_BYTES_MAX}"))),
        None => Err(Failure::new(format!("could not read the sizes:\n{sizes}"))),
    }
}
