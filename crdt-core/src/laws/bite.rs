//! The suite bites: a small add-wins set that is right, and copies of it that are each wrong in one way known from a
//! published library. Every one must be rejected, by the law that names its fault.

use super::check::{Plan, search};
use super::execution::View;
use super::law::Law;
use super::op::{Operation, SetOp};
use super::spec::{self, Specification};
use super::subject::{Refused, Subject};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;
use std::{format, panic};

type Dot = (usize, u64);

/// An add-wins set by the book: live elements with their dots, and all dots ever seen. A delta has the same shape.
#[derive(Clone, PartialEq, Debug, Default)]
struct Toy {
    live: BTreeSet<(Dot, u8)>,
    seen: BTreeSet<Dot>,
    // Only the toys that count merges, or the order of arrival, use it.
    extra: Vec<u8>,
}

/// What a toy does differently; every method's body is the right way.
trait Fault: Sized + 'static {
    fn keep(mine: &Toy, theirs: &Toy, entry: &(Dot, u8)) -> bool {
        match (mine.live.contains(entry), theirs.live.contains(entry)) {
            (true, true) => true,
            (true, false) => !theirs.seen.contains(&entry.0),
            (false, true) => !mine.seen.contains(&entry.0),
            (false, false) => false,
        }
    }
    fn answer(grew: bool) -> bool {
        grew
    }
    fn after_merge(_state: &mut Toy, _other: &Toy) {}
    /// Which of the dots that a removal found does its delta name?
    fn named(found: Vec<Dot>) -> Vec<Dot> {
        found
    }
    /// What the context of a delta covers beside the dots it names.
    fn context(_writer: usize, _own: u64) -> Vec<Dot> {
        Vec::new()
    }
    fn keeps_old_dots() -> bool {
        false
    }
    fn encode(toy: &Toy) -> Vec<u8> {
        encode(toy)
    }
    fn since(giver: &Toy, _receiver: &Toy) -> Toy {
        giver.clone()
    }
}

fn encode(toy: &Toy) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.push(toy.live.len() as u8);
    for &((writer, counter), element) in &toy.live {
        bytes.extend([writer as u8, counter as u8, element]);
    }
    for &(writer, counter) in &toy.seen {
        bytes.extend([writer as u8, counter as u8]);
    }
    bytes
}

fn decode(bytes: &[u8]) -> Toy {
    let (live, seen) = bytes[1..].split_at(3 * usize::from(bytes[0]));
    Toy {
        live: live.chunks(3).map(|entry| ((usize::from(entry[0]), u64::from(entry[1])), entry[2])).collect(),
        seen: seen.chunks(2).map(|dot| (usize::from(dot[0]), u64::from(dot[1]))).collect(),
        extra: Vec::new(),
    }
}

struct ToySet<F>(PhantomData<F>);

impl<F: Fault> Subject for ToySet<F> {
    type State = Toy;
    type Delta = Toy;
    type Author = (usize, u64);
    type Spec = spec::AddWins<u8>;

    fn author(number: usize) -> (usize, u64) {
        (number, 0)
    }

    fn branch(author: &(usize, u64)) -> (usize, u64) {
        *author
    }

    fn edit(state: &mut Toy, author: &mut (usize, u64), op: &SetOp<u8>) -> Result<Toy, Refused> {
        let found = |wanted: Option<u8>| {
            let entries = state.live.iter().filter(move |(_, element)| wanted.is_none_or(|wanted| *element == wanted));
            entries.map(|(dot, _)| *dot).collect::<Vec<_>>()
        };
        let (gone, new) = match *op {
            SetOp::Insert(element) => (found(Some(element)), Some(element)),
            SetOp::Remove(element) => (F::named(found(Some(element))), None),
            SetOp::Clear => (F::named(found(None)), None),
        };
        if gone.is_empty() && new.is_none() {
            return Ok(Toy::default());
        }
        author.1 += 1;
        let own = (author.0, author.1);
        let mut delta = Toy::default();
        delta.seen.insert(own);
        delta.seen.extend(F::context(author.0, author.1));
        if !F::keeps_old_dots() || new.is_none() {
            delta.seen.extend(gone);
        }
        delta.live.extend(new.map(|element| (own, element)));
        Self::merge(state, &delta);
        if let SetOp::Remove(element) = op {
            // The state forgets all of them, whatever the delta says.
            state.live.retain(|(_, it)| it != element);
        }
        Ok(delta)
    }

