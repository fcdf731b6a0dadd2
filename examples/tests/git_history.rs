//! Histories whose outcome is worked out beforehand, and real ones where they are at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use crdt_examples::history::generate::{Outline, generate};
use crdt_examples::history::git::{BlobId, GitError, Repository, Selection};
use crdt_examples::history::report::Report;
use crdt_examples::history::sketch::{Mark, Sketch, Sketched, Stroke};
use crdt_examples::history::{HistoryError, run};
use crdt_examples::progress::Progress;
use crdt_examples::scratch::Scratch;

// --- Histories drawn by hand ---------------------------------------------------------------------------------------

/// Draws commits whose files hold short texts.
struct Drawing {
    sketch: Sketch,
}

impl Drawing {
    fn begin() -> Self {
        Drawing { sketch: Sketch::begin().expect("git is installed where the tests run") }
    }

    /// A commit in words: `a=1` writes, `-a` removes, compared with the first parent.
    fn commit(&mut self, parents: &[Mark], words: &str) -> Mark {
        let strokes: Vec<Stroke<'_>> = words
            .split_whitespace()
            .map(|word| match (word.strip_prefix('-'), word.split_once('=')) {
                (Some(path), _) => Stroke::Remove(path.as_bytes()),
                (None, Some((path, content))) => Stroke::Write(path.as_bytes(), content.as_bytes()),
                (None, None) => panic!("neither a write nor a removal: {word}"),
            })
            .collect();
        self.strokes(parents, &strokes)
    }

    fn strokes(&mut self, parents: &[Mark], strokes: &[Stroke<'_>]) -> Mark {
        self.sketch.commit(parents, strokes).unwrap()
    }

    /// Replays all that `tip` reaches.
    fn replay(self, tip: Mark) -> Report {
        replay(&self.finish(&[tip]), &Selection::default())
    }

    /// The first of `tips` is `main`, where `HEAD` points.
    fn finish(mut self, tips: &[Mark]) -> Sketched {
        for (at, tip) in tips.iter().enumerate() {
            let name = if at == 0 { "main".to_owned() } else { format!("branch-{at}") };
            self.sketch.branch(&name, *tip).unwrap();
        }
        self.sketch.finish().unwrap()
    }
}

fn replay(sketched: &Sketched, selection: &Selection) -> Report {
    run(&sketched.open().unwrap(), selection, &mut Progress::silent()).unwrap()
}

/// What merges came to: how many there were, how many left nothing to edit, and at the others the paths in conflict and
/// the paths that were edited.
#[track_caller]
fn assert_merges(report: &Report, merges: usize, already_equal: usize, conflicted: usize, edited: usize) {
    let found = (report.merges, report.merges_already_equal, report.conflicted_paths, report.paths_edited_at_merges);
    assert_eq!(found, (merges, already_equal, conflicted, edited), "{report}");
    assert!(report.holds(), "{report}");
}

#[test]
fn a_line_is_one_replica_and_merges_nothing() {
    let mut drawing = Drawing::begin();
    let first = drawing.commit(&[], "a=1 b=1");
    let second = drawing.commit(&[first], "a=2");
    let third = drawing.commit(&[second], "-b");
    let report = drawing.replay(third);
    assert_merges(&report, 0, 0, 0, 0);
    assert_eq!((report.commits, report.replicas, report.edits, report.deltas, report.paths), (3, 1, 3, 3, 1));
}

#[test]
fn branches_that_touch_different_paths_merge_by_themselves() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1 c=1");
    let left = drawing.commit(&[base], "a=2");
    let right = drawing.commit(&[base], "b=2 -c d=1");
    // Git writes the merge's tree out in comparison with the left: all of the right's work.
    let merge = drawing.commit(&[left, right], "b=2 -c d=1");
    let report = drawing.replay(merge);
    assert_merges(&report, 1, 1, 0, 0);
    assert_eq!((report.replicas, report.edits, report.deltas, report.paths), (2, 3, 3, 3));
}

#[test]
fn a_path_written_on_both_sides_is_a_conflict_which_the_merge_commit_settles() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1 c=1");
    let left = drawing.commit(&[base], "a=left b=left");
    let right = drawing.commit(&[base], "a=right b=right c=right");
    // a is written anew, b stays as on the left; c comes over by itself.
    let merge = drawing.commit(&[left, right], "a=both c=right");
    assert_merges(&drawing.replay(merge), 1, 0, 2, 2);
}

