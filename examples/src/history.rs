//! The history of a git repository, replayed as replicas that edit at the same time.
//!
//! People who work on branches are replicas: each edits what it has, none asks the others, and a merge brings two of them
//! together. So any clone is a real concurrent history, with everything that made-up ones forget. Here each branch
//! is a replica of an add-wins map from path to blob, each commit is one edit of it, and each merge commit first
//! merges the replicas of its parents. Then what the merge made by itself can be held against what people committed.
//!
//! ```text
//!   git rev-list ──► graph ──► replay ──► converge ──► report
//!   git diff-tree ──────────────▲
//!   git ls-tree ────────────────┘
//! ```
//! Of the modules only [`replay`] and [`converge`] know about replicas that merge; the others know git.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use crate::memory::peak_memory_bytes;
use crate::progress::Progress;
use crate::random::Random;

pub mod converge;
pub mod generate;
pub mod git;
pub mod graph;
pub mod replay;
pub mod report;
pub mod sketch;

use converge::Budget;
use git::{GitError, Repository, Selection};
use graph::Plan;
use report::Report;

/// As many states are picked on the way and merged with all heads at the end.
const SAMPLES_MAX: usize = 64;

/// Enough for a hundred orders of a small history; a large one is merged in eight.
const BUDGET: Budget = Budget { seed: 1, bytes: 16 << 20 };

/// Replays what `selection` reaches in `repository`, checks it, and reports.
pub fn run(repository: &Repository, selection: &Selection, progress: &mut Progress) -> Result<Report, HistoryError> {
    let started = Instant::now();
    let history = repository.history(selection)?;
    let plan = Plan::new(&history.commits);
    let tips: BTreeSet<usize> =
        (0..plan.steps.len()).filter(|at| history.tips.contains(&plan.steps[*at].commit)).collect();
    let samples = sample(plan.steps.len());

    let replay = replay::replay(repository, &plan, &tips, &samples, progress)?;
    let convergence = converge::converge(&replay.heads, &replay.deltas, &replay.samples, BUDGET, progress)
        .map_err(|error| HistoryError::Bytes(error.to_string()))?;

    Ok(Report {
        commits: replay.counts.commits,
        replicas: plan.replicas,
        merges: replay.counts.merges,
        edits: replay.counts.edits,
        deltas: replay.deltas.len(),
        delta_bytes: replay.deltas.iter().map(Vec::len).sum(),
        state_bytes: replay.heads.encode().len(),
        merges_already_equal: replay.counts.merges_already_equal,
        conflicted_paths: replay.counts.conflicted_paths,
        paths_edited_at_merges: replay.counts.paths_edited_at_merges,
        final_tree_equal: !replay.trees_unequal.iter().any(|commit| history.tips.contains(commit)),
        digests_equal: convergence.digests_equal,
        seconds: started.elapsed().as_secs_f64(),
        peak_memory_bytes: peak_memory_bytes(),
        heads: plan.heads(),
        trees_compared: replay.trees_compared,
        trees_unequal: replay.trees_unequal.len(),
        orders: convergence.orders,
        samples: convergence.samples,
        paths: replay.paths_at_tip,
    })
}

/// Some of `steps`, spread at random; all of them if there are few.
fn sample(steps: usize) -> BTreeSet<usize> {
    let mut all: Vec<usize> = (0..steps).collect();
    Random::new(2).shuffle(&mut all);
    all.into_iter().take(SAMPLES_MAX).collect()
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryError {
    /// The history could not be read.
    Git(GitError),
    /// Bytes that the replay had written itself were refused: a fault of the library, to be reported.
    Bytes(String),
}

impl From<GitError> for HistoryError {
    fn from(error: GitError) -> Self {
        HistoryError::Git(error)
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::Git(error) => error.fmt(out),
            HistoryError::Bytes(why) => write!(out, "bytes that were just written do not decode: {why}"),
        }
    }
}

impl std::error::Error for HistoryError {}
