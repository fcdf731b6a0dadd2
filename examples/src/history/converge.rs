//! Do all roads lead to the same state? Deltas in random orders and groupings, and replicas that stopped early.

use crdt_core::{Causal, DecodeError, Delta, Merge, MvRegister, OrMap};

use super::git::BlobId;
use super::replay::Files;
use crate::progress::Progress;
use crate::random::Random;

/// What a delta of [`Files`] is.
type FilesDelta = Delta<OrMap<Vec<u8>, MvRegister<BlobId>>>;

/// What was tried, and whether everything came to the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// How many random orders and groupings of all deltas were merged into an empty state.
    pub orders: usize,
    /// How many sampled states were merged with all heads.
    pub samples: usize,
    /// Whether every one of them came to the digest of all heads merged.
    pub digests_equal: bool,
}

/// Merges `deltas` into empty states, in as many random orders as `budget` allows, and the heads into each of `samples`.
/// All arrive as bytes, as they would from a network.
///
/// An order is a shuffle and a random cut into groups: single deltas, handfuls, or up to everything at once. Deltas come
/// before those they build on, removals before what they remove.
pub fn converge(
    heads: &Files,
    deltas: &[Vec<u8>],
    samples: &[Vec<u8>],
    budget: Budget,
    progress: &mut Progress,
) -> Result<Convergence, DecodeError> {
    let expected = heads.content_digest();
    let mut digests_equal = true;

    for (at, sample) in samples.iter().enumerate() {
        let mut files = Files::decode(sample)?;
        files.merge(heads);
        digests_equal &= files.content_digest() == expected;
        progress.report("merging sampled states with all heads", at + 1, samples.len());
    }

    let mut random = Random::new(budget.seed);
    let orders = budget.orders(deltas);
    for order in 0..orders {
        let mut shuffled: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
        random.shuffle(&mut shuffled);
        let group_max = [1, 8, 100, deltas.len()][order % 4].max(1);

        let mut files: Files = Causal::with_seed(random.draw());
        let mut rest = shuffled.as_slice();
        while !rest.is_empty() {
            let (group, after) = rest.split_at((1 + random.below(group_max)).min(rest.len()));
            files.merge(grouped(group)?);
            rest = after;
            progress.report(
                "merging deltas in random orders",
                order * deltas.len() + deltas.len() - rest.len(),
                orders * deltas.len(),
            );
        }
        digests_equal &= files.content_digest() == expected;
    }
    Ok(Convergence { orders, samples: samples.len(), digests_equal })
}

/// One delta group out of several deltas, joined in halves: joining costs the size of both sides, so one after the other
/// would be quadratic.
fn grouped(deltas: &[&[u8]]) -> Result<FilesDelta, DecodeError> {
    match deltas {
        [] => Ok(Delta::new()),
        [one] => Delta::decode(one),
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            let mut group = grouped(left)?;
            group.merge(grouped(right)?);
            Ok(group)
        }
    }
}

/// How much to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Decides the orders and groupings.
    pub seed: u64,
    /// About how many bytes of deltas to merge in all. There are eight orders at least, two for each size of groups,
    /// and a hundred at most.
    pub bytes: usize,
}

impl Budget {
    fn orders(&self, deltas: &[Vec<u8>]) -> usize {
        let all: usize = deltas.iter().map(Vec::len).sum();
        (self.bytes / all.max(1)).clamp(8, 100)
    }
}

#[cfg(test)]
mod tests {
    use crdt_core::{ReplicaId, Writer};

    use super::*;

    const BUDGET: Budget = Budget { seed: 3, bytes: 0 };

    /// Two replicas that both write one path, and the bytes of their deltas.
    fn two_writers() -> (Files, Vec<Vec<u8>>) {
        let mut heads = Files::new();
        let mut deltas = Vec::new();
        for number in 1..=2 {
            let mut writer = Writer::new(ReplicaId::from_u128(number));
            let mut files = Files::new();
            for edit in 0..3 {
                let blob = BlobId::from_bytes(&[10 * number as u8 + edit; 20]).unwrap();
                let (delta, ()) = files.edit(&mut writer, |files| files.entry(b"path").write(blob));
                deltas.push(delta.encode());
            }
            heads.merge(files);
        }
        (heads, deltas)
    }

    #[test]
    fn all_orders_of_all_deltas_and_any_earlier_state_come_to_the_heads() {
        let (heads, deltas) = two_writers();
        let empty = Files::new().encode();
        let found = converge(&heads, &deltas, &[empty, heads.encode()], BUDGET, &mut Progress::silent()).unwrap();
        assert_eq!(found, Convergence { orders: 8, samples: 2, digests_equal: true });
    }

    #[test]
    fn a_missing_delta_and_a_state_from_elsewhere_are_noticed() {
        let (heads, deltas) = two_writers();
        // Each writer's last: an earlier one is named as overwritten by the next, so nothing is lost with it.
        for missing in [2, 5] {
            let mut some = deltas.clone();
            some.remove(missing);
            assert!(!converge(&heads, &some, &[], BUDGET, &mut Progress::silent()).unwrap().digests_equal, "{missing}");
        }
        let mut elsewhere = Files::new();
        let blob = BlobId::from_bytes(&[1; 20]).unwrap();
        let (_, ()) =
            elsewhere.edit(&mut Writer::new(ReplicaId::from_u128(3)), |files| files.entry(b"other").write(blob));
        let found = converge(&heads, &deltas, &[elsewhere.encode()], BUDGET, &mut Progress::silent()).unwrap();
        assert!(!found.digests_equal);
    }
}