    fn merge(state: &mut Toy, other: &Toy) -> bool {
        let before = state.clone();
        let live = before.live.union(&other.live).filter(|entry| F::keep(&before, other, entry)).copied();
        state.live = live.collect();
        state.seen.extend(&other.seen);
        F::after_merge(state, other);
        F::answer(*state != before)
    }

    fn merge_delta(state: &mut Toy, delta: &Toy) -> bool {
        Self::merge(state, delta)
    }

    fn group(group: &mut Toy, delta: &Toy) {
        Self::merge(group, delta);
    }

    fn value(state: &Toy) -> BTreeSet<u8> {
        state.live.iter().map(|(_, element)| *element).collect()
    }

    fn encode(state: &Toy) -> Vec<u8> {
        F::encode(state)
    }

    fn reencode(state: &Toy) -> Result<Toy, String> {
        Ok(decode(&Self::encode(state)))
    }

    fn reencode_delta(delta: &Toy) -> Result<Toy, String> {
        Ok(delta.clone())
    }

    fn since(giver: &Toy, receiver: &Toy) -> Option<Toy> {
        Some(F::since(giver, receiver))
    }
}

fn plan() -> Plan {
    Plan { histories: 3_000, fresh: 0, steps: 40, seed: 0 }
}

/// The law that rejects the toy, and the number of steps that suffice.
fn rejected_by<T: Subject>() -> (Law, usize) {
    let counterexample = search::<T>(&plan()).expect_err("the fault was not found");
    (counterexample.broken.law, counterexample.history.steps.len())
}

struct Right;
impl Fault for Right {}

#[test]
fn the_set_by_the_book_keeps_every_law() {
    let tally = search::<ToySet<Right>>(&plan()).unwrap_or_else(|counterexample| panic!("{counterexample}"));
    tally.check_floors(true, false).unwrap();
}

/// An element that both hold stays, whatever dots it has; one that only one holds stays too unless the other saw its dot.
/// The same as right for sets of entries; here an element is kept if either holds it under any dot.
struct PresenceIsLiveness;
impl Fault for PresenceIsLiveness {
    fn keep(mine: &Toy, theirs: &Toy, entry: &(Dot, u8)) -> bool {
        let holds = |toy: &Toy| toy.live.iter().any(|(_, element)| *element == entry.1);
        Right::keep(mine, theirs, entry) || (holds(mine) && holds(theirs))
    }
}

#[test]
fn t11_presence_on_both_sides_is_not_liveness() {
    let (law, steps) = rejected_by::<ToySet<PresenceIsLiveness>>();
    assert!(law >= Law::L1 && steps <= 5, "{law} in {steps} steps");
}

struct ForgetsADot;
impl Fault for ForgetsADot {
    fn named(mut found: Vec<Dot>) -> Vec<Dot> {
        if found.len() > 1 {
            found.pop();
        }
        found
    }
}

#[test]
fn a_removal_whose_delta_forgets_a_dot_is_rejected() {
    let (law, steps) = rejected_by::<ToySet<ForgetsADot>>();
    assert!(matches!(law, Law::L5 | Law::L6 | Law::L11) && steps <= 5, "{law} in {steps} steps");
}

struct CoversAPrefix;
impl Fault for CoversAPrefix {
    fn context(writer: usize, own: u64) -> Vec<Dot> {
        (1..own).map(|counter| (writer, counter)).collect()
    }
}

#[test]
fn t4_a_delta_that_covers_more_than_it_accounts_for_is_rejected() {
    let (law, steps) = rejected_by::<ToySet<CoversAPrefix>>();
    assert!(steps <= 4, "{law} in {steps} steps");
}

struct KeepsOldDots;
impl Fault for KeepsOldDots {
    fn keeps_old_dots() -> bool {
        true
    }
}

#[test]
fn keeping_the_old_dots_of_an_element_is_no_fault_of_its_meaning() {
    // A negative of the negative: more dots than needed, yet every law holds and readers see the same.
    search::<ToySet<KeepsOldDots>>(&plan()).unwrap_or_else(|counterexample| panic!("{counterexample}"));
}

