//! Maps.

use crate::laws::op::{Few, MapOp};
use crate::laws::spec;
use crate::laws::store::{Enrolled, StoreOp, StoreValue};
use crate::laws::subject::Refused;
use crate::{Edit, Element, OrMap, Removable};
use std::collections::BTreeMap;
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
        one.keys().eq(other.keys()) && one.iter().zip(other.iter()).all(|((_, one), (_, other))| V::looks_alike(one, other))
    }
}
