//! What each side of a repair holds at one moment, as the other is told.

use std::sync::Arc;

use crdt_core::{DotSet, DotStore};

use super::{View, join_frontiers};
use crate::prefix::from_the_first;
use crate::{CancelReason, Plan, RepairId, SummaryOf};

/// Counters this far above the highest known one of a replica are not believed; see [`Limits`](crate::Limits).
fn jumps(mine: &DotSet, theirs: &DotSet, jump_max: u64) -> bool {
    let mut last = None;
    theirs.runs().any(|(replica, _, counter)| {
        let known = match last {
            Some((id, known)) if id == replica => known,
            _ => mine.last(replica),
        };
        last = Some((replica, known));
        counter > known.saturating_add(jump_max)
    })
}

/// What this side held when it told the other.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) received: DotSet,
    pub(super) seen: DotSet,
    /// The sum over the live dots.
    pub(super) sum: u64,
    pub(super) received_hash: u64,
    /// The table of retired replicas, and all their dots.
    pub(super) retired: (u64, u64),
    retired_dots: Arc<DotSet>,
}

impl Told {
    pub(super) fn now<S: DotStore>(view: &View<'_, S>) -> Self {
        let received = received_of(view).clone();
        let received_hash = view.sketch.key().set(&received);
        let (retired, retired_dots) = (view.retired, view.retired_dots.clone());
        let (seen, sum) = (view.state.seen().clone(), view.sketch.sum());
        Self { received, seen, sum, received_hash, retired, retired_dots }
    }

    /// What a summary lists of what was received, without the base; and where dots of retired replicas are left out, as
    /// the reader `knows` them, which of those are missing here.
    pub(super) fn listed<S: DotStore>(
        &self,
        base: Option<&DotSet>,
        knows: bool,
        view: &View<'_, S>,
    ) -> (DotSet, Option<DotSet>) {
        let all = match base {
            Some(base) => self.received.difference(base),
            None => self.received.clone(),
        };
        if !knows || self.retired_dots.is_empty() {
            return (all, None);
        }
        let listed = all.difference(&self.retired_dots);
        let missing = self.retired_dots.difference(&self.received);
        let is_shorter = listed.run_count() + missing.run_count() < all.run_count();
        let missing = if left_out_blindly(view) { DotSet::new() } else { missing };
        if is_shorter { (listed, Some(missing)) } else { (all, None) }
    }

    /// As a message; what the base has is left out, and so are retired replicas if the reader knows them.
    pub(super) fn summary<S: DotStore>(
        &self,
        repair: RepairId,
        plan: Plan,
        base: Option<(u64, &DotSet)>,
        knows: bool,
        staged: DotSet,
        view: &View<'_, S>,
    ) -> SummaryOf {
        let (received, left_out) = self.listed(base.map(|(_, base)| base), knows, view);
        let received = from_the_first(&received, &self.received);
        SummaryOf {
            repair,
            plan,
            base: base.map(|(hash, _)| hash),
            received,
            ahead: self.seen.difference(&self.received),
            frontier: view.frontier.clone(),
            live_count: view.state.live_len() as u64,
            staged,
            retired: self.retired,
            left_out,
            sketch_key: 0,
        }
    }
}

/// Whether what is missing of retired replicas goes unsaid, as a test may want it.
fn left_out_blindly<S: DotStore>(view: &View<'_, S>) -> bool {
    faulty!(view.config, RetiredLeftOut)
}

/// What counts as received.
pub(super) fn received_of<'v, S: DotStore>(view: &View<'v, S>) -> &'v DotSet {
    #[cfg(any(test, feature = "sim"))]
    if view.config.faults.has(crate::Fault::ReceivedIsSeen) {
        return view.state.seen();
    }
    view.received
}

/// What the other side has told of itself.
#[derive(Clone, Debug)]
pub(super) struct Theirs {
    pub(super) plan: Plan,
    pub(super) received: DotSet,
    pub(super) seen: DotSet,
    pub(super) frontier: DotSet,
    pub(super) live_count: u64,
    pub(super) staged: DotSet,
    pub(super) sketch_key: u64,
    pub(super) retired: (u64, u64),
}

impl Theirs {
    /// Whether what a summary leaves out is known: the table of retired replicas that it goes by.
    pub(super) fn is_readable(summary: &SummaryOf, told: &Told) -> bool {
        summary.left_out.is_none() || summary.retired == told.retired
    }

    /// Reads a summary; `base` is the set that it leaves out, and `told` knows of those that are retired.
    pub(super) fn read<S: DotStore>(
        summary: SummaryOf,
        base: Option<&DotSet>,
        told: &Told,
        view: &View<'_, S>,
    ) -> Result<Self, CancelReason> {
        if !Self::is_readable(&summary, told) {
            return Err(CancelReason::OutOfTurn);
        }
        let SummaryOf {
            plan, mut received, ahead, frontier, live_count, staged, retired, left_out, sketch_key, ..
        } = summary;
        if let Some(missing) = &left_out {
            received.union_with(&told.retired_dots.difference(missing));
        }
        if let Some(base) = base {
            received.union_with(base);
        }
        let mut seen = received.clone();
        seen.union_with(&ahead);
        let sound = is_frontier(&frontier, &received, view)
            && ahead.intersection(&received).is_empty()
            && live_count <= received.len()
            && !jumps(view.state.seen(), &seen, view.config.limits.counter_jump_max);
        if !sound {
            return Err(CancelReason::OutOfTurn);
        }
        Ok(Self { plan, received, seen, frontier, live_count, staged, sketch_key, retired })
    }

    /// What both snapshots joined have received, and the maximal dots of that.
    pub(super) fn joined_with(&self, received: &DotSet, frontier: &DotSet) -> (DotSet, DotSet) {
        let mut joined = self.received.clone();
        joined.union_with(received);
        (joined, join_frontiers((frontier, received), (&self.frontier, &self.received)))
    }
}

/// Whether a set can be the maximal dots of another: every edit goes through them one by one, so a run of billions would
/// be the end.
pub(super) fn is_frontier<S: DotStore>(frontier: &DotSet, received: &DotSet, view: &View<'_, S>) -> bool {
    frontier.len() <= view.config.limits.set_runs_max as u64 && frontier.is_subset(received)
}

/// Whether a set that came beside a summary can be believed.
pub(super) fn is_near<S: DotStore>(dots: &DotSet, view: &View<'_, S>) -> bool {
    !jumps(view.state.seen(), dots, view.config.limits.counter_jump_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::ReplicaId;

    #[test]
    fn a_counter_far_above_what_is_known_is_not_believed() {
        let (a, b) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
        let set = |runs: &[(ReplicaId, u64, u64)]| {
            let mut set = DotSet::new();
            runs.iter().for_each(|(id, first, last)| {
                set.insert_run(*id, *first, *last);
            });
            set
        };
        let mine = set(&[(a, 1, 50)]);
        assert!(!jumps(&mine, &set(&[(a, 1, 150)]), 100));
        assert!(jumps(&mine, &set(&[(a, 1, 20), (a, 151, 151)]), 100));
        assert!(!jumps(&mine, &set(&[(b, 7, 100)]), 100));
        assert!(jumps(&mine, &set(&[(a, 1, 20), (b, 7, 101)]), 100));
    }
}
