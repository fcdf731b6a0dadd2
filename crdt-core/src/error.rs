//! Why an edit was refused.

use core::fmt;

/// An edit was refused. The mistake is the caller's, and the value it was tried on did not change; an edit of several
/// steps is rolled back as a whole by [`try_edit`](crate::Causal::try_edit).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum EditError {
    /// A replica's running total would leave its range. Totals are added up in wider numbers, so a read never
    /// overflows.
    Overflow,
    /// A counter would fall below zero, as far as is known here.
    BelowZero {
        /// Its value here.
        value: i128,
    },
    /// This replica has not the rights to spend that much.
    InsufficientRights {
        /// What it may spend.
        here: u64,
        /// What others may spend, as far as is known here; above 0 it is not "sold out", and they can grant some.
        elsewhere: u64,
    },
    /// A key or value is longer than [`VALUE_BYTES_MAX`](crate::codec::VALUE_BYTES_MAX), or lies deeper than
    /// [`DEPTH_MAX`](crate::codec::DEPTH_MAX): nobody could read it back. Split it, or keep it elsewhere.
    TooLarge,
    /// The writer has issued all of its 2⁴⁸ dots. Go on with a fresh id.
    Exhausted,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EditError::Overflow => f.write_str("running total would leave its range"),
            EditError::BelowZero { value } => write!(f, "counter would fall below zero from {value}"),
            EditError::InsufficientRights { here, elsewhere } => {
                write!(f, "rights to spend {here} here, {elsewhere} with other replicas")
            }
            EditError::TooLarge => f.write_str("key or value is longer or deeper than what can be read back"),
            EditError::Exhausted => f.write_str("writer has issued all of its 2^48 dots"),
        }
    }
}

impl core::error::Error for EditError {}
