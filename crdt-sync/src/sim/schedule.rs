//! Random schedules: drawn from a seed, run, made small when they fail, and run again.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crdt_core::laws::{Enrolled, StoreOp};

use super::chance::Chance;
use super::profile::Profile;
use super::step::Step;
use super::tally::Tally;
use super::violation::{Check, Violation};
use super::world::{Transcript, World};
use crate::{Faults, Limits};

/// All of one run: who takes part, and what happens.
#[derive(Clone, Debug)]
pub struct Schedule<Op> {
    /// Drives what the steps leave open: delays, losses, who is heard first.
    pub seed: u64,
    /// How it is set up.
    pub profile: Profile,
    /// What happens.
    pub steps: Vec<Step<Op>>,
}

/// What came of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What it met.
    pub tally: Tally,
    /// A sum over all that it put out.
    pub transcript: Transcript,
}

/// A run that broke a promise, as small as it could be made.
#[derive(Clone, Debug)]
pub struct Counterexample<Op> {
    /// The promise and the story, for the small schedule.
    pub violation: Violation,
    /// The small schedule. Its seed is that of the one which was drawn.
    pub schedule: Schedule<Op>,
    /// How many steps were drawn.
    pub drawn: usize,
    /// The most that might have been: what a seed gives hangs on it.
    pub steps_max: u64,
    /// How many runs were made until it was met.
    pub runs: u64,
}

/// So many steps a schedule has at most.
const STEPS: u64 = 40;

/// How many schedules, how long, and from which seed.
///
/// The environment overrides each: `SIM_RUNS`, `SIM_STEPS`, `SIM_SEED`.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many schedules, each with the next seed.
    pub runs: u64,
    /// The seed of the first one.
    pub seed: u64,
    /// The greatest number of steps in one.
    pub steps: u64,
    /// How long a failing schedule may be made smaller.
    pub shrink_for: Duration,
    /// What each drawn profile is changed to.
    pub adjust: fn(&mut Profile),
    /// Checks that are left out: what one sees first, another one has to see as well.
    pub blind: Vec<Check>,
    /// Faults of the machine that are switched on, for those who check the checks.
    pub faults: Faults,
}

impl Plan {
    /// So many schedules from seed 0, or what the environment asks for.
    ///
    /// # Panics
    /// If the environment holds something else than numbers.
    #[must_use]
    pub fn from_environment(runs: u64) -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
        };
        Self {
            runs: number("SIM_RUNS").unwrap_or(runs),
            seed: number("SIM_SEED").unwrap_or(0),
            steps: number("SIM_STEPS").unwrap_or(STEPS),
            shrink_for: Duration::from_secs(20),
            adjust: |_| (),
            blind: Vec::new(),
            faults: Faults::default(),
        }
    }
}

impl<Op: quickcheck::Arbitrary + fmt::Debug> Schedule<Op> {
    /// The schedule of a seed.
    #[must_use]
    pub fn draw(seed: u64, plan: &Plan) -> Self {
        let mut chance = Chance::new(seed ^ 0x5eed_0000_0000_0000);
        let mut profile = Profile::draw(&mut chance);
        (plan.adjust)(&mut profile);
        profile.blind.extend(&plan.blind);
        profile.config.faults = plan.faults.clone();
        let count = chance.between(plan.steps / 4, plan.steps.max(1));
        let apart = profile.apart;
        let steps = (0..count).map(|_| Step::draw(&mut chance, apart)).collect();
        Self { seed, profile, steps }
    }
}

/// Runs one schedule; a panic on the way is a broken promise too.
///
/// # Errors
/// The first check that fails.
pub fn run<S: Enrolled>(schedule: &Schedule<StoreOp<S>>) -> Result<Outcome, Violation> {
    let attempt = || {
        let mut world = World::<S>::new(schedule.profile.clone(), schedule.seed)?;
        for step in &schedule.steps {
            world.take(step)?;
        }
        world.settle()?;
        Ok(Outcome { tally: world.tally().clone(), transcript: world.transcript() })
    };
    catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_string()));
        Err(Check::Panics.broken(words.unwrap_or_else(|| "a panic without a message".into())))
    })
}

