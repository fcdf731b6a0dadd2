//! What must be true, worked out beside the machine and never by it.
//!
//! Of each edit is noted what was asked, which dots it took, and what its issuer had received. Everything follows from
//! these notes. A read is recomputed by the naive specification of the type, which knows visibility and happens-before
//! and no stores, dots or merges (Burckhardt, Gotsman, Yang, Zawirski 2014). That replicas agree is not enough: with
//! deltas that name too much all of them lose the same edit and agree on the loss.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crdt_core::laws::execution::{EventId, EventSet, Execution};
use crdt_core::laws::spec::Specification;
use crdt_core::laws::{Enrolled, StoreOp};
use crdt_core::{Causal, Delta, Dot, DotSet, Merge, ReplicaId};

use super::violation::{Blind, Check, Violation};
use crate::{Meta, Mode, Own, Replica, Ticket};

/// What a dot names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Named {
    Edit(EventId),
    /// An edit of the roster: no data.
    Roster,
}

/// One edit as it was made.
struct Edit<S: Enrolled> {
    dots: DotSet,
    delta: Delta<S>,
    node: usize,
    ticket: Ticket,
    /// It was acknowledged: the caller was told that it is durable.
    acknowledged: bool,
    /// Whatever disks held it were replaced by older ones: it may be gone.
    excused: bool,
}

/// What one replica knows, by the notes.
struct Knowledge<S: Enrolled> {
    received: DotSet,
    known: EventSet,
    /// The effect of that.
    model: Causal<S>,
    /// Edits made since it was opened that were not acknowledged yet.
    waiting: Vec<EventId>,
    /// What is durable there.
    durable: DotSet,
    /// The identities it has had since it was opened: what it said under an earlier one still arrives.
    ids: Vec<ReplicaId>,
    /// What it counted as stable when it was last looked at.
    stable: DotSet,
    /// Who counted for that at the time.
    active: Vec<ReplicaId>,
    /// Whether it grew since reads were last compared.
    grew: bool,
}

impl<S: Enrolled> Knowledge<S> {
    fn new(durable: DotSet) -> Self {
        Self {
            received: DotSet::new(),
            known: EventSet::new(),
            model: Causal::new(),
            waiting: Vec::new(),
            durable,
            ids: Vec::new(),
            stable: DotSet::new(),
            active: Vec::new(),
            grew: true,
        }
    }
}

pub(super) struct Oracle<S: Enrolled> {
    /// What is not checked, and looked past as if it were right.
    pub(super) blind: Blind,
    mode: Mode,
    /// Whether nothing may be shown before it is durable.
    strict: bool,
    execution: Execution<StoreOp<S>>,
    edits: Vec<Edit<S>>,
    names: HashMap<Dot, Named>,
    /// Dots that were durable where they were made.
    safe: DotSet,
    /// The records that the dots belong to.
    records: HashMap<Dot, Own>,
    /// What is durable at each identity.
    truth: BTreeMap<ReplicaId, DotSet>,
    /// The number of each identity's writer.
    writers: HashMap<ReplicaId, usize>,
    nodes: Vec<Knowledge<S>>,
    /// Two memories have written under one id, as the schedule wanted it: what dots name is in doubt from then on.
    pub(super) tainted: bool,
    /// A disk went back in time in a way that nothing shows, so dots may be made twice before it is found out.
    pub(super) rewound: bool,
    /// A stranger played a connection again under somebody's name. What is believed of that one may be wrong: who is
    /// behind a link is for drivers to prove.
    pub(super) deceived: bool,
    /// How many reads were compared with the specification.
    pub(super) reads: u64,
    /// How many pairs of edits knew nothing of each other.
    pub(super) concurrent_pairs: u64,
}

/// The identity with this number. They are ordered as their numbers are, which the specifications go by; their last
/// bytes, which sketches go by, look random.
pub(super) fn identity(number: usize) -> ReplicaId {
    let mut chance = super::Chance::new(number as u64);
    ReplicaId::from_u128(((number as u128 + 1) << 96) | u128::from(chance.draw()))
}

impl<S: Enrolled> Oracle<S> {
    pub(super) fn new(nodes: usize, mode: Mode, strict: bool, blind: Vec<Check>) -> Self {
        Self {
            blind: Blind(blind),
            mode,
            strict,
            execution: Execution::default(),
            edits: Vec::new(),
            names: HashMap::new(),
            safe: DotSet::new(),
            records: HashMap::new(),
            truth: BTreeMap::new(),
            writers: HashMap::new(),
            nodes: (0..nodes).map(|_| Knowledge::new(DotSet::new())).collect(),
            tainted: false,
            rewound: false,
            deceived: false,
            reads: 0,
            concurrent_pairs: 0,
        }
    }

