//! Makes up a history that looks like a real one, for machines that have none at hand.
//!
//! Branches fork, go on for a while and merge; most merges are clean, some end in a conflict that the merge commit
//! settles; now and then two branches merge each other crosswise, three merge at once, a second root appears,
//! something is renamed, removed, pinned as a submodule, or nothing changes at all.

use std::collections::BTreeMap;

use super::git::GitError;
use super::sketch::{Mark, Sketch, Sketched, Stroke};
use crate::progress::Progress;
use crate::random::Random;

/// What to make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// How many commits.
    pub commits: usize,
    /// About how many paths the tree has.
    pub paths: usize,
    /// The same seed makes the same history, to the last byte.
    pub seed: u64,
}

/// Makes the repository. Its branch `main` reaches every commit.
pub fn generate(outline: Outline, progress: &mut Progress) -> Result<Sketched, GitError> {
    let mut author = Author::begin(outline)?;
    while author.commits + BRANCHES_MAX < outline.commits {
        author.act()?;
        progress.report("making up commits", author.commits, outline.commits);
    }
    author.finish()
}

/// As many branches as are open at once in a busy project.
const BRANCHES_MAX: usize = 12;

/// Where a path stands on a branch: the number of the edit that wrote it, and whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    edit: u64,
    present: bool,
}

struct Branch {
    tip: Mark,
    files: BTreeMap<u32, Version>,
    /// For each branch by its number: up to which edit this one knows what the other did.
    knows: BTreeMap<usize, u64>,
}

/// Edits and merges branches, and writes down what comes of it.
struct Author {
    outline: Outline,
    random: Random,
    sketch: Sketch,
    branches: BTreeMap<usize, Branch>,
    branches_made: usize,
    commits: usize,
    edits: u64,
}

impl Author {
    fn begin(outline: Outline) -> Result<Self, GitError> {
        let mut author = Author {
            outline,
            random: Random::new(outline.seed),
            sketch: Sketch::begin()?,
            branches: BTreeMap::new(),
            branches_made: 0,
            commits: 0,
            edits: 0,
        };
        let files = 0..(outline.paths as u32).max(1);
        author.root(files)?;
        Ok(author)
    }

    fn act(&mut self) -> Result<(), GitError> {
        let branch = self.any_branch();
        match self.random.below(1000) {
            0..=1 => {
                let first = self.outline.paths as u32 * 2 + self.edits as u32;
                self.root(first..first + 3)
            }
            2..=159 if self.branches.len() < BRANCHES_MAX => {
                self.fork(branch);
                Ok(())
            }
            160..=299 if self.branches.len() > 1 => {
                let other = self.any_other_branch(&[branch]);
                self.merge(branch, &[other])
            }
            300..=306 if self.branches.len() > 1 => self.criss_cross(branch),
            307..=313 if self.branches.len() > 2 => {
                let second = self.any_other_branch(&[branch]);
                let third = self.any_other_branch(&[branch, second]);
                self.merge(branch, &[second, third])
            }
            _ => self.edit(branch),
        }
    }

    fn finish(mut self) -> Result<Sketched, GitError> {
        let main = *self.branches.keys().next().expect("a branch is only ended by merging it into another");
        while self.branches.len() > 1 {
            let other = self.any_other_branch(&[main]);
            self.merge(main, &[other])?;
        }
        while self.commits < self.outline.commits {
            self.edit(main)?;
        }
        self.sketch.branch("main", self.branches[&main].tip)?;
        self.sketch.finish()
    }

    /// A commit without parents, with these files.
    fn root(&mut self, files: std::ops::Range<u32>) -> Result<(), GitError> {
        self.edits += 1;
        let version = Version { edit: self.edits, present: true };
        let changes: Vec<(u32, Version)> = files.map(|file| (file, version)).collect();
        let tip = self.commit(&[], &changes)?;
        let branch = Branch { tip, files: changes.into_iter().collect(), knows: BTreeMap::new() };
        self.branches.insert(self.branches_made, branch);
        self.branches_made += 1;
        Ok(())
    }