struct AlwaysGrew;
impl Fault for AlwaysGrew {
    fn answer(_grew: bool) -> bool {
        true
    }
}

#[test]
fn an_untruthful_answer_is_rejected_by_name() {
    let (law, steps) = rejected_by::<ToySet<AlwaysGrew>>();
    assert!(law == Law::Truthful && steps <= 1, "{law} in {steps} steps");
}

struct BytesInOrderOfArrival;
impl Fault for BytesInOrderOfArrival {
    fn encode(toy: &Toy) -> Vec<u8> {
        // The order a hash table might have: here it depends on how much was seen.
        let mut bytes = encode(toy);
        let entries = usize::from(bytes[0]);
        if entries > 1 && toy.extra.len() % 2 == 1 {
            bytes[1..1 + 3 * entries].rotate_left(3);
        }
        bytes
    }
    fn after_merge(state: &mut Toy, _other: &Toy) {
        // Equal states must not differ by this, so the toy hides it from `==` as a hash table hides its layout.
        state.extra.clear();
        if state.live.iter().next().is_some_and(|(dot, _)| dot.0 == 1) {
            state.extra.push(1);
        }
    }
}

#[test]
fn t13_bytes_that_depend_on_layout_break_l10() {
    let (law, _) = rejected_by::<ToySet<BytesInOrderOfArrival>>();
    assert_eq!(law, Law::L10);
}

struct DifferenceDropsRemovals;
impl Fault for DifferenceDropsRemovals {
    fn since(giver: &Toy, receiver: &Toy) -> Toy {
        let live: BTreeSet<_> = giver.live.iter().filter(|(dot, _)| !receiver.seen.contains(dot)).copied().collect();
        let seen = live.iter().map(|(dot, _)| *dot).collect();
        Toy { live, seen, extra: Vec::new() }
    }
}

#[test]
fn a_difference_that_drops_removals_breaks_the_law_of_since() {
    let (law, steps) = rejected_by::<ToySet<DifferenceDropsRemovals>>();
    assert_eq!(law, Law::Since);
    assert!(steps <= 4, "{steps} steps");
}

/// T7, T9: no dots but time stamps, and ties kept as they are.
struct Stamped;

#[derive(Clone, PartialEq, Debug, Default)]
struct StampedSet {
    clock: u8,
    entries: std::collections::BTreeMap<u8, (u8, bool)>,
}

impl Subject for Stamped {
    type State = StampedSet;
    type Delta = StampedSet;
    type Author = ();
    type Spec = spec::AddWins<u8>;

    fn author(_number: usize) {}

    fn branch(_author: &()) {}

    fn edit(state: &mut StampedSet, _author: &mut (), op: &SetOp<u8>) -> Result<StampedSet, Refused> {
        state.clock += 1;
        let stamp = state.clock;
        let mut delta = StampedSet { clock: stamp, ..StampedSet::default() };
        match op {
            SetOp::Insert(element) => drop(delta.entries.insert(*element, (stamp, true))),
            SetOp::Remove(element) => drop(delta.entries.insert(*element, (stamp, false))),
            SetOp::Clear => delta.entries.extend(state.entries.keys().map(|element| (*element, (stamp, false)))),
        }
        Self::merge(state, &delta);
        Ok(delta)
    }

    fn merge(state: &mut StampedSet, other: &StampedSet) -> bool {
        let before = state.clone();
        state.clock = state.clock.max(other.clock);
        for (element, theirs) in &other.entries {
            let mine = state.entries.entry(*element).or_insert(*theirs);
            if theirs.0 > mine.0 {
                *mine = *theirs;
            }
        }
        *state != before
    }

    fn merge_delta(state: &mut StampedSet, delta: &StampedSet) -> bool {
        Self::merge(state, delta)
    }

    fn group(group: &mut StampedSet, delta: &StampedSet) {
        Self::merge(group, delta);
    }

    fn value(state: &StampedSet) -> BTreeSet<u8> {
        state.entries.iter().filter(|(_, entry)| entry.1).map(|(element, _)| *element).collect()
    }

