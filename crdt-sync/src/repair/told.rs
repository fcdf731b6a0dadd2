//! What each side of a repair holds at one moment, as the other is told.

use crdt_core::{DotSet, DotStore};

use super::{View, join_frontiers};
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
}

impl Told {
    pub(super) fn now<S: DotStore>(view: &View<'_, S>) -> Self {
        let received = received_of(view).clone();
        let received_hash = view.sketch.key().set(&received);
        Self { received, seen: view.state.seen().clone(), sum: view.sketch.sum(), received_hash }
    }

    /// As a message; what the base has is left out.
    pub(super) fn summary<S: DotStore>(
        &self,
        repair: RepairId,
        plan: Plan,
        base: Option<(u64, &DotSet)>,
        staged: DotSet,
        view: &View<'_, S>,
    ) -> SummaryOf {
        let received = match base {
            Some((_, base)) => self.received.difference(base),
            None => self.received.clone(),
        };
        SummaryOf {
            repair,
            plan,
            base: base.map(|(hash, _)| hash),
            received,
            ahead: self.seen.difference(&self.received),
            frontier: view.frontier.clone(),
            live_count: view.state.live_len() as u64,
            staged,
            retired: view.retired,
            sketch_key: 0,
        }
    }
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
}

impl Theirs {
    /// Reads a summary; `base` is the set that it leaves out.
    pub(super) fn read<S: DotStore>(
        summary: SummaryOf,
        base: Option<&DotSet>,
        view: &View<'_, S>,
    ) -> Result<Self, CancelReason> {
        let SummaryOf { plan, mut received, ahead, frontier, live_count, staged, sketch_key, .. } = summary;
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
        Ok(Self { plan, received, seen, frontier, live_count, staged, sketch_key })
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
