//! One side of a repair alone: what is told to somebody whom no link reaches, and what follows from it there.

use std::sync::Arc;

use crdt_core::{Delta, DotSet, DotStore, ReplicaId};

use super::leg::{Leg, Outcome};
use super::plan::{Sizes, choose};
use super::send::Sender;
use super::stage::Staged;
use super::{RepairAction, Theirs, Told, View};
use crate::parcel::Messages;
use crate::{CancelReason, Finish, Message, ParcelError, PeerId, Plan, Record, RepairId, SummaryOf};

/// There is one exchange in a parcel, so its name tells nothing.
const REPAIR: RepairId = RepairId(0);

/// What is here, for somebody who will tell what is not.
pub(crate) fn ask<S: DotStore>(view: &View<'_, S>) -> Message<S> {
    summary(&Told::now(view), Plan::Ask, view)
}

fn summary<S: DotStore>(told: &Told, plan: Plan, view: &View<'_, S>) -> Message<S> {
    Message::Summary(Box::new(told.summary(REPAIR, plan, None, false, DotSet::new(), view)))
}

/// Somebody else's summary, as far as it can be believed.
pub(crate) struct Asked(Theirs);

impl Asked {
    pub(crate) fn read<S: DotStore>(summary: SummaryOf, view: &View<'_, S>) -> Result<Self, CancelReason> {
        // There is no earlier meeting to build on, and nobody to ask which replicas are retired.
        if summary.base.is_some() || summary.left_out.is_some() {
            return Err(CancelReason::OutOfTurn);
        }
        Theirs::read(summary, None, &Told::now(view), view).map(Self)
    }

    /// Who has nothing.
    pub(crate) fn nothing() -> Self {
        Self(Theirs {
            plan: Plan::Whole,
            received: DotSet::new(),
            seen: DotSet::new(),
            frontier: DotSet::new(),
            live_count: 0,
            staged: DotSet::new(),
            sketch_key: 0,
            retired: (0, 0),
        })
    }

    pub(crate) fn received(&self) -> &DotSet {
        &self.0.received
    }
}

/// All that the other side lacks of what is here now: `records` has the log's, where it holds them in memory, already
/// in frames. Entries are at most that many bytes.
pub(crate) fn tell<S: DotStore>(
    asked: &Asked,
    records: impl FnOnce(&DotSet) -> Option<Vec<Vec<Arc<Record<S>>>>>,
    bytes_max: usize,
    view: &View<'_, S>,
) -> Result<Vec<Message<S>>, CancelReason> {
    let theirs = &asked.0;
    let told = Told::now(view);
    let want = view.state.live_outside(&theirs.seen);
    let common = told.seen.intersection(&theirs.seen);
    // Without an alphabet no sketch is chosen.
    let sizes = |least| Sizes { theirs, want: &want, common: &common, alphabet: None, least };
    let mut plan = choose(&sizes(theirs.plan), view).plan;
    if plan == Plan::Log {
        match records(&told.received.difference(&theirs.received)) {
            Some(frames) => {
                let mut messages = vec![summary(&told, Plan::Log, view)];
                messages.extend(frames.into_iter().map(Message::Push));
                messages.push(finish(&DotSet::new(), 0, view));
                return Ok(messages);
            }
            None => plan = choose(&sizes(Plan::LiveSet), view).plan,
        }
    }
    let entries = if plan == Plan::Whole { view.state.live() } else { want };
    let mut out = Vec::new();
    let mut to = Sender { peer: PeerId(0), repair: REPAIR, out: &mut out };
    to.send(summary(&told, plan, view));
    if !to.entries_within(&entries, bytes_max, view) {
        return Err(CancelReason::TooLarge);
    }
    if plan == Plan::LiveSet {
        to.live_set(&view.state.live_within(&common), view);
    }
    to.send(finish(&entries, told.sum, view));
    let message = |action| match action {
        RepairAction::Send(_, message) => Some(message),
        _ => None,
    };
    Ok(out.into_iter().filter_map(message).collect())
}

fn finish<S: DotStore>(entries: &DotSet, check: u64, view: &View<'_, S>) -> Message<S> {
    Message::Finish(Box::new(Finish {
        repair: REPAIR,
        since: DotSet::new(),
        since_ahead: DotSet::new(),
        frontier: DotSet::new(),
        kept: DotSet::new(),
        retired: DotSet::new(),
        entry_count: entries.len(),
        entry_hash: view.sketch.key().sum(entries),
        check,
    }))
}

