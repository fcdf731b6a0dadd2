//! Maps.

use super::register::stamp;
use crate::laws::op::{Few, MapOp, StampedMapOp};
use crate::laws::spec;
use crate::laws::store::{Enrolled, StoreOp, StoreValue};
use crate::laws::subject::Refused;
use crate::{Edit, Element, LwwMap, OrMap, Removable};
use std::collections::{BTreeMap, BTreeSet};
use std::prelude::rust_2024::*;

impl<K: Element + Few, V: Enrolled + Removable> Enrolled for OrMap<K, V> {
    type Spec = spec::AddWinsMap<K, V::Spec>;

    fn perform(map: &mut Edit<'_, Self>, op: &MapOp<K, StoreOp<V>>) -> Result<(), Refused> {
        match op {
            MapOp::At(key, inner) => return V::perform(&mut map.entry(key.clone()), inner),
            MapOp::Remove(key) => {
                let was_there = map.get(key).is_some();
                assert_eq!(map.remove(key) > 0, was_there, "remove says how many dots it retired");
            }
            MapOp::Clear => {
                let was_empty = map.view().is_none_or(OrMap::is_empty);
                assert_eq!(map.clear() == 0, was_empty, "clear says how many dots it retired");
            }
        }
        Ok(())
    }

    fn read(&self) -> BTreeMap<K, StoreValue<V>> {
        let keys: Vec<&K> = self.keys().collect();
        assert!(keys.is_sorted() && keys.len() == self.len() && keys.is_empty() == self.is_empty());
        assert!(K::few().iter().all(|key| self.contains_key(key) == keys.contains(&key)));
        self.iter()
            .map(|(key, value)| {
                assert!(!value.is_bottom(), "an absent key and an empty value are the same");
                (key.clone(), value.read())
            })
            .collect()
    }

    fn looks_alike(one: &Self, other: &Self) -> bool {
        // A key whose value shows nothing (it waits with a removal, say) looks as if it were absent.
        let nothing = V::default();
        let keys: BTreeSet<&K> = one.keys().chain(other.keys()).collect();
        keys.into_iter().all(|key| {
            let [one, other] = [one, other].map(|map| map.get(key).unwrap_or(&nothing));
            V::looks_alike(one, other)
        })
    }
}

impl<K: Element + Few, T: Element + Few> Enrolled for LwwMap<K, T> {
    type Spec = spec::StampedMap<K, T>;

    fn perform(map: &mut Edit<'_, Self>, op: &StampedMapOp<K, T>) -> Result<(), Refused> {
        match op {
            StampedMapOp::Insert(number, key, value) => map.insert(stamp(*number), key.clone(), value.clone()),
            StampedMapOp::Remove(number, key) => map.remove(stamp(*number), key.clone()),
        }
        Ok(())
    }

    fn read(&self) -> BTreeMap<K, T> {
        let pairs: Vec<(&K, &T)> = self.iter().collect();
        assert!(pairs.is_sorted_by(|one, next| one.0 < next.0) && pairs.len() == self.len());
        assert_eq!(self.is_empty(), pairs.is_empty());
        for key in K::few() {
            let found = pairs.iter().find(|(other, _)| **other == key).map(|(_, value)| *value);
            assert_eq!((self.get(&key), self.contains_key(&key)), (found, found.is_some()), "{key:?}");
        }
        pairs.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}
