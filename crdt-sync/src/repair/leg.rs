//! What one side has sent, as far as it came, and what follows from it once all is there.

use crdt_core::{Delta, DotSet, DotStore, Merge};

use super::plan::later_window;
use super::stage::Staged;
use super::told::{Theirs, Told};
use super::{View, told};
use crate::few::Few;
use crate::sketch::{Alphabet, peel, subtract};
use crate::weight::held_bytes;
use crate::{CancelReason, Cell, Finish, Limits, Plan};

/// More cells than any repair would send: above this a set of live dots is always shorter.
const CELLS_MAX: usize = 1 << 17;
/// What a run of dots takes in memory.
const RUN_BYTES: usize = 16;

/// One direction of a repair, on its way in. Nothing is concluded before all of it is here.
#[derive(Clone, Debug)]
pub(super) struct Leg<S: DotStore> {
    pub(super) theirs: Option<Theirs>,
    pub(super) entries: Delta<S>,
    pub(super) bytes: usize,
    pub(super) finish: Option<Finish>,
    cells: Vec<Cell>,
    /// Cells that came before those they follow.
    later: Few<usize, Vec<Cell>>,
    asked: usize,
    live: Option<DotSet>,
    /// It is read to its end once, and nobody takes it up again: what follows from it takes its entries along.
    once: bool,
}

/// What a leg says so far.
#[allow(clippy::large_enum_variant, reason = "it is made and taken apart once for each message")]
pub(super) enum Outcome<S: DotStore> {
    /// Something is still on its way.
    Wait,
    /// These cells are needed, too.
    More { from: usize, count: usize },
    /// It cannot be used.
    Broken(CancelReason),
    /// A sum is wrong: the sketch lied, or a replica is at fault.
    Mismatch,
    /// All is here and right.
    Ready(Verdict<S>),
}

/// What follows from one leg.
pub(super) struct Verdict<S: DotStore> {
    /// To be merged here, in one step.
    pub(super) delta: Delta<S>,
    /// The dots of all entries.
    pub(super) dots: DotSet,
    /// Dots that both have seen, live there and not here.
    pub(super) only_theirs: DotSet,
}

impl<S: DotStore> Leg<S> {
    pub(super) fn new() -> Self {
        Self {
            theirs: None,
            entries: Delta::new(),
            bytes: 0,
            finish: None,
            cells: Vec::new(),
            later: Few::new(),
            asked: 0,
            live: None,
            once: false,
        }
    }

    /// One that is read when all of it is here.
    pub(super) fn once() -> Self {
        Self { once: true, ..Self::new() }
    }

    pub(super) fn add_entries(
        &mut self,
        entries: Delta<S>,
        bytes: usize,
        view: &View<'_, S>,
    ) -> Result<(), CancelReason> {
        if !entries.retired().is_empty() || entries.own().len() != entries.entries().len() as u64 {
            return Err(CancelReason::OutOfTurn);
        }
        self.bytes = self.bytes.saturating_add(held_bytes(bytes, &entries));
        if self.bytes > view.config.limits.staged_bytes_max {
            return Err(CancelReason::TooLarge);
        }
        self.entries.merge(entries);
        Ok(())
    }

    pub(super) fn add_cells(&mut self, from: usize, cells: Vec<Cell>) -> Result<(), CancelReason> {
        if from.saturating_add(cells.len()) > CELLS_MAX {
            return Err(CancelReason::TooLarge);
        }
        let waiting: usize = self.later.values().map(Vec::len).sum();
        if waiting + cells.len() > CELLS_MAX {
            return Err(CancelReason::TooLarge);
        }
        self.later.get_or_insert_with(from, || cells);
        // What is in order joins the row; what came twice is dropped.
        while let Some(from) = self.later.first_key().copied().filter(|from| *from <= self.cells.len()) {
            let Some(cells) = self.later.remove(&from) else { break };
            let fresh = cells.get(self.cells.len() - from..).unwrap_or_default();
            self.cells.extend_from_slice(fresh);
        }
        Ok(())
    }

    /// Each part is bounded by its frame; all of them are bounded here.
    pub(super) fn add_live(&mut self, live: &DotSet, limits: &Limits) -> Result<(), CancelReason> {
        let all = self.live.get_or_insert_default();
        all.union_with(live);
        if all.run_count() > limits.live_set_bytes_max / RUN_BYTES {
            self.live = None;
            return Err(CancelReason::TooLarge);
        }
        Ok(())
    }