#[test]
fn the_same_content_written_on_both_sides_is_no_conflict() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1");
    let left = drawing.commit(&[base], "a=2 b=1");
    let right = drawing.commit(&[base], "a=2 b=1");
    let merge = drawing.commit(&[left, right], "");
    // Written over, the register has one value again.
    let after = drawing.commit(&[merge], "a=3 -b");
    assert_merges(&drawing.replay(after), 1, 1, 0, 0);
}

#[test]
fn a_path_removed_on_one_side_and_written_on_the_other_stays_until_the_merge_commit_removes_it() {
    // Adding wins, so the view has the written blob, alone: nothing is in conflict. If people had kept the file…
    let draw = |merged: &str| {
        let mut drawing = Drawing::begin();
        let base = drawing.commit(&[], "a=1 b=1");
        let left = drawing.commit(&[base], "-a");
        let right = drawing.commit(&[base], "a=2");
        let merge = drawing.commit(&[left, right], merged);
        drawing.replay(merge)
    };
    assert_merges(&draw("a=2"), 1, 1, 0, 0);
    // …there is nothing to do; if they agreed that it goes, the commit edits a path without conflict.
    assert_merges(&draw(""), 1, 0, 0, 1);
}

#[test]
fn a_change_slipped_into_a_merge_is_an_edit_without_a_conflict() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1 c=1");
    let left = drawing.commit(&[base], "a=2");
    let right = drawing.commit(&[base], "b=2");
    // c was touched by nobody, and the right's b is dropped.
    let merge = drawing.commit(&[left, right], "c=2");
    assert_merges(&drawing.replay(merge), 1, 0, 0, 2);
}

#[test]
fn criss_cross_merges_are_each_settled_and_then_meet() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1 c=1");
    let left = drawing.commit(&[base], "a=left");
    let right = drawing.commit(&[base], "a=right b=right");
    // Both merge the other's tip: a is in conflict each time, and they settle it differently.
    let into_left = drawing.commit(&[left, right], "b=right"); // keeps a=left: one edit
    let into_right = drawing.commit(&[right, left], "a=new"); // one edit
    // So a is in conflict once more; b is the same on both sides, by the same edit.
    let end = drawing.commit(&[into_left, into_right], "a=end");
    let report = drawing.replay(end);
    assert_merges(&report, 3, 0, 3, 3);
    assert_eq!((report.replicas, report.edits), (2, 6));
}

#[test]
fn criss_cross_merges_that_agree_merge_again_by_themselves() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1");
    let left = drawing.commit(&[base], "a=2");
    let right = drawing.commit(&[base], "b=2");
    let into_left = drawing.commit(&[left, right], "b=2");
    let into_right = drawing.commit(&[right, left], "a=2");
    let end = drawing.commit(&[into_left, into_right], "");
    assert_merges(&drawing.replay(end), 3, 3, 0, 0);
}

#[test]
fn what_both_sides_hold_may_vanish_when_each_has_removed_the_others_copy() {
    // Two roots write the same x. Each side gives up its own copy before it takes in the other's, so both end with
    // an x; and each has seen the other's be removed. Merged, nothing is left, although both trees have it. The commit
    // puts it back. No comparison of trees tells of this: it has to be read off the merge.
    let mut drawing = Drawing::begin();
    let p = drawing.commit(&[], "x=1 p=1");
    let q = drawing.commit(&[], "x=1 q=1");
    let without_p = drawing.commit(&[p], "-x");
    let without_q = drawing.commit(&[q], "-x");
    let left = drawing.commit(&[without_p, q], "x=1 q=1");
    let right = drawing.commit(&[without_q, p], "x=1 p=1");
    let end = drawing.commit(&[left, right], "");
    let report = drawing.replay(end);
    assert_merges(&report, 3, 2, 0, 1);
    assert_eq!(report.paths, 3);
}

#[test]
fn an_octopus_merge_takes_in_all_its_branches_at_once() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1 c=1 d=1");
    let one = drawing.commit(&[base], "a=2 d=one");
    let two = drawing.commit(&[base], "b=2 d=two");
    let three = drawing.commit(&[base], "c=2 d=three");
    // d has three values: one path.
    let merge = drawing.commit(&[one, two, three], "b=2 c=2 d=all");
    let report = drawing.replay(merge);
    assert_merges(&report, 1, 0, 1, 1);
    assert_eq!(report.replicas, 3);
}

