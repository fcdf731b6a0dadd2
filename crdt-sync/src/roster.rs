//! Who keeps the scope's data, what each is known to have, and who will write no more.

use std::collections::BTreeMap;
use std::sync::Arc;

use core::time::Duration;

use crdt_core::{DotSet, ReplicaId};
use xxhash_rust::xxh3::xxh3_64;

use crate::few::Few;
use crate::{Limits, Own, Steady};

/// How a replica counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Seen, and not yet repaired to where the others are: it holds nothing back.
    Joining,
    /// It counts for what is stable.
    Active,
    /// Silent for too long: it no longer holds anything back, and ends a repair before it counts again.
    Dormant,
}

/// Runs in what one replica is said to have: a megabyte.
const KNOWN_RUNS_MAX: usize = 65_536;

struct Member {
    standing: Standing,
    /// Joining or dormant, and repaired: it holds back what is stable from now on, and counts once it has what was
    /// stable by then.
    repaired: bool,
    heard: Steady,
    known: DotSet,
}

/// The replicas of a scope as far as heard.
#[derive(Default)]
pub(crate) struct Roster {
    members: Few<ReplicaId, Member>,
    retired: BTreeMap<ReplicaId, u64>,
    /// All dots of those.
    retired_dots: Arc<DotSet>,
    /// A sum of hashes over that table.
    retired_hash: u64,
    /// Its changes in the order in which they came, each with that sum after it: who knows the table as it was, lacks
    /// what came since. A replica may be in it twice.
    changes: BTreeMap<u64, (ReplicaId, u64)>,
    /// The number of the last one.
    newest: u64,
    /// Those of them of which not every active replica is known to have all dots.
    unsettled: BTreeMap<ReplicaId, u64>,
    /// Whether one of these may be complete by now.
    may_settle: bool,
    stable: DotSet,
    /// Runs in what all members are known to have.
    known_runs: usize,
}

impl Roster {
    /// The roster that was stored: everybody in it is as it was, and heard now.
    pub(crate) fn load(
        members: &[(ReplicaId, DotSet)],
        retired: &[(ReplicaId, u64)],
        stable: &DotSet,
        now: Steady,
    ) -> Self {
        let member =
            |known: &DotSet| Member { standing: Standing::Active, repaired: true, heard: now, known: known.clone() };
        let mut roster = Self {
            members: members.iter().map(|(replica, known)| (*replica, member(known))).collect(),
            stable: stable.clone(),
            ..Self::default()
        };
        roster.count_runs();
        for (replica, last) in retired {
            roster.retire(*replica, *last, usize::MAX);
        }
        roster
    }

    /// A sign of life, and that it has durably received these. True if it was not known before.
    pub(crate) fn heard(&mut self, replica: ReplicaId, has: &DotSet, now: Steady, limits: &Limits) -> bool {
        if let Some(member) = self.members.get_mut(&replica) {
            member.heard = now;
            self.learn(replica, has, limits);
            return false;
        }
        // Beyond the bound a replica is served and not counted.
        if self.members.len() >= limits.roster_max {
            return false;
        }
        let joining = Member { standing: Standing::Joining, repaired: false, heard: now, known: DotSet::new() };
        self.members.insert(replica, joining);
        self.learn(replica, has, limits);
        true
    }

    /// Notes what a member has, as far as there is room; true if that was news.
    fn learn(&mut self, replica: ReplicaId, has: &DotSet, limits: &Limits) -> bool {
        if has.is_empty() {
            return false;
        }
        let full = self.known_runs + has.run_count() > limits.roster_runs_max;
        let Some(member) = self.members.get_mut(&replica) else { return false };
        if full && !has.is_subset(&member.known) {
            return false;
        }
        let before = member.known.run_count();
        let news = member.known.union_with(has);
        self.known_runs = self.known_runs + member.known.run_count() - before;
        news
    }

    fn count_runs(&mut self) {
        self.known_runs = self.members.values().map(|member| member.known.run_count()).sum();
    }

