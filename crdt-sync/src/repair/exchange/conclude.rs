//! What follows from what the other side told, once all of it is here.

use crdt_core::{Delta, DotSet, DotStore};

use super::super::leg::{Outcome, Verdict};
use super::super::send::Sender;
use super::super::told::{is_frontier, received_of};
use super::super::{RepairAction, Theirs, Told, View, Work};
use super::{Exchange, Phase, Step, tier_of};
use crate::{CancelReason, Message, Plan, RepairTier};

/// Runs of retired dots that are named; of more a set of live dots is sent instead.
const NAMED_RUNS_MAX: usize = 8_192;

impl<S: DotStore> Exchange<S> {
    /// Draws the conclusions, if all is here.
    pub(super) fn read(&mut self, work: &mut Work<'_, '_, S>) -> Step {
        match &self.phase {
            Phase::Asked { leg, .. } => match (&leg.theirs, &leg.finish) {
                (Some(theirs), Some(_)) if theirs.plan == Plan::Log => {
                    let theirs = theirs.clone();
                    self.answer_log(theirs, work)
                }
                _ => self.read_leg(work),
            },
            Phase::Answered { plan: Plan::Log, leg, theirs, .. } if leg.theirs.is_none() => match &leg.finish {
                Some(finish) => {
                    let mut received = theirs.received.clone();
                    received.union_with(&finish.since);
                    self.end_log(received, work)
                }
                None => Step::Goes,
            },
            Phase::Answered { leg, .. } if leg.theirs.is_none() => self.read_named(work),
            Phase::Answered { .. } => self.read_leg(work),
            _ => Step::Goes,
        }
    }

    /// After their log, ours, or what a log can't tell.
    fn answer_log(&mut self, theirs: Theirs, work: &mut Work<'_, '_, S>) -> Step {
        let received = received_of(work.view);
        if !theirs.received.is_subset(received) {
            work.link.least = Plan::Sketch;
            return Step::Cancels(CancelReason::Incomplete);
        }
        let missing = received.difference(&theirs.received);
        let joined = received.clone();
        if missing.is_empty() || work.view.log.holds(&missing) {
            let mut finish = self.finish(DotSet::new(), &DotSet::new(), 0, work);
            finish.since = missing.difference(&self.told.received);
            self.push(missing, finish, work);
            self.phase = Phase::Told { sketched: None, joined, check: None, tier: RepairTier::Log };
            return Step::Goes;
        }
        self.told = Told::now(work.view);
        match self.tell(&theirs, Plan::Sketch, None, work) {
            Ok((plan, sketched)) => {
                self.phase = Phase::Told { sketched, joined, check: None, tier: tier_of(plan) };
                Step::Goes
            }
            Err(reason) => Step::Cancels(reason),
        }
    }

    fn end_log(&mut self, received: DotSet, work: &mut Work<'_, '_, S>) -> Step {
        if !received.is_subset(received_of(work.view)) {
            work.link.least = Plan::Sketch;
            return Step::Cancels(CancelReason::Incomplete);
        }
        let mut joined = received;
        joined.union_with(&self.told.received);
        self.end(&joined, 0, RepairTier::Log, work)
    }

    fn read_leg(&mut self, work: &mut Work<'_, '_, S>) -> Step {
        let (id, told) = (self.id, self.told.clone());
        let opened = matches!(self.phase, Phase::Asked { .. });
        let Some(leg) = self.leg() else { return Step::Goes };
        match leg.read(&told, work.staged, work.view) {
            Outcome::Wait => Step::Goes,
            Outcome::Broken(reason) => Step::Cancels(reason),
            Outcome::Mismatch => Step::Diverges,
            Outcome::More { from, count } => {
                leg.asked_up_to(from + count);
                let (from, count) = (u32::try_from(from), u32::try_from(count));
                let (Ok(from), Ok(count)) = (from, count) else { return Step::Cancels(CancelReason::TooLarge) };
                work.send(Message::More { repair: id, from, count });
                Step::Goes
            }
            Outcome::Ready(verdict) => {
                let Some(theirs) = leg.theirs.take() else { return Step::Goes };
                if opened { self.reply(theirs, verdict, work) } else { self.conclude(theirs, verdict, work) }
            }
        }
    }

