//! How to edit each type: a handful of edits per type, chosen by a byte. Keys and values are few, so that concurrent
//! edits meet.
#![allow(dead_code, unreachable_pub, reason = "every test that includes this uses a part of it")]

use crdt_core::{
    BoundedCounter, Counter, DotStore, DwFlag, Edit, EwFlag, GCounter, GSet, LwwMap, LwwRegister, MvRegister, OrMap,
    OrSet, PnCounter, Removable, ReplicaId, RwSet, Timestamp, Value,
};
use std::fmt::Debug;

/// A store that knows a few edits of itself.
pub trait Sample: DotStore + Debug + PartialEq + Eq {
    /// Does the edit with this number; every number is one.
    fn edit(at: &mut Self::Cursor<'_>, number: u8);
}

crdt_core::fields! {
    /// Every type that can be a field, and nesting two levels deep.
    pub struct Record {
        likes: GCounter,
        balance: PnCounter,
        seats: BoundedCounter,
        stock: OrMap<String, Counter>,
        title: LwwRegister<String>,
        notes: OrMap<u8, MvRegister<Value>>,
        open: EwFlag,
        closed: DwFlag,
        log: GSet<u8>,
        tags: OrMap<String, OrSet<u8>>,
        banned: RwSet<u8>,
        prices: LwwMap<String, i64>,
        deep: OrMap<u8, OrMap<String, OrSet<u8>>>,
    }
}

/// An element or key: four of each type, with the lengths at which codecs go wrong.
pub trait Few {
    /// The value with this number, modulo four.
    fn few(number: u8) -> Self;
}

impl Few for u8 {
    fn few(number: u8) -> Self {
        [0, 1, 128, 255][usize::from(number % 4)]
    }
}

impl Few for u64 {
    fn few(number: u8) -> Self {
        [0, 127, 1 << 53, u64::MAX][usize::from(number % 4)]
    }
}

impl Few for i64 {
    fn few(number: u8) -> Self {
        [0, -1, 1 << 53, i64::MIN][usize::from(number % 4)]
    }
}

impl Few for String {
    fn few(number: u8) -> Self {
        ["", "a", "e\u{301}", "a longer one, past sixteen bytes"][usize::from(number % 4)].into()
    }
}

impl Few for Value {
    fn few(number: u8) -> Self {
        match number % 4 {
            0 => Value::Null,
            1 => Value::Int(-1),
            2 => Value::Text("é".into()),
            _ => Value::List(vec![Value::Bool(true), Value::Bytes(vec![0, 255])]),
        }
    }
}

fn stamp(number: u8) -> Timestamp {
    Timestamp::new(u64::from(number / 4 % 3), 0)
}

impl Sample for GCounter {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        // Refused above the range, which changes nothing.
        let _ = at.increment([0, 1, 200, u64::MAX][usize::from(number % 4)]);
    }
}

impl Sample for PnCounter {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        let amount = [0, 1, 200, u64::MAX][usize::from(number / 2 % 4)];
        let _ = if number.is_multiple_of(2) { at.increment(amount) } else { at.decrement(amount) };
    }
}

impl Sample for BoundedCounter {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        let amount = [0, 1, 200, u64::MAX][usize::from(number / 3 % 4)];
        let _ = match number % 3 {
            0 => at.mint(amount),
            1 => at.spend(amount),
            _ => at.grant(ReplicaId::from_u128(1), amount),
        };
    }
}

impl Sample for Counter {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        match number % 4 {
            0 => at.add(1),
            1 => at.add(300),
            2 => at.sub(1),
            _ => {
                let _ = at.checked_sub(2);
            }
        }
    }
}

impl<T: crdt_core::Element + Few> Sample for LwwRegister<T> {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        match number % 5 {
            0 => {
                at.clear();
            }
            _ => at.write(stamp(number), T::few(number)),
        }
    }
}

impl<T: crdt_core::Element + Few> Sample for MvRegister<T> {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        match number % 5 {
            0 => {
                at.clear();
            }
            _ => {
                at.write(T::few(number));
            }
        }
    }
}

impl Sample for EwFlag {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        if number.is_multiple_of(2) {
            at.enable()
        } else {
            at.disable()
        };
    }
}

impl Sample for DwFlag {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        if number.is_multiple_of(2) {
            at.enable()
        } else {
            at.disable()
        };
    }
}

impl<T: crdt_core::Element + Few> Sample for GSet<T> {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        at.insert(T::few(number));
    }
}

impl<T: crdt_core::Element + Few> Sample for OrSet<T> {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        match number % 8 {
            0..4 => {
                at.insert(T::few(number));
            }
            4..7 => {
                at.remove(&T::few(number));
            }
            _ => {
                at.clear();
            }
        }
    }
}

impl<T: crdt_core::Element + Few> Sample for RwSet<T> {
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        match number % 8 {
            0..4 => {
                at.insert(T::few(number));
            }
            _ => {
                at.remove(T::few(number));
            }
        }
    }
}

impl<K, V> Sample for OrMap<K, V>
where
    K: crdt_core::Element + Few,
    V: Sample + Removable,
{
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        match number % 8 {
            0..6 => V::edit(&mut at.entry(K::few(number % 2 + 1)), number / 8),
            6 => {
                at.remove(&K::few(number / 8 % 2 + 1));
            }
            _ => {
                at.clear();
            }
        }
    }
}

impl<K, T> Sample for LwwMap<K, T>
where
    K: crdt_core::Element + Few,
    T: crdt_core::Element + Few,
{
    fn edit(at: &mut Edit<'_, Self>, number: u8) {
        let key = K::few(number / 2 % 2 + 1);
        match number % 2 {
            0 => {
                at.insert(stamp(number), key, T::few(number / 4));
            }
            _ => {
                at.remove(stamp(number), key);
            }
        }
    }
}

impl Sample for Record {
    fn edit(at: &mut Self::Cursor<'_>, number: u8) {
        let inner = number / 13;
        match number % 13 {
            0 => GCounter::edit(&mut at.likes(), inner),
            1 => PnCounter::edit(&mut at.balance(), inner),
            2 => BoundedCounter::edit(&mut at.seats(), inner),
            3 => OrMap::edit(&mut at.stock(), inner * 3),
            4 => LwwRegister::edit(&mut at.title(), inner),
            5 => OrMap::edit(&mut at.notes(), inner * 3),
            6 => EwFlag::edit(&mut at.open(), inner),
            7 => DwFlag::edit(&mut at.closed(), inner),
            8 => GSet::edit(&mut at.log(), inner),
            9 => OrMap::edit(&mut at.tags(), inner * 5),
            10 => RwSet::edit(&mut at.banned(), inner),
            11 => LwwMap::edit(&mut at.prices(), inner),
            _ => OrMap::edit(&mut at.deep(), inner * 13),
        }
    }
}
