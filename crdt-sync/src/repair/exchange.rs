//! One repair with one peer, step by step.

mod conclude;
mod tell;

use core::time::Duration;

use crdt_core::{Delta, DotSet, DotStore};

use super::leg::Leg;
use super::send::{Sender, Sketched};
use super::{RepairAction, Theirs, Told, Work};
use crate::{CancelReason, Hello, Message, Plan, RepairId, RepairTier, Steady, SummaryOf};
use tell::fits_hello;

/// One repair.
#[derive(Clone, Debug)]
pub(super) struct Exchange<S: DotStore> {
    pub(super) id: RepairId,
    /// When it began.
    pub(super) started: Steady,
    /// Whether this side said hello.
    pub(super) opened_here: bool,
    /// When the peer last said something.
    pub(super) heard: Steady,
    /// How long it may stay silent.
    idle_max: Duration,
    told: Told,
    phase: Phase<S>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one per peer, and it lives as long as the repair")]
enum Phase<S: DotStore> {
    /// Opened here; the answer is on its way.
    Asked { leg: Leg<S>, again: bool, summarised: bool },
    /// Opened here; both parts are sent.
    Told { sketched: Option<Sketched>, joined: DotSet, check: Option<u64>, tier: RepairTier },
    /// Opened there; its summary is on its way.
    Awaits,
    /// Opened there; our part is sent, theirs is on its way.
    Answered { theirs: Theirs, plan: Plan, sketched: Option<Sketched>, leg: Leg<S> },
    /// Opened there; what they sent is on its way to our disk.
    Commits { joined: DotSet, check: u64, tier: RepairTier },
}

/// What becomes of an exchange.
pub(super) enum Step {
    /// It goes on.
    Goes,
    /// It is over.
    Ends(Option<RepairTier>),
    /// We give it up.
    Cancels(CancelReason),
    /// They gave it up.
    Cancelled(CancelReason),
    /// A sum is wrong.
    Diverges,
}

fn tier_of(plan: Plan) -> RepairTier {
    match plan {
        Plan::Ask => RepairTier::Same,
        Plan::Log => RepairTier::Log,
        Plan::Sketch => RepairTier::Sketch,
        Plan::LiveSet => RepairTier::LiveSet,
        Plan::Whole => RepairTier::Whole,
    }
}

impl<S: DotStore> Exchange<S> {
    /// When it has been silent for too long.
    pub(super) fn deadline(&self) -> Steady {
        self.heard + self.idle_max
    }

    fn new(id: RepairId, told: Told, phase: Phase<S>, work: &Work<'_, '_, S>) -> Self {
        let opened_here = matches!(phase, Phase::Asked { .. });
        let now = work.view.now.steady;
        Self { id, started: now, opened_here, heard: now, idle_max: work.view.idle_max, told, phase }
    }

    /// Says hello.
    pub(super) fn open(id: RepairId, content: Option<u128>, work: &mut Work<'_, '_, S>) -> Self {
        let told = Told::now(work.view);
        let phase = Phase::Asked { leg: Leg::new(), again: false, summarised: false };
        let mut exchange = Self::new(id, told, phase, work);
        let base = work.link.newest();
        let unchanged = base.is_some_and(|(hash, _)| hash == exchange.told.received_hash);
        // Whoever told of another table could not read what leaves this one out.
        let knows = work.link.retired.is_none_or(|theirs| theirs == exchange.told.retired);
        let base = exchange.worth_its_name(base, knows, work);
        let summary = exchange.summary(work.link.least, base, knows, work);
        // Nothing changed since both were equal: most likely nothing did there.
        let inline = fits_hello(&summary) && (!unchanged || work.link.least != Plan::Ask);
        if let Phase::Asked { summarised, .. } = &mut exchange.phase {
            *summarised = inline;
        }
        let hello = exchange.hello(inline.then_some(summary), content, work);
        work.send(hello);
        exchange
    }

    /// Answers a Hello.
    pub(super) fn answer(hello: Hello, full: bool, work: &mut Work<'_, '_, S>) -> (Self, Step) {
        let mut exchange = Self::new(hello.repair, Told::now(work.view), Phase::Awaits, work);
        let same_dots = hello.received_hash == exchange.told.received_hash;
        let same_state = same_dots && hello.state_hash == exchange.told.sum;
        let differs = hello.content_hash.is_some_and(|theirs| same_state && theirs != work.view.state.content_digest());
        let whole = hello.summary.as_ref().is_some_and(|summary| summary.plan == Plan::Whole);
        let alike = same_state && !differs && !whole;
        // Tables of the retired that differ are exchanged with summaries.
        let same_table = hello.summary.as_ref().is_none_or(|summary| summary.retired == exchange.told.retired);
        if alike && same_table && !faulty!(work.view.config, HashesUnread) {
            work.send(Message::Same(hello.repair));
            work.link.agree(exchange.told.received_hash, exchange.told.received.clone());
            work.has(&exchange.told.received);
            return (exchange, Step::Ends(Some(RepairTier::Same)));
        }
        if full {
            return (exchange, Step::Cancels(CancelReason::Busy));
        }
        // By the closure of what was received, this is always somebody's fault.
        if same_dots && !alike {
            if !whole {
                work.out.push(RepairAction::Diverged { peer: work.peer });
            }
            work.link.least = Plan::Whole;
        }
        let step = exchange.hello_again(hello, work);
        (exchange, step)
    }

