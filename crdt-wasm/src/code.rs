//! Why something was refused, as a number.

use crdt_sync::crdt_core::{self, DecodeError, DecodeErrorKind};
use crdt_sync::{FrameError, OpenError};

/// The codes of `SEAM.md` that Rust gives; the others are JavaScript's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Code {
    Disposed = 2,
    BadBytes = 5,
    UnsupportedFormat = 6,
    TooLarge = 7,
    BadValue = 8,
    OutOfRange = 9,
    Schema = 10,
    WrongDocument = 11,
    Unavailable = 14,
    Storage = 16,
}

impl Code {
    /// What a function that answers with a number gives.
    pub(crate) fn as_number(self) -> f64 {
        -f64::from(self as u8)
    }
}

impl From<DecodeError> for Code {
    fn from(error: DecodeError) -> Self {
        match error.kind {
            DecodeErrorKind::NewerVersion(_) => Self::UnsupportedFormat,
            DecodeErrorKind::TooLarge => Self::TooLarge,
            _ => Self::BadBytes,
        }
    }
}

impl From<FrameError> for Code {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Malformed(error) => error.into(),
            FrameError::TooLarge { .. } => Self::TooLarge,
            FrameError::Version(_) | FrameError::Unsupported(_) | FrameError::Extension { .. } => {
                Self::UnsupportedFormat
            }
            FrameError::OtherScope => Self::WrongDocument,
            FrameError::Closed => Self::Disposed,
            _ => Self::BadBytes,
        }
    }
}

impl From<crdt_sync::EditError> for Code {
    fn from(error: crdt_sync::EditError) -> Self {
        match error {
            crdt_sync::EditError::Failed => Self::Storage,
            crdt_sync::EditError::TooLarge => Self::TooLarge,
            _ => Self::Unavailable,
        }
    }
}

impl From<crdt_core::EditError> for Code {
    fn from(_: crdt_core::EditError) -> Self {
        Self::OutOfRange
    }
}

impl From<OpenError> for Code {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Broken { error, .. } => error.into(),
            OpenError::OtherScope => Self::WrongDocument,
            _ => Self::BadBytes,
        }
    }
}
