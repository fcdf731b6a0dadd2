//! crdt-core measured beside its peers, on the same work, in one run.
//!
//! A *row* is one line of the table: what is done, in which unit, and which
//! figure is wanted ([`row`]). A [`Job`] is one contestant doing the work of
//! one row: it prepares, then runs, and only the running is timed. The table
//! (`src/bin/table.rs`) and the criterion benches (`benches/*.rs`) call the same
//! jobs, so nothing is measured in two ways.
//!
//! ```text
//!   workload ──► work/{merge,edit,…}.rs ──► Job ──► bin/table.rs   medians, ratios, results/
//!   (seeded)     one file per subject            └► benches/*.rs   criterion: one subject, with spread
//! ```
//!
//! What each peer can be compared in, and what not, is said in [`contestant`].

pub mod allocation;
pub mod contestant;
pub mod job;
pub mod machine;
pub mod report;
pub mod row;
pub mod work;
pub mod workload;

pub use contestant::Who;
pub use job::Job;
pub use row::Row;

/// Hands every timed job to criterion, which measures it with its spread. The jobs
/// that only count are left to the table.
pub fn criterion(criterion: &mut criterion::Criterion, jobs: Vec<Job>) {
    for job in jobs {
        let name = job.name();
        let job::Task::Time { start, .. } = job.task else { continue };
        // Prepared when first asked for: a filtered run skips what it doesn't need.
        let mut once = None;
        let mut group = criterion.benchmark_group("");
        group.sample_size(10);
        group.bench_function(name, |bencher| {
            let once = once.get_or_insert_with(&start);
            bencher.iter_custom(|runs| (0..runs).map(|_| once()).sum());
        });
        group.finish();
    }
}