    fn edit(&mut self, number: usize) -> Result<(), GitError> {
        let mut changes = Vec::new();
        // One commit in fifty changes nothing.
        let wanted = if self.random.chance(2) { 0 } else { 1 + self.random.below(3) * self.random.below(3) };
        for _ in 0..wanted {
            let file = self.random.below(self.outline.paths.max(1)) as u32;
            let present = self.branches[&number].files.get(&file).is_some_and(|version| version.present);
            self.edits += 1;
            let gone = Version { edit: self.edits, present: false };
            let written = Version { edit: self.edits, present: true };
            match self.random.below(100) {
                0..=5 if present => changes.push((file, gone)),
                6..=9 if present => {
                    // A rename: the path goes, and another that was never used comes.
                    changes.push((file, gone));
                    changes.push(((self.outline.paths * 4) as u32 + self.edits as u32, written));
                }
                _ => changes.push((file, written)),
            }
        }
        changes.sort_by_key(|(file, _)| *file);
        changes.dedup_by_key(|(file, _)| *file);
        let tip = self.commit(&[self.branches[&number].tip], &changes)?;
        let branch = self.branches.get_mut(&number).expect("the branch was looked up above");
        branch.tip = tip;
        branch.files.extend(changes);
        Ok(())
    }

    fn fork(&mut self, number: usize) {
        let parent = &self.branches[&number];
        let mut knows = parent.knows.clone();
        knows.insert(number, self.edits);
        let child = Branch { tip: parent.tip, files: parent.files.clone(), knows };
        self.branches.insert(self.branches_made, child);
        let known: Vec<usize> = self.branches.keys().copied().collect();
        for other in known {
            let of_parent =
                if other == number { Some(self.edits) } else { self.branches[&other].knows.get(&number).copied() };
            if let Some(edit) = of_parent {
                let other = self.branches.get_mut(&other).expect("listed above");
                other.knows.insert(self.branches_made, edit);
            }
        }
        self.branches_made += 1;
    }

    /// Two branches merge each other, both from where they stood before, and both go on.
    fn criss_cross(&mut self, left: usize) -> Result<(), GitError> {
        let right = self.any_other_branch(&[left]);
        let into_left = self.settle(left, &[right]);
        let into_right = self.settle(right, &[left]);
        let (left_tip, right_tip) = (self.branches[&left].tip, self.branches[&right].tip);
        self.land(left, &[left_tip, right_tip], into_left)?;
        self.land(right, &[right_tip, left_tip], into_right)?;
        self.learn(left, right);
        self.learn(right, left);
        Ok(())
    }

    /// Merges `others` into `number`; they end.
    fn merge(&mut self, number: usize, others: &[usize]) -> Result<(), GitError> {
        let changes = self.settle(number, others);
        let tips: Vec<Mark> = [number].iter().chain(others).map(|branch| self.branches[branch].tip).collect();
        self.land(number, &tips, changes)?;
        for other in others {
            self.learn(number, *other);
            self.branches.remove(other);
        }
        Ok(())
    }

    /// What a merge of `others` into `number` changes there. A path that only one side has edited since they last knew
    /// of each other goes to that side; where both have, somebody settles it by hand.
    fn settle(&mut self, number: usize, others: &[usize]) -> Vec<(u32, Version)> {
        let mut settled = BTreeMap::new();
        for other in others {
            let (ours, theirs) = (&self.branches[&number], &self.branches[other]);
            let known = ours.knows.get(other).max(theirs.knows.get(&number)).copied().unwrap_or(0);
            for (file, version) in &theirs.files {
                let own = settled.get(file).or(ours.files.get(file)).copied();
                let own_edit = own.map_or(0, |own: Version| own.edit);
                if Some(*version) == own || (!version.present && own.is_none()) {
                    continue;
                }
                if own_edit.min(version.edit) <= known {
                    if version.edit > own_edit {
                        settled.insert(*file, *version);
                    }
                } else {
                    match self.random.below(10) {
                        0..=6 => {
                            self.edits += 1;
                            settled.insert(*file, Version { edit: self.edits, present: true });
                        }
                        7..=8 => drop(settled.insert(*file, *version)),
                        _ => {}
                    }
                }
            }
        }
        settled.into_iter().collect()
    }

