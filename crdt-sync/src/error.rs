//! What can be refused, and whose mistake it is.

use core::fmt;

use crdt_core::DecodeError;

/// A frame was not accepted. Its sender made the mistake, or speaks another version; the state did not change.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FrameError {
    /// Bytes that are none of ours, or break a rule of the format.
    Malformed(DecodeError),
    /// A limit was exceeded: which, and how much it allows.
    TooLarge {
        /// The limit's name in [`Limits`](crate::Limits).
        limit: &'static str,
        /// What it allows.
        allowed: u64,
    },
    /// A version of the protocol that is not spoken here.
    Version(u8),
    /// A kind of message that this build does not know, and may not skip.
    Unsupported(u8),
    /// An extension that has to be understood, and is not.
    Extension {
        /// What it is.
        tag: u64,
    },
    /// The frame is about another scope.
    OtherScope,
    /// A message that has no place here: before `Open`, or from a link that is not up.
    OutOfTurn(u8),
    /// A counter absurdly far above all that is known of its replica.
    CounterJump,
    /// The link is closed after too many bad frames.
    Closed,
}

impl FrameError {
    pub(crate) fn too_large(limit: &'static str, allowed: u64) -> Self {
        Self::TooLarge { limit, allowed }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "malformed frame: {error}"),
            Self::TooLarge { limit, allowed } => write!(f, "above the limit {limit}, which is {allowed}"),
            Self::Version(version) => write!(f, "protocol version {version} is not spoken here"),
            Self::Unsupported(kind) => write!(f, "messages of kind {kind} are not supported"),
            Self::Extension { tag } => write!(f, "extension {tag} has to be understood, and is not"),
            Self::OtherScope => write!(f, "the frame is about another scope"),
            Self::OutOfTurn(kind) => write!(f, "a message of kind {kind} has no place here"),
            Self::CounterJump => write!(f, "a counter lies absurdly far above all that is known of its replica"),
            Self::Closed => write!(f, "the link is closed after too many bad frames"),
        }
    }
}

impl std::error::Error for FrameError {}

impl From<DecodeError> for FrameError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

/// An edit was refused before anything changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EditError {
    /// The disk is too slow: too much waits for it. Try again after some of it is durable.
    Busy,
    /// The identity was lost, or has no counters left: give the replica a fresh id with `adopt_id`.
    Frozen,
    /// The store failed; reopen it.
    Failed,
    /// An entry, with its keys, is larger than what a frame can carry and others read: split it, or keep it elsewhere.
    TooLarge,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too much waits for the disk",
            Self::Frozen => "the replica has lost its identity and needs a fresh id",
            Self::Failed => "the store failed and has to be opened again",
            Self::TooLarge => "an entry is larger than a frame can carry",
        })
    }
}

impl std::error::Error for EditError {}

/// What was loaded cannot be opened. The store holds something else, or is damaged; it was not changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The bytes of an item are broken: which one, and how.
    Broken {
        /// What it is.
        what: &'static str,
        /// How it is broken.
        error: DecodeError,
    },
    /// The parts do not fit each other.
    Inconsistent(&'static str),
    /// The store belongs to another scope.
    OtherScope,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { what, error } => write!(f, "the stored {what} is broken: {error}"),
            Self::Inconsistent(what) => write!(f, "the store contradicts itself: {what}"),
            Self::OtherScope => write!(f, "the store belongs to another scope"),
        }
    }
}

impl std::error::Error for OpenError {}
