//! A list of named checks, run one after the other. A failure does not stop
//! the list: one run shows everything that is wrong.

use crate::run::{Failure, Outcome};
use std::time::{Duration, Instant};

/// One named check.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) check: Box<dyn Fn() -> Result<Verdict, Failure>>,
}

impl Step {
    pub(crate) fn new(name: &'static str, check: impl Fn() -> Result<Verdict, Failure> + 'static) -> Self {
        Self { name, check: Box::new(check) }
    }
}

/// What a check that did not fail has to say.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It was done.
    Passed,
    /// It could not be done here; the text says what is missing.
    Skipped(String),
}

/// Runs every step and sums up; fails if any failed, or if none was done.
pub(crate) fn run_steps(title: &str, steps: &[Step]) -> Outcome {
    let start = Instant::now();
    let mut lines = Vec::new();
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    for (index, step) in steps.iter().enumerate() {
        println!("\n=== {title} {}/{}: {}", index + 1, steps.len(), step.name);
        let begun = Instant::now();
        let verdict = (step.check)();
        let took = seconds(begun.elapsed());
        let line = match verdict {
            Ok(Verdict::Passed) => {
                passed += 1;
                format!("passed   {:<32} {took:>8}", step.name)
            }
            Ok(Verdict::Skipped(missing)) => {
                skipped += 1;
                format!("skipped  {:<32} {took:>8}  {missing}", step.name)
            }
            Err(failure) => {
                failed.push(step.name);
                format!("FAILED   {:<32} {took:>8}  {failure}", step.name)
            }
        };
        println!("--- {line}");
        lines.push(line);
    }
    println!();
    for line in lines {
        println!("{line}");
    }
    println!("\n{title}: {passed} passed, {skipped} skipped, {} failed, in {}", failed.len(), seconds(start.elapsed()));
    if !failed.is_empty() {
        return Err(Failure::new(format!("{title} failed: {}", failed.join(", "))));
    }
    if passed == 0 {
        return Err(Failure::new(format!("{title}: nothing was checked")));
    }
    Ok(())
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_the_rest_still_runs() {
        let failure = run_steps(
            "trial",
            &[
                Step::new("first", || Err(Failure::new("broken"))),
                Step::new("second", || Ok(Verdict::Passed)),
                Step::new("third", || Err(Failure::new("broken"))),
            ],
        )
        .unwrap_err();
        assert_eq!(failure.to_string(), "trial failed: first, third");
    }

    #[test]
    fn a_skipped_step_does_not_fail_the_list() {
        let steps = [
            Step::new("first", || Ok(Verdict::Passed)),
            Step::new("second", || Ok(Verdict::Skipped("no tool".into()))),
        ];
        assert!(run_steps("trial", &steps).is_ok());
    }

    #[test]
    fn a_list_in_which_nothing_was_done_fails() {
        let skipped = [Step::new("only", || Ok(Verdict::Skipped("no tool".into())))];
        assert!(run_steps("trial", &skipped).is_err());
        assert!(run_steps("trial", &[]).is_err());
    }
}