    /// An identity that nobody had before.
    pub(super) fn fresh_identity(&mut self) -> ReplicaId {
        let number = self.writers.len();
        let id = identity(number);
        self.writers.insert(id, number);
        id
    }

    /// What a driver must not do: an identity that is computed from what lies in a store.
    pub(super) fn identity_from(&mut self, meta: Option<&Meta>, fresh: ReplicaId) -> ReplicaId {
        let Some(meta) = meta else { return fresh };
        let number = self.writers.get(&meta.replica).copied().unwrap_or(0) + 1_000;
        self.writers.insert(identity(number), number);
        identity(number)
    }

    /// A replica was opened, or took another identity, with this on its disk.
    pub(super) fn opened(&mut self, node: usize, replica: &Replica<S>, durable: &DotSet) {
        let id = replica.id();
        self.truth.entry(id).or_default().union_with(durable);
        self.nodes[node] =
            Knowledge { stable: replica.stable().clone(), ids: vec![id], ..Knowledge::new(durable.clone()) };
    }

    /// It goes on under another identity, with the same memory.
    pub(super) fn renamed(&mut self, node: usize, id: ReplicaId) {
        let knowledge = &mut self.nodes[node];
        knowledge.ids.push(id);
        self.truth.entry(id).or_default().union_with(&knowledge.durable);
    }

    /// Notes an edit that has just been made.
    pub(super) fn edited(
        &mut self,
        node: usize,
        op: StoreOp<S>,
        delta: Delta<S>,
        ticket: Ticket,
    ) -> Result<(), Violation> {
        let dots = delta.own().clone();
        let Some((writer, ..)) = dots.runs().next() else { return Ok(()) };
        self.bind(&dots, Named::Edit(self.edits.len()))?;
        let number = self.writers.get(&writer).copied().unwrap_or(usize::MAX);
        let knowledge = &mut self.nodes[node];
        let id = self.execution.issue(number, op, knowledge.known.clone());
        let unseen = self.execution.len() - 1 - knowledge.known.len();
        self.concurrent_pairs += unseen as u64;
        knowledge.known.insert(id);
        knowledge.received.union_with(&dots);
        knowledge.model.merge(&delta);
        knowledge.waiting.push(id);
        knowledge.grew = true;
        self.edits.push(Edit { dots, delta, node, ticket, acknowledged: false, excused: false });
        Ok(())
    }

    /// Notes dots that an edit of the roster took.
    pub(super) fn edited_roster(&mut self, node: usize, dots: &DotSet) -> Result<(), Violation> {
        self.bind(dots, Named::Roster)?;
        let knowledge = &mut self.nodes[node];
        knowledge.received.union_with(dots);
        knowledge.model.merge(Delta::retiring(dots.clone(), DotSet::new()));
        Ok(())
    }

    fn bind(&mut self, dots: &DotSet, name: Named) -> Result<(), Violation> {
        for dot in dots.iter() {
            let before = self.names.insert(dot, name);
            self.tainted |= self.rewound && before.is_some();
            self.blind.holds(Check::OneDotOneEdit, before.is_none() || self.tainted, || {
                format!("{dot} named {before:?} and is now given to {name:?}")
            })?;
        }
        Ok(())
    }

    /// Notes a record that a batch brings to the log of the one who wrote it.
    pub(super) fn logged(&mut self, own: Own) {
        for dot in own.to_dot_set().iter() {
            self.records.insert(dot, own);
        }
    }

    /// All this is on the disk of a replica now.
    pub(super) fn durable(&mut self, node: usize, durable: &DotSet) {
        let knowledge = &mut self.nodes[node];
        let new = durable.difference(&knowledge.durable);
        knowledge.durable.union_with(&new);
        for id in &knowledge.ids {
            self.truth.entry(*id).or_default().union_with(&new);
        }
        self.safe.union_with(&new);
    }

    /// The machine says that all up to this ticket is durable.
    pub(super) fn acknowledged(&mut self, node: usize, ticket: Ticket) -> Result<u64, Violation> {
        let knowledge = &mut self.nodes[node];
        let mut count = 0;
        let edits = &mut self.edits;
        let mut lied = None;
        knowledge.waiting.retain(|id| {
            let edit = &mut edits[*id];
            if edit.ticket > ticket {
                return true;
            }
            if !edit.dots.is_subset(&knowledge.durable) {
                lied = Some(*id);
            }
            edit.acknowledged = true;
            count += 1;
            false
        });
        self.blind.holds(Check::Shown, lied.is_none(), || {
            let lied = lied.map(|id| &self.edits[id].dots);
            format!("replica {node} acknowledges {ticket:?}, and {lied:?} of it is not on disk")
        })?;
        Ok(count)
    }