    fn encode(state: &StampedSet) -> Vec<u8> {
        let mut bytes = Vec::from([state.clock]);
        bytes.extend(state.entries.iter().flat_map(|(element, (stamp, is_in))| [*element, *stamp, u8::from(*is_in)]));
        bytes
    }

    fn reencode(state: &StampedSet) -> Result<StampedSet, String> {
        let bytes = Self::encode(state);
        let entries = bytes[1..].chunks(3).map(|entry| (entry[0], (entry[1], entry[2] == 1)));
        Ok(StampedSet { clock: bytes[0], entries: entries.collect() })
    }

    fn reencode_delta(delta: &StampedSet) -> Result<StampedSet, String> {
        Ok(delta.clone())
    }
}

#[test]
fn t9_ties_that_stay_as_they_are_are_rejected() {
    let (law, steps) = rejected_by::<Stamped>();
    assert!(steps <= 4, "{law} in {steps} steps");
}

/// T26: per element, how often it was added and removed by each writer, merged by maximum.
struct Tutorial;

#[derive(Clone, PartialEq, Debug, Default)]
struct Counts(std::collections::BTreeMap<(u8, usize), (u8, u8)>);

impl Subject for Tutorial {
    type State = Counts;
    type Delta = Counts;
    type Author = usize;
    type Spec = spec::AddWins<u8>;

    fn author(number: usize) -> usize {
        number
    }

    fn branch(author: &usize) -> usize {
        *author
    }

    fn edit(state: &mut Counts, author: &mut usize, op: &SetOp<u8>) -> Result<Counts, Refused> {
        let mut count = |element: u8, adds: u8, removes: u8| {
            let entry = state.0.entry((element, *author)).or_default();
            *entry = (entry.0 + adds, entry.1 + removes);
        };
        match *op {
            SetOp::Insert(element) => count(element, 1, 0),
            SetOp::Remove(element) => count(element, 0, 1),
            SetOp::Clear => {
                for element in Self::value(&state.clone()) {
                    let entry = state.0.entry((element, *author)).or_default();
                    entry.1 += 1;
                }
            }
        }
        Ok(state.clone())
    }

    fn merge(state: &mut Counts, other: &Counts) -> bool {
        let before = state.clone();
        for (place, theirs) in &other.0 {
            let mine = state.0.entry(*place).or_default();
            *mine = (mine.0.max(theirs.0), mine.1.max(theirs.1));
        }
        *state != before
    }

    fn merge_delta(state: &mut Counts, delta: &Counts) -> bool {
        Self::merge(state, delta)
    }

    fn group(group: &mut Counts, delta: &Counts) {
        Self::merge(group, delta);
    }

    fn value(state: &Counts) -> BTreeSet<u8> {
        let mut sums = std::collections::BTreeMap::<u8, i32>::new();
        for ((element, _), (adds, removes)) in &state.0 {
            *sums.entry(*element).or_default() += i32::from(*adds) - i32::from(*removes);
        }
        sums.into_iter().filter(|(_, sum)| *sum > 0).map(|(element, _)| element).collect()
    }

    fn encode(state: &Counts) -> Vec<u8> {
        let entries = state.0.iter();
        entries.flat_map(|((element, writer), (adds, removes))| [*element, *writer as u8, *adds, *removes]).collect()
    }

    fn reencode(state: &Counts) -> Result<Counts, String> {
        let bytes = Self::encode(state);
        let entries = bytes.chunks(4).map(|entry| ((entry[0], usize::from(entry[1])), (entry[2], entry[3])));
        Ok(Counts(entries.collect()))
    }

    fn reencode_delta(delta: &Counts) -> Result<Counts, String> {
        Ok(delta.clone())
    }
}

#[test]
fn t26_the_tutorial_set_is_a_lattice_and_still_breaks_l11() {
    let (law, steps) = rejected_by::<Tutorial>();
    assert_eq!(law, Law::L11);
    assert!(steps <= 3, "{steps} steps");
}

/// T6: a map value summed up by each writer's last total, and a removal that remembers totals instead of edits.
struct SummedUp;

