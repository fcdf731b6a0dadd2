//! `crdts`: operations and whole states, no tombstones.

use crdts::{CmRDT, MVReg, Map, Orswot, map, orswot};
use std::fmt::Debug;
use std::hash::Hash;

/// The add-wins set. Ids are small integers, which favours it.
pub type Set<T> = Orswot<T, u64>;
/// It has no last-writer register for its map; the multi-value register stands in.
pub type Registers = Map<String, MVReg<u64, u64>, u64>;
/// A map of add-wins sets.
pub type Sets = Map<String, Orswot<u64, u64>, u64>;

pub fn insert<T: Hash + Eq + Clone + Debug>(set: &mut Set<T>, actor: u64, element: T) -> orswot::Op<T, u64> {
    let op = set.add(element, set.read_ctx().derive_add_ctx(actor));
    set.apply(op.clone());
    op
}

pub fn remove<T: Hash + Eq + Clone + Debug>(set: &mut Set<T>, element: &T) -> orswot::Op<T, u64> {
    let op = set.rm(element.clone(), set.contains(element).derive_rm_ctx());
    set.apply(op.clone());
    op
}

pub fn extend<T: Hash + Eq + Clone + Debug>(set: &mut Set<T>, actor: u64, elements: &[T]) {
    for element in elements {
        insert(set, actor, element.clone());
    }
}

pub fn set_of<T: Hash + Eq + Clone + Debug>(elements: &[T]) -> Set<T> {
    let mut set = Set::new();
    extend(&mut set, 1, elements);
    set
}

pub fn write(map: &mut Registers, actor: u64, key: &str, value: u64) -> map::Op<String, MVReg<u64, u64>, u64> {
    let op = map.update(key, map.read_ctx().derive_add_ctx(actor), |register, ctx| register.write(value, ctx));
    map.apply(op.clone());
    op
}

pub fn insert_under(sets: &mut Sets, actor: u64, key: &str, element: u64) -> map::Op<String, Orswot<u64, u64>, u64> {
    let op = sets.update(key, sets.read_ctx().derive_add_ctx(actor), |set, ctx| set.add(element, ctx));
    sets.apply(op.clone());
    op
}
