//! Which way of answering is the shortest. Every size is known, or bounded, before anything is sent.

use crdt_core::{DotSet, DotStore};

use super::{Theirs, View, told};
use crate::Plan;
use crate::sketch::{Alphabet, cell_bytes, window};

/// What one missing dot costs a sketch, about: cells at 1.4 per difference.
const SKETCH_BYTES_PER_DOT: u64 = 18;
/// Entries that are looked at to tell how large one is.
const SAMPLE: u64 = 64;
/// About what one run takes in a set of dots.
const RUN_BYTES: u64 = 3;

/// How much of what differs is known before anything is sent.
pub(super) struct Choice {
    pub(super) plan: Plan,
    /// Cells to send at first.
    pub(super) window: usize,
    /// Cells that cost more than the set of live dots would.
    pub(super) window_max: usize,
}

/// What the answer is chosen from.
pub(super) struct Sizes<'a> {
    /// What the other side told.
    pub(super) theirs: &'a Theirs,
    /// Live here and unseen there.
    pub(super) want: &'a DotSet,
    /// Seen by both.
    pub(super) common: &'a DotSet,
    /// The spelling of those, where there is one.
    pub(super) alphabet: Option<&'a Alphabet>,
    /// The least that is asked for.
    pub(super) least: Plan,
}

/// Decides how to answer.
pub(super) fn choose<S: DotStore>(sizes: &Sizes<'_>, view: &View<'_, S>) -> Choice {
    let Sizes { theirs, want, common, alphabet, least } = sizes;
    let live_len = view.state.live_len() as u64;
    let live_common = live_len - want.len();
    let bitmap = common.len() / 8;
    let each = entry_bytes(view, want);
    let entries = each.saturating_mul(want.len());

    let wide = alphabet.is_some_and(Alphabet::is_wide);
    let cell = cell_bytes(wide) as u64;
    let first = window(estimate(theirs, want, view));
    let most = (live_common.saturating_mul(8) / 5).min(bitmap / cell);
    let done =
        |plan| Choice { plan, window: first, window_max: usize::try_from(most).unwrap_or(usize::MAX).max(first) };

    #[cfg(any(test, feature = "sim"))]
    if let Some(plan) = view.config.plan
        && rank(*least) <= rank(plan)
        && (plan != Plan::Log || view.log.holds(&view.received.difference(&theirs.received)))
        && (plan != Plan::Sketch || alphabet.is_some())
    {
        return done(plan);
    }
    if rank(*least) <= rank(Plan::Log) && serves_log(theirs, entries, bitmap, view) {
        return done(Plan::Log);
    }
    let whole = each.saturating_mul(live_len);
    if *least == Plan::Whole || theirs.seen.is_empty() || whole <= view.config.limits.whole_bytes_max as u64 {
        return done(Plan::Whole);
    }
    // The set of live dots takes a bit per dot that both have seen, or a few bytes per run of live ones.
    let set = bitmap.min(view.state.live_runs_len() as u64 * RUN_BYTES);
    let cells = first as u64 * cell;
    let may_sketch = rank(*least) <= rank(Plan::Sketch) && alphabet.is_some();
    if may_sketch && cells <= set && entries + cells <= whole {
        return done(Plan::Sketch);
    }
    if set <= view.config.limits.live_set_bytes_max as u64 && entries + set <= whole {
        return done(Plan::LiveSet);
    }
    done(Plan::Whole)
}

fn rank(plan: Plan) -> u8 {
    match plan {
        Plan::Ask => 0,
        Plan::Log => 1,
        Plan::Sketch => 2,
        Plan::LiveSet => 3,
        Plan::Whole => 4,
    }
}

/// Whether the log has what the other lacks, at fewer bytes: a million increments are one live dot.
fn serves_log<S: DotStore>(theirs: &Theirs, entries: u64, bitmap: u64, view: &View<'_, S>) -> bool {
    let missing = told::received_of(view).difference(&theirs.received);
    missing.is_empty()
        || view.log.holds(&missing)
            && view.log.bytes_of(&missing) as u64 <= entries + (SKETCH_BYTES_PER_DOT * missing.len()).min(bitmap)
}

/// About how large an entry is, by a few of those that would be sent, or of all.
fn entry_bytes<S: DotStore>(view: &View<'_, S>, want: &DotSet) -> u64 {
    let first = |dots: &DotSet| -> DotSet { dots.iter().take(SAMPLE as usize).collect() };
    let mut sample = view.state.restrict(&first(want));
    if sample.entries().len() == 0 {
        let newest: DotSet = view.frontier.iter().take(SAMPLE as usize).collect();
        sample = view.state.restrict(&newest);
    }
    if sample.entries().len() == 0 {
        // Neither tells; the smallest states show themselves, and for the rest an entry is at least this.
        if view.state.live_len() as u64 > SAMPLE {
            return 16;
        }
        sample = view.state.restrict(&view.state.live());
    }
    let count = sample.entries().len() as u64;
    (sample.encode().len() as u64).checked_div(count).unwrap_or(0).max(1)
}

/// How many dots that both have seen are live on one side only, by the counts. Exact where edits either add or remove
/// one thing each; overwriting does both with one dot, and then a second window may be needed.
fn estimate<S: DotStore>(theirs: &Theirs, want: &DotSet, view: &View<'_, S>) -> u64 {
    let live_common = view.state.live_len() as u64 - want.len();
    let unseen_here = theirs.seen.difference(view.state.seen()).len();
    let unseen_there = view.state.seen().difference(&theirs.seen).len();
    // A removal's own dot is retired at birth: each of those stands for about one dot that was retired here.
    let retired_here = unseen_there.saturating_sub(want.len());
    // Of what was done there some adds are live, the others are removals; the counts tell how many of each.
    let added_there =
        ((theirs.live_count + unseen_here).saturating_sub(live_common + retired_here) / 2).min(unseen_here);
    let retired_there = unseen_here - added_there;
    let their_common = theirs.live_count.saturating_sub(added_there);
    let retired_here = retired_here.max((their_common + retired_there).saturating_sub(live_common));
    retired_here + retired_there
}

/// How many cells to have after a window that did not decode: a quarter more, or what is needed if every unseen edit
/// on each side retired something, as overwriting does.
pub(super) fn later_window(have: usize, unseen: (u64, u64), live_common: (u64, u64)) -> usize {
    let (mine, theirs) = live_common;
    let by_mine = (2 * unseen.0 + mine).saturating_sub(theirs);
    let by_theirs = (2 * unseen.1 + theirs).saturating_sub(mine);
    let most = window(by_mine.min(by_theirs).max(mine.abs_diff(theirs)));
    (have + have.div_ceil(4)).max(most.min(2 * have))
}
