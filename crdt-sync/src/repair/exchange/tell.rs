//! What this side of a repair tells.

use crdt_core::{DotSet, DotStore};

use super::super::plan::{Sizes, choose};
use super::super::send::{Sender, Sketched};
use super::super::{RepairAction, Theirs, Work};
use super::{Exchange, Phase};
use crate::sketch::Alphabet;
use crate::{CancelReason, Finish, Hello, Message, Plan, SummaryOf};

/// A summary that travels with the Hello is at most about this large.
const HELLO_SUMMARY_BYTES_MAX: usize = 1_024;
/// What a run, and an id that is new to the link, take in a summary, about.
const RUN_BYTES: usize = 5;
/// What the name of a base takes.
const BASE_BYTES: usize = 8;
/// Runs of staged dots that are offered.
const STAGED_RUNS_MAX: usize = 8_192;

impl<S: DotStore> Exchange<S> {
    /// The base, if leaving its dots out saves more than naming it takes.
    pub(super) fn worth_its_name<'b>(
        &self,
        base: Option<(u64, &'b DotSet)>,
        knows: bool,
        work: &Work<'_, '_, S>,
    ) -> Option<(u64, &'b DotSet)> {
        let bytes = |base| RUN_BYTES * self.told.listed(base, knows, work.view).0.run_count();
        base.filter(|(_, dots)| bytes(Some(*dots)) + BASE_BYTES < bytes(None))
    }

    pub(super) fn summary(
        &self,
        plan: Plan,
        base: Option<(u64, &DotSet)>,
        knows: bool,
        work: &Work<'_, '_, S>,
    ) -> SummaryOf {
        // What is staged was not proven to be right, so it is not offered where something was wrong.
        let staged = match plan {
            Plan::Whole => DotSet::new(),
            _ => bounded(work.staged.dots(), STAGED_RUNS_MAX),
        };
        self.told.summary(self.id, plan, base, knows, staged, work.view)
    }

    pub(super) fn hello(
        &self,
        summary: Option<SummaryOf>,
        content: Option<u128>,
        work: &Work<'_, '_, S>,
    ) -> Message<S> {
        Message::Hello(Hello {
            repair: self.id,
            received_hash: self.told.received_hash,
            state_hash: work.view.sketch.sum(),
            summary: summary.map(Box::new),
            content_hash: content,
        })
    }

    /// Tells all that the other lacks of what is here now.
    pub(super) fn tell(
        &mut self,
        theirs: &Theirs,
        least: Plan,
        base: Option<(u64, DotSet)>,
        work: &mut Work<'_, '_, S>,
    ) -> Result<(Plan, Option<Sketched>), CancelReason> {
        let view = work.view;
        let want = view.state.live_outside(&theirs.seen);
        let common = self.told.seen.intersection(&theirs.seen);
        let alphabet = Alphabet::of(&common);
        let sizes = Sizes { theirs, want: &want, common: &common, alphabet: alphabet.as_ref(), least };
        let choice = choose(&sizes, view);

        let knows = theirs.retired == self.told.retired;
        let base = self.worth_its_name(base.as_ref().map(|(hash, dots)| (*hash, dots)), knows, work);
        let mut summary = self.summary(choice.plan, base, knows, work);
        summary.sketch_key = work.link.salt;
        work.send(Message::Summary(Box::new(summary)));
        if choice.plan == Plan::Log {
            let missing = self.told.received.difference(&theirs.received);
            let finish = self.finish(DotSet::new(), &DotSet::new(), 0, work);
            self.push(missing, finish, work);
            return Ok((Plan::Log, None));
        }
        let all = if choice.plan == Plan::Whole { view.state.live() } else { want.clone() };
        let kept = all.intersection(&theirs.staged);
        let (salt, peer, repair) = (work.link.salt, work.peer, self.id);
        let mut to = Sender { peer, repair, out: &mut *work.out };
        if !to.entries(&all.difference(&kept), view) {
            return Err(CancelReason::Partial);
        }
        let mut sketched = None;
        match (choice.plan, alphabet) {
            (Plan::Sketch, Some(alphabet)) => {
                let mut sketch = Sketched::now(common, alphabet, &want, salt, &choice, view);
                let mut from = 0;
                while from < choice.window {
                    let end = choice.window.min(from + view.config.limits.window_cells_max);
                    sketch.window(from..end, view, &mut to)?;
                    from = end;
                }
                sketched = Some(sketch);
            }
            (Plan::LiveSet, _) => to.live_set(&view.state.live().intersection(&common), view),
            _ => {}
        }
        let mut finish = self.finish(kept, &all, self.told.sum, work);
        if matches!(self.phase, Phase::Asked { .. }) {
            // The other side expects records. Should this overtake its summary, it must not pass for the end of them.
            finish.since = self.told.received.difference(&theirs.received);
        }
        work.send(Message::Finish(Box::new(finish)));
        Ok((choice.plan, sketched))
    }

    pub(super) fn finish(&self, kept: DotSet, entries: &DotSet, check: u64, work: &Work<'_, '_, S>) -> Finish {
        Finish {
            repair: self.id,
            since: DotSet::new(),
            since_ahead: DotSet::new(),
            frontier: DotSet::new(),
            kept,
            retired: DotSet::new(),
            entry_count: entries.len(),
            entry_hash: work.view.sketch.key().sum(entries),
            check,
        }
    }

    pub(super) fn push(&self, dots: DotSet, finish: Finish, work: &mut Work<'_, '_, S>) {
        let then = Message::Finish(Box::new(finish));
        if dots.is_empty() {
            work.send(then);
        } else {
            work.out.push(RepairAction::PushFromLog { peer: work.peer, dots, then });
        }
    }
}

/// Whether a summary is small enough to travel with the Hello.
pub(super) fn fits_hello(summary: &SummaryOf) -> bool {
    let runs = |dots: &DotSet| dots.runs().take(HELLO_SUMMARY_BYTES_MAX).count();
    let sets = [&summary.received, &summary.ahead, &summary.frontier, &summary.staged];
    sets.into_iter().map(|dots| RUN_BYTES * runs(dots)).sum::<usize>() <= HELLO_SUMMARY_BYTES_MAX
}

/// The first dots of a set, in a bounded number of runs.
fn bounded(dots: &DotSet, runs_max: usize) -> DotSet {
    let mut some = DotSet::new();
    for (replica, first, last) in dots.runs().take(runs_max) {
        some.insert_run(replica, first, last);
    }
    some
}
