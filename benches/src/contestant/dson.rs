//! `dson`: dot stores with a causal context, joined by value.

use dson::crdts::{NoExtensionTypes, TypeVariantValue, mvreg::MvRegValue};
use dson::sentinel::DummySentinel;
use dson::{CausalContext, CausalDotStore, Dot, DotFun, DotMap, DotStoreJoin, Identifier, MvReg, OrMap};
use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroU64;

/// It has no set of its own; this is how its dot stores spell one.
pub type Set<T> = CausalDotStore<DotMap<T, DotFun<()>>>;
/// A map of multi-value registers.
pub type Registers = CausalDotStore<OrMap<String>>;

pub fn id(writer: u8) -> Identifier {
    Identifier::new(writer, 0)
}

fn one(dot: Dot) -> DotFun<()> {
    let mut dots = DotFun::default();
    dots.set(dot, ());
    dots
}

fn run(writer: u8, last: usize) -> CausalContext {
    let bounds = [(NonZeroU64::MIN, NonZeroU64::new(last as u64).filter(|last| last.get() > 1))];
    CausalContext::from_intervals([(id(writer), bounds)]).expect("one run is in order")
}

/// Writes the elements straight into the store, one dot each. An edit through
/// the library joins its delta into the whole map: a million of them would take hours.
pub fn extend<T: Hash + Eq + Clone + Debug>(set: &mut Set<T>, writer: u8, elements: &[T]) {
    if elements.is_empty() {
        return;
    }
    for (number, element) in elements.iter().enumerate() {
        let dot = Dot::mint(id(writer), number as u64 + 1);
        set.store.insert(element.clone(), one(dot));
    }
    set.context.union(&run(writer, elements.len()));
}

pub fn set_of<T: Hash + Eq + Clone + Debug>(elements: &[T]) -> Set<T> {
    let mut set = Set::default();
    extend(&mut set, 1, elements);
    set
}

/// The delta of an insertion: the new dot, and the dots it replaces.
pub fn insertion<T: Hash + Eq + Clone + Debug>(set: &Set<T>, writer: u8, element: T) -> Set<T> {
    let dot = set.context.next_dot_for(id(writer));
    let mut delta = Set::default();
    delta.context.insert_dot(dot);
    if let Some(dots) = set.store.get(&element) {
        dots.keys().for_each(|dot| delta.context.insert_dot(dot));
    }
    delta.store.insert(element, one(dot));
    delta
}

/// The delta of a removal: the dots it retires, and no store.
pub fn removal<T: Hash + Eq + Clone + Debug>(set: &Set<T>, element: &T) -> Set<T> {
    let mut delta = Set::default();
    if let Some(dots) = set.store.get(element) {
        dots.keys().for_each(|dot| delta.context.insert_dot(dot));
    }
    delta
}

pub fn join<S: DotStoreJoin<DummySentinel> + Default>(state: &mut CausalDotStore<S>, other: CausalDotStore<S>) {
    state.consume(other, &mut DummySentinel).unwrap_or_else(|never| match never {});
}

/// A map whose registers were written in `rounds` rounds by one writer, of
/// which the last is left.
pub fn registers_after(keys: &[String], rounds: usize) -> Registers {
    let mut map = Registers::default();
    for (number, key) in keys.iter().enumerate() {
        let dot = Dot::mint(id(1), ((rounds - 1) * keys.len() + number) as u64 + 1);
        let mut register = MvReg::default();
        register.push(dot, MvRegValue::U64(number as u64));
        let value = TypeVariantValue::<NoExtensionTypes> { reg: register, ..Default::default() };
        map.store.insert(key.clone(), value);
    }
    map.context.union(&run(1, rounds * keys.len()));
    map
}
