//! Who made an edit, and which of their edits it was.

use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

use uuid::Uuid;

/// The highest counter of a dot: 2⁴⁸.
///
/// One bound for all: no writer issues a higher one, no dot or set of dots holds one, and no decoder takes one. So what
/// was written can be read. A million edits a second take nine years to get there, and a JavaScript number keeps each
/// of them exactly.
pub const COUNTER_MAX: u64 = 1 << 48;

/// The name of one replica: 128 random bits that stand for one memory, not for a user or a device.
///
/// Whoever may have lost state (a restored backup, a cloned image, a second tab) takes a fresh one. Two memories
/// that write under one id name two edits alike, and then one of the two edits disappears.
///
/// Ids are ordered by their bytes; the order means nothing, but it is the same everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId {
    // Two words rather than one `u128`, whose alignment would make every dot a third larger.
    high: u64,
    low: u64,
}

impl ReplicaId {
    /// Draws a fresh id from the system's generator.
    ///
    /// # Panics
    /// Where the system has no generator, as a predictable id would be worse than none.
    #[cfg(feature = "random")]
    #[must_use]
    pub fn random() -> Self {
        Self::from(Uuid::new_v4())
    }

    /// The id that these 16 bytes spell.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_u128(u128::from_be_bytes(bytes))
    }

    /// The id whose big-endian bytes are this number's; for tests and examples, where ids should be readable.
    #[must_use]
    pub const fn from_u128(number: u128) -> Self {
        Self { high: (number >> 64) as u64, low: number as u64 }
    }

    pub(crate) const fn words(self) -> (u64, u64) {
        (self.high, self.low)
    }

    /// The 16 bytes of this id.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        ((self.high as u128) << 64 | self.low as u128).to_be_bytes()
    }
}

impl From<Uuid> for ReplicaId {
    fn from(uuid: Uuid) -> Self {
        Self::from_bytes(*uuid.as_bytes())
    }
}

impl From<ReplicaId> for Uuid {
    fn from(id: ReplicaId) -> Self {
        Self::from_bytes(id.to_bytes())
    }
}

impl FromStr for ReplicaId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self::from)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from(*self), f)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of one edit: the replica that made it, and which of its edits it was, counted from 1.
///
/// Dots are never reused; what a dot names never changes (Preguiça et al., *Dotted Version Vectors*, 2010).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    replica: ReplicaId,
    counter: NonZeroU64,
}

impl Dot {
    /// The dot of a replica's `counter`-th edit; `None` for 0, as edits are counted from 1, and above [`COUNTER_MAX`].
    #[must_use]
    pub const fn new(replica: ReplicaId, counter: u64) -> Option<Self> {
        match NonZeroU64::new(counter) {
            Some(counter) if counter.get() <= COUNTER_MAX => Some(Self { replica, counter }),
            _ => None,
        }
    }

    /// Who made the edit.
    #[must_use]
    pub const fn replica(self) -> ReplicaId {
        self.replica
    }

    /// Which of that replica's edits it was.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.counter.get()
    }

    /// For counters that are known to be those of a dot, such as the members of a run.
    pub(crate) fn known(replica: ReplicaId, counter: u64) -> Self {
        Self::new(replica, counter).expect("counters in runs lie between 1 and the highest")
    }

    /// The hash that [`dots_digest`](crate::Causal::dots_digest) sums up.
    pub(crate) fn digest(self) -> u64 {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&self.replica.to_bytes());
        bytes[16..].copy_from_slice(&self.counter().to_le_bytes());
        xxhash_rust::xxh3::xxh3_64(&bytes)
    }
}

impl fmt::Debug for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.replica, self.counter)
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn ids_are_ordered_by_their_bytes() {
        let small = ReplicaId::from_bytes([0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0]);
        let large = ReplicaId::from_bytes([0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(small < large);
        assert_eq!(ReplicaId::from_bytes(small.to_bytes()), small);
    }

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = ReplicaId::from_u128(0x1234_5678_9abc_def0_1122_3344_5566_7788);
        assert_eq!(id.to_string().parse::<ReplicaId>().unwrap(), id);
    }

    #[test]
    fn edits_are_counted_from_one_to_the_bound() {
        let id = ReplicaId::from_u128(1);
        for counter in [1, COUNTER_MAX - 1, COUNTER_MAX] {
            assert_eq!(Dot::new(id, counter).map(Dot::counter), Some(counter));
        }
        for counter in [0, COUNTER_MAX + 1, 1 << 53, u64::MAX] {
            assert_eq!(Dot::new(id, counter), None);
        }
    }

    #[test]
    fn a_dot_takes_24_bytes_and_so_does_an_absent_one() {
        assert_eq!(size_of::<Dot>(), 24);
        assert_eq!(size_of::<Option<Dot>>(), 24);
    }
}
