//! Draws histories, runs them, shrinks what fails, and says how to see it again.

use super::exhaustive::explore;
use super::history::History;
use super::law::{Broken, Law};
use super::op::Operation;
use super::subject::{OpOf, Subject};
use super::tally::Tally;
use super::world::run;
use quickcheck::{Arbitrary, Gen};
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::prelude::rust_2024::*;
use std::{env, panic};

/// How many histories, how long, and from which seed.
///
/// The environment overrides each: `LAWS_HISTORIES`, `LAWS_FRESH`, `LAWS_STEPS`, `LAWS_SEED`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Histories drawn from the fixed seed: the same in every run. 10 000 unless told otherwise.
    pub histories: u64,
    /// Histories drawn from a new seed in every run. 2 000 unless told otherwise, and none if a seed was given.
    pub fresh: u64,
    /// The greatest number of steps in a history. 40 unless told otherwise.
    pub steps: usize,
    /// The seed of the first history; each next one has the next seed.
    pub seed: u64,
}

/// What the environment says by this name.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

impl Plan {
    /// The plan the environment asks for.
    pub fn from_environment() -> Self {
        let seed = number("LAWS_SEED");
        Self {
            histories: number("LAWS_HISTORIES").unwrap_or(10_000),
            fresh: number("LAWS_FRESH").unwrap_or(if seed.is_some() { 0 } else { 2_000 }),
            steps: number("LAWS_STEPS").map_or(40, |steps| steps as usize),
            seed: seed.unwrap_or(0),
        }
    }
}

/// A history that breaks a law, as small as shrinking could make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample<Op> {
    /// The seed of the history as it was drawn.
    pub seed: u64,
    /// The law and the story, for the small history.
    pub broken: Broken,
    /// The small history.
    pub history: History<Op>,
}

impl<Op: fmt::Debug> fmt::Display for Counterexample<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, broken, history } = self;
        writeln!(f, "{broken}\n")?;
        writeln!(f, "{history:?}\n")?;
        write!(f, "again: LAWS_SEED={seed} LAWS_HISTORIES=1, or `laws::replay_subject` on the history above")
    }
}

/// Runs the plan; the first history that breaks a law is shrunk and returned.
pub fn search<T: Subject>(plan: &Plan) -> Result<Tally, Box<Counterexample<OpOf<T>>>> {
    let fresh = RandomState::new().build_hasher().finish();
    let fixed = (0..plan.histories).map(|index| plan.seed.wrapping_add(index));
    let seeds = fixed.chain((0..plan.fresh).map(|index| fresh.wrapping_add(index)));
    let mut tally = Tally::default();
    for seed in seeds {
        let history = History::arbitrary(&mut Gen::from_size_and_seed(plan.steps, seed));
        match attempt::<T>(&history) {
            Ok(met) => tally.add(&met),
            Err(broken) => return Err(Box::new(shrink::<T>(seed, history, broken))),
        }
    }
    Ok(tally)
}

/// Runs one history; a panic on the way is a broken law too.
pub fn attempt<T: Subject>(history: &History<OpOf<T>>) -> Result<Tally, Broken> {
    catch_unwind(AssertUnwindSafe(|| run::<T>(history))).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| String::from(*words)));
        Err(Broken { law: Law::Panics, story: words.unwrap_or_else(|| "a panic without a message".into()) })
    })
}

fn shrink<T: Subject>(seed: u64, mut history: History<OpOf<T>>, mut broken: Broken) -> Counterexample<OpOf<T>> {
    // A smaller history must break the same law: another one would be another story.
    let mut attempts = 20_000;
    'smaller: loop {
        for candidate in history.shrink() {
            attempts -= 1;
            if attempts == 0 {
                break 'smaller;
            }
            if let Err(again) = attempt::<T>(&candidate)
                && again.law == broken.law
            {
                history = candidate;
                broken = again;
                continue 'smaller;
            }
        }
        break;
    }
    Counterexample { seed, broken, history }
}

/// Checks a subject as the environment asks, and panics with the smallest counterexample found.
pub fn check_subject<T: Subject>() -> Tally {
    let plan = Plan::from_environment();
    let name = std::any::type_name::<T>();
    match search::<T>(&plan) {
        Ok(tally) => {
            // Few histories, as in the replay of a single seed, need not meet everything.
            if tally.histories >= 1_000 {
                let floors = tally.check_floors(OpOf::<T>::can_remove(), OpOf::<T>::can_remove_nested());
                floors.unwrap_or_else(|broken| panic!("{name}: {broken}"));
            }
            std::eprintln!("{name}: {tally}; seed {}", plan.seed);
            tally
        }
        Err(counterexample) => panic!("{name}: {counterexample}"),
    }
}

/// How many configurations a short search may have before it is as deep as it needs to be.
const CONFIGURATIONS_MAX: u64 = 3_000;

/// Follows every short history of a subject: of two replicas and five steps, or four where the type has so many operations
/// that five would take minutes. `LAWS_REPLICAS` asks for more, `LAWS_DEPTH` for more steps than five, and
/// `LAWS_CONFIGURATIONS` how many may be behind before one step more is too many. Panics at the first law that does not
/// hold.
pub fn check_short_histories<T: Subject>() {
    let name = std::any::type_name::<T>();
    let replicas = number("LAWS_REPLICAS").unwrap_or(2) as usize;
    let depth_max = number("LAWS_DEPTH").unwrap_or(5) as usize;
    let configurations_max = number("LAWS_CONFIGURATIONS").unwrap_or(CONFIGURATIONS_MAX) as usize;
    let depth = |depth| explore::<T>(replicas, depth).unwrap_or_else(|broken| panic!("{name}: {broken}"));
    // Each replica more has as many more places for a step.
    let mut steps = if replicas > 2 { 3 } else { 4 }.min(depth_max);
    let mut covered = depth(steps);
    while steps < depth_max && covered.configurations <= configurations_max {
        steps += 1;
        covered = depth(steps);
    }
    std::eprintln!("{name}: every history of {steps} steps of {replicas} replicas: {covered}");
    if steps >= 4 {
        // A plain maximum has no more states than that.
        let enough =
            covered.configurations >= 200 && covered.states >= 3 && covered.pairs >= 6 && covered.triples >= 12;
        assert!(enough, "{name}: {steps} steps met only {covered}");
    }
}

/// Runs a history that once failed; panics if it fails again.
pub fn replay_subject<T: Subject>(history: &History<OpOf<T>>) {
    if let Err(broken) = run::<T>(history) {
        panic!("{broken}\n\n{history:?}");
    }
}
