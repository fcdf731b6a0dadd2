//! Names of replicas and edits, and sets of them.

use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::DecodeErrorKind;
use crate::dot::COUNTER_MAX;
use crate::{Dot, DotSet, ReplicaId, Summary, VersionVector};

impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { to.serialize_bytes(&self.to_bytes()) }
    }
}

impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() { from.deserialize_str(Id) } else { from.deserialize_bytes(Id) }
    }
}

/// Takes an id in either form, whatever the format says of itself.
struct Id;

impl<'de> Visitor<'de> for Id {
    type Value = ReplicaId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a replica id, as text or 16 bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ReplicaId, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<ReplicaId, E> {
        let bytes = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
        Ok(ReplicaId::from_bytes(bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ReplicaId, A::Error> {
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = items.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &self))?;
        }
        match items.next_element::<u8>()? {
            None => Ok(ReplicaId::from_bytes(bytes)),
            Some(_) => Err(A::Error::invalid_length(17, &self)),
        }
    }
}

/// What is true of every counter from outside.
fn counted<E: Error>(counter: u64) -> Result<u64, E> {
    if (1..=COUNTER_MAX).contains(&counter) { Ok(counter) } else { Err(E::custom(DecodeErrorKind::Counter)) }
}

impl Serialize for Dot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.replica(), self.counter()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Dot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (replica, counter) = Deserialize::deserialize(from)?;
        counted(counter).map(|counter| Dot::known(replica, counter))
    }
}

impl Serialize for DotSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // Collected first: compact formats must know how many there are before they write one.
        self.runs().collect::<Vec<_>>().serialize(to)
    }
}

impl<'de> Deserialize<'de> for DotSet {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut runs = Vec::<(ReplicaId, u64, u64)>::deserialize(from)?;
        // In order each run is added at the end of its row; backwards each would move all before it.
        runs.sort_unstable();
        let mut set = DotSet::new();
        for (replica, first, last) in runs {
            let (first, last) = (counted(first)?, counted(last)?);
            if first > last {
                return Err(D::Error::custom("a run of dots ends before it starts"));
            }
            set.insert_run(replica, first, last);
        }
        Ok(set)
    }
}

impl Serialize for VersionVector {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<Vec<_>>().serialize(to)
    }
}

impl<'de> Deserialize<'de> for VersionVector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut version = VersionVector::new();
        for (replica, count) in Vec::<(ReplicaId, u64)>::deserialize(from)? {
            version.raise(replica, counted(count)?);
        }
        Ok(version)
    }
}

/// The fields of a [`Summary`], before it is known that what is live was seen.
#[derive(Deserialize)]
#[serde(rename = "Summary")]
struct Claimed {
    seen: DotSet,
    live: DotSet,
}

impl<'de> Deserialize<'de> for Summary {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Claimed { seen, live } = Claimed::deserialize(from)?;
        if !live.is_subset(&seen) {
            return Err(D::Error::custom(DecodeErrorKind::NotSeen));
        }
        Ok(Summary { seen, live })
    }
}
