//! crdt-core: the one this repository is about.

use crate::workload::Random;
use crdt_core::{Causal, Delta, Element, LwwRegister, OrMap, OrSet, ReplicaId, Timestamp, Writer};

/// A writer with an id that looks drawn, the same for each `number`.
pub fn writer(number: u64) -> Writer {
    let mut random = Random::new(!number);
    Writer::new(ReplicaId::from_u128(u128::from(random.bits()) << 64 | u128::from(random.bits())))
}

pub fn insert<T: Element>(set: &mut Causal<OrSet<T>>, writer: &mut Writer, element: T) -> Delta<OrSet<T>> {
    set.edit(writer, |set| set.insert(element)).0
}

pub fn remove<T: Element>(set: &mut Causal<OrSet<T>>, writer: &mut Writer, element: &T) -> Delta<OrSet<T>> {
    set.edit(writer, |set| set.remove(element)).0
}

pub fn extend<T: Element>(set: &mut Causal<OrSet<T>>, writer: &mut Writer, elements: &[T]) {
    for element in elements {
        drop(insert(set, writer, element.clone()));
    }
}

/// A set that four replicas wrote, a quarter each.
pub fn set_of<T: Element>(elements: &[T]) -> Causal<OrSet<T>> {
    let mut set = Causal::new();
    for (number, part) in (1..).zip(elements.chunks(elements.len().div_ceil(4).max(1))) {
        extend(&mut set, &mut writer(number), part);
    }
    set
}

/// A map of sets.
pub type Sets = OrMap<String, OrSet<u64>>;

pub fn insert_under(sets: &mut Causal<Sets>, writer: &mut Writer, key: &str, element: u64) -> Delta<Sets> {
    sets.edit(writer, |sets| sets.entry(key.to_owned()).insert(element)).0
}

/// A map of last-writer registers.
pub type Registers = OrMap<String, LwwRegister<u64>>;

pub fn write(
    map: &mut Causal<Registers>,
    writer: &mut Writer,
    wall_ms: u64,
    key: &str,
    value: u64,
) -> Delta<Registers> {
    map.edit(writer, |map| map.entry(key.to_owned()).write(Timestamp::new(wall_ms, 0), value)).0
}