    /// Takes it for granted that it has these, as faults do.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn believe(&mut self, replica: ReplicaId, has: &DotSet) {
        if let Some(member) = self.members.get_mut(&replica) {
            member.known.union_with(has);
        }
    }

    /// Lets one that was dormant count without a repair, as a fault does.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn count_at_once(&mut self, replica: ReplicaId) {
        if let Some(member) = self.members.get_mut(&replica).filter(|member| member.standing == Standing::Dormant) {
            member.standing = Standing::Active;
            member.repaired = true;
        }
    }

    /// Somebody else said that a replica which counts has these. A sign of life only where that is news: what is told
    /// again of one that is gone must not keep it for ever.
    pub(crate) fn hearsay(&mut self, replica: ReplicaId, has: &DotSet, now: Steady, limits: &Limits) {
        if self.members.contains_key(&replica) {
            let news = self.learn(replica, has, limits);
            if let Some(member) = self.members.get_mut(&replica).filter(|member| news && member.repaired) {
                member.heard = now;
            }
        } else if self.heard(replica, has, now, limits) {
            // Only those that count are told of.
            self.caught_up(replica, now);
        }
    }

    /// It has ended a repair with somebody who counts, so it has what everybody had when that began. What became stable
    /// in between it may lack: it holds back the rest from now on, and counts when [`admit`](Self::admit) finds it
    /// level.
    pub(crate) fn caught_up(&mut self, replica: ReplicaId, now: Steady) {
        let Some(member) = self.members.get_mut(&replica) else { return };
        member.repaired = true;
        member.heard = now;
    }

    /// Those that count from now on, as they have all that is stable.
    pub(crate) fn admit(&mut self) -> bool {
        let mut admitted = false;
        for member in self.members.values_mut() {
            if member.repaired && member.standing != Standing::Active && self.stable.is_subset(&member.known) {
                member.standing = Standing::Active;
                admitted = true;
            }
        }
        admitted
    }

    /// Replicas that fall silent now.
    pub(crate) fn fall_dormant(&mut self, now: Steady, after: Duration) -> Vec<ReplicaId> {
        let mut silent = Vec::new();
        for (replica, member) in self.members.iter_mut() {
            if member.repaired && now - member.heard > after {
                member.standing = Standing::Dormant;
                member.repaired = false;
                // What it had is no longer of use, and would be held for it for ever.
                member.known = DotSet::new();
                silent.push(*replica);
            }
        }
        if !silent.is_empty() {
            self.count_runs();
        }
        silent
    }

    /// The earliest moment at which somebody may fall silent.
    pub(crate) fn deadline(&self, after: Duration) -> Option<Steady> {
        let counted = self.members.values().filter(|member| member.repaired);
        counted.map(|member| member.heard + after + Duration::from_millis(1)).min()
    }

    /// Moves what is stable as far as everybody is known to be; `mine` is durable here. True if it grew.
    ///
    /// Only ever an under-estimate, and it never shrinks: a replica counts once it has caught up with all this covers.
    pub(crate) fn advance(&mut self, mine: &DotSet, limits: &Limits) -> bool {
        let mut common = mine.clone();
        let crowded = self.known_runs > limits.roster_runs_max / 2;
        for member in self.members.values_mut() {
            // Claims about what is not here are believed until there are too many of them to keep.
            if crowded || member.known.run_count() > KNOWN_RUNS_MAX {
                member.known = member.known.intersection(mine);
            }
        }
        if crowded {
            self.count_runs();
        }
        for member in self.members.values().filter(|member| member.repaired) {
            common = common.intersection(&member.known);
        }
        let grew = self.stable.union_with(&common);
        self.may_settle |= grew;
        grew
    }

    pub(crate) fn stable(&self) -> &DotSet {
        &self.stable
    }

    /// The replicas that count, with what they have.
    pub(crate) fn active(&self) -> impl Iterator<Item = (ReplicaId, &DotSet)> {
        let active = self.members.iter().filter(|(_, member)| member.standing == Standing::Active);
        active.map(|(replica, member)| (*replica, &member.known))
    }

    pub(crate) fn standing(&self, replica: ReplicaId) -> Option<Standing> {
        self.members.get(&replica).map(|member| member.standing)
    }

    /// Forgets a replica of our own that is no more: its old id.
    pub(crate) fn forget(&mut self, replica: ReplicaId) {
        self.members.remove(&replica);
        self.count_runs();
    }

    /// Somebody said that a replica makes no dots above `last`. True if that is new.
    pub(crate) fn retire(&mut self, replica: ReplicaId, last: u64, retired_max: usize) -> bool {
        let known = self.retired.get(&replica).copied();
        let full = known.is_none() && self.retired.len() >= retired_max;
        if full || known.is_some_and(|known| known >= last) {
            return false;
        }
        let before = known.map_or(0, |known| row_hash(replica, known));
        self.retired_hash = self.retired_hash.wrapping_sub(before).wrapping_add(row_hash(replica, last));
        if last > 0 {
            Arc::make_mut(&mut self.retired_dots).insert_run(replica, 1, last);
        }
        self.retired.insert(replica, last);
        self.newest += 1;
        self.changes.insert(self.newest, (replica, self.retired_hash));
        if self.changes.len() > 2 * self.retired.len() {
            self.forget_changes();
        }
        self.unsettled.insert(replica, last);
        self.may_settle = true;
        true
    }

    /// Of each replica its last change alone.
    fn forget_changes(&mut self) {
        let mut last = BTreeMap::new();
        for (number, (replica, _)) in &self.changes {
            last.insert(*replica, *number);
        }
        self.changes.retain(|number, (replica, _)| last.get(replica) == Some(number));
    }

    /// The number of the last change of the table.
    pub(crate) fn newest_change(&self) -> u64 {
        self.newest
    }

    /// The change after which the table had this hash, if it ever had.
    pub(crate) fn change_with(&self, hash: u64) -> Option<u64> {
        self.changes.iter().rev().find(|(_, (_, then))| *then == hash).map(|(number, _)| *number)
    }

    /// The rows that came after a change, or rose.
    pub(crate) fn retired_since(&self, change: u64) -> Vec<(ReplicaId, u64)> {
        let later = self.changes.range(change.saturating_add(1)..);
        let rows: BTreeMap<ReplicaId, u64> =
            later.filter_map(|(_, (replica, _))| self.retired.get_key_value(replica)).map(|(r, l)| (*r, *l)).collect();
        rows.into_iter().collect()
    }

    /// Retirements that have become complete: all of the replica's dots are stable, and so no more of them are
    /// on their way. It no longer counts as a member either.
    pub(crate) fn settle(&mut self) -> Vec<ReplicaId> {
        if !core::mem::take(&mut self.may_settle) {
            return Vec::new();
        }
        let is_complete = |(replica, last): &(&ReplicaId, &u64)| {
            **last == 0 || Own { replica: **replica, first: 1, last: **last }.is_within(&self.stable)
        };
        let settled: Vec<ReplicaId> = self.unsettled.iter().filter(is_complete).map(|(replica, _)| *replica).collect();
        for replica in &settled {
            self.unsettled.remove(replica);
            self.members.remove(replica);
        }
        settled
    }

    pub(crate) fn retired(&self) -> &BTreeMap<ReplicaId, u64> {
        &self.retired
    }

    /// How many are retired, and a hash of that table.
    pub(crate) fn retired_digest(&self) -> (u64, u64) {
        (self.retired.len() as u64, self.retired_hash)
    }

    /// All dots of those that are retired.
    pub(crate) fn retired_dots(&self) -> &Arc<DotSet> {
        &self.retired_dots
    }
}