#[test]
fn several_roots_meet_as_replicas_that_never_knew_of_each_other() {
    let mut drawing = Drawing::begin();
    let one = drawing.commit(&[], "a=1 shared=one");
    let two = drawing.commit(&[], "b=1 shared=two");
    let merge = drawing.commit(&[one, two], "b=1");
    // The third root has nothing in common with the others: it comes in by itself.
    let three = drawing.commit(&[], "c=1");
    let end = drawing.commit(&[merge, three], "c=1");
    let report = drawing.replay(end);
    assert_merges(&report, 2, 1, 1, 1);
    assert_eq!((report.commits, report.replicas), (5, 3));
}

#[test]
fn a_rename_is_a_path_that_goes_and_a_path_that_comes() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "old=text other=1");
    let renamed = drawing.commit(&[base], "-old new=text");
    let edited = drawing.commit(&[base], "old=longer");
    // Git follows the rename: the edit lands in the new path. The replicas do not: the old path stays, since
    // writing wins over removing, and the new one keeps the text it came with. Two edits, no conflict.
    let merge = drawing.commit(&[renamed, edited], "new=longer");
    assert_merges(&drawing.replay(merge), 1, 0, 0, 2);
}

#[test]
fn submodules_are_blobs_like_any_other() {
    let pin = |number: u64| format!("{number:040x}");
    let (first, second, third) = (pin(1), pin(2), pin(3));
    let mut drawing = Drawing::begin();
    let base = drawing.strokes(&[], &[Stroke::Submodule(b"lib", &first), Stroke::Write(b"a", b"1")]);
    let left = drawing.strokes(&[base], &[Stroke::Submodule(b"lib", &second)]);
    let right = drawing.strokes(&[base], &[Stroke::Submodule(b"lib", &third)]);
    let merge = drawing.strokes(&[left, right], &[Stroke::Submodule(b"lib", &third)]);
    let report = drawing.replay(merge);
    assert_merges(&report, 1, 0, 1, 1);
    assert_eq!(report.paths, 2);
}

#[test]
fn commits_that_leave_the_tree_or_its_blobs_alone_edit_without_a_delta() {
    let mut drawing = Drawing::begin();
    let first = drawing.commit(&[], "");
    let second = drawing.commit(&[first], "run=1");
    let third = drawing.commit(&[second], "");
    // The mode is no part of the value.
    let fourth = drawing.strokes(&[third], &[Stroke::WriteExecutable(b"run", b"1")]);
    let report = drawing.replay(fourth);
    assert_merges(&report, 0, 0, 0, 0);
    assert_eq!((report.commits, report.edits, report.deltas, report.paths), (4, 4, 1, 1));
}

#[test]
fn a_history_of_nothing_but_empty_commits_replays() {
    let mut drawing = Drawing::begin();
    let root = drawing.commit(&[], "");
    let (left, right) = (drawing.commit(&[root], ""), drawing.commit(&[root], ""));
    let merge = drawing.commit(&[left, right], "");
    let report = drawing.replay(merge);
    assert_merges(&report, 1, 1, 0, 0);
    assert_eq!((report.deltas, report.paths), (0, 0));
}

#[test]
fn a_path_may_be_any_bytes_that_git_allows() {
    let odd: [&[u8]; 5] =
        [b"not utf-8: \xff\xfe", b"tab\there", b"double\"quote", b"new line is \xe2\x8f\x8e", b" blank "];
    let mut drawing = Drawing::begin();
    let strokes: Vec<Stroke<'_>> = odd.iter().map(|path| Stroke::Write(path, b"1")).collect();
    let base = drawing.strokes(&[], &strokes);
    let left = drawing.strokes(&[base], &[Stroke::Write(odd[0], b"left"), Stroke::Write(odd[1], b"left")]);
    let right = drawing.strokes(&[base], &[Stroke::Write(odd[0], b"right"), Stroke::Remove(odd[2])]);
    let merge = drawing.strokes(&[left, right], &[Stroke::Write(odd[0], b"both"), Stroke::Remove(odd[2])]);
    let report = drawing.replay(merge);
    assert_merges(&report, 1, 0, 1, 1);
    assert_eq!(report.paths, 4);
}

#[test]
fn a_file_that_becomes_a_folder_goes_as_one_path_and_comes_as_others() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1");
    let left = drawing.commit(&[base], "-a a/b=1 a/c=1");
    let right = drawing.commit(&[base], "a=2");
    // No tree can hold both a and a/b; the replicas' view does until the commit decides.
    let merge = drawing.commit(&[left, right], "");
    let report = drawing.replay(merge);
    assert_merges(&report, 1, 0, 0, 1);
    assert_eq!(report.paths, 2);
}