    /// Answers a Hello that may have a summary.
    pub(super) fn hello_again(&mut self, hello: Hello, work: &mut Work<'_, '_, S>) -> Step {
        if !matches!(self.phase, Phase::Awaits) {
            return Step::Goes;
        }
        self.told = Told::now(work.view);
        if let Some(summary) = &hello.summary {
            work.link.retired = Some(summary.retired);
        }
        let base = |hash| work.link.agreed(hash);
        let (summary, based) = match hello.summary {
            Some(summary) if !Theirs::is_readable(&summary, &self.told) => (None, None),
            Some(summary) => match summary.base.map(base) {
                Some(None) => (None, None),
                based => (Some(summary), based.flatten()),
            },
            None => (None, None),
        };
        let Some(summary) = summary else {
            // Its contents are not read, but for the table that this side knows.
            let summary = self.summary(Plan::Ask, None, true, work);
            work.send(Message::Summary(Box::new(summary)));
            return Step::Goes;
        };
        let base_hash = summary.base;
        let theirs = match Theirs::read(*summary, based, &self.told, work.view) {
            Ok(theirs) => theirs,
            Err(reason) => return Step::Cancels(reason),
        };
        work.has(&theirs.received);
        let least = if work.link.least == Plan::Ask { theirs.plan } else { work.link.least };
        let base = base_hash.and_then(|hash| work.link.agreed(hash).map(|dots| (hash, dots.clone())));
        match self.tell(&theirs, least, base, work) {
            Ok((plan, sketched)) => {
                self.phase = Phase::Answered { theirs, plan, sketched, leg: Leg::new() };
                Step::Goes
            }
            Err(reason) => Step::Cancels(reason),
        }
    }

    /// Takes in any message but a Hello.
    pub(super) fn handle(&mut self, message: Message<S>, bytes: usize, work: &mut Work<'_, '_, S>) -> Step {
        let taken = match message {
            Message::Cancel { reason, .. } => return Step::Cancelled(reason),
            Message::Same(_) => return self.same(work),
            Message::Done { check, .. } => return self.done(check, work),
            Message::More { from, count, .. } => return self.more(from as usize, count as usize, work),
            Message::Summary(summary) => match self.take_summary(*summary, work) {
                Ok(true) => Ok(()),
                Ok(false) => return Step::Goes,
                Err(reason) => Err(reason),
            },
            message => self.take(message, bytes, work),
        };
        match taken {
            Ok(()) => self.read(work),
            Err(reason) => Step::Cancels(reason),
        }
    }

    /// Bytes of entries that came.
    #[cfg(feature = "sim")]
    pub(super) fn bytes(&self) -> usize {
        match &self.phase {
            Phase::Asked { leg, .. } | Phase::Answered { leg, .. } => leg.bytes,
            _ => 0,
        }
    }

    fn leg(&mut self) -> Option<&mut Leg<S>> {
        match &mut self.phase {
            Phase::Asked { leg, .. } | Phase::Answered { leg, .. } => Some(leg),
            _ => None,
        }
    }

    fn take(&mut self, message: Message<S>, bytes: usize, work: &mut Work<'_, '_, S>) -> Result<(), CancelReason> {
        let id = self.id;
        // What comes after the end, a repeated frame, changes nothing.
        let Some(leg) = self.leg() else { return Ok(()) };
        match message {
            Message::Entries { entries, .. } => {
                united_per_chunk(id, &entries, work);
                leg.add_entries(entries, bytes, work.view)
            }
            Message::Cells { from, cells, .. } => leg.add_cells(from as usize, cells),
            Message::LiveSet { live, .. } => leg.add_live(&live, &work.view.config.limits),
            Message::Finish(finish) => {
                leg.finish.get_or_insert(*finish);
                Ok(())
            }
            _ => Err(CancelReason::OutOfTurn),
        }
    }