    /// The dots of the entries that the finish speaks of, once all are here.
    fn proven(&self, finish: &Finish, stage: &Staged<S>, view: &View<'_, S>) -> Result<Option<DotSet>, CancelReason> {
        // They may have expired in between.
        if !finish.kept.is_subset(stage.dots()) {
            return Err(CancelReason::Incomplete);
        }
        let mut dots = self.entries.own().clone();
        dots.union_with(&finish.kept);
        if is_credulous(view) {
            return Ok(Some(dots));
        }
        // Nothing is taken for removed before count and hash prove that all entries are here. Each has one dot.
        let count = dots.len();
        if count > finish.entry_count {
            return Err(CancelReason::OutOfTurn);
        }
        let complete = count == finish.entry_count && view.sketch.key().sum(&dots) == finish.entry_hash;
        Ok(complete.then_some(dots))
    }

    /// Reads a leg that has a summary of its own; `told` is what its sender knows of this side.
    pub(super) fn read(&mut self, told: &Told, stage: &Staged<S>, view: &View<'_, S>) -> Outcome<S> {
        let (Some(theirs), Some(finish)) = (&self.theirs, &self.finish) else { return Outcome::Wait };
        let dots = match self.proven(finish, stage, view) {
            Ok(Some(dots)) => dots,
            Ok(None) => return Outcome::Wait,
            Err(reason) => return Outcome::Broken(reason),
        };
        let nothing = DotSet::new();
        let known = if theirs.plan == Plan::Whole { &nothing } else { &told.seen };
        let sound = dots.is_subset(&theirs.seen) && dots.intersection(known).is_empty();
        let Some(live_common) = theirs.live_count.checked_sub(finish.entry_count).filter(|_| sound) else {
            return Outcome::Broken(CancelReason::OutOfTurn);
        };
        let common = known.intersection(&theirs.seen);
        let apart = match self.apart(theirs, &common, live_common, told, view) {
            Ok(apart) => apart,
            Err(outcome) => return outcome,
        };
        let key = view.sketch.key();
        let their_sum = (apart.sum_here)
            .wrapping_sub(key.sum(&apart.only_mine))
            .wrapping_add(key.sum(&apart.only_theirs))
            .wrapping_add(key.sum(&dots));
        if their_sum != finish.check && !is_sum_unread(view) {
            return Outcome::Mismatch;
        }
        // What they have seen and neither sent nor hold any more, they know as retired.
        let mut retired = theirs.seen.difference(known).difference(&dots);
        retired.union_with(&apart.only_mine);
        let kept = stage.take(&finish.kept);
        let entries = if self.once { core::mem::take(&mut self.entries) } else { self.entries.clone() };
        Outcome::Ready(Verdict { delta: whole_of(entries, kept, retired), dots, only_theirs: apart.only_theirs })
    }

    /// Which of the common dots are live on one side only.
    #[allow(clippy::result_large_err, reason = "no error but the other way to go on, taken once for each message")]
    fn apart(
        &self,
        theirs: &Theirs,
        common: &DotSet,
        live_common: u64,
        told: &Told,
        view: &View<'_, S>,
    ) -> Result<Apart, Outcome<S>> {
        if theirs.plan == Plan::Whole {
            return match live_common {
                0 => Ok(Apart { only_mine: DotSet::new(), only_theirs: DotSet::new(), sum_here: 0 }),
                _ => Err(Outcome::Broken(CancelReason::OutOfTurn)),
            };
        }
        let key = view.sketch.key();
        let outside = view.state.live_outside(common);
        let sum_here = view.sketch.sum().wrapping_sub(key.sum(&outside));
        if let Some(live) = &self.live {
            // Also where a sketch came to nothing.
            if live.len() < live_common {
                return Err(Outcome::Wait);
            }
            if live.len() > live_common || !live.is_subset(common) {
                return Err(Outcome::Broken(CancelReason::OutOfTurn));
            }
            let here = view.state.live().difference(&outside);
            return Ok(Apart { only_mine: here.difference(live), only_theirs: live.difference(&here), sum_here });
        }
        if theirs.plan == Plan::LiveSet {
            return Err(Outcome::Wait);
        }
        let here = view.state.live_len() as u64 - outside.len();
        let have = self.cells.len();
        let alphabet = Alphabet::of(common).ok_or(Outcome::Broken(CancelReason::OutOfTurn))?;
        let salted = key.salted(theirs.sketch_key);
        let mut cells = view.sketch.first(have, &outside, &alphabet, salted, || view.state.live().difference(&outside));
        subtract(&mut cells, &self.cells);
        if let Some((mine, other)) = peel(&cells, &alphabet, salted) {
            let (only_mine, only_theirs): (DotSet, DotSet) = (mine.into_iter().collect(), other.into_iter().collect());
            if (here + only_theirs.len()).checked_sub(only_mine.len()) == Some(live_common) {
                return Ok(Apart { only_mine, only_theirs, sum_here });
            }
        }
        if have < self.asked {
            return Err(Outcome::Wait);
        }
        let unseen = (told.seen.difference(&theirs.seen).len(), theirs.seen.difference(&told.seen).len());
        let target = later_window(have, unseen, (here, live_common));
        let count = (target - have).min(view.config.limits.window_cells_max);
        Err(Outcome::More { from: have, count })
    }