#[test]
fn with_all_refs_every_head_is_merged_and_the_view_is_that_at_head() {
    let mut drawing = Drawing::begin();
    let base = drawing.commit(&[], "a=1 b=1");
    let main = drawing.commit(&[base], "a=main");
    let other = drawing.commit(&[base], "a=other -b");
    let third = drawing.commit(&[], "c=1");
    let sketched = drawing.finish(&[main, other, third]);

    let report = replay(&sketched, &Selection::All);
    assert_merges(&report, 0, 0, 0, 0);
    assert_eq!((report.commits, report.heads, report.replicas, report.paths), (4, 3, 3, 2));

    let named = replay(&sketched, &Selection::Refs(vec!["branch-1".to_owned()]));
    assert_eq!((named.commits, named.heads, named.paths), (2, 1, 1));
    assert!(named.holds());

    let default = replay(&sketched, &Selection::default());
    assert_eq!((default.commits, default.paths), (2, 2));
}

#[test]
fn the_same_history_gives_the_same_figures_every_time() {
    let made = generate(Outline { commits: 400, paths: 60, seed: 9 }, &mut Progress::silent()).unwrap();
    let figures = || Report { seconds: 0.0, peak_memory_bytes: None, ..replay(&made, &Selection::default()) };
    assert_eq!(figures(), figures());
}

#[test]
fn made_up_histories_converge_and_meet_every_situation() {
    let mut seen = BTreeSet::new();
    for seed in 1..=4 {
        let outline = Outline { commits: 700, paths: 100, seed };
        let report = replay(&generate(outline, &mut Progress::silent()).unwrap(), &Selection::default());
        assert!(report.holds(), "seed {seed}: {report}");
        assert_eq!((report.commits, report.samples), (700, 64), "seed {seed}");
        assert_eq!(report.edits, report.commits - report.merges_already_equal);
        for (what, happened) in [
            ("merges already equal", report.merges_already_equal > 0),
            ("merges that needed an edit", report.merges > report.merges_already_equal),
            ("conflicted paths", report.conflicted_paths > 0),
            ("paths edited without a conflict", report.paths_edited_at_merges > report.conflicted_paths),
            ("edits that changed nothing", report.edits > report.deltas),
        ] {
            if happened {
                seen.insert(what);
            }
        }
    }
    assert_eq!(seen.len(), 5, "only {seen:?}");
}

/// The same figures from the commit graph alone, by the definition of an add-wins map: a blob stands at a path if a commit
/// among the ancestors wrote it there, and no ancestor that had that commit among its own wrote or removed the path since.
/// No replicas, no dots, no merging, and every tree is read whole.
fn merges_by_definition(sketched: &Sketched) -> [usize; 4] {
    let repository = sketched.open().unwrap();
    let commits = repository.history(&Selection::default()).unwrap().commits;
    let mut ancestors: Vec<BTreeSet<usize>> = Vec::new();
    let mut edits: BTreeMap<Vec<u8>, BTreeMap<usize, Option<BlobId>>> = BTreeMap::new();
    let [mut merges, mut already_equal, mut conflicted, mut edited] = [0; 4];
    for (at, commit) in commits.iter().enumerate() {
        let mut known = BTreeSet::new();
        for parent in &commit.parents {
            let parent = commits.iter().position(|commit| commit.id == *parent).unwrap();
            known.extend(&ancestors[parent]);
            known.insert(parent);
        }
        let mut view: BTreeMap<Vec<u8>, BTreeSet<BlobId>> = BTreeMap::new();
        for (path, edits) in &edits {
            let seen = |edit: &usize| known.contains(edit);
            for (edit, blob) in edits.iter().filter(|(edit, _)| seen(edit)) {
                let overwritten = edits.keys().any(|later| seen(later) && ancestors[*later].contains(edit));
                if let (false, Some(blob)) = (overwritten, blob) {
                    view.entry(path.clone()).or_default().insert(*blob);
                }
            }
        }
        let tree = repository.tree(commit.id).unwrap();
        let paths: BTreeSet<Vec<u8>> = view.keys().chain(tree.keys()).cloned().collect();
        let differing = |path: &Vec<u8>| !view.get(path).into_iter().flatten().eq(tree.get(path));
        let to_edit: Vec<Vec<u8>> = paths.into_iter().filter(differing).collect();
        if commit.parents.len() > 1 {
            merges += 1;
            already_equal += usize::from(to_edit.is_empty());
            conflicted += view.values().filter(|blobs| blobs.len() > 1).count();
            edited += to_edit.len();
        }
        for path in to_edit {
            let blob = tree.get(&path).copied();
            edits.entry(path).or_default().insert(at, blob);
        }
        ancestors.push(known);
    }
    [merges, already_equal, conflicted, edited]
}