    /// False if there is nothing to read yet.
    fn take_summary(&mut self, summary: SummaryOf, work: &mut Work<'_, '_, S>) -> Result<bool, CancelReason> {
        work.link.retired = Some(summary.retired);
        if summary.plan == Plan::Ask {
            let Phase::Asked { again, .. } = &mut self.phase else { return Ok(false) };
            if core::mem::replace(again, true) {
                return Ok(false);
            }
            self.told = Told::now(work.view);
            let summary = self.summary(work.link.least, None, false, work);
            let hello = self.hello(Some(summary), None, work);
            work.send(hello);
            return Ok(false);
        }
        let base = match summary.base {
            None => None,
            Some(hash) => Some(work.link.agreed(hash).ok_or(CancelReason::OutOfTurn)?),
        };
        let theirs = Theirs::read(summary, base, &self.told, work.view)?;
        work.has(&theirs.received);
        united_before_finish(self.id, &theirs, work);
        if let Some(leg) = self.leg() {
            leg.theirs.get_or_insert(theirs);
        }
        Ok(true)
    }

    /// Our commit is durable: the answering side says so.
    pub(super) fn committed(&mut self, work: &mut Work<'_, '_, S>) -> Step {
        match &self.phase {
            Phase::Commits { joined, check, tier } => {
                let (joined, check, tier) = (joined.clone(), *check, *tier);
                self.end(&joined, check, tier, work)
            }
            _ => Step::Goes,
        }
    }

    fn end(&mut self, joined: &DotSet, check: u64, tier: RepairTier, work: &mut Work<'_, '_, S>) -> Step {
        work.send(Message::Done { repair: self.id, check });
        work.link.agree(work.view.sketch.key().set(joined), joined.clone());
        work.has(joined);
        Step::Ends(Some(tier))
    }

    fn same(&mut self, work: &mut Work<'_, '_, S>) -> Step {
        let Phase::Asked { summarised, .. } = &self.phase else { return Step::Goes };
        if *summarised {
            work.out.push(RepairAction::SameTable { peer: work.peer, retired: self.told.retired.1 });
        }
        work.link.agree(self.told.received_hash, self.told.received.clone());
        work.has(&self.told.received);
        Step::Ends(Some(RepairTier::Same))
    }

    fn done(&mut self, theirs: u64, work: &mut Work<'_, '_, S>) -> Step {
        let Phase::Told { joined, check, tier, .. } = &self.phase else { return Step::Goes };
        if check.is_some_and(|check| check != theirs) {
            return Step::Diverges;
        }
        work.link.agree(work.view.sketch.key().set(joined), joined.clone());
        work.has(joined);
        Step::Ends(Some(*tier))
    }

    fn more(&mut self, from: usize, count: usize, work: &mut Work<'_, '_, S>) -> Step {
        let (Phase::Told { sketched, .. } | Phase::Answered { sketched, .. }) = &mut self.phase else {
            return Step::Goes;
        };
        let Some(sketched) = sketched else { return Step::Cancels(CancelReason::OutOfTurn) };
        let mut to = Sender { peer: work.peer, repair: self.id, out: &mut *work.out };
        match sketched.window(from..from.saturating_add(count), work.view, &mut to) {
            Ok(()) => Step::Goes,
            Err(reason) => Step::Cancels(reason),
        }
    }

    /// Whether the peer has said nothing yet to our Hello.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(&self.phase, Phase::Asked { leg, again: false, .. } if leg.theirs.is_none())
    }

    /// Whether everything was told already.
    pub(super) fn is_whole(&self) -> bool {
        match &self.phase {
            Phase::Asked { leg, .. } => leg.theirs.as_ref().is_some_and(|theirs| theirs.plan == Plan::Whole),
            Phase::Answered { plan, .. } => *plan == Plan::Whole,
            Phase::Told { tier, .. } | Phase::Commits { tier, .. } => *tier == RepairTier::Whole,
            Phase::Awaits => false,
        }
    }

    /// What came of entries, with its size.
    pub(super) fn into_entries(self) -> (Delta<S>, usize) {
        match self.phase {
            Phase::Asked { leg, .. } | Phase::Answered { leg, .. } => (leg.entries, leg.bytes),
            _ => (Delta::new(), 0),
        }
    }
}

fn united_before_finish<S: DotStore>(repair: RepairId, theirs: &Theirs, work: &mut Work<'_, '_, S>) {
    #[cfg(any(test, feature = "sim"))]
    if work.view.config.faults.has(crate::Fault::UnitedBeforeFinish) {
        work.out.push(RepairAction::Commit {
            peer: work.peer,
            repair,
            delta: Delta::new(),
            received: theirs.received.clone(),
            frontier: theirs.frontier.clone(),
            tier: RepairTier::Sketch,
        });
    }
    let _ = (repair, theirs, work);
}

fn united_per_chunk<S: DotStore>(repair: RepairId, entries: &Delta<S>, work: &mut Work<'_, '_, S>) {
    #[cfg(any(test, feature = "sim"))]
    if work.view.config.faults.has(crate::Fault::UnitedPerChunk) {
        work.out.push(RepairAction::Commit {
            peer: work.peer,
            repair,
            delta: entries.clone(),
            received: entries.own().clone(),
            frontier: DotSet::new(),
            tier: RepairTier::Sketch,
        });
    }
    let _ = (repair, entries, work);
}