    pub(super) fn asked_up_to(&mut self, end: usize) {
        self.asked = end;
    }

    /// Reads an answer that names what was retired: `told` is this side's part of the exchange, `seen` all that the
    /// sender had seen, `received_hash` of what both have received, and `whole` says that it was sent everything.
    pub(super) fn read_named(
        &self,
        told: &Told,
        seen: &DotSet,
        received_hash: u64,
        whole: bool,
        stage: &Staged<S>,
        view: &View<'_, S>,
    ) -> Outcome<S> {
        let Some(finish) = &self.finish else { return Outcome::Wait };
        let dots = match self.proven(finish, stage, view) {
            Ok(Some(dots)) => dots,
            Ok(None) => return Outcome::Wait,
            Err(reason) => return Outcome::Broken(reason),
        };
        let fresh = dots.difference(&told.seen);
        // After everything was sent, an entry may come back that has another value there.
        let sound = dots.is_subset(seen)
            && (whole || fresh == dots)
            && finish.retired.is_subset(&told.seen)
            && finish.retired.intersection(&dots).is_empty()
            && told::is_near(seen, view);
        if !sound {
            return Outcome::Broken(CancelReason::OutOfTurn);
        }
        let key = view.sketch.key();
        let joined = told.sum.wrapping_sub(key.sum(&finish.retired)).wrapping_add(key.sum(&fresh));
        if joined.wrapping_add(received_hash) != finish.check && !is_sum_unread(view) {
            return Outcome::Mismatch;
        }
        let mut retired = seen.difference(&told.seen).difference(&dots);
        retired.union_with(&finish.retired);
        let delta = whole_of(self.entries.clone(), stage.take(&finish.kept), retired);
        Outcome::Ready(Verdict { delta, dots, only_theirs: DotSet::new() })
    }
}

/// What came, what was here already and is named instead, and what is retired.
fn whole_of<S: DotStore>(mut entries: Delta<S>, kept: Delta<S>, retired: DotSet) -> Delta<S> {
    entries.merge(kept);
    entries.merge(Delta::retiring(DotSet::new(), retired));
    entries
}

/// Whether a Finish is believed without proof, as a test may want it to be.
fn is_credulous<S: DotStore>(view: &View<'_, S>) -> bool {
    #[cfg(any(test, feature = "sim"))]
    return view.config.faults.has(crate::Fault::FinishWithoutProof);
    #[cfg(not(any(test, feature = "sim")))]
    {
        let _ = view;
        false
    }
}

/// Whether the sum in a Finish is not looked at: one more thing that a test may want.
fn is_sum_unread<S: DotStore>(view: &View<'_, S>) -> bool {
    faulty!(view.config, SumUnread) || is_credulous(view)
}

struct Apart {
    only_mine: DotSet,
    only_theirs: DotSet,
    /// The sum over what is live here among the common dots.
    sum_here: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::OrSet;

    #[test]
    fn cells_that_come_out_of_order_are_kept_within_a_bound() {
        let mut leg = Leg::<OrSet<u64>>::new();
        let add = |from| leg.add_cells(from, vec![Cell::default(); 50_000]);
        let outcomes: Vec<_> = (1..=4).map(add).collect();
        assert_eq!(outcomes[..2], [Ok(()), Ok(())]);
        assert_eq!(outcomes[2..], [Err(CancelReason::TooLarge), Err(CancelReason::TooLarge)]);
    }
}