    /// A replica stopped; this is on its disk. What it had made beyond that is gone, and nobody may have heard of it.
    /// Says how many edits were lost.
    pub(super) fn stopped(&mut self, node: usize, durable: &DotSet, unshown: bool) -> u64 {
        let unseen = self.strict || unshown;
        let waiting = std::mem::take(&mut self.nodes[node].waiting);
        let mut lost = 0;
        for id in waiting {
            let edit = &self.edits[id];
            if edit.dots.is_subset(durable) {
                continue;
            }
            lost += 1;
            if unseen {
                // The counters may be used again: nobody saw them.
                for dot in edit.dots.iter() {
                    self.names.remove(&dot);
                    self.records.remove(&dot);
                }
            }
        }
        if unseen {
            let nodes = &self.nodes[node];
            for dot in nodes.received.difference(durable).iter() {
                if self.names.get(&dot) == Some(&Named::Roster) && !self.safe.contains(dot) {
                    self.names.remove(&dot);
                    self.records.remove(&dot);
                }
            }
        }
        lost
    }

    /// A disk was replaced by an older one: edits that are on no disk any more are excused.
    pub(super) fn disks_replaced(&mut self, disks: &[&DotSet]) {
        for edit in &mut self.edits {
            edit.excused |= !disks.iter().any(|disk| edit.dots.is_subset(disk));
        }
    }

    /// Looks at a replica after an input.
    pub(super) fn look(&mut self, node: usize, replica: &Replica<S>) -> Result<(), Violation> {
        self.check_stable(node, replica)?;
        if self.tainted {
            self.nodes[node].received.clone_from(replica.received());
            return Ok(());
        }
        let knowledge = &mut self.nodes[node];
        let received = replica.received();
        if *received != knowledge.received {
            let new = received.difference(&knowledge.received);
            self.blind.holds(Check::Whole, knowledge.received.is_subset(received), || {
                format!("replica {node} has forgotten {:?}", knowledge.received.difference(received))
            })?;
            self.take_in(node, &new, received)?;
        }
        let knowledge = &self.nodes[node];
        let state = replica.state();
        self.blind.holds(Check::Effect, knowledge.model == *state, || {
            format!(
                "replica {node} has received {received:?}; their effect is\n  {:?}\nand its state is\n  {state:?}",
                knowledge.model
            )
        })
    }

    fn take_in(&mut self, node: usize, new: &DotSet, received: &DotSet) -> Result<(), Violation> {
        let mut events = BTreeSet::new();
        let mut roster = DotSet::new();
        for dot in new.iter() {
            let Some(name) = self.names.get(&dot).copied() else {
                let nameless = || format!("replica {node} has received {dot}, which names no edit");
                self.blind.holds(Check::Shown, false, nameless)?;
                continue;
            };
            self.blind.holds(Check::Shown, !self.strict || self.safe.contains(dot), || {
                format!("replica {node} has received {dot}, which is not durable where it was made")
            })?;
            if let Some(record) = self.records.get(&dot) {
                self.blind.holds(Check::Whole, record.is_within(received), || {
                    format!("replica {node} has received {dot}, but not all of its record {record:?}")
                })?;
            }
            match name {
                Named::Edit(id) => {
                    events.insert(id);
                }
                Named::Roster => {
                    roster.insert(dot);
                }
            }
        }
        let knowledge = &mut self.nodes[node];
        knowledge.received.union_with(new);
        knowledge.model.merge(Delta::retiring(roster, DotSet::new()));
        for id in &events {
            let edit = &self.edits[*id];
            self.blind.holds(Check::Whole, edit.dots.is_subset(received), || {
                format!("replica {node} has half of {:?}", edit.dots)
            })?;
            knowledge.known.insert(*id);
            knowledge.model.merge(&edit.delta);
        }
        knowledge.grew = true;
        if self.mode == Mode::Causal {
            for id in &events {
                let event = self.execution.event(*id);
                self.blind.holds(Check::Causes, event.visible.is_subset(&knowledge.known), || {
                    let missing = event.visible.iter().find(|cause| !knowledge.known.contains(*cause));
                    let missing = missing.map(|cause| &self.edits[cause].dots);
                    format!("replica {node} has received {:?} without its cause {missing:?}", self.edits[*id].dots)
                })?;
            }
        }
        Ok(())
    }

