//! `cargo xtask test [filter]`: everything that must pass before a change is
//! good, from formatting to half a minute of fuzzing each target.

use crate::run::{self, Failure, Outcome};
use crate::steps::{Step, Verdict, run_steps};
use crate::{figures, fuzz, new_user, page, tools, web};
use std::process::Command;

/// No operating system, so no standard library to lean on by mistake.
const BARE_TARGET: &str = "x86_64-unknown-none";
const WEB_TARGET: &str = "wasm32-unknown-unknown";
const FUZZ_SECONDS: u64 = 30;

pub(crate) fn test(arguments: &[String]) -> Outcome {
    let filter = match arguments {
        [] => "",
        [filter] => filter,
        _ => return Err(Failure::new("test takes at most one argument, a filter")),
    };
    let mut steps = steps();
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    steps.retain(|step| step.name.contains(filter));
    if steps.is_empty() {
        return Err(Failure::new(format!("no step's name contains {filter:?}; there are: {}", names.join(", "))));
    }
    run_steps("test", &steps)
}

/// The cheap ones first: a slip in formatting should show within seconds.
fn steps() -> Vec<Step> {
    vec![
        Step::new("format", format),
        Step::new("lints", lints),
        Step::new("documentation", documentation),
        Step::new("tests", tests),
        Step::new("features", features),
        Step::new("web target", web_target),
        Step::new("target without a system", bare_target),
        Step::new("oldest compiler", oldest_compiler),
        Step::new("readme: figures", figures::compare),
        Step::new("new user: readme", new_user::readme),
        Step::new("new user: two processes", new_user::sync_readme),
        Step::new("new user: product surface", new_user::product_surface),
        Step::new("new user: misuse", new_user::misuse),
        Step::new("wasm: build", web::build),
        Step::new("wasm: golden bytes", web::golden),
        Step::new("wasm: seam in Node", web::seam),
        Step::new("wasm: seam in Chromium", web::browser),
        Step::new("wasm: package", web::package),
        Step::new("wasm: package in Chromium", web::package_in_browser),
        Step::new("browser", page::browser),
        Step::new("benches compile", benches),
        Step::new("fuzz: seeds", seeds),
        Step::new("fuzz", || fuzz::fuzz_each(None, FUZZ_SECONDS)),
    ]
}

fn format() -> Result<Verdict, Failure> {
    run::run(&mut run::cargo(["fmt", "--all", "--check"]))?;
    for outside in ["benches", "fuzz"] {
        let manifest = format!("{outside}/Cargo.toml");
        run::run(&mut run::cargo(["fmt", "--check", "--manifest-path", &manifest]))?;
    }
    // Programs of their own, so no crate's formatting reaches them.
    let mut programs = Command::new("rustfmt");
    programs.args(["--edition", "2024", "--check"]).args(new_user::programs()?).current_dir(run::root());
    run::run(&mut programs)?;
    Ok(Verdict::Passed)
}

fn lints() -> Result<Verdict, Failure> {
    done(&["clippy", "--locked", "--workspace", "--all-targets", "--all-features", "--", "-Dwarnings"])
}

fn documentation() -> Result<Verdict, Failure> {
    let mut command = run::cargo(["doc", "--locked", "--workspace", "--all-features", "--no-deps"]);
    run::run(command.env("RUSTDOCFLAGS", "-Dwarnings"))?;
    Ok(Verdict::Passed)
}

/// All of them, though one has failed: one run shows everything that is wrong.
fn tests() -> Result<Verdict, Failure> {
    let mut command = run::cargo(["test", "--locked", "--workspace", "--all-features", "--no-fail-fast"]);
    run::run_tests(command.envs([("CODEC_STATES", "3000"), ("CODEC_STRING_LENGTH", "6")]))?;
    Ok(Verdict::Passed)
}

/// Features only add, so each set of them must stand: every one of crdt-core's, and crdt-sync with none and with each
/// alone, as its drivers build upon each other.
fn features() -> Result<Verdict, Failure> {
    let core = features_of("crdt-core")?;
    let sync = features_of("crdt-sync")?;
    run::run(&mut run::cargo(["build", "--locked", "--package", "crdt-core", "--no-default-features"]))?;
    for set in combinations(&core.iter().map(String::as_str).collect::<Vec<_>>()) {
        check_features("crdt-core", &set.join(","))?;
    }
    check_features("crdt-sync", "")?;
    for feature in &sync {
        check_features("crdt-sync", feature)?;
    }
    Ok(Verdict::Passed)
}