#[test]
fn what_merges_come_to_follows_from_the_commit_graph_alone() {
    for seed in 11..=13 {
        let made = generate(Outline { commits: 250, paths: 40, seed }, &mut Progress::silent()).unwrap();
        let [merges, already_equal, conflicted, edited] = merges_by_definition(&made);
        assert!(merges > already_equal && already_equal > 0 && edited > conflicted && conflicted > 0, "seed {seed}");
        assert_merges(&replay(&made, &Selection::default()), merges, already_equal, conflicted, edited);
    }
}

// --- What cannot be replayed ---------------------------------------------------------------------------------------

fn error(place: &Path, selection: &Selection) -> HistoryError {
    let report =
        Repository::open(place).map_err(HistoryError::from).and_then(|it| run(&it, selection, &mut Progress::silent()));
    report.expect_err("there is nothing to replay")
}

fn git(place: &Path, arguments: &[&str]) -> io::Result<Output> {
    Command::new("git").arg("-C").arg(place).args(arguments).stdin(Stdio::null()).output()
}

#[test]
fn what_is_no_repository_is_said_to_be_none() {
    let folder = Scratch::new("no-repository").unwrap();
    let here = folder.path();
    assert_eq!(error(here, &Selection::All), GitError::NotARepository(here.to_owned()).into());
    let nowhere = here.join("nowhere");
    assert_eq!(error(&nowhere, &Selection::All), GitError::NoSuchFolder(nowhere).into());
    let file = here.join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(error(&file, &Selection::All), GitError::NoSuchFolder(file).into());
}

#[test]
fn a_shallow_clone_is_refused() {
    let mut drawing = Drawing::begin();
    let first = drawing.commit(&[], "a=1");
    let second = drawing.commit(&[first], "a=2");
    let whole = drawing.finish(&[second]);
    let folder = Scratch::new("shallow").unwrap();
    let clone = folder.path().join("clone");
    let from = format!("file://{}", whole.path().display());
    let made = git(folder.path(), &["clone", "--quiet", "--depth=1", &from, "clone"]).unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(error(&clone, &Selection::default()), GitError::Shallow(clone.clone()).into());
}

#[test]
fn a_work_tree_and_a_folder_in_it_are_as_good_as_a_bare_repository() {
    let mut drawing = Drawing::begin();
    let only = drawing.commit(&[], "folder/a=1");
    let bare = drawing.finish(&[only]);
    let place = Scratch::new("work-tree").unwrap();
    let from = bare.path().display().to_string();
    assert!(git(place.path(), &["clone", "--quiet", &from, "clone"]).unwrap().status.success());
    let report = run(
        &Repository::open(&place.path().join("clone/folder")).unwrap(),
        &Selection::default(),
        &mut Progress::silent(),
    );
    assert_eq!(report.unwrap().paths, 1);
}

#[test]
fn a_name_that_means_nothing_is_repeated_in_the_error() {
    let mut drawing = Drawing::begin();
    let only = drawing.commit(&[], "a=1");
    let sketched = drawing.finish(&[only]);
    for name in ["gone", "main..main", "--all", "", "main:a"] {
        let refs = Selection::Refs(vec!["main".to_owned(), name.to_owned()]);
        assert_eq!(error(sketched.path(), &refs), GitError::UnknownRef(name.to_owned()).into(), "{name}");
    }
}

#[test]
fn a_repository_without_commits_and_a_head_without_any_are_told_apart() {
    let empty = Drawing::begin().finish(&[]);
    let place = empty.path().to_owned();
    for selection in [Selection::default(), Selection::All] {
        assert_eq!(error(&place, &selection), GitError::NoCommits(place.clone()).into());
    }
    let mut drawing = Drawing::begin();
    let only = drawing.commit(&[], "a=1");
    let sketched = drawing.finish(&[only]);
    let place = sketched.path().to_owned();
    assert!(git(&place, &["branch", "-m", "main", "trunk"]).unwrap().status.success());
    assert!(git(&place, &["symbolic-ref", "HEAD", "refs/heads/unborn"]).unwrap().status.success());
    assert_eq!(error(&place, &Selection::default()), GitError::UnbornHead(place.clone()).into());
    assert_eq!(replay(&sketched, &Selection::All).commits, 1);
}

