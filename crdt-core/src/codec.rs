//! Canonical bytes: equal values have equal bytes on every platform, and every byte string is at most one value's.
//!
//! ```text
//! buffer   := 0xC1 (format, version) · form and id count (1 byte) · ids, ascending, 16 bytes each · body
//! state    := seen : dot set · root                    delta := own : dot set · retired : dot set · root
//! root     := 0 (empty)  or  kind · column of one store
//! dot set  := replicas · per replica: index · m (1..=m has no gap) · holes · (gap − 1 · length − 1)*
//! dots     := (where there are several stores: 0) · segments, or, if that is shorter: 1 · packed ids · packed counters
//! segment  := last of its store? (1 bit) · gap (3 bits, 7: escape) · length − 1 (4 bits)
//! packed   := lowest · width in bits · (distance from the lowest)*
//! values   := tag (1 byte) · payload, one type for the whole column where it has one
//! ```
//!
//! Stores of one kind that lie beside each other are written column by column: first all their dots, then all their
//! values, so that a type is named once and not per entry. Flat stores go by dot, maps by key. Every container names
//! its kind and structs name their fields, so a reader without the Rust types sees the same data. Integers are varints
//! in their shortest form.
//!
//! Whatever is decoded is encoded again and compared, so nothing that is not canonical gets in, and a decoder need not
//! check each rule by itself.

mod buffer;
mod column;
mod decode;
mod dots;
mod encode;
mod error;
mod extreme;
mod ids;
mod packed;
mod parts;

pub use column::ColumnTag;
pub use decode::{DecodeLimits, Decoder};
pub use encode::Encoder;
pub use error::{DecodeError, DecodeErrorKind};
pub use ids::Ids;

pub use buffer::{Canonical, decode};
pub(crate) use buffer::{Form, read, read_store, write};
pub(crate) use dots::ENTRIES_PER_BYTE;

/// A vector, for code that macros write into crates without `alloc` in scope.
#[doc(hidden)]
pub type StoreVec<T> = alloc::vec::Vec<T>;

/// How deep containers and values may lie in each other. What is deeper is neither read nor written.
pub const DEPTH_MAX: usize = 64;

/// The longest key or value, in bytes. What is longer is neither read nor written.
pub const VALUE_BYTES_MAX: usize = 512 * 1024;

/// What kind of container a store is, as its bytes say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// [`GCounter`](crate::GCounter)
    GCounter = 1,
    /// [`PnCounter`](crate::PnCounter)
    PnCounter = 2,
    /// [`BoundedCounter`](crate::BoundedCounter)
    BoundedCounter = 3,
    /// [`Counter`](crate::Counter)
    Counter = 4,
    /// [`LwwRegister`](crate::LwwRegister)
    LwwRegister = 5,
    /// [`MvRegister`](crate::MvRegister)
    MvRegister = 6,
    /// [`EwFlag`](crate::EwFlag)
    EwFlag = 7,
    /// [`DwFlag`](crate::DwFlag)
    DwFlag = 8,
    /// [`GSet`](crate::GSet)
    GSet = 9,
    /// [`OrSet`](crate::OrSet)
    OrSet = 10,
    /// [`RwSet`](crate::RwSet)
    RwSet = 11,
    /// [`OrMap`](crate::OrMap)
    OrMap = 12,
    /// [`LwwMap`](crate::LwwMap)
    LwwMap = 13,
    /// A struct made by [`fields!`](crate::fields), or a [`Document`](crate::Document)
    Record = 14,
}

impl Kind {
    /// All kinds of this version.
    pub const ALL: [Kind; 14] = [
        Kind::GCounter,
        Kind::PnCounter,
        Kind::BoundedCounter,
        Kind::Counter,
        Kind::LwwRegister,
        Kind::MvRegister,
        Kind::EwFlag,
        Kind::DwFlag,
        Kind::GSet,
        Kind::OrSet,
        Kind::RwSet,
        Kind::OrMap,
        Kind::LwwMap,
        Kind::Record,
    ];

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether stores of this kind may live under a key that can be removed; see [`Removable`](crate::Removable).
    #[must_use]
    pub const fn is_removable(self) -> bool {
        !matches!(
            self,
            Kind::GCounter | Kind::PnCounter | Kind::BoundedCounter | Kind::GSet | Kind::RwSet | Kind::DwFlag
        )
    }
}