    /// Both parts are here and right at the opener: commit, and tell the other's part.
    fn reply(&mut self, theirs: Theirs, verdict: Verdict<S>, work: &mut Work<'_, '_, S>) -> Step {
        let view = work.view;
        let (state, key) = (view.state, view.sketch.key());
        let tier = tier_of(theirs.plan);
        let (joined, frontier) = theirs.joined_with(received_of(view), view.frontier);

        // What is live there, seen here, and not live here.
        let mut retired = verdict.only_theirs;
        let seen_since = verdict.dots.intersection(state.seen());
        let gone = seen_since.difference(&state.live_within(&seen_since));
        retired.union_with(&named(gone, &self.told, view));
        let mut want = state.live_outside(&theirs.seen);
        if theirs.plan == Plan::Whole {
            // Where one dot has two values, the other side must see ours, too.
            want.extend(state.equivocations(&verdict.delta));
        }
        let check = view
            .sketch
            .sum()
            .wrapping_sub(key.sum(&state.live_within(verdict.delta.retired())))
            .wrapping_add(key.sum(&verdict.dots.difference(state.seen())))
            .wrapping_add(key.set(&joined));
        work.out.push(RepairAction::Commit {
            peer: work.peer,
            repair: self.id,
            delta: verdict.delta,
            received: theirs.received.clone(),
            frontier: theirs.frontier.clone(),
            tier,
        });

        if is_long(&retired, NAMED_RUNS_MAX) {
            self.told = Told::now(view);
            return match self.tell(&theirs, Plan::LiveSet, None, work) {
                Ok((_, sketched)) => {
                    self.phase = Phase::Told { sketched, joined, check: None, tier };
                    Step::Goes
                }
                Err(reason) => Step::Cancels(reason),
            };
        }
        let kept = want.intersection(&theirs.staged);
        let mut to = Sender { peer: work.peer, repair: self.id, out: &mut *work.out };
        if !to.entries(&want.difference(&kept), view) {
            return Step::Cancels(CancelReason::Partial);
        }
        let mut finish = self.finish(kept, &want, check, work);
        finish.since = received_of(view).difference(&self.told.received).difference(&theirs.received);
        let later = state.seen().difference(&self.told.seen).difference(&theirs.seen);
        finish.since_ahead = later.difference(&finish.since);
        finish.frontier = frontier;
        finish.retired = retired;
        work.send(Message::Finish(Box::new(finish)));
        self.phase = Phase::Told { sketched: None, joined, check: Some(check), tier };
        Step::Goes
    }

    /// The answer is here and names what was retired.
    fn read_named(&mut self, work: &mut Work<'_, '_, S>) -> Step {
        let Phase::Answered { theirs, plan, leg, .. } = &self.phase else { return Step::Goes };
        let Some(finish) = &leg.finish else { return Step::Goes };
        let mut seen = theirs.seen.clone();
        seen.union_with(&finish.since);
        seen.union_with(&finish.since_ahead);
        let whole = *plan == Plan::Whole;
        let mut joined = theirs.received.clone();
        joined.union_with(&finish.since);
        joined.union_with(&self.told.received);
        // Edits of the roster leave no entries. The answer belongs to what was told here and to no earlier moment, or its
        // frontier would leave out what it never heard of.
        let received_hash = work.view.sketch.key().set(&joined);
        let verdict = match leg.read_named(&self.told, &seen, received_hash, whole, work.staged, work.view) {
            Outcome::Ready(verdict) => verdict,
            Outcome::Broken(reason) => return Step::Cancels(reason),
            Outcome::Mismatch => return Step::Diverges,
            Outcome::Wait | Outcome::More { .. } => return Step::Goes,
        };
        if !is_frontier(&finish.frontier, &joined, work.view) {
            return Step::Cancels(CancelReason::OutOfTurn);
        }
        let (tier, check, frontier) = (tier_of(*plan), finish.check, finish.frontier.clone());
        self.commit(verdict.delta, joined.clone(), frontier, joined, check, tier, work)
    }

    /// The answer is here, and was told like ours.
    fn conclude(&mut self, theirs: Theirs, verdict: Verdict<S>, work: &mut Work<'_, '_, S>) -> Step {
        let mut joined = theirs.received.clone();
        joined.union_with(&self.told.received);
        let tier = tier_of(theirs.plan);
        self.commit(verdict.delta, theirs.received, theirs.frontier, joined, 0, tier, work)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one commit")]
    fn commit(
        &mut self,
        delta: Delta<S>,
        received: DotSet,
        frontier: DotSet,
        joined: DotSet,
        check: u64,
        tier: RepairTier,
        work: &mut Work<'_, '_, S>,
    ) -> Step {
        let (peer, repair) = (work.peer, self.id);
        work.out.push(RepairAction::Commit { peer, repair, delta, received, frontier, tier });
        self.phase = Phase::Commits { joined, check, tier };
        Step::Goes
    }
}

/// What was retired since the summary, which a test may forget to name.
fn named<S: DotStore>(gone: DotSet, told: &Told, view: &View<'_, S>) -> DotSet {
    #[cfg(any(test, feature = "sim"))]
    if view.config.faults.has(crate::Fault::RetiredSinceUnnamed) {
        return gone.intersection(&told.seen);
    }
    let _ = (told, view);
    gone
}

fn is_long(dots: &DotSet, runs_max: usize) -> bool {
    dots.runs().nth(runs_max).is_some()
}