fn row_hash(replica: ReplicaId, last: u64) -> u64 {
    // As a set of the one dot after the last would hash, though there may be no such dot.
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&replica.to_bytes());
    bytes[16..24].copy_from_slice(&(last + 1).to_le_bytes());
    bytes[24..].copy_from_slice(&(last + 1).to_le_bytes());
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ReplicaId = ReplicaId::from_u128(1);
    const B: ReplicaId = ReplicaId::from_u128(2);

    fn upto(replica: ReplicaId, last: u64) -> DotSet {
        let mut dots = DotSet::new();
        dots.insert_run(replica, 1, last);
        dots
    }

    fn second(seconds: u64) -> Steady {
        Steady(seconds * 1_000)
    }

    #[test]
    fn what_is_stable_is_what_every_active_replica_has_and_never_shrinks() {
        let mut roster = Roster::default();
        assert!(roster.heard(A, &upto(A, 5), second(0), &Limits::default()));
        assert!(roster.advance(&upto(A, 9), &Limits::default()));
        assert_eq!(*roster.stable(), upto(A, 9), "one that has not caught up holds nothing back");
        roster.caught_up(A, second(0));
        assert!(!roster.advance(&upto(A, 12), &Limits::default()));
        assert_eq!(*roster.stable(), upto(A, 9));
        roster.heard(A, &upto(A, 10), second(1), &Limits::default());
        assert!(roster.advance(&upto(A, 12), &Limits::default()));
        assert_eq!(*roster.stable(), upto(A, 10));
    }

    #[test]
    fn one_that_was_repaired_counts_once_it_has_all_that_became_stable_meanwhile() {
        let mut roster = Roster::default();
        roster.heard(A, &upto(B, 5), second(0), &Limits::default());
        // Its repair began before 6 and 7 were stable.
        roster.advance(&upto(B, 7), &Limits::default());
        roster.caught_up(A, second(1));
        assert!(!roster.admit());
        assert_eq!(roster.standing(A), Some(Standing::Joining));
        assert!(!roster.advance(&upto(B, 9), &Limits::default()), "and what it lacks holds back the rest");
        roster.heard(A, &upto(B, 8), second(2), &Limits::default());
        assert!(roster.advance(&upto(B, 9), &Limits::default()) && roster.admit());
        assert_eq!(roster.standing(A), Some(Standing::Active));
        assert_eq!(*roster.stable(), upto(B, 8));
    }

    #[test]
    fn what_others_repeat_of_one_that_is_gone_does_not_keep_it() {
        let mut roster = Roster::default();
        roster.hearsay(A, &upto(A, 3), second(0), &Limits::default());
        assert!(roster.admit());
        roster.hearsay(A, &upto(A, 3), second(9), &Limits::default());
        assert_eq!(roster.fall_dormant(second(11), Duration::from_secs(10)), [A]);
        roster.hearsay(A, &upto(A, 3), second(12), &Limits::default());
        assert_eq!(roster.standing(A), Some(Standing::Dormant));
    }

    #[test]
    fn a_silent_replica_holds_nothing_back_and_counts_again_after_a_repair() {
        let mut roster = Roster::default();
        roster.heard(A, &upto(A, 1), second(0), &Limits::default());
        roster.caught_up(A, second(0));
        assert!(roster.admit());
        assert!(roster.fall_dormant(second(10), Duration::from_secs(10)).is_empty());
        assert_eq!(roster.fall_dormant(second(11), Duration::from_secs(10)), [A]);
        assert!(roster.advance(&upto(A, 7), &Limits::default()));
        roster.heard(A, &upto(A, 7), second(12), &Limits::default());
        assert_eq!(roster.standing(A), Some(Standing::Dormant));
        roster.caught_up(A, second(12));
        assert!(roster.admit());
        assert_eq!(roster.standing(A), Some(Standing::Active));
    }

    #[test]
    fn a_retirement_waits_until_all_dots_of_the_replica_are_stable() {
        let mut roster = Roster::default();
        assert!(roster.retire(B, 3, 10) && !roster.retire(B, 3, 10));
        assert!(roster.settle().is_empty());
        roster.advance(&upto(B, 2), &Limits::default());
        assert!(roster.settle().is_empty());
        roster.advance(&upto(B, 3), &Limits::default());
        assert_eq!(roster.settle(), [B]);
        assert!(roster.settle().is_empty());
    }

    /// A peer names ten thousand members, each with as many claims as one may have: 10 GB.
    #[test]
    fn what_all_members_are_said_to_have_is_bounded_together() {
        let limits = Limits { roster_runs_max: 1_000, ..Limits::default() };
        let mut roster = Roster::default();
        let claims: DotSet = (1..=300).filter_map(|counter| crdt_core::Dot::new(B, 2 * counter)).collect();
        for member in 10..200 {
            roster.hearsay(ReplicaId::from_u128(member), &claims, second(0), &limits);
        }
        let held: usize = roster.active().map(|(_, known)| known.run_count()).sum();
        assert!(roster.known_runs <= 1_000 && held <= 1_000, "{held}");
        // Of what is not here nothing is kept where room is scarce, and honest members are noted again.
        roster.advance(&upto(A, 5), &limits);
        roster.heard(A, &upto(A, 5), second(1), &limits);
        roster.caught_up(A, second(1));
        roster.admit();
        assert!(roster.active().any(|(replica, known)| replica == A && *known == upto(A, 5)));
    }
}