/// Runs the plan on one thread. The first schedule that breaks a promise is made small and returned.
///
/// # Errors
/// That schedule.
pub fn search<S: Enrolled>(plan: &Plan) -> Result<Tally, Box<Counterexample<StoreOp<S>>>> {
    search_some::<S>(plan, 0, 1, &AtomicBool::new(false))
}

/// Runs every `stride`-th schedule of the plan, until one fails somewhere.
fn search_some<S: Enrolled>(
    plan: &Plan,
    first: u64,
    stride: u64,
    stop: &AtomicBool,
) -> Result<Tally, Box<Counterexample<StoreOp<S>>>> {
    let mut tally = Tally::default();
    let mut index = first;
    while index < plan.runs && !stop.load(Ordering::Relaxed) {
        let schedule = Schedule::draw(plan.seed.wrapping_add(index), plan);
        match run::<S>(&schedule) {
            Ok(outcome) => tally.add(&outcome.tally),
            Err(violation) => {
                stop.store(true, Ordering::Relaxed);
                let drawn = schedule.steps.len();
                let (schedule, violation) = shrink::<S>(schedule, violation, plan.shrink_for);
                return Err(Box::new(Counterexample {
                    violation,
                    schedule,
                    drawn,
                    steps_max: plan.steps,
                    runs: index / stride + 1,
                }));
            }
        }
        index += stride;
    }
    Ok(tally)
}

/// Runs all of the plan, whatever fails, and says for each promise that is broken how often it was, with the first
/// schedule that broke it, made small: what is wrong with a machine, at one look.
#[must_use]
pub fn survey<S: Enrolled>(plan: &Plan) -> BTreeMap<Check, (u64, Counterexample<StoreOp<S>>)> {
    let mut found = BTreeMap::<Check, (u64, Counterexample<StoreOp<S>>)>::new();
    for index in 0..plan.runs {
        let schedule = Schedule::draw(plan.seed.wrapping_add(index), plan);
        let Err(violation) = run::<S>(&schedule) else { continue };
        if let Some((count, _)) = found.get_mut(&violation.check) {
            *count += 1;
            continue;
        }
        let (check, drawn) = (violation.check, schedule.steps.len());
        let (schedule, violation) = shrink::<S>(schedule, violation, plan.shrink_for);
        found.insert(check, (1, Counterexample { violation, schedule, drawn, steps_max: plan.steps, runs: index + 1 }));
    }
    found
}

/// Runs the plan on all processors.
///
/// # Panics
/// With the schedule that broke a promise, as small as it could be made.
#[must_use]
pub fn check<S: Enrolled>(plan: &Plan) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let stop = AtomicBool::new(false);
    let results: Vec<Result<Tally, String>> = std::thread::scope(|scope| {
        let spawn = |first| {
            let stop = &stop;
            // What is found is told as text: operations need not be able to change threads.
            scope.spawn(move || search_some::<S>(plan, first, threads, stop).map_err(|found| found.to_string()))
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        running.into_iter().map(|thread| thread.join().expect("panics are caught inside")).collect()
    });
    let mut tally = Tally::default();
    for result in results {
        match result {
            Ok(part) => tally.add(&part),
            Err(found) => panic!("{}: {found}", std::any::type_name::<S>()),
        }
    }
    tally
}

/// Looks for a schedule in which one promise is broken, whatever else breaks on the way. That schedule, made small, or
/// else how often which other promises were broken.
///
/// # Errors
/// Those counts.
pub fn hunt<S: Enrolled>(plan: &Plan, check: Check) -> Result<Box<Counterexample<StoreOp<S>>>, BTreeMap<Check, u64>> {
    let mut others = BTreeMap::new();
    for index in 0..plan.runs {
        let schedule = Schedule::draw(plan.seed.wrapping_add(index), plan);
        match run::<S>(&schedule) {
            Err(violation) if violation.check == check => {
                let drawn = schedule.steps.len();
                let (schedule, violation) = shrink::<S>(schedule, violation, plan.shrink_for);
                return Ok(Box::new(Counterexample {
                    violation,
                    schedule,
                    drawn,
                    steps_max: plan.steps,
                    runs: index + 1,
                }));
            }
            Err(violation) => *others.entry(violation.check).or_default() += 1,
            Ok(_) => {}
        }
    }
    Err(others)
}

