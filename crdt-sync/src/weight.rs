//! What entries take where they wait, against what they take where they travel.

use crdt_core::{Delta, DotStore};

/// Each byte may stand for so many before they count: keys are shared where entries travel, and small integers short.
const PER_BYTE: usize = 4;

/// The bytes for which entries that came in so many count against a limit. Where they wait each has a copy of its key: two
/// kilobytes that name one long key for a thousand increments are megabytes then.
pub(crate) fn held_bytes<S: DotStore>(travelled: usize, entries: &Delta<S>) -> usize {
    travelled.max(entries.weigh().0 / PER_BYTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::{Causal, Counter, OrMap, ReplicaId, Writer};

    #[test]
    fn copies_of_a_long_key_count_and_those_of_a_short_one_hardly() {
        let counted = |key: &str| {
            let mut writer = Writer::new(ReplicaId::from_u128(1));
            let (delta, ()) = Causal::<OrMap<String, Counter>>::new().edit(&mut writer, |map| {
                let mut entry = map.entry(key);
                (0..1_000).for_each(|_| entry.add(1));
            });
            held_bytes(2_000, &delta)
        };
        let long = counted(&"k".repeat(2_000));
        assert!((500_000..600_000).contains(&long), "{long}");
        assert!(counted("k") <= 10_000, "{}", counted("k"));
    }
}
