//! A map for what there is little of.

/// A row of keys and values, ascending by key: links, members, exchanges that are open. With a few hundred of them it is
/// as quick as a tree, and where code has to be loaded, as in a browser, it is a tenth of one for each type it holds.
///
/// Looking up costs the logarithm of how many there are; inserting and removing, a move of all that follow.
#[derive(Clone, Debug)]
pub(crate) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(held, _)| held.cmp(key))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let at = self.place(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    /// Puts a value under a key; the one that was there is dropped.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn get_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let at = match self.place(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, value()));
                at
            }
        };
        &mut self.0[at].1
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.place(key).ok()?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keeps(key, value));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn first_key(&self) -> Option<&K> {
        self.0.first().map(|(key, _)| key)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

/// Of two values under one key the later one stays.
impl<K: Ord, V> FromIterator<(K, V)> for Few<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut few = Self::new();
        items.into_iter().for_each(|(key, value)| few.insert(key, value));
        few
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Few;

    #[test]
    fn it_is_a_map_in_the_order_of_its_keys() {
        let (mut few, mut map) = (Few::new(), BTreeMap::new());
        // Every residue of 97 in an order that is neither up nor down, each key met several times.
        for step in 0..1_000_u64 {
            let (key, value) = (step * 37 % 97, step);
            match step % 5 {
                0 => assert_eq!(few.remove(&key), map.remove(&key)),
                1 => assert_eq!(few.get_or_insert_with(key, || value), map.entry(key).or_insert(value)),
                _ => {
                    few.insert(key, value);
                    map.insert(key, value);
                }
            }
            if step % 100 == 99 {
                few.retain(|key, value| (*key + *value) % 7 != 0);
                map.retain(|key, value| (*key + *value) % 7 != 0);
            }
            assert!(few.iter().eq(map.iter()) && few.values().eq(map.values()), "after step {step}");
            assert_eq!((few.len(), few.first_key()), (map.len(), map.keys().next()));
            assert_eq!((few.get(&key), few.contains_key(&key)), (map.get(&key), map.contains_key(&key)));
        }
        assert!((1..97).contains(&few.len()), "keys come and go");
        assert!(map.into_iter().collect::<Few<_, _>>().iter().eq(few.iter()));
    }
}
