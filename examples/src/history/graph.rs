//! Turns a commit graph into a plan: in which order to replay it, and which commits are one replica.
//!
//! ```text
//!   m ── m ── m ── m ── m ── m        m  carries on through forks and merges, up to a head
//!        ╲         ╱     ╲
//!         a ── a ─╯       b ── b      a  ends in the merge that takes it in; b ends at a head
//! ```
//! A replica is a branch. It begins at a root or at a fork, and ends in the merge that takes it in, or at a head. At a
//! fork one child carries the branch on (the one with the longest way to go), and each of the others begins a
//! branch of its own; a merge belongs to the branch of its first parent, the one that was merged *into*. So what one
//! replica does is a line: each of its edits has seen the one before, which is what dots counted from 1 demand.

use std::collections::HashMap;

use super::git::{Commit, CommitId};

/// The history in the order in which it is replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Parents come before children.
    pub steps: Vec<Step>,
    /// How many replicas there are.
    pub replicas: usize,
}

/// One commit, seen as an edit of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The commit.
    pub commit: CommitId,
    /// Its parents, as positions in the plan. All come earlier.
    pub parents: Vec<usize>,
    /// How many later steps build on this one. None: it is a head.
    pub children: usize,
    /// Which replica edits here, counted from 0.
    pub replica: usize,
    /// Whether this is the replica's first edit.
    pub begins: bool,
    /// Whether this is the replica's last edit.
    pub ends: bool,
}

impl Plan {
    /// Plans the replay of `commits`, in which parents come before children.
    ///
    /// The state after a commit is kept until the last of its children has been replayed, so the order decides how
    /// much is held at once. After a commit comes a child of it, and of several the one with the shortest way to a
    /// head first: side branches are finished before the main one goes on. On a history with 1 300 unmerged branches
    /// at most five states were waiting, against 750 with the longest way first.
    pub fn new(commits: &[Commit]) -> Self {
        let graph = Graph::new(commits);
        let order = graph.depth_first();
        let mut position = vec![0; commits.len()];
        for (at, commit) in order.iter().enumerate() {
            position[*commit] = at;
        }
        let mut steps: Vec<Step> = Vec::with_capacity(commits.len());
        let mut replicas = 0;
        for commit in order {
            let first = graph.parents[commit].first();
            let carried_on = first.filter(|parent| graph.heir(**parent) == Some(commit));
            let replica = match carried_on {
                Some(parent) => steps[position[*parent]].replica,
                None => {
                    replicas += 1;
                    replicas - 1
                }
            };
            steps.push(Step {
                commit: commits[commit].id,
                parents: graph.parents[commit].iter().map(|parent| position[*parent]).collect(),
                children: graph.children[commit].len(),
                replica,
                begins: carried_on.is_none(),
                ends: graph.heir(commit).is_none(),
            });
        }
        Plan { steps, replicas }
    }

    /// How many commits have more than one parent.
    pub fn merges(&self) -> usize {
        self.steps.iter().filter(|step| step.parents.len() > 1).count()
    }

    /// How many commits nothing builds on.
    pub fn heads(&self) -> usize {
        self.steps.iter().filter(|step| step.children == 0).count()
    }

    /// Each commit with its first parent, in the order of the plan: what [`changes`](super::git::Repository::changes) takes.
    pub fn comparisons(&self) -> Vec<(CommitId, Option<CommitId>)> {
        let first_parent = |step: &Step| step.parents.first().map(|parent| self.steps[*parent].commit);
        self.steps.iter().map(|step| (step.commit, first_parent(step))).collect()
    }
}

/// Commits as numbers, with their edges in both directions.
struct Graph {
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    /// How many commits lie on the longest way to a head.
    height: Vec<usize>,
}

impl Graph {
    fn new(commits: &[Commit]) -> Self {
        let number: HashMap<CommitId, usize> = commits.iter().enumerate().map(|(at, commit)| (commit.id, at)).collect();
        let mut graph = Graph {
            parents: Vec::with_capacity(commits.len()),
            children: vec![Vec::new(); commits.len()],
            height: vec![1; commits.len()],
        };
        for (at, commit) in commits.iter().enumerate() {
            let parents: Vec<usize> = commit.parents.iter().map(|parent| number[parent]).collect();
            for parent in &parents {
                graph.children[*parent].push(at);
            }
            graph.parents.push(parents);
        }
        for at in (0..commits.len()).rev() {
            let above = graph.children[at].iter().map(|child| graph.height[*child]).max();
            graph.height[at] = 1 + above.unwrap_or(0);
        }
        graph
    }

