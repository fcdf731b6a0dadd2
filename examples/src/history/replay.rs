//! Plays a history: every commit is an edit of a replica, every merge commit first merges the replicas of its parents.
//!
//! The view of a replica after a commit equals that commit's tree, always. That makes the work of a step the size of
//! what changed: the tree differs from the first parent's by what git lists, the merged view differs from the first
//! parent's by what the merges touched, and no other path has to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::{Causal, Change, Element, Merge, MvRegister, Observed, OrMap, ReplicaId, Step, Value, Writer};

use super::git::{BlobId, CommitId, GitError, PathChange, Repository, Tree};
use super::graph::Plan;
use crate::progress::Progress;

/// What every replica holds: path → the blobs that stand there. More than one is a conflict.
pub type Files = Causal<OrMap<Vec<u8>, MvRegister<BlobId>>>;

/// What a replay did, and what it left behind for [the checks](super::converge).
#[derive(Debug, Default)]
pub struct Replay {
    /// All heads merged.
    pub heads: Files,
    /// The canonical bytes of every delta, in the order of the edits.
    pub deltas: Vec<Vec<u8>>,
    /// The canonical bytes of the sampled states.
    pub samples: Vec<Vec<u8>>,
    /// Paths in the view at the last of the tips.
    pub paths_at_tip: usize,
    /// What was counted on the way.
    pub counts: Counts,
    /// At which of the sampled commits and tips the whole view was compared with the whole tree.
    pub trees_compared: usize,
    /// The commits among them at which the two differed: there must be none.
    pub trees_unequal: Vec<CommitId>,
}

/// What happened at the commits of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commits replayed.
    pub commits: usize,
    /// Commits with several parents.
    pub merges: usize,
    /// Merge commits whose merged view was the committed tree: nothing was left to edit.
    pub merges_already_equal: usize,
    /// At the other merge commits, paths at which several blobs stood after the merge.
    pub conflicted_paths: usize,
    /// At the same merge commits, paths that the commit had to edit. It had to settle each conflicted path, so the
    /// excess over `conflicted_paths` is what people changed although nothing conflicted: a file changed on one
    /// side and deleted on the other, or a change slipped into the merge.
    pub paths_edited_at_merges: usize,
    /// Commits that edited: all but the merges that were already equal.
    pub edits: usize,
}

/// Replays `plan`. The states after `samples` (positions in the plan) are kept, and there and at `tips` the whole view
/// is compared with the whole tree.
pub fn replay(
    repository: &Repository,
    plan: &Plan,
    tips: &BTreeSet<usize>,
    samples: &BTreeSet<usize>,
    progress: &mut Progress,
) -> Result<Replay, GitError> {
    let mut changes = repository.changes(plan.comparisons())?;
    let mut waiting = Waiting::new(plan);
    let mut writers: BTreeMap<usize, Writer> = BTreeMap::new();
    let mut replay = Replay::default();

    for (at, step) in plan.steps.iter().enumerate() {
        let changed = changes.next_of(step.commit)?;
        if step.begins {
            // Named after the commit it begins with: no two replicas begin with the same one.
            writers.insert(step.replica, Writer::new(ReplicaId::from_bytes(step.commit.prefix())));
        }
        let writer = writers.get_mut(&step.replica).expect("a replica begins before it goes on");

        let (mut files, merged) = waiting.merged(&step.parents);
        let outcome = commit(&mut files, writer, &merged, changed);
        replay.note(step.parents.len() > 1, outcome);

        if step.ends {
            writers.remove(&step.replica);
        }
        let sampled = samples.contains(&at);
        if sampled {
            replay.samples.push(files.encode());
        }
        if tips.contains(&at) {
            replay.paths_at_tip = files.len();
        }
        if sampled || tips.contains(&at) {
            replay.trees_compared += 1;
            if !shows(&files, &repository.tree(step.commit)?) {
                replay.trees_unequal.push(step.commit);
            }
        }
        if step.children == 0 {
            replay.heads.merge(files);
        } else {
            waiting.keep(at, files);
        }
        progress.report("replaying commits", at + 1, plan.steps.len());
    }
    Ok(replay)
}

/// The paths that merging touched, each with the blob that the first parent had there.
type Touched = BTreeMap<Vec<u8>, Option<BlobId>>;

/// The path of a change, and the blob that stood there before it. A branch that has just been committed to has at most one
/// blob at each path, so the first says it all.
fn told(change: Change) -> (Vec<u8>, Option<BlobId>) {
    let path = match change.path.into_iter().next() {
        Some(Step::Key(Value::Bytes(path))) => path,
        other => unreachable!("a map from paths changes at a path, not at {other:?}"),
    };
    let before = match change.before {
        Observed::Absent => None,
        Observed::Values(values) => {
            values.into_iter().next().map(|value| BlobId::from_value(value).expect("only blob ids are written"))
        }
        other => unreachable!("a register shows values, not {other:?}"),
    };
    (path, before)
}

/// What one commit came to.
struct Outcome {
    conflicted: usize,
    edited: usize,
    delta: Option<Vec<u8>>,
}

