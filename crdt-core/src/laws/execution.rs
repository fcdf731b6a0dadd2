//! The abstract execution: what was done, where, and what was known when it was done.
//!
//! A specification is evaluated on this and on nothing else. It knows no state, no merge and no dot: an event is a
//! number, and what an edit knew is a set of such numbers. The style is that of Burckhardt, Gotsman, Yang and Zawirski,
//! *Replicated Data Types: Specification, Verification, Optimality* (2014), section 3: visibility is a relation between
//! events, and the value a replica shows is a function of the events visible there.

use std::fmt;
use std::prelude::rust_2024::*;

/// The number of an event, in the order in which the history issued them. A cause has a smaller number than its effect.
pub type EventId = usize;

/// A set of events, as a bitmap: histories are short.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventSet {
    // The last word is never zero, so that equal sets compare equal.
    words: Vec<u64>,
}

impl EventSet {
    /// No event.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one event.
    pub fn insert(&mut self, event: EventId) {
        let word = event / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (event % 64);
    }

    /// Whether `event` is in the set.
    pub fn contains(&self, event: EventId) -> bool {
        self.words.get(event / 64).is_some_and(|word| word & (1 << (event % 64)) != 0)
    }

    /// Adds all events of `other`.
    pub fn union_with(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
    }

    /// Whether every event of the set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.words.len() <= other.words.len()
            && self.words.iter().zip(&other.words).all(|(mine, theirs)| mine & !theirs == 0)
    }

    /// Whether there is no event in the set.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The events, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = EventId> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

impl FromIterator<EventId> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventId>>(events: I) -> Self {
        let mut set = Self::new();
        for event in events {
            set.insert(event);
        }
        set
    }
}

impl fmt::Debug for EventSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// One edit: what was asked for, by which writer, and which events that writer knew.
#[derive(Clone, Debug)]
pub struct Event<Op> {
    /// What was asked for.
    pub op: Op,
    /// The writer. A replica that was restored from a copy goes on as a new writer.
    pub writer: usize,
    /// The events that were visible when it was issued.
    pub visible: EventSet,
    // Whether `visible` was causally closed, and so for all events in it.
    grounded: bool,
}

/// All events of one history.
#[derive(Clone, Debug)]
pub struct Execution<Op> {
    events: Vec<Event<Op>>,
}

impl<Op> Default for Execution<Op> {
    fn default() -> Self {
        Self { events: Vec::new() }
    }
}

impl<Op> Execution<Op> {
    /// Appends an event and returns its number.
    pub fn issue(&mut self, writer: usize, op: Op, visible: EventSet) -> EventId {
        let grounded = self.is_grounded(&visible);
        self.events.push(Event { op, writer, visible, grounded });
        self.events.len() - 1
    }

    /// One event.
    pub fn event(&self, id: EventId) -> &Event<Op> {
        &self.events[id]
    }

    /// The number of events so far.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing was issued yet.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether `known` holds the causes of everything in it.
    pub fn is_closed(&self, known: &EventSet) -> bool {
        known.iter().all(|id| self.events[id].visible.is_subset(known))
    }

    /// Whether a specification has a meaning for `known`: it is causally closed, and so was the knowledge behind each edit
    /// in it. Otherwise happens-before is no order: an edit may follow a second one and know nothing of what came before
    /// that.
    pub fn is_grounded(&self, known: &EventSet) -> bool {
        known.iter().all(|id| self.events[id].grounded && self.events[id].visible.is_subset(known))
    }

    /// Whether neither of two events knew of the other.
    pub fn are_concurrent(&self, one: EventId, other: EventId) -> bool {
        one != other && !self.events[one].visible.contains(other) && !self.events[other].visible.contains(one)
    }

    /// What someone who knows exactly `known` sees.
    pub fn view(&self, known: &EventSet) -> View<'_, Op> {
        let occurrences = known.iter().map(|id| {
            let Event { op, writer, visible, .. } = &self.events[id];
            (Occurrence { id, writer: *writer, op, visible }, EventSet::new())
        });
        View { occurrences: occurrences.collect() }
    }
}

/// An event as part of a view.
#[derive(Debug)]
pub struct Occurrence<'a, Op> {
    /// Its number; a cause has a smaller one than its effect.
    pub id: EventId,
    /// Who issued it. Writers are ordered as their replica ids are.
    pub writer: usize,
    /// What was asked for.
    pub op: &'a Op,
    visible: &'a EventSet,
}

// Derived, these would ask `Op` to be `Copy`.
impl<Op> Clone for Occurrence<'_, Op> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Op> Copy for Occurrence<'_, Op> {}

impl<Op> Occurrence<'_, Op> {
    /// Whether this event knew of `other`: `other` happened before it.
    pub fn saw<Other>(&self, other: &Occurrence<'_, Other>) -> bool {
        self.visible.contains(other.id)
    }
}