#[derive(Clone, PartialEq, Debug, Default)]
struct Totals {
    /// Per writer: how many edits, their sum.
    totals: std::collections::BTreeMap<usize, (u8, u8)>,
    /// The edits removed, per writer, as a maximum.
    removed: std::collections::BTreeMap<usize, u8>,
}

struct OneKey;

impl Specification for OneKey {
    type Op = SetOp<u8>;
    type Value = u32;

    // Inserting counts one; removing takes back the insertions it saw.
    fn value(view: &View<'_, SetOp<u8>>) -> u32 {
        let removals = view.filter(|event| !matches!(event.op, SetOp::Insert(_)));
        view.filter(|event| matches!(event.op, SetOp::Insert(_))).unseen_by(&removals).iter().count() as u32
    }

    fn is_bottom(view: &View<'_, SetOp<u8>>) -> bool {
        Self::value(view) == 0
    }
}

impl Subject for SummedUp {
    type State = Totals;
    type Delta = Totals;
    type Author = usize;
    type Spec = OneKey;

    fn author(number: usize) -> usize {
        number
    }

    fn branch(author: &usize) -> usize {
        *author
    }

    fn edit(state: &mut Totals, author: &mut usize, op: &SetOp<u8>) -> Result<Totals, Refused> {
        if op.removal() == super::op::Removal::None {
            let total = state.totals.entry(*author).or_default();
            *total = (total.0 + 1, total.1 + 1);
        } else {
            state.removed.extend(state.totals.iter().map(|(writer, total)| (*writer, total.0)));
        }
        Ok(state.clone())
    }

    fn merge(state: &mut Totals, other: &Totals) -> bool {
        let before = state.clone();
        for (writer, theirs) in &other.totals {
            let mine = state.totals.entry(*writer).or_default();
            *mine = (*mine).max(*theirs);
        }
        for (writer, theirs) in &other.removed {
            let mine = state.removed.entry(*writer).or_default();
            *mine = (*mine).max(*theirs);
        }
        *state != before
    }

    fn merge_delta(state: &mut Totals, delta: &Totals) -> bool {
        Self::merge(state, delta)
    }

    fn group(group: &mut Totals, delta: &Totals) {
        Self::merge(group, delta);
    }

    // A writer whose last edit no removal covers counts in full: also what a removal did see.
    fn value(state: &Totals) -> u32 {
        let alive = state
            .totals
            .iter()
            .filter(|(writer, total)| state.removed.get(writer).is_none_or(|removed| *removed < total.0));
        alive.map(|(_, total)| u32::from(total.1)).sum()
    }

    fn encode(state: &Totals) -> Vec<u8> {
        let mut bytes = Vec::from([state.totals.len() as u8]);
        bytes.extend(state.totals.iter().flat_map(|(writer, total)| [*writer as u8, total.0, total.1]));
        bytes.extend(state.removed.iter().flat_map(|(writer, removed)| [*writer as u8, *removed]));
        bytes
    }

    fn reencode(state: &Totals) -> Result<Totals, String> {
        let bytes = Self::encode(state);
        let (totals, removed) = bytes[1..].split_at(3 * usize::from(bytes[0]));
        Ok(Totals {
            totals: totals.chunks(3).map(|entry| (usize::from(entry[0]), (entry[1], entry[2]))).collect(),
            removed: removed.chunks(2).map(|entry| (usize::from(entry[0]), entry[1])).collect(),
        })
    }

    fn reencode_delta(delta: &Totals) -> Result<Totals, String> {
        Ok(delta.clone())
    }
}

#[test]
fn t6_a_value_summed_up_by_a_maximum_breaks_l11() {
    let (law, steps) = rejected_by::<SummedUp>();
    assert_eq!(law, Law::L11);
    assert!(steps <= 4, "{steps} steps");
}

#[test]
fn a_counterexample_can_be_pasted_into_a_test() {
    let counterexample = search::<Tutorial>(&plan()).expect_err("the fault was not found");
    let text = format!("{counterexample}");
    assert!(text.contains("History {") && text.contains("LAWS_SEED="), "{text}");
    let again = super::check::attempt::<Tutorial>(&counterexample.history).expect_err("it is the same history");
    assert_eq!(again, counterexample.broken);
    assert_eq!(counterexample.seed, search::<Tutorial>(&plan()).unwrap_err().seed);
}