/// Makes a failing schedule small: whole stretches of steps go first, then single ones, then steps become simpler. A
/// smaller one must break the same promise, or it would be another story.
fn shrink<S: Enrolled>(
    mut schedule: Schedule<StoreOp<S>>,
    mut violation: Violation,
    time: Duration,
) -> (Schedule<StoreOp<S>>, Violation) {
    let start = Instant::now();
    let mut fails = |candidate: &Schedule<StoreOp<S>>| {
        let again = run::<S>(candidate).err()?;
        (again.check == violation.check).then(|| violation = again)
    };
    let mut stretch = schedule.steps.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut smaller = false;
        while at < schedule.steps.len() && start.elapsed() < time {
            let mut candidate = schedule.clone();
            candidate.steps.drain(at..(at + stretch).min(schedule.steps.len()));
            if fails(&candidate).is_some() {
                schedule = candidate;
                smaller = true;
            } else {
                at += stretch;
            }
        }
        if stretch == 1 && !smaller {
            break;
        }
        stretch = if smaller { stretch } else { (stretch / 2).max(1) };
        if start.elapsed() >= time {
            break;
        }
    }
    let mut at = 0;
    while at < schedule.steps.len() && start.elapsed() < time {
        let simpler = schedule.steps[at].simpler().into_iter().find_map(|step| {
            let mut candidate = schedule.clone();
            candidate.steps[at] = step;
            fails(&candidate).map(|()| candidate)
        });
        match simpler {
            Some(candidate) => schedule = candidate,
            None => at += 1,
        }
    }
    (schedule, violation)
}

impl<Op: fmt::Debug> fmt::Display for Counterexample<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { violation, schedule, drawn, steps_max, runs } = self;
        writeln!(f, "{violation}\n")?;
        writeln!(f, "seed {}, found in run {runs}; {} steps left of {drawn}:", schedule.seed, schedule.steps.len())?;
        schedule.steps.iter().try_for_each(|step| writeln!(f, "    {step:?}"))?;
        let Profile { replicas, topology, links, apart, weather, flush_ms, config, .. } = &schedule.profile;
        let cut = if *apart { ", cut at the start" } else { "" };
        writeln!(f, "{replicas} replicas, {topology:?} of {links:?}{cut}, flush in {flush_ms} ms, {weather:?}")?;
        writeln!(f, "{:?}, {:?}, {}", config.mode, config.durability, differing(&config.limits))?;
        let steps = if *steps_max == STEPS { String::new() } else { format!("SIM_STEPS={steps_max} ") };
        write!(f, "again: SIM_SEED={} {steps}SIM_RUNS=1", schedule.seed)
    }
}

/// The limits that are not as they are by default.
fn differing(limits: &Limits) -> String {
    let fields = |limits: &Limits| format!("{limits:?}").split(", ").map(String::from).collect::<Vec<_>>();
    let (told, usual) = (fields(limits), fields(&Limits::default()));
    let differ = told.into_iter().zip(usual).filter(|(told, usual)| told != usual).map(|(told, _)| told);
    let differ = differ.collect::<Vec<_>>().join(", ");
    if differ.is_empty() { "the usual limits".into() } else { differ }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::OrSet;

    #[test]
    fn a_failing_schedule_names_all_that_it_takes_to_run_it_again() {
        let plan =
            Plan { faults: crate::Fault::VersionPrefix.into(), seed: 7, steps: 12, ..Plan::from_environment(500) };
        let plan = Plan { shrink_for: Duration::ZERO, runs: 500, ..plan };
        let found = search::<OrSet<u8>>(&plan).unwrap_err();
        let told = found.to_string();
        let line = told.lines().last().unwrap();
        assert_eq!(line, format!("again: SIM_SEED={} SIM_STEPS=12 SIM_RUNS=1", found.schedule.seed));
        let again = Schedule::draw(found.schedule.seed, &Plan { seed: 0, runs: 1, ..plan.clone() });
        assert_eq!(run::<OrSet<u8>>(&again).unwrap_err(), found.violation);
        let usual = Schedule::<StoreOp<OrSet<u8>>>::draw(found.schedule.seed, &Plan { steps: STEPS, ..plan });
        assert_ne!(usual.steps.len(), found.drawn, "the number of steps matters, so it is told");
    }
}