    fn land(&mut self, number: usize, parents: &[Mark], changes: Vec<(u32, Version)>) -> Result<(), GitError> {
        let tip = self.commit(parents, &changes)?;
        let branch = self.branches.get_mut(&number).expect("only open branches are merged");
        branch.tip = tip;
        branch.files.extend(changes);
        Ok(())
    }

    /// `number` now knows what `other` knows.
    fn learn(&mut self, number: usize, other: usize) {
        let mut learned = self.branches[&other].knows.clone();
        learned.insert(other, self.edits);
        learned.remove(&number);
        let branch = self.branches.get_mut(&number).expect("only open branches are merged");
        for (of, edit) in learned {
            let known = branch.knows.entry(of).or_default();
            *known = edit.max(*known);
        }
    }

    fn commit(&mut self, parents: &[Mark], changes: &[(u32, Version)]) -> Result<Mark, GitError> {
        self.commits += 1;
        let texts: Vec<(Vec<u8>, String)> =
            changes.iter().map(|(file, version)| (path_of(*file), version.edit.to_string())).collect();
        // Every ninety-seventh file is a submodule.
        let pins: Vec<String> = changes.iter().map(|(_, version)| format!("{:040x}", version.edit)).collect();
        let strokes: Vec<Stroke<'_>> = changes
            .iter()
            .zip(texts.iter().zip(&pins))
            .map(|((file, version), ((path, text), pin))| match version.present {
                false => Stroke::Remove(path),
                true if file % 97 == 96 => Stroke::Submodule(path, pin),
                true => Stroke::Write(path, text.as_bytes()),
            })
            .collect();
        self.sketch.commit(parents, &strokes)
    }

    fn any_branch(&mut self) -> usize {
        self.any_other_branch(&[])
    }

    fn any_other_branch(&mut self, than: &[usize]) -> usize {
        let choice: Vec<usize> = self.branches.keys().copied().filter(|branch| !than.contains(branch)).collect();
        choice[self.random.below(choice.len())]
    }
}

/// A folder per forty files, as in a project of some age; one name in a hundred is not UTF-8.
fn path_of(file: u32) -> Vec<u8> {
    let mut path = format!("part-{}/section-{}/file-{file}", file / 400, file / 40 % 10).into_bytes();
    if file % 100 == 99 {
        path.push(0xff);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::git::Selection;
    use crate::history::graph::Plan;

    fn history(seed: u64) -> Vec<crate::history::git::Commit> {
        let outline = Outline { commits: 600, paths: 80, seed };
        let sketched = generate(outline, &mut Progress::silent()).unwrap();
        sketched.open().unwrap().history(&Selection::default()).unwrap().commits
    }

    #[test]
    fn the_same_seed_makes_the_same_history_and_another_seed_another() {
        assert_eq!(history(1), history(1));
        assert_ne!(history(1), history(2));
    }

    #[test]
    fn a_made_up_history_has_all_that_real_ones_have() {
        let commits = history(3);
        let parents = |count: usize| commits.iter().filter(|commit| commit.parents.len() == count).count();
        assert_eq!(commits.len(), 600);
        assert!(parents(0) > 1, "several roots");
        assert!(parents(2) > 40, "merges");
        assert!(parents(3) > 0, "octopus merges");
        let crossed = commits.iter().any(|one| {
            let turned: Vec<_> = one.parents.iter().rev().copied().collect();
            turned.len() == 2 && commits.iter().any(|other| other.parents == turned)
        });
        assert!(crossed, "criss-cross merges");
        assert_eq!(Plan::new(&commits).heads(), 1);
    }
}
