//! The enable-wins flag.

use core::fmt;

use alloc::vec::Vec;

use crate::change::{Observed, Path};
use crate::codec::{DecodeError, Decoder, Encoder, Kind};
use crate::types::siblings::Siblings;
use crate::{Dot, DotStore, Edit, Removable};

/// A flag that starts unset, and that enabling sets whatever happens concurrently.
///
/// | concurrent | result |
/// |---|---|
/// | enable ∥ disable | set: the disable had not seen that enable |
/// | enable ∥ enable | set |
/// | disable ∥ disable | unset |
///
/// ```
/// use crdt_core::{Causal, EwFlag, Merge, ReplicaId, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let mut a = Causal::<EwFlag>::new();
/// let (delta, ()) = a.edit(&mut alice, |alarm| alarm.enable());
/// let mut b = Causal::<EwFlag>::new();
/// b.merge(delta);
/// let (off, ()) = a.edit(&mut alice, |alarm| alarm.disable());
/// let (on, ()) = b.edit(&mut bob, |alarm| alarm.enable());
/// a.merge(on);
/// b.merge(off);
/// assert!(a.is_set() && b.is_set());
/// ```
///
/// **Cost.** O(1); kept and sent: a dot per concurrent enable, nothing when unset.
///
/// **Source.** Almeida et al. 2018, section 7.3.3; Riak's `riak_dt_od_flag`.
///
/// **Choose** [`DwFlag`](crate::DwFlag) where "off" must win, such as consent.
#[derive(Clone, Default)]
pub struct EwFlag {
    enables: Siblings<()>,
}

impl EwFlag {
    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.enables.is_empty()
    }
}

impl Edit<'_, EwFlag> {
    /// Sets it. Even if it is set already this counts: no disable that is concurrent with it can unset it.
    pub fn enable(&mut self) {
        let observed = self.view().map(|flag| flag.enables.dots()).unwrap_or_default();
        self.put(());
        observed.iter().for_each(|dot| self.retire(*dot));
    }

    /// Unsets it, as far as it is seen to be set here.
    pub fn disable(&mut self) {
        self.retire_all();
    }
}

impl DotStore for EwFlag {
    type Entry = ();
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::EwFlag;

    fn with_seed(_: u64) -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.enables.is_empty()
    }

    fn graft(&mut self, dot: Dot, (): ()) -> u32 {
        self.enables.insert(dot, ())
    }

    fn prune(&mut self, _: Dot, slot: &u32) {
        self.enables.remove(*slot);
    }

    fn entry(&self, _: Dot, _: &u32) {}

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        self.enables.visit(visit);
    }

    fn observe(&self, (): &(), _: &mut Path) -> Observed {
        Observed::Flag(self.is_set())
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let (_, dots) = Siblings::rows(stores.iter().map(|store| &store.enables));
        // No values beside them, so each dot takes a byte of its own: a byte may not promise sixteen entries.
        to.dots(dots.iter().map(|dots| dots.as_slice()), 1);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let dots = from.dots(count, 1, 0)?;
        Ok(Siblings::from_rows(core::iter::repeat(()), dots).map(|enables| Self { enables }).collect())
    }

    fn heap_bytes(&self) -> usize {
        self.enables.heap_bytes()
    }
}

impl Removable for EwFlag {}

/// Equal flags are both set or both unset.
impl PartialEq for EwFlag {
    fn eq(&self, other: &Self) -> bool {
        self.is_set() == other.is_set()
    }
}

impl Eq for EwFlag {}

impl fmt::Debug for EwFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.is_set(), f)
    }
}