/// What was told.
pub(crate) struct Carried<S: DotStore> {
    /// All that the teller had received.
    pub(crate) received: DotSet,
    /// The maximal dots of that.
    pub(crate) frontier: DotSet,
    /// What to do to have it, too.
    pub(crate) news: CarriedNews<S>,
    /// Rows of its table of retired replicas.
    pub(crate) retirements: Vec<(ReplicaId, u64)>,
}

/// In which form it was told.
pub(crate) enum CarriedNews<S: DotStore> {
    /// These records, one after the other.
    Records(Vec<Arc<Record<S>>>),
    /// This delta, in one step with what was received. None if it builds on what is not here.
    Merge(Option<Delta<S>>),
}

/// Reads what was told; nothing is concluded before count, hash and sum prove that all is there.
pub(crate) fn read<S: DotStore>(mut messages: Messages<'_>, view: &View<'_, S>) -> Result<Carried<S>, ParcelError> {
    let mut heard = Heard { leg: Leg::once(), records: Vec::new(), live: DotSet::new(), retirements: Vec::new() };
    let of = |reason| ParcelError::of(reason, view.config);
    while let Some((message, bytes)) = messages.next()? {
        heard.hear(message, bytes, view).map_err(of)?;
    }
    heard.conclude(view).map_err(of)
}

/// What was told so far.
struct Heard<S: DotStore> {
    leg: Leg<S>,
    records: Vec<Arc<Record<S>>>,
    live: DotSet,
    retirements: Vec<(ReplicaId, u64)>,
}

impl<S: DotStore> Heard<S> {
    fn hear(&mut self, message: Message<S>, bytes: usize, view: &View<'_, S>) -> Result<(), CancelReason> {
        let Self { leg, records, live, retirements } = self;
        if let Message::Retirements(mut rows) = message {
            retirements.append(&mut rows);
            return Ok(());
        }
        let plan = leg.theirs.as_ref().map(|theirs| theirs.plan);
        if leg.finish.is_some() {
            return Err(CancelReason::OutOfTurn);
        }
        match (plan, message) {
            (None, Message::Summary(summary)) => leg.theirs = Some(Asked::read(*summary, view)?.0),
            (Some(Plan::Log), Message::Push(part)) => records.extend(part),
            (Some(Plan::LiveSet | Plan::Whole), Message::Entries { entries, .. }) => {
                leg.add_entries(entries, bytes, view)?;
            }
            (Some(Plan::LiveSet), Message::LiveSet { live: part, .. }) => {
                live.union_with(&part);
                leg.add_live(&part, &view.config.limits)?;
            }
            (Some(_), Message::Finish(finish)) if finish.kept.is_empty() => leg.finish = Some(*finish),
            _ => return Err(CancelReason::OutOfTurn),
        }
        Ok(())
    }

    fn conclude(self, view: &View<'_, S>) -> Result<Carried<S>, CancelReason> {
        let Self { mut leg, records, live, retirements } = self;
        let (Some(theirs), Some(_)) = (&leg.theirs, &leg.finish) else { return Err(CancelReason::Incomplete) };
        let (received, frontier) = (theirs.received.clone(), theirs.frontier.clone());
        let carried = |news| Ok(Carried { received, frontier, news, retirements });
        if theirs.plan == Plan::Log {
            return carried(CarriedNews::Records(records));
        }
        // What is live there and comes without its entry has to be known here: then it is live, or was retired since.
        if !live.is_subset(view.state.seen()) {
            return carried(CarriedNews::Merge(None));
        }
        // As if all that is not told had been known to be known here: it is, as far as it is live there.
        let mut told = Told::now(view);
        told.seen = told.seen.difference(leg.entries.own());
        match leg.read(&told, &Staged::new(), view) {
            Outcome::Ready(verdict) => carried(CarriedNews::Merge(Some(verdict.delta))),
            Outcome::Broken(reason) => Err(reason),
            Outcome::Wait | Outcome::More { .. } | Outcome::Mismatch => Err(CancelReason::Incomplete),
        }
    }
}
