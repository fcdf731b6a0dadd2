//! Why bytes were refused.

use core::fmt;

/// Bytes were refused. Nothing changed: decoding makes a new value or none.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DecodeError {
    /// How many bytes into the buffer.
    pub at: usize,
    /// What was wrong there.
    pub kind: DecodeErrorKind,
}

/// What was wrong with the bytes. Whoever sent them made the mistake, or runs another version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The buffer ends in the middle of something, or a count promises more than the rest can hold.
    TooShort,
    /// The buffer goes on after its value.
    TooLong,
    /// It does not start like one of ours.
    NotOurs,
    /// It was written by a newer version of the format.
    NewerVersion(u8),
    /// It is something else than was asked for, such as a delta instead of a state.
    OtherForm,
    /// A container of another kind than the type has here.
    OtherKind,
    /// A value of another type than the type has here.
    OtherType,
    /// A code that has no meaning.
    Unknown(u8),
    /// Text that is not UTF-8.
    NotText,
    /// A number that is not finite.
    NotFinite,
    /// An index of an id that is not in the table.
    UnknownId,
    /// A counter of 0, or above 2⁴⁸.
    Counter,
    /// A number that does not fit.
    TooLarge,
    /// Containers or values too deep in each other.
    TooDeep,
    /// A dot that names two entries.
    DotTwice,
    /// A key that stands there twice.
    KeyTwice,
    /// A live dot that was not seen.
    NotSeen,
    /// More replicas in one set of dots than the reader takes.
    TooManyReplicas,
    /// More runs in one set of dots than the reader takes.
    TooManyRuns,
    /// More entries than the reader takes.
    TooManyEntries,
    /// Entries whose keys, each copied for itself, take more than the reader allows.
    TooManyCopies,
    /// The same value has another spelling, which is the only one allowed.
    NotCanonical,
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DecodeErrorKind::TooShort => "the bytes end too early",
            DecodeErrorKind::TooLong => "bytes are left over",
            DecodeErrorKind::NotOurs => "not this format",
            DecodeErrorKind::NewerVersion(version) => {
                return write!(f, "written by the newer format version {version}");
            }
            DecodeErrorKind::OtherForm => "another form of buffer than was asked for",
            DecodeErrorKind::OtherKind => "another kind of container than the type has",
            DecodeErrorKind::OtherType => "a value of another type",
            DecodeErrorKind::Unknown(code) => return write!(f, "code {code} has no meaning here"),
            DecodeErrorKind::NotText => "text is not valid UTF-8",
            DecodeErrorKind::NotFinite => "number is not finite",
            DecodeErrorKind::UnknownId => "replica id is not in the table",
            DecodeErrorKind::Counter => "counter is 0 or above 2^48",
            DecodeErrorKind::TooLarge => "number is too large",
            DecodeErrorKind::TooDeep => "nested too deep",
            DecodeErrorKind::DotTwice => "one dot names two entries",
            DecodeErrorKind::KeyTwice => "a key stands there twice",
            DecodeErrorKind::NotSeen => "a live dot was not seen",
            DecodeErrorKind::TooManyReplicas => "too many replicas in one set of dots",
            DecodeErrorKind::TooManyRuns => "too many runs in one set of dots",
            DecodeErrorKind::TooManyEntries => "too many entries",
            DecodeErrorKind::TooManyCopies => "too many entries under long keys",
            DecodeErrorKind::NotCanonical => "not the canonical spelling",
        })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind, self.at)
    }
}

impl core::error::Error for DecodeError {}
