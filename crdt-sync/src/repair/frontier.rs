//! The maximal received dots of two replicas joined.

use crdt_core::DotSet;

/// `(frontier, received)` joins exactly like `(live, seen)`: a maximal dot stays unless the other side has received it
/// and knows something later.
#[must_use]
pub fn join_frontiers(mine: (&DotSet, &DotSet), theirs: (&DotSet, &DotSet)) -> DotSet {
    let mut joined = mine.0.intersection(theirs.0);
    joined.union_with(&mine.0.difference(theirs.1));
    joined.union_with(&theirs.0.difference(mine.1));
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::{Dot, ReplicaId};

    fn dots(dots: &[(u128, u64)]) -> DotSet {
        dots.iter().map(|(id, counter)| Dot::new(ReplicaId::from_u128(*id), *counter).unwrap()).collect()
    }

    #[test]
    fn what_either_side_has_built_on_is_not_maximal_any_more() {
        // Mine: a2 on a1. Theirs: b1 on a1, and c1 alone.
        let mine = (dots(&[(1, 2)]), dots(&[(1, 1), (1, 2)]));
        let theirs = (dots(&[(2, 1), (3, 1)]), dots(&[(1, 1), (2, 1), (3, 1)]));
        let joined = join_frontiers((&mine.0, &mine.1), (&theirs.0, &theirs.1));
        assert_eq!(joined, dots(&[(1, 2), (2, 1), (3, 1)]));
        // One that has all of it and built on it leaves nothing of the others.
        let later = (dots(&[(4, 1)]), dots(&[(1, 1), (1, 2), (2, 1), (3, 1), (4, 1)]));
        assert_eq!(join_frontiers((&joined, &later.1.difference(&later.0)), (&later.0, &later.1)), later.0);
    }
}