/// The events visible at one place, oldest first: all a specification gets to see.
///
/// Events that others cover (an insertion that a removal saw) leave the view, but an earlier event may have seen them
/// while they were there: [`as_seen_by`](Self::as_seen_by) goes back to that.
#[derive(Debug)]
pub struct View<'a, Op> {
    /// Each with the events that cover it.
    occurrences: Vec<(Occurrence<'a, Op>, EventSet)>,
}

impl<'a, Op> View<'a, Op> {
    /// The events, causes before effects.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Occurrence<'a, Op>> + '_ {
        self.occurrences.iter().filter(|(_, covered_by)| covered_by.is_empty()).map(|(occurrence, _)| *occurrence)
    }

    /// The events, also those that others cover.
    pub fn iter_all(&self) -> impl DoubleEndedIterator<Item = Occurrence<'a, Op>> + '_ {
        self.occurrences.iter().map(|(occurrence, _)| *occurrence)
    }

    /// Whether nothing is visible.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The events that concern one part, in the words of that part: a key of a map, a field of a struct.
    pub fn project<Inner>(&self, mut part: impl FnMut(&'a Op) -> Option<&'a Inner>) -> View<'a, Inner> {
        let occurrences = self.occurrences.iter().filter_map(|(Occurrence { id, writer, op, visible }, covered_by)| {
            Some((Occurrence { id: *id, writer: *writer, op: part(op)?, visible }, covered_by.clone()))
        });
        View { occurrences: occurrences.collect() }
    }

    /// The events for which `keep` holds.
    pub fn filter(&self, mut keep: impl FnMut(&Occurrence<'a, Op>) -> bool) -> View<'a, Op> {
        View { occurrences: self.occurrences.iter().filter(|(occurrence, _)| keep(occurrence)).cloned().collect() }
    }

    /// Without the events that some of `others` knew of: those cover them.
    pub fn unseen_by<Other>(&self, others: &View<'_, Other>) -> View<'a, Op> {
        let cover = |(one, covered_by): &(Occurrence<'a, Op>, EventSet)| {
            let mut covered_by = covered_by.clone();
            others.iter().filter(|other| other.saw(one)).for_each(|other| covered_by.insert(other.id));
            (*one, covered_by)
        };
        View { occurrences: self.occurrences.iter().map(cover).collect() }
    }

    /// Without the events that another event of this view knew of.
    pub fn latest(&self) -> View<'a, Op> {
        self.unseen_by(self)
    }

    /// What `event` saw of this view when it was issued.
    pub fn as_seen_by(&self, event: &Occurrence<'_, Op>) -> View<'a, Op> {
        let seen = self.occurrences.iter().filter(|(other, _)| event.saw(other));
        let covered = seen.map(|(other, covered_by)| {
            (*other, covered_by.iter().filter(|cover| event.visible.contains(*cover)).collect())
        });
        View { occurrences: covered.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_grew_in_different_orders_compare_equal() {
        let up: EventSet = [1, 64, 130].into_iter().collect();
        let down: EventSet = [130, 64, 1].into_iter().collect();
        assert_eq!(up, down);
        assert_eq!(up.iter().collect::<Vec<_>>(), [1, 64, 130]);
        assert_eq!((up.len(), up.contains(64), up.contains(65)), (3, true, false));
        let mut joined: EventSet = [2].into_iter().collect();
        assert!(!joined.is_subset(&up));
        joined.union_with(&up);
        assert!(up.is_subset(&joined) && !joined.is_subset(&up));
    }

    #[test]
    fn an_edit_over_a_gap_leaves_no_ground_for_a_specification() {
        let mut execution = Execution::default();
        let first = execution.issue(0, 'a', EventSet::new());
        let second = execution.issue(0, 'b', [first].into_iter().collect());
        // Writer 1 got the second event without the first, and edits on top of it.
        let third = execution.issue(1, 'c', [second].into_iter().collect());
        let early: EventSet = [first, second].into_iter().collect();
        let all: EventSet = [first, second, third].into_iter().collect();
        assert!(execution.is_grounded(&early));
        assert!(execution.is_closed(&all) && !execution.is_grounded(&all));
        assert!(!execution.is_closed(&[second].into_iter().collect()));
        assert!(execution.are_concurrent(first, third) && !execution.are_concurrent(second, third));
    }

    #[test]
    fn the_latest_events_are_those_nobody_in_the_view_saw() {
        let mut execution = Execution::default();
        let first = execution.issue(0, 'a', EventSet::new());
        let second = execution.issue(0, 'b', [first].into_iter().collect());
        let apart = execution.issue(1, 'c', EventSet::new());
        let view = execution.view(&[first, second, apart].into_iter().collect());
        assert_eq!(view.latest().iter().map(|event| *event.op).collect::<String>(), "bc");
        assert_eq!(view.latest().as_seen_by(&view.iter().next_back().unwrap()).iter().count(), 0);
        let second = view.iter().find(|event| event.id == second).unwrap();
        assert_eq!(view.latest().as_seen_by(&second).iter().map(|event| *event.op).collect::<String>(), "a");
        let only_first = execution.view(&[first, apart].into_iter().collect());
        assert_eq!(only_first.latest().iter().map(|event| *event.op).collect::<String>(), "ac");
    }
}