fn features_of(package: &str) -> Result<Vec<String>, Failure> {
    let manifest = run::root().join(package).join("Cargo.toml");
    let text = run::read(&manifest)?;
    let features: Vec<String> = declared_features(&text).into_iter().map(str::to_owned).collect();
    if features.is_empty() {
        return Err(Failure::new(format!("found no features in {package}/Cargo.toml")));
    }
    Ok(features)
}

fn check_features(package: &str, set: &str) -> Outcome {
    let mut command = run::cargo(["clippy", "--quiet", "--locked", "--package", package, "--no-default-features"]);
    run::run(command.args(["--features", set, "--", "-Dwarnings"]))
}

fn web_target() -> Result<Verdict, Failure> {
    tools::ensure_target(WEB_TARGET)?;
    build_for(WEB_TARGET, "crdt-core")?;
    build_for(WEB_TARGET, "crdt-sync")?;
    build_for(WEB_TARGET, "crdt-wasm")
}

fn bare_target() -> Result<Verdict, Failure> {
    tools::ensure_target(BARE_TARGET)?;
    build_for(BARE_TARGET, "crdt-core")
}

/// Without the default features, as those draw randomness from a system.
fn build_for(target: &str, package: &str) -> Result<Verdict, Failure> {
    let mut arguments = vec!["build", "--locked", "--no-default-features"];
    arguments.extend(["--package", package, "--target", target]);
    if package == "crdt-core" {
        arguments.extend(["--features", "serde"]);
    }
    done(&arguments)
}

/// The minimum version in the manifest is a promise to users of the library.
fn oldest_compiler() -> Result<Verdict, Failure> {
    let manifest = run::root().join("Cargo.toml");
    let text = run::read(&manifest)?;
    let oldest = text
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .map(|version| version.trim().trim_matches('"'))
        .ok_or_else(|| Failure::new("Cargo.toml states no rust-version"))?;
    if !tools::toolchain_runs(oldest) {
        return Ok(Verdict::Skipped(format!(
            "no such toolchain: `rustup toolchain install {oldest} --profile minimal`"
        )));
    }
    // A folder of its own: two compilers in one would rebuild everything each time.
    let folder = run::target_dir().join(oldest);
    let mut command = run::cargo_of(oldest, ["check", "--locked"]);
    command.args(["-p", "crdt-core", "-p", "crdt-sync", "--all-features"]);
    run::run(command.env("CARGO_TARGET_DIR", folder))?;
    Ok(Verdict::Passed)
}

/// The benches live outside the workspace, so nothing else would notice that a
/// change to the library broke them.
fn benches() -> Result<Verdict, Failure> {
    let manifest = "benches/Cargo.toml";
    done(&["clippy", "--locked", "--all-targets", "--manifest-path", manifest, "--", "-Dwarnings"])
}

/// The inputs that the fuzzer starts from, and those it found once, whether it can be run here or not.
fn seeds() -> Result<Verdict, Failure> {
    let manifest = "fuzz/Cargo.toml";
    run::run(&mut run::cargo(["clippy", "--locked", "--tests", "--manifest-path", manifest, "--", "-Dwarnings"]))?;
    run::run_tests(&mut run::cargo(["test", "--locked", "--manifest-path", manifest]))?;
    Ok(Verdict::Passed)
}

fn done(arguments: &[&str]) -> Result<Verdict, Failure> {
    run::run(&mut run::cargo(arguments))?;
    Ok(Verdict::Passed)
}

/// The names in the `[features]` table of a manifest, without `default`.
fn declared_features(manifest: &str) -> Vec<&str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[features]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .filter(|name| *name != "default")
        .collect()
}

/// Every subset, the empty one first.
fn combinations<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut sets = vec![Vec::new()];
    for &name in names {
        let with_name: Vec<Vec<&str>> = sets.iter().map(|set| set.iter().copied().chain([name]).collect()).collect();
        sets.extend(with_name);
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_the_manifest() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\"a\"]\n# why\na = []\nb = [\"a\"]\n\n[dependencies]\nc = \"1\"\n";
        assert_eq!(declared_features(manifest), ["a", "b"]);
    }

    #[test]
    fn all_combinations_are_all_subsets() {
        assert_eq!(combinations(&["a", "b"]), [vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
    }
}