    /// The child that carries on the branch of `commit`, if any does: only one whose first parent it is can.
    fn heir(&self, commit: usize) -> Option<usize> {
        let mut heir = None;
        for child in self.children[commit].iter().copied() {
            let own = self.parents[child][0] == commit;
            if own && heir.is_none_or(|rival: usize| self.height[child] > self.height[rival]) {
                heir = Some(child);
            }
        }
        heir
    }

    fn depth_first(&self) -> Vec<usize> {
        let mut missing: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..missing.len()).filter(|commit| missing[*commit] == 0).collect();
        self.tallest_first(&mut ready);
        let mut order = Vec::with_capacity(missing.len());
        while let Some(commit) = ready.pop() {
            order.push(commit);
            let mut freed = Vec::new();
            for child in self.children[commit].iter().copied() {
                missing[child] -= 1;
                if missing[child] == 0 {
                    freed.push(child);
                }
            }
            self.tallest_first(&mut freed);
            ready.append(&mut freed);
        }
        order
    }

    /// The last of the list is taken first.
    fn tallest_first(&self, commits: &mut [usize]) {
        commits.sort_by_key(|commit| std::cmp::Reverse((self.height[*commit], *commit)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph in letters: each word is a commit followed by its parents.
    fn plan(words: &str) -> (Plan, String) {
        let id = |letter: char| CommitId::for_tests(letter as u8);
        let commits: Vec<Commit> = words
            .split(' ')
            .map(|word| {
                let mut letters = word.chars();
                Commit { id: id(letters.next().unwrap()), parents: letters.map(id).collect() }
            })
            .collect();
        let plan = Plan::new(&commits);
        let order = plan.steps.iter().map(|step| char::from(step.commit.prefix()[0])).collect();
        (plan, order)
    }

    fn replicas(plan: &Plan) -> Vec<usize> {
        plan.steps.iter().map(|step| step.replica).collect()
    }

    #[test]
    fn a_line_is_one_replica() {
        let (plan, order) = plan("a ba cb");
        assert_eq!((order.as_str(), plan.replicas, plan.merges(), plan.heads()), ("abc", 1, 0, 1));
        assert_eq!(plan.steps.iter().map(|step| step.begins).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(plan.steps.iter().map(|step| step.ends).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn a_side_branch_is_finished_first_and_ends_in_the_merge() {
        // a ── b ── c ── e ── f, with d beside b and c
        let (plan, order) = plan("a ba cb da ecd fe");
        assert_eq!(order, "adbcef");
        assert_eq!(replicas(&plan), [0, 1, 0, 0, 0, 0]);
        assert!(plan.steps[1].begins && plan.steps[1].ends);
        assert_eq!(plan.steps[4].parents, [3, 1]);
    }

    #[test]
    fn when_both_parents_have_other_heirs_a_merge_begins_a_replica() {
        // Criss-cross: d and e both merge b and c, in opposite directions; f merges d and e.
        let (plan, _) = plan("a ba ca dbc ecb fde");
        assert_eq!(plan.replicas, 2);
        // The same, but both merges go into b: only one of them can carry b's branch on, c's branch ends.
        let (plan, _) = self::plan("a ba ca dbc ebc fde");
        assert_eq!(plan.replicas, 3);
    }

    #[test]
    fn an_octopus_takes_in_every_branch() {
        let (plan, _) = plan("a ba ca da ebcd");
        assert_eq!((plan.replicas, plan.merges(), plan.heads()), (3, 1, 1));
        assert_eq!(plan.steps.last().unwrap().parents.len(), 3);
    }

    #[test]
    fn several_roots_and_heads_are_replicas_of_their_own() {
        let (plan, order) = plan("a b ca db ecd");
        assert_eq!((plan.replicas, plan.heads(), order.len()), (2, 1, 5));
        let (plan, _) = self::plan("a b");
        assert_eq!((plan.replicas, plan.heads()), (2, 2));
    }

    #[test]
    fn each_replica_begins_once_ends_once_and_its_steps_form_a_line() {
        let (plan, _) = plan("a ba ca dbc ebc fde gc hf if jhi");
        for replica in 0..plan.replicas {
            let own: Vec<usize> = (0..plan.steps.len()).filter(|at| plan.steps[*at].replica == replica).collect();
            assert_eq!(own.iter().filter(|at| plan.steps[**at].begins).count(), 1);
            assert_eq!(own.iter().filter(|at| plan.steps[**at].ends).count(), 1);
            for pair in own.windows(2) {
                assert_eq!(plan.steps[pair[1]].parents[0], pair[0]);
            }
        }
    }
}
