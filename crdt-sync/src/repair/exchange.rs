//! One repair with one peer, step by step.

use core::time::Duration;

use crdt_core::{Delta, DotSet, DotStore};

use super::leg::{Leg, Outcome, Verdict};
use super::plan::{Sizes, choose};
use super::send::{Sender, Sketched};
use super::told::{is_frontier, received_of};
use super::{RepairAction, Theirs, Told, Work};
use crate::sketch::Alphabet;
use crate::{CancelReason, Finish, Hello, Message, Plan, RepairId, RepairTier, Steady, SummaryOf};

/// A summary that travels with the Hello is at most about this large.
const HELLO_SUMMARY_BYTES_MAX: usize = 1_024;
/// What a run, and an id that is new to the link, take in a summary, about.
const RUN_BYTES: usize = 5;
/// What the name of a base takes.
const BASE_BYTES: usize = 8;
/// Runs of retired dots that are named; of more a set of live dots is sent instead.
const NAMED_RUNS_MAX: usize = 8_192;
/// Runs of staged dots that are offered.
const STAGED_RUNS_MAX: usize = 8_192;

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

/// The first dots of a set, in a bounded number of runs.
fn bounded(dots: &DotSet, runs_max: usize) -> DotSet {
    let mut some = DotSet::new();
    for (replica, first, last) in dots.runs().take(runs_max) {
        some.insert_run(replica, first, last);
    }
    some
}

fn is_long(dots: &DotSet, runs_max: usize) -> bool {
    dots.runs().nth(runs_max).is_some()
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
        let is_small = summary_bytes(&summary) <= HELLO_SUMMARY_BYTES_MAX;
        // Nothing changed since both were equal: most likely nothing did there.
        let inline = is_small && (!unchanged || work.link.least != Plan::Ask);
        if let Phase::Asked { summarised, .. } = &mut exchange.phase {
            *summarised = inline;
        }
        let hello = exchange.hello(inline.then_some(summary), content, work);
        work.send(hello);
        exchange
    }

    /// The base, if leaving its dots out saves more than naming it takes.
    fn worth_its_name<'b>(
        &self,
        base: Option<(u64, &'b DotSet)>,
        knows: bool,
        work: &Work<'_, '_, S>,
    ) -> Option<(u64, &'b DotSet)> {
        let bytes = |base| RUN_BYTES * self.told.listed(base, knows, work.view).0.run_count();
        base.filter(|(_, dots)| bytes(Some(*dots)) + BASE_BYTES < bytes(None))
    }

    fn summary(&self, plan: Plan, base: Option<(u64, &DotSet)>, knows: bool, work: &Work<'_, '_, S>) -> SummaryOf {
        // What is staged was not proven to be right, so it is not offered where something was wrong.
        let staged = match plan {
            Plan::Whole => DotSet::new(),
            _ => bounded(work.staged.dots(), STAGED_RUNS_MAX),
        };
        self.told.summary(self.id, plan, base, knows, staged, work.view)
    }

    fn hello(&self, summary: Option<SummaryOf>, content: Option<u128>, work: &Work<'_, '_, S>) -> Message<S> {
        Message::Hello(Hello {
            repair: self.id,
            received_hash: self.told.received_hash,
            state_hash: work.view.sketch.sum(),
            summary: summary.map(Box::new),
            content_hash: content,
        })
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
        if alike && same_table {
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

    /// Tells all that the other lacks of what is here now.
    fn tell(
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

    fn finish(&self, kept: DotSet, entries: &DotSet, check: u64, work: &Work<'_, '_, S>) -> Finish {
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

    fn push(&self, dots: DotSet, finish: Finish, work: &mut Work<'_, '_, S>) {
        let then = Message::Finish(Box::new(finish));
        if dots.is_empty() {
            work.send(then);
        } else {
            work.out.push(RepairAction::PushFromLog { peer: work.peer, dots, then });
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

    /// Draws the conclusions, if all is here.
    fn read(&mut self, work: &mut Work<'_, '_, S>) -> Step {
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

/// What a summary takes, about.
fn summary_bytes(summary: &SummaryOf) -> usize {
    let runs = |dots: &DotSet| dots.runs().take(HELLO_SUMMARY_BYTES_MAX).count();
    let sets = [&summary.received, &summary.ahead, &summary.frontier, &summary.staged];
    sets.into_iter().map(|dots| RUN_BYTES * runs(dots)).sum()
}

/// What was retired since the summary, which a test may forget to name.
fn named<S: DotStore>(gone: DotSet, told: &Told, view: &super::View<'_, S>) -> DotSet {
    #[cfg(any(test, feature = "sim"))]
    if view.config.faults.has(crate::Fault::RetiredSinceUnnamed) {
        return gone.intersection(&told.seen);
    }
    let _ = (told, view);
    gone
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
