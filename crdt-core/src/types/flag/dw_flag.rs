//! The disable-wins flag.

use core::fmt;

use alloc::vec::Vec;

use crate::change::{Observed, Path};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, Encoder, Kind};
use crate::types::siblings::{self, Siblings};
use crate::{Dot, DotStore, Edit};

/// A flag that starts unset, and that disabling unsets whatever happens concurrently.
///
/// | concurrent | result |
/// |---|---|
/// | enable ∥ disable | unset |
/// | enable ∥ enable | set |
/// | disable ∥ disable | unset |
///
/// ```
/// use crdt_core::{Causal, DwFlag, Merge, ReplicaId, Writer};
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<DwFlag>::new(), Causal::<DwFlag>::new());
/// let (yes, ()) = a.edit(&mut alice, |consent| consent.enable());
/// let (no, ()) = b.edit(&mut bob, |consent| consent.disable());
/// a.merge(no);
/// b.merge(yes);
/// assert!(!a.is_set() && !b.is_set());
/// ```
///
/// **Cost.** O(1); kept and sent: a dot per concurrent call. A disable keeps its dot until an enable has seen it, so the
/// flag cannot live under a removable key.
///
/// **Source.** The mirror image of [`EwFlag`](crate::EwFlag); Baquero et al., *Pure Operation-Based Replicated Data
/// Types*, 2017.
///
/// **Choose** [`EwFlag`](crate::EwFlag) where "on" must win.
#[derive(Clone, Default)]
pub struct DwFlag {
    /// Calls that no later call has seen: true for an enable.
    calls: Siblings<bool>,
}

impl DwFlag {
    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.calls.is_empty() && self.calls.iter().all(|(_, enable)| *enable)
    }
}

impl Edit<'_, DwFlag> {
    /// Sets it, unless it is unset concurrently.
    pub fn enable(&mut self) {
        self.call(true);
    }

    /// Unsets it. Even if it is unset already this counts: no enable that is concurrent with it can set it.
    pub fn disable(&mut self) {
        self.call(false);
    }

    fn call(&mut self, enable: bool) {
        let observed = self.view().map(|flag| flag.calls.dots()).unwrap_or_default();
        self.put(enable);
        observed.iter().for_each(|dot| self.retire(*dot));
    }
}

impl DotStore for DwFlag {
    type Entry = bool;
    type Place = u32;
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = Kind::DwFlag;

    fn with_seed(_: u64) -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.calls.is_empty()
    }

    fn graft(&mut self, dot: Dot, enable: bool) -> u32 {
        self.calls.insert(dot, enable)
    }

    fn prune(&mut self, _: Dot, slot: &u32) {
        self.calls.remove(*slot);
    }

    fn entry(&self, _: Dot, slot: &u32) -> bool {
        *self.calls.get(*slot)
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, u32)) {
        self.calls.visit(visit);
    }

    fn observe(&self, _: &bool, _: &mut Path) -> Observed {
        Observed::Flag(self.is_set())
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        let (calls, dots) = Siblings::rows(stores.iter().map(|store| &store.calls));
        to.dots(dots.iter().map(|dots| dots.as_slice()), 1);
        calls.into_iter().for_each(|enable| to.byte(u8::from(*enable)));
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let dots = from.dots(count, 1, 1)?;
        let mut calls = Vec::new();
        for _ in 0..siblings::total(&dots) {
            calls.push(match from.byte()? {
                0 => false,
                1 => true,
                other => return Err(from.error(DecodeErrorKind::Unknown(other))),
            });
        }
        Ok(Siblings::from_rows(calls, dots).map(|calls| Self { calls }).collect())
    }

    fn heap_bytes(&self) -> usize {
        self.calls.heap_bytes()
    }
}

/// Equal flags are both set or both unset.
impl PartialEq for DwFlag {
    fn eq(&self, other: &Self) -> bool {
        self.is_set() == other.is_set()
    }
}

impl Eq for DwFlag {}

impl fmt::Debug for DwFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.is_set(), f)
    }
}
