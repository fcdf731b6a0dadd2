//! Timestamps.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

impl Serialize for Timestamp {
    /// In two parts: as one number it would be too large for JavaScript to keep exactly.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.ms(), self.counter()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (ms, counter) = Deserialize::deserialize(from)?;
        let stamp = Timestamp::new(ms, counter);
        // What does not fit is cut where a stamp is made; here it is somebody's mistake.
        if stamp.ms() == ms { Ok(stamp) } else { Err(D::Error::custom("milliseconds above 48 bits")) }
    }
}