/// Makes the view equal the committed tree, with one edit.
fn commit(files: &mut Files, writer: &mut Writer, touched: &Touched, changed: Vec<PathChange>) -> Outcome {
    let mut wanted = touched.clone();
    wanted.extend(changed.into_iter().map(|change| (change.path, change.after)));
    let conflicted = touched.keys().filter(|path| blobs(files, path).len() > 1).count();
    wanted.retain(|path, blob| !blobs(files, path).iter().copied().eq(blob.iter()));

    let edited = wanted.len();
    let (delta, ()) = files.edit(writer, |files| {
        for (path, blob) in wanted {
            match blob {
                Some(blob) => files.entry(path).write(blob),
                None => drop(files.remove(&path)),
            }
        }
    });
    let delta = (!delta.is_empty()).then(|| delta.encode());
    Outcome { conflicted, edited, delta }
}

/// The blobs that stand at `path`, each once: two branches that wrote the same content do not disagree.
fn blobs<'a>(files: &'a Files, path: &[u8]) -> BTreeSet<&'a BlobId> {
    files.get(path).into_iter().flat_map(MvRegister::values).collect()
}

/// Whether the view is exactly this tree.
fn shows(files: &Files, tree: &Tree) -> bool {
    files.len() == tree.len()
        && files.iter().zip(tree).all(|((path, register), (expected, blob))| {
            path == expected && register.values().into_iter().all(|value| value == blob)
        })
}

impl Replay {
    fn note(&mut self, merge: bool, outcome: Outcome) {
        let counts = &mut self.counts;
        counts.commits += 1;
        counts.merges += usize::from(merge);
        if merge && outcome.edited == 0 {
            counts.merges_already_equal += 1;
        } else {
            counts.edits += 1;
        }
        if merge {
            counts.conflicted_paths += outcome.conflicted;
            counts.paths_edited_at_merges += outcome.edited;
        }
        self.deltas.extend(outcome.delta);
    }
}

/// The states on which later commits build, each kept until the last of them has been replayed. A branch that goes on
/// in a line hands its state from commit to commit; only forks copy.
struct Waiting {
    states: BTreeMap<usize, Files>,
    children: Vec<usize>,
}

impl Waiting {
    fn new(plan: &Plan) -> Self {
        Waiting { states: BTreeMap::new(), children: plan.steps.iter().map(|step| step.children).collect() }
    }

    fn keep(&mut self, at: usize, files: Files) {
        self.states.insert(at, files);
    }

    /// The state of the first parent with the others merged into it, and what these merges touched.
    fn merged(&mut self, parents: &[usize]) -> (Files, Touched) {
        let mut touched = Touched::new();
        let Some((first, others)) = parents.split_first() else {
            return (Files::new(), touched);
        };
        let mut files = self.take(*first);
        for other in others {
            let lacking = self.states[other].diff_to(&files);
            for change in files.merge_changes(&lacking) {
                let (path, before) = told(change);
                touched.entry(path).or_insert(before);
            }
            self.release(*other);
        }
        (files, touched)
    }

    /// The state at `at`, for one of its children: the last one gets the state itself, the others a copy.
    fn take(&mut self, at: usize) -> Files {
        self.children[at] -= 1;
        if self.children[at] == 0 {
            self.states.remove(&at).expect("a state is kept until its last child has taken it")
        } else {
            self.states[&at].clone()
        }
    }

    /// One child less will ask for the state at `at`.
    fn release(&mut self, at: usize) {
        self.children[at] -= 1;
        if self.children[at] == 0 {
            self.states.remove(&at);
        }
    }
}

/// A blob id is a value type of this program's own. The library needs to know which plain value it is written as.
impl Element for BlobId {
    fn to_value(&self) -> Value {
        Value::Bytes(self.as_bytes().to_vec())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => BlobId::from_bytes(&bytes),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(byte: u8) -> BlobId {
        BlobId::from_bytes(&[byte; 20]).unwrap()
    }

    #[test]
    fn a_view_shows_a_tree_only_if_both_have_the_same_paths_and_blobs() {
        let mut files = Files::new();
        let (_, ()) = files.edit(&mut Writer::new(ReplicaId::from_u128(1)), |files| {
            files.entry(b"a").write(blob(1));
            files.entry(b"b").write(blob(2));
        });
        let tree = |entries: &[(&str, u8)]| -> Tree {
            entries.iter().map(|(path, byte)| (path.as_bytes().to_vec(), blob(*byte))).collect()
        };
        assert!(shows(&files, &tree(&[("a", 1), ("b", 2)])));
        assert!(!shows(&files, &tree(&[("a", 1)])));
        assert!(!shows(&files, &tree(&[("a", 1), ("b", 3)])));
        assert!(!shows(&files, &tree(&[("a", 1), ("c", 2)])));
        assert!(!shows(&files, &tree(&[("a", 1), ("b", 2), ("c", 3)])));

        let mut other = Files::new();
        let (_, ()) = other.edit(&mut Writer::new(ReplicaId::from_u128(2)), |files| files.entry(b"b").write(blob(3)));
        files.merge(other);
        assert!(!shows(&files, &tree(&[("a", 1), ("b", 2)])), "two blobs at one path are no tree");
    }

    #[test]
    fn a_blob_id_is_read_back_from_its_value() {
        for id in [blob(7), BlobId::from_bytes(&[9; 32]).unwrap()] {
            assert_eq!(BlobId::from_value(id.to_value()), Some(id));
        }
        assert_eq!(BlobId::from_value(Value::Bytes(vec![0; 21])), None);
        assert_eq!(BlobId::from_value(Value::Null), None);
    }
}
