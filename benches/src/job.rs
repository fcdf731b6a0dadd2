//! One contestant doing the work of one row.

use crate::{Row, Who};
use cpu_time::ThreadTime;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// More than the caches of the processors at hand.
const CACHES: usize = 64 << 20;

/// One contestant doing the work of one row.
pub struct Job {
    /// Which row it belongs to.
    pub row: &'static Row,
    /// Who works.
    pub who: Who,
    /// The size of the state, where this contestant can't do the row's own size
    /// in reasonable time.
    pub reduced_to: Option<usize>,
    /// How the work is done.
    pub task: Task,
}

/// How a job yields its figure.
pub enum Task {
    /// `start` prepares once; what it returns makes one run: it takes a fresh
    /// input, works on it under the clock, and drops input and result after
    /// the clock has stopped. A run does `units` pieces of work.
    Time { units: usize, start: Box<dyn Fn() -> Box<dyn FnMut() -> Duration>> },
    /// Something that is counted, not timed: bytes per element.
    Count(Box<dyn Fn() -> f64>),
}

impl Job {
    /// A timed job: `prepare` once, then for every run `input`, then `run` under the clock.
    pub fn time<P: 'static, I: 'static, O: 'static>(
        row: &'static Row,
        who: Who,
        units: usize,
        prepare: impl Fn() -> P + 'static,
        input: impl Fn(&P) -> I + Copy + 'static,
        run: impl Fn(&P, &mut I) -> O + Copy + 'static,
    ) -> Self {
        let start = move || {
            let prepared = prepare();
            let once = move || {
                let mut input = input(&prepared);
                // The thread's own time: being interrupted is not part of the work.
                let begin = ThreadTime::now();
                let output = black_box(run(black_box(&prepared), black_box(&mut input)));
                let spent = begin.elapsed();
                drop(output);
                spent
            };
            Box::new(once) as Box<dyn FnMut() -> Duration>
        };
        Self { row, who, reduced_to: None, task: Task::Time { units, start: Box::new(start) } }
    }

    /// The same, in `steps` that find the processor's caches empty of the state, as
    /// an edit does that arrives after other work. Only then do states of all sizes
    /// meet the same memory, and a difference is the algorithm's.
    pub fn time_cold<P: 'static, I: 'static, O: 'static>(
        row: &'static Row,
        who: Who,
        steps: usize,
        prepare: impl Fn() -> P + 'static,
        input: impl Fn(&P) -> I + Copy + 'static,
        step: impl Fn(&P, &mut I, usize) -> O + Copy + 'static,
    ) -> Self {
        let start = move || {
            let prepared = prepare();
            let mut other_work = vec![0_u64; CACHES / size_of::<u64>()];
            let once = move || {
                let mut input = input(&prepared);
                let mut spent = Duration::ZERO;
                for number in 0..steps {
                    other_work.iter_mut().for_each(|word| *word += 1);
                    black_box(&mut other_work);
                    // Too short for the thread's own clock, which asks the system.
                    let begin = Instant::now();
                    let output = black_box(step(black_box(&prepared), black_box(&mut input), number));
                    spent += begin.elapsed();
                    drop(output);
                }
                spent
            };
            Box::new(once) as Box<dyn FnMut() -> Duration>
        };
        Self { row, who, reduced_to: None, task: Task::Time { units: steps, start: Box::new(start) } }
    }

    /// A counted job.
    pub fn count(row: &'static Row, who: Who, figure: impl Fn() -> f64 + 'static) -> Self {
        Self { row, who, reduced_to: None, task: Task::Count(Box::new(figure)) }
    }

    /// Says that this contestant works on a smaller state than the row names.
    pub fn reduced_to(mut self, size: usize) -> Self {
        self.reduced_to = Some(size);
        self
    }

    /// `row/who`, as in `merge/identical/crdt-core`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.row.name, self.who.name())
    }

    /// The job's figure: nanoseconds per unit of work (the median of several
    /// runs), or the count.
    pub fn figure(&self) -> f64 {
        match &self.task {
            Task::Time { units, start } => {
                let mut once = start();
                median(repeat(&mut *once)).as_secs_f64() * 1e9 / *units as f64
            }
            Task::Count(figure) => figure(),
        }
    }
}

/// Runs until a second has been measured, at least 5 and at most 101 times;
/// the slowest jobs stop after 3 runs.
fn repeat(once: &mut dyn FnMut() -> Duration) -> Vec<Duration> {
    const ENOUGH: Duration = Duration::from_secs(1);
    const SLOW: Duration = Duration::from_secs(3);
    // The first run warms up caches and the allocator and is not counted.
    once();
    let begin = Instant::now();
    let mut spent = Vec::new();
    while spent.len() < 101 {
        spent.push(once());
        let measured: Duration = spent.iter().sum();
        // Making the inputs may take far longer than the work itself.
        let tired = measured > ENOUGH || begin.elapsed() > SLOW;
        if (spent.len() >= 5 && tired) || (spent.len() >= 3 && measured > SLOW) {
            break;
        }
    }
    spent
}

fn median(mut spent: Vec<Duration>) -> Duration {
    spent.sort_unstable();
    spent[spent.len() / 2]
}