    /// Looks at what changes less often: reads, order, and what a replica believes of others.
    pub(super) fn look_closely(&mut self, node: usize, replica: &Replica<S>) -> Result<(), Violation> {
        self.check_beliefs(node, replica)?;
        if self.tainted {
            return Ok(());
        }
        let received = replica.received();
        let seen = replica.state().seen();
        self.blind.holds(Check::Whole, received.is_subset(seen), || {
            format!("replica {node} has received what it has not seen")
        })?;
        if self.mode != Mode::Immediate {
            let mut runs = received.runs();
            let mut last = None;
            let gap = runs.find(|(writer, first, _)| *first != 1 || last.replace(*writer) == Some(*writer));
            self.blind.holds(Check::Causes, gap.is_none(), || format!("replica {node} has a gap before {gap:?}"))?;
        }
        if self.mode == Mode::Causal {
            self.blind.holds(Check::Whole, received == seen, || {
                format!("replica {node} has seen {:?} ahead of what it received", seen.difference(received))
            })?;
            let frontier = replica.frontier();
            self.blind.holds(Check::Causes, frontier.is_subset(received), || {
                format!("the frontier {frontier:?} of replica {node} is beyond what it received")
            })?;
        }
        let knowledge = &mut self.nodes[node];
        if !std::mem::take(&mut knowledge.grew) || !self.execution.is_grounded(&knowledge.known) {
            return Ok(());
        }
        self.reads += 1;
        let expected = S::Spec::value(&self.execution.view(&knowledge.known));
        let read = replica.state().read();
        self.blind.holds(Check::Reads, expected == read, || {
            format!("replica {node} has received {received:?}\n  reads {read:?}\n  must read {expected:?}")
        })
    }

    /// What a replica believes of others.
    fn check_beliefs(&self, node: usize, replica: &Replica<S>) -> Result<(), Violation> {
        replica.active().try_for_each(|(other, known)| {
            self.check_belief(node, other, known, "believes")?;
            self.check_belief(node, other, replica.stable(), "counts it, and with that as stable")
        })
    }

    /// What a replica counts as stable, where that has grown.
    fn check_stable(&mut self, node: usize, replica: &Replica<S>) -> Result<(), Violation> {
        let active: Vec<ReplicaId> = replica.active().map(|(other, _)| other).collect();
        let before = std::mem::replace(&mut self.nodes[node].active, active);
        if self.nodes[node].stable == *replica.stable() {
            return Ok(());
        }
        // A replica that has just caught up may lack what became stable before it counted.
        let new = replica.stable().difference(&self.nodes[node].stable);
        for (other, _) in replica.active().filter(|(other, _)| before.contains(other)) {
            self.check_belief(node, other, &new, "counts as stable")?;
        }
        let shrunk = self.nodes[node].stable.difference(replica.stable());
        self.blind.holds(Check::Belief, shrunk.is_empty(), || {
            format!("replica {node} no longer counts as stable {shrunk:?}")
        })?;
        self.nodes[node].stable.union_with(&new);
        self.blind.holds(Check::Belief, replica.stable().is_subset(&self.nodes[node].durable), || {
            format!("replica {node} counts as stable what is not durable at itself")
        })
    }

    /// That what somebody is said to have is on its disk.
    pub(super) fn check_belief(&self, node: usize, other: ReplicaId, has: &DotSet, how: &str) -> Result<(), Violation> {
        if self.deceived {
            return Ok(());
        }
        let nothing = DotSet::new();
        let truth = self.truth.get(&other).unwrap_or(&nothing);
        self.blind.holds(Check::Belief, has.is_subset(truth), || {
            format!("replica {node} {how} {:?} of {other}, where it is not durable", has.difference(truth))
        })
    }

    /// In the end, everywhere: what was acknowledged is there.
    pub(super) fn check_ledger(&self, node: usize, received: &DotSet) -> Result<u64, Violation> {
        let mut count = 0;
        for edit in self.edits.iter().filter(|edit| edit.acknowledged && !edit.excused) {
            count += 1;
            self.blind.holds(Check::Ledger, edit.dots.is_subset(received) || self.tainted, || {
                format!("replica {node} lacks {:?}, which replica {} acknowledged", edit.dots, edit.node)
            })?;
        }
        Ok(count)
    }
}