// --- The program ---------------------------------------------------------------------------------------------------

fn git_history(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_git_history")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

#[test]
fn the_program_prints_one_json_object() {
    let ran = git_history(&["--generated=300", "--json"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(json["commits"], 300);
    assert_eq!((&json["final_tree_equal"], &json["digests_equal"]), (&true.into(), &true.into()));
    let keys = "commits replicas merges edits deltas delta_bytes state_bytes merges_already_equal conflicted_paths \
        final_tree_equal digests_equal seconds";
    let mut found: Vec<&String> = json.as_object().unwrap().keys().collect();
    let mut wanted: Vec<&str> = keys.split_whitespace().collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn the_program_prints_a_report_for_people() {
    let ran = git_history(&["--generated=300"]);
    assert!(ran.status.success());
    let report = text(&ran.stdout);
    assert!(report.contains("300 commits") && report.contains("one digest") && !report.contains("NO "), "{report}");
}

#[test]
fn the_program_says_in_one_line_what_is_wrong_and_ends_with_2() {
    let folder = Scratch::new("nothing-to-replay").unwrap();
    let here = folder.path().to_str().unwrap();
    for (arguments, complaint) in [
        (&[here][..], "not a git repository"),
        (&["no/such/folder"], "no such folder"),
        (&["--nonsense"], "unknown argument --nonsense"),
        (&["--generated=many"], "unknown argument --generated=many"),
        (&[here, "main", "--all"], "--all leaves no ref to name"),
        (&["--generated", here], "needs no repository"),
    ] {
        let ran = git_history(arguments);
        let said = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(complaint) && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(ran.stdout.is_empty());
    }
    let without_git = Command::new(env!("CARGO_BIN_EXE_git_history")).arg(here).env("PATH", here).output().unwrap();
    assert_eq!(without_git.status.code(), Some(2));
    assert!(text(&without_git.stderr).contains("cannot start git"));
}

// --- Real histories ------------------------------------------------------------------------------------------------
// Their figures were found beforehand with a naive model of the replicas.

#[test]
fn the_history_of_this_repository_replays() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    match Repository::open(here)
        .map_err(HistoryError::from)
        .and_then(|it| run(&it, &Selection::default(), &mut Progress::silent()))
    {
        Ok(report) => assert!(report.holds(), "{report}"),
        Err(error) => eprintln!("not replayed: this checkout has no history ({error})"),
    }
}

/// A repository made of a compressed stream beside the workspace, if it is there.
fn beside_the_workspace(name: &str) -> Option<(Scratch, Repository)> {
    let stream: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if !stream.is_file() {
        eprintln!("not replayed: {name} is not beside the workspace");
        return None;
    }
    let folder = Scratch::new("real-history").unwrap();
    assert!(git(folder.path(), &["init", "--quiet", "--bare", "."]).unwrap().status.success());
    let unpacked = match Command::new("xz").arg("-dc").arg(&stream).stdout(Stdio::piped()).spawn() {
        Ok(unpacking) => unpacking,
        Err(error) => {
            eprintln!("not replayed: {name} cannot be unpacked without xz ({error})");
            return None;
        }
    };
    let imported = Command::new("git")
        .arg("-C")
        .arg(folder.path())
        .args(["fast-import", "--quiet"])
        .stdin(unpacked.stdout.expect("standard output was asked for"))
        .status();
    assert!(imported.unwrap().success());
    let repository = Repository::open(folder.path()).unwrap();
    Some((folder, repository))
}

#[test]
fn the_history_of_a_project_with_many_merges_replays() {
    if let Some((_folder, repository)) = beside_the_workspace("history-a.fi.xz") {
        let report = run(&repository, &Selection::All, &mut Progress::silent()).unwrap();
        assert_eq!(report.commits, 2_050);
        assert_merges(&report, 484, 410, 236, 238);
    }
}

#[test]
fn the_history_of_a_project_with_many_branches_replays() {
    if let Some((_folder, repository)) = beside_the_workspace("history-b.fi.xz") {
        let report = run(&repository, &Selection::All, &mut Progress::silent()).unwrap();
        assert_eq!(report.commits, 5_598);
        assert_merges(&report, 696, 642, 172, 216);
    }
}
