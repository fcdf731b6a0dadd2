//! One answer to a conflict.

use crate::{Edit, Element, MvRegister, Siblings};

/// Makes one value of several that stand side by side; any function from [`Siblings`] does.
///
/// It is used in two ways and no other: as a view, [`MvRegister::resolved`], which leaves the state as it is, and as a
/// write, [`Edit::settle`], which puts its answer over exactly what it was made from. No merge takes one: unless the
/// answer were a join, replicas would diverge.
///
/// What it owes: concurrent writes have no order, and a value may stand there twice, so the answer follows from the set
/// of the values alone. `laws::check_resolver` (feature `laws`) tries it.
///
/// ```
/// use crdt_core::{Causal, Merge, MvRegister, ReplicaId, Siblings, Writer};
///
/// let longest = |drafts: &Siblings<String>| {
///     drafts.values.iter().max_by_key(|draft| (draft.len(), *draft)).cloned().unwrap_or_default()
/// };
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<MvRegister<String>>::new(), Causal::<MvRegister<String>>::new());
/// let (short, ()) = a.edit(&mut alice, |draft| draft.write("Dear all"));
/// let (long, ()) = b.edit(&mut bob, |draft| draft.write("Dear colleagues"));
/// a.merge(long);
/// b.merge(short);
/// assert_eq!(a.resolved(&longest).as_deref(), Some("Dear colleagues"));
/// assert!(a.is_conflict());                                          // a view: the conflict is still there
///
/// let (settled, wrote) = a.edit(&mut alice, |draft| draft.settle(&longest));
/// assert!(wrote && b.merge(settled));
/// assert_eq!(b.values(), ["Dear colleagues"]);
/// ```
pub trait Resolver<T> {
    /// The one value; asked only where at least two different ones stand side by side.
    fn resolve(&self, siblings: &Siblings<T>) -> T;
}

impl<T, F: Fn(&Siblings<T>) -> T> Resolver<T> for F {
    fn resolve(&self, siblings: &Siblings<T>) -> T {
        self(siblings)
    }
}

impl<T: Element> MvRegister<T> {
    /// The value, where needed the resolver's; none before the first write.
    #[must_use]
    pub fn resolved(&self, resolver: &impl Resolver<T>) -> Option<T> {
        let siblings = self.siblings();
        match siblings.values.first() {
            Some(_) if differ(&siblings) => Some(resolver.resolve(&siblings)),
            first => first.cloned(),
        }
    }
}

impl<T: Element> Edit<'_, MvRegister<T>> {
    /// Writes the resolver's answer over the values that stand side by side; true iff that was needed.
    ///
    /// Equal values stay as they are, so replicas that settle one conflict at the same time, and thereby write the same
    /// value twice, come to rest.
    pub fn settle(&mut self, resolver: &impl Resolver<T>) -> bool {
        let Some(siblings) = self.view().map(MvRegister::siblings).filter(differ) else { return false };
        self.write(resolver.resolve(&siblings));
        true
    }
}

fn differ<T: PartialEq>(siblings: &Siblings<T>) -> bool {
    siblings.values.windows(2).any(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Causal, Merge, ReplicaId, Writer};

    fn largest(siblings: &Siblings<u64>) -> u64 {
        siblings.values.iter().copied().max().unwrap_or(0)
    }

    /// Two replicas that see the values 3 and 5 side by side.
    fn conflict() -> [(Writer, Causal<MvRegister<u64>>); 2] {
        let mut replicas = [1, 2].map(|id| (Writer::new(ReplicaId::from_u128(id)), Causal::<MvRegister<u64>>::new()));
        for ((writer, state), value) in replicas.iter_mut().zip([3u64, 5]) {
            let _ = state.edit(writer, |register| register.write(value));
        }
        meet(&mut replicas);
        replicas
    }

    fn meet([(_, a), (_, b)]: &mut [(Writer, Causal<MvRegister<u64>>); 2]) {
        a.merge(&*b);
        b.merge(&*a);
        assert_eq!(a, b);
    }

    #[test]
    fn replicas_that_settle_at_the_same_time_come_to_rest() {
        let mut replicas = conflict();
        for (writer, state) in &mut replicas {
            assert_eq!(state.values(), [&3, &5]);
            assert_eq!(state.resolved(&largest), Some(5));
            assert!(state.edit(writer, |register| register.settle(&largest)).1);
        }
        meet(&mut replicas);
        for (writer, state) in &mut replicas {
            assert_eq!(state.values(), [&5, &5]);
            assert_eq!(state.resolved(&largest), Some(5));
            let (delta, wrote) = state.edit(writer, |register| register.settle(&largest));
            assert!(!wrote && delta.is_empty());
        }
    }

    #[test]
    fn a_write_concurrent_with_a_settlement_is_not_lost() {
        let mut replicas = conflict();
        let [(settler, a), (author, b)] = &mut replicas;
        let _ = a.edit(settler, |register| register.settle(&largest));
        let _ = b.edit(author, |register| register.write(1u64));
        meet(&mut replicas);
        assert_eq!(replicas[0].1.values(), [&5, &1]);
    }

    #[test]
    fn a_resolver_is_not_asked_where_nothing_is_to_resolve() {
        let never = |_: &Siblings<u64>| -> u64 { panic!("asked without a conflict") };
        let mut writer = Writer::new(ReplicaId::from_u128(1));
        let mut state = Causal::<MvRegister<u64>>::new();
        assert_eq!(state.resolved(&never), None);
        let _ = state.edit(&mut writer, |register| register.write(3u64));
        assert_eq!(state.resolved(&never), Some(3));
        assert!(!state.edit(&mut writer, |register| register.settle(&never)).1);
    }
}
